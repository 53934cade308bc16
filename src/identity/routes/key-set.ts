// GET /.well-known/jwks.json.
import { createRoute, z } from "@hono/zod-openapi";
import { answer } from "../../http/router.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";

export function addKeySet(router: Router, deps: IdentityRoutesDeps): void {
  const key = z.object({
    kid: z.string(),
    kty: z.string(),
    crv: z.string(),
    x: z.string(),
    y: z.string(),
    alg: z.string(),
    use: z.string(),
  });
  const route = createRoute({
    method: "get",
    path: "/.well-known/jwks.json",
    tags: ["Discovery"],
    summary: "Keys that verify our access tokens",
    responses: {
      200: answer(
        z.object({ keys: z.array(key) }).openapi("KeySet"),
        "JSON Web Key Set (RFC 7517)",
      ),
    },
  });
  // Short enough that a new key is known everywhere before it signs for long; the old one stays
  // listed meanwhile.
  router.openapi(
    route,
    (c) =>
      c.json({ keys: [...deps.publicKeys.keys] }, 200, { "Cache-Control": "public, max-age=300" }),
  );
}
