import { env } from "cloudflare:workers";
import { describe, it } from "vitest";
import { identityApp } from "../support/identity-app.ts";

const DB = (env as unknown as { DB: D1Database }).DB;

describe("OpenAPI of identity", () => {
  it("describes every route with a summary, a tag and its refusals", async ({ expect }) => {
    const app = await identityApp(DB);
    const response = await app.request("GET", "/openapi.json");
    expect(response.status).toBe(200);
    const { paths } = await response.json<
      {
        paths: Record<
          string,
          Record<string, { summary?: string; tags?: string[]; responses: Record<string, unknown> }>
        >;
      }
    >();
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, route]) => ({
        name: `${method.toUpperCase()} ${path}`,
        route,
      }))
    );
    expect(routes.map(({ name }) => name).sort((a, b) => a.localeCompare(b))).toEqual([
      "DELETE /v1/auth/passkeys/{id}",
      "DELETE /v1/auth/sessions",
      "DELETE /v1/auth/sessions/{id}",
      "GET /.well-known/jwks.json",
      "GET /undo",
      "GET /v1/auth/passkeys",
      "GET /v1/auth/sessions",
      "GET /v1/auth/step-up",
      "GET /v1/legal/texts/{purpose}",
      "GET /v1/me",
      "GET /v1/me/consents",
      "PATCH /v1/auth/passkeys/{id}",
      "PATCH /v1/me",
      "POST /v1/auth/codes",
      "POST /v1/auth/passkeys",
      "POST /v1/auth/passkeys/assertions",
      "POST /v1/auth/passkeys/assertions/options",
      "POST /v1/auth/passkeys/options",
      "POST /v1/auth/refresh",
      "POST /v1/auth/sessions",
      "POST /v1/auth/step-up",
      "POST /v1/auth/undo",
      "PUT /v1/auth/step-up",
      "PUT /v1/me/consents/{purpose}",
      "PUT /v1/me/email",
    ]);
    for (const { name, route } of routes) {
      expect([name, typeof route.summary, route.tags?.length]).toEqual([name, "string", 1]);
      if (name.includes("/v1/")) {
        expect(Object.keys(route.responses), name).toEqual(
          expect.arrayContaining([...(name.includes("/legal/") ? [] : ["401"]), "429", "503"]),
        );
      }
    }
  });
});
