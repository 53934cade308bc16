// Routes that show what every route shares, and answers that must never carry a planted address.
import { env } from "cloudflare:workers";
import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { auditStatement } from "../../src/audit/ports.ts";
import { guarded } from "../../src/db/database.ts";
import { pageQuery } from "../../src/http/paging.ts";
import { problem } from "../../src/http/problem.ts";
import type { ProblemBody, ProblemCode } from "../../src/http/problem.ts";
import { answer, body, createRouter } from "../../src/http/router.ts";
import { binding, db } from "./http-app.ts";

export const PLANTED = "jean.dupont@example.com";
export const PROBLEM = "application/problem+json";

/** The probe routes; mount them at `/`. */
export function probeRouter() {
  const routes = createRouter();
  const shape = z.strictObject({
    name: z.string().max(5),
    address: z.strictObject({ zip: z.string().regex(/^\d{5}$/) }).optional(),
    kind: z.enum(["a", "b"]).optional(),
    points: z.number().int().min(1).max(9).optional(),
  });
  routes.openapi(
    createRoute({
      method: "post",
      path: "/v1/things",
      request: { body: body(shape) },
      responses: { 200: answer(shape, "thing") },
    }),
    (c) => c.json(c.req.valid("json"), 200),
  );
  routes.openapi(
    createRoute({
      method: "get",
      path: "/v1/things",
      request: { query: z.strictObject(pageQuery) },
      responses: { 200: answer(z.object({ limit: z.number() }), "things") },
    }),
    (c) => c.json({ limit: c.req.valid("query").limit }, 200),
  );
  routes.get("/v1/problems/:code", (c) => problem(c, c.req.param("code") as ProblemCode));
  routes.get(
    "/v1/waits/:seconds",
    (c) => problem(c, "rate_limited", { headers: { "Retry-After": c.req.param("seconds") } }),
  );
  routes.get(
    "/v1/public",
    (c) => c.json({}, 200, { "Cache-Control": "public, max-age=60", ETag: '"1"' }),
  );
  routes.get("/v1/private", (c) => c.json({ email: PLANTED }));
  routes.post("/v1/auth/codes", (c) => c.json({}, 202));
  routes.post("/v1/size", async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }));
  routes.post(
    "/admin/v1/brands/import",
    async (c) => c.json({ bytes: (await c.req.text()).length }),
  );
  routes.post(
    "/webhooks/powens/x",
    async (c) => c.json({ bytes: (await c.req.arrayBuffer()).byteLength }),
  );
  routes.get(
    "/asset",
    () => (env as unknown as { ASSETS: Fetcher }).ASSETS.fetch("http://assets/docs/start.js"),
  );
  routes.get("/v1/throws/error", () => {
    throw new Error(`secret of ${PLANTED}`);
  });
  routes.get("/v1/throws/text", () => {
    throw `secret of ${PLANTED}`;
  });
  routes.get("/v1/throws/named", () => {
    throw Object.assign(new Error("x"), { name: PLANTED });
  });
  routes.get(
    "/v1/database/statement",
    async (c) => c.json(await db.run(sql`SELECT ${PLANTED} FROM missing_table`)),
  );
  routes.get("/v1/database/batch", async (c) => {
    const event = auditStatement(
      db,
      { actorKind: "user", actor: PLANTED, action: "x", target: "x", details: {} },
      Date.now(),
      () => new Uint8Array(16),
    );
    return c.json(await db.batch([event, event]));
  });
  routes.get(
    "/v1/database/raw",
    async (c) =>
      c.json(
        await guarded(() =>
          binding.prepare("SELECT * FROM missing_table WHERE a = ?").bind(PLANTED).all()
        ),
      ),
  );
  return routes;
}

export const json = async (response: Response): Promise<ProblemBody> => response.json();
