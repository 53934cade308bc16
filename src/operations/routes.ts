// Health, the legal notice, the documentation page.
import { createRoute, z } from "@hono/zod-openapi";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Config } from "../config.ts";
import type { AppEnv } from "../http/context.ts";
import { API_VERSION } from "../http/openapi.ts";
import { problem } from "../http/problem.ts";
import { answer, createRouter, problems } from "../http/router.ts";
import type { Log } from "../kernel/log.ts";
import { DAY_MS, toInstant } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import { appleAssociation, assetLinks } from "./associations.ts";
import { legalNotice, securityText } from "./legal.ts";
import { readiness } from "./readiness.ts";
import type { ReadinessChecks } from "./readiness.ts";

type OperationsRoutesDeps = {
  readonly config: Pick<
    Config,
    | "environment"
    | "publicUrl"
    | "redirectUris"
    | "apps"
    | "powens"
    | "email"
    | "jurisdiction"
    | "debtor"
  >;
  /** See `legalNotice`. */
  readonly host: string | null;
  readonly checks: ReadinessChecks;
  readonly clock: Clock;
  readonly log: Log;
  /** Static files; the page of `/docs` is made by a build script. */
  readonly assets: (request: Request) => Promise<Response>;
};

const tags = ["Operations"];
const SECURITY_TEXT_DAYS = 180;

const CHECK_DETAILS = {
  database_unavailable: {
    pointer: "#check/database",
    fr: "La base de données ne répond pas",
    en: "The database does not answer",
  },
  database_outside_eu: {
    pointer: "#check/database",
    fr: "La base de données n'est pas servie depuis l'Union européenne",
    en: "The database is not served from the European Union",
  },
  ledger_unavailable: {
    pointer: "#check/ledger",
    fr: "Aucun registre n'est joignable",
    en: "No ledger can be reached",
  },
  programme_rate_changed: {
    pointer: "#check/programme",
    fr: "Le cours des points n'est pas celui du premier démarrage",
    en: "The rate of points is not that of the first start",
  },
} as const;

/** `GET /healthz` and `/readyz`: before the gate, since they must tell why the rest is closed. */
function healthRoutes(deps: OperationsRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const health = createRoute({
    method: "get",
    path: "/healthz",
    tags,
    summary: "Tell that the application runs",
    responses: {
      200: answer(
        z.object({ status: z.literal("ok"), version: z.string() }).openapi("Health"),
        "It runs",
      ),
    },
  });
  router.openapi(health, (c) => c.json({ status: "ok" as const, version: API_VERSION }, 200));

  const ready = createRoute({
    method: "get",
    path: "/readyz",
    tags,
    summary: "Tell whether the application can work",
    description:
      "503 with a code per failed check in `errors`. In production the database must be served from the EU.",
    responses: {
      200: answer(
        z.object({ status: z.literal("ok"), database_region: z.string().nullable() }).openapi(
          "Readiness",
        ),
        "Database and ledgers answer",
      ),
      ...problems(503),
    },
  });
  router.openapi(ready, async (c) => {
    const { region, failures } = await readiness(
      deps.checks,
      deps.config.environment === "production",
    );
    if (failures.length === 0) {
      return c.json({ status: "ok" as const, database_region: region }, 200);
    }
    deps.log.alert("not_ready", { checks: failures.join("/") });
    const locale = c.get("locale");
    return problem(c, "unavailable", {
      errors: failures.map((code) => ({
        pointer: CHECK_DETAILS[code].pointer,
        code,
        detail: CHECK_DETAILS[code][locale],
      })),
    }) as never;
  });
  return router;
}

/**
 * Closes everything mounted after it when the configured rate of points is not the stored one. 503,
 * so that the aggregator sends again what it could not deliver meanwhile.
 */
function programmeGate(
  deps: Pick<OperationsRoutesDeps, "checks" | "log">,
): OpenAPIHono<AppEnv> {
  const router = createRouter();
  router.use("*", async (c, next) => {
    const programme = await deps.checks.programme();
    if (programme.ok) return next();
    deps.log.alert("programme_refused", { code: programme.error.code });
    return problem(c, "unavailable");
  });
  return router;
}

const text = z.string();
const legalSchema = z.object({
  operator: z.object({ name: text.nullable(), url: text }),
  account_information: z.object({ provider: text, domain: text, role: text }),
  agent: z.object({ of: text, register: text, status: text }),
  data_kept: z.array(z.object({ what: text, why: text, until: text })),
  data_never_kept: z.array(text),
  hosting: z.object({ provider: text, jurisdiction: text.nullable(), statement: text }),
  processors: z.array(z.object({ role: z.enum(["aggregator", "hosting", "email"]), name: text })),
  complaints: z.object({
    contact: text,
    how: text,
    authorities: z.array(z.object({ name: text, url: text, about: text })),
  }),
}).openapi("LegalNotice");

