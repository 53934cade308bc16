// The OpenAPI 3.1 document, generated from the routes, and where it is served.
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./context.ts";
import { problemTable } from "./problem.ts";
import { PROBLEM_DESCRIPTION } from "./router.ts";

export const API_VERSION = "1.0.0";

/** Adds `GET /openapi.json`. Call it after every router is mounted. */
export function documentInfo(app: OpenAPIHono<AppEnv>): void {
  app.openAPIRegistry.registerComponent("securitySchemes", "user", {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "operator", {
    type: "apiKey",
    in: "header",
    name: "Cf-Access-Jwt-Assertion",
  });
  let text: string | null = null;
  app.get("/openapi.json", (c) => {
    text ??= JSON.stringify(openApiDocument(app));
    return c.body(text, 200, {
      "Content-Type": "application/json",
      "Cache-Control": "public, max-age=300",
    });
  });
}

/**
 * The document itself, for the served copy and for the check that the committed copy is current.
 */
export function openApiDocument(app: OpenAPIHono<AppEnv>): unknown {
  const codes = problemTable().map(({ code, status, en }) => `| \`${code}\` | ${status} | ${en} |`)
    .join("\n");
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Cagnotte",
      version: API_VERSION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
      description:
        "Card-linked cashback. Every refusal is a problem (RFC 9457) with a stable `code`: see the schema `Problem`.",
    },
    servers: [{ url: "/" }],
  });
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(operations)) {
      addSharedRefusals(path, method, operation as Operation);
    }
  }
  const problemSchema = document.components?.schemas?.["Problem"];
  if (problemSchema !== undefined) {
    problemSchema.description =
      `Problem details (RFC 9457).\n\n| code | status | meaning |\n| --- | --- | --- |\n${codes}`;
  }
  return document;
}

type Operation = {
  readonly requestBody?: unknown;
  readonly responses: Record<string, typeof PROBLEM_RESPONSE>;
};

const PROBLEM_RESPONSE = {
  description: PROBLEM_DESCRIPTION,
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/** What is answered before any route: limits, the size, the type and the shape of bodies. */
function addSharedRefusals(path: string, method: string, operation: Operation): void {
  const forUsers = path.startsWith("/v1/");
  if (!forUsers && !path.startsWith("/admin/")) return;
  const shared = [
    ...(forUsers ? [429] : []),
    ...(["post", "put", "patch"].includes(method) ? [413, 415] : []),
    ...(operation.requestBody === undefined ? [] : [400, 422]),
    503,
  ];
  for (const status of shared) operation.responses[status] ??= PROBLEM_RESPONSE;
}
