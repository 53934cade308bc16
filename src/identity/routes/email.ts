// Changing the address of an account.
import { createRoute, z } from "@hono/zod-openapi";
import { requireStepUp } from "../../http/authentication.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { originOf, sessionOf } from "./caller.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { profileBody } from "./me.ts";
import { limited, refuse } from "./refuse.ts";
import { email, oneTimeCode, profileSchema } from "./schemas.ts";

export function addEmailChange(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "put",
    path: "/v1/me/email",
    tags: ["The user"],
    summary: "Change the e-mail address (step-up)",
    description:
      "`code` is that of `POST /v1/auth/codes` with `purpose` `change_email` and the same address. The former address is told and can undo the change for 7 days (`POST /v1/auth/undo`); until then nobody else gets it. Sessions stay.",
    security: userSecurity,
    middleware: requireStepUp(deps.tokens, deps.clock),
    request: {
      body: body(z.strictObject({ email, code: oneTimeCode }).openapi("EmailChange")),
    },
    responses: {
      200: answer(profileSchema, "Profile after the change"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const changed = await deps.service.changeEmail(sessionOf(c), {
      ...c.req.valid("json"),
      origin: originOf(c),
    });
    if (changed.ok) return c.json(profileBody(changed.value), 200);
    return "retryAfterS" in changed.error
      ? limited(c, changed.error)
      : refuse(c, changed.error.code);
  });
}