// Swagger UI sets styles from its script; nothing else may come from anywhere but here.
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** `GET /v1/legal`, what stands under `/.well-known/` beside the keys, `/docs`. */
function noticeRoutes(deps: OperationsRoutesDeps): OpenAPIHono<AppEnv> {
  const router = createRouter();
  const legal = createRoute({
    method: "get",
    path: "/v1/legal",
    tags,
    summary: "Read who reads your account, what is kept, where, and where to complain",
    responses: { 200: answer(legalSchema, "The notice, in the caller's language") },
  });
  router.openapi(legal, (c) => {
    const locale = c.get("locale");
    c.header("Vary", "Accept-Language", { append: true });
    return c.json(legalNotice(deps.config, deps.host, locale), 200, {
      "Cache-Control": "public, max-age=300",
      "Content-Language": locale,
    });
  });

  const security = createRoute({
    method: "get",
    path: "/.well-known/security.txt",
    tags,
    summary: "Tell where to report a weakness (RFC 9116)",
    responses: {
      200: { description: "security.txt", content: { "text/plain": { schema: z.string() } } },
    },
  });
  router.openapi(
    security,
    (c) =>
      c.text(
        securityText(
          deps.config.publicUrl,
          toInstant(deps.clock.nowMs() + SECURITY_TEXT_DAYS * DAY_MS),
        ),
        200,
        { "Cache-Control": "public, max-age=86400" },
      ),
  );

  associationRoutes(router, deps.config);

  const docs = createRoute({
    method: "get",
    path: "/docs",
    tags,
    summary: "Read this document as a page",
    responses: {
      200: { description: "The page", content: { "text/html": { schema: z.string() } } },
    },
  });
  const page = async (request: Request, path: string): Promise<Response> => {
    const served = await deps.assets(
      new Request(new URL(path, request.url), { headers: request.headers }),
    );
    const headers = new Headers(served.headers);
    headers.set("Content-Security-Policy", DOCS_POLICY);
    headers.set("Cache-Control", "public, max-age=300");
    return new Response(served.body, { status: served.status, headers });
  };
  router.openapi(docs, async (c) => (await page(c.req.raw, "/docs/")) as never);
  router.get("/docs/*", (c) => page(c.req.raw, c.req.path));
  return router;
}

const ASSOCIATION_HEADERS = { "Cache-Control": "public, max-age=3600" };

function associationRoutes(
  router: OpenAPIHono<AppEnv>,
  { apps, publicUrl, redirectUris }: OperationsRoutesDeps["config"],
): void {
  const apple = createRoute({
    method: "get",
    path: "/.well-known/apple-app-site-association",
    tags,
    summary: "Tell which Apple apps belong to this system",
    responses: {
      200: answer(
        z.object({
          webcredentials: z.object({ apps: z.array(z.string()) }),
          applinks: z.object({
            details: z.array(
              z.object({
                appIDs: z.array(z.string()),
                components: z.array(z.record(z.string(), z.string())),
              }),
            ),
          }),
        }),
        "The apps of `APPLE_APP_IDS`",
      ),
    },
  });
  router.openapi(
    apple,
    (c) =>
      c.json(
        appleAssociation(apps.apple, publicUrl, redirectUris) as never,
        200,
        ASSOCIATION_HEADERS,
      ),
  );

  const android = createRoute({
    method: "get",
    path: "/.well-known/assetlinks.json",
    tags,
    summary: "Tell which Android apps belong to this system",
    responses: {
      200: answer(
        z.array(z.object({
          relation: z.array(z.string()),
          target: z.object({
            namespace: z.string(),
            package_name: z.string(),
            sha256_cert_fingerprints: z.array(z.string()),
          }),
        })),
        "The apps of `ANDROID_APPS`",
      ),
    },
  });
  router.openapi(
    android,
    (c) => c.json(assetLinks(apps.android) as never, 200, ASSOCIATION_HEADERS),
  );
}

/** Every router of operations in mounting order; what follows them is behind the gate. */
export function operationsRouters(
  deps: OperationsRoutesDeps,
): readonly { readonly path: string; readonly router: OpenAPIHono<AppEnv> }[] {
  return [
    { path: "/", router: healthRoutes(deps) },
    { path: "/", router: noticeRoutes(deps) },
    { path: "/", router: programmeGate(deps) },
  ];
}
