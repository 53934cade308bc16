// Strengthening a session, and by what this may be done.
import { createRoute, z } from "@hono/zod-openapi";
import { requireStepUp, requireUser, userOf } from "../../http/authentication.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import type { StepUpMethods } from "../service/index.ts";
import { originOf } from "./caller.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { limited, refuse, refuseGoneUser } from "./refuse.ts";
import { assertionOf, stepUpRequest } from "./webauthn-schemas.ts";

const tags = ["Signing in"];
const path = "/v1/auth/step-up";

const methodsSchema = z.object({
  codes: z.boolean().openapi({ description: "Whether codes by e-mail are accepted" }),
  passkeys: z.int().openapi({ description: "How many passkeys the user has" }),
}).openapi("StepUpMethods");

export function addStepUp(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path,
    tags,
    summary: "Confirm who you are, for what needs it",
    description:
      "By the newest code of `POST /v1/auth/codes` with `purpose` `step_up`, or by a passkey. The access token of the answer opens for 5 minutes what asks for a step-up; tokens of a refresh do not.",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { body: body(stepUpRequest) },
    responses: {
      200: answer(
        z.object({ access_token: z.string(), expires_in: z.int() }).openapi("SteppedUp"),
        "An access token with `step_up_at`",
      ),
      ...problems(400, 401, 403, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { userId, sessionId, authTimeS, amr } = userOf(c);
    // A token of an outside issuer has no session of ours to strengthen.
    if (sessionId === null) return refuse(c, "forbidden");
    const session = { userId, sessionId, authTimeS, amr };
    const given = c.req.valid("json");
    const done = "code" in given
      ? await deps.service.stepUpByCode(session, given.code, originOf(c))
      : await deps.service.stepUpByPasskey(session, assertionOf(given));
    if (done.ok) {
      const { accessToken, expiresInS } = done.value;
      return c.json({ access_token: accessToken, expires_in: expiresInS }, 200);
    }
    return "retryAfterS" in done.error ? limited(c, done.error) : refuse(c, done.error.code);
  });
}

export function addStepUpMethods(router: Router, deps: IdentityRoutesDeps): void {
  const read = createRoute({
    method: "get",
    path,
    tags,
    summary: "Say by what a session of this user can be strengthened",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    responses: { 200: answer(methodsSchema, "Methods"), ...problems(401, 429, 503) },
  });
  router.openapi(read, async (c) => {
    const methods = await deps.service.stepUpMethods(userOf(c).userId);
    return methods === null
      ? refuseGoneUser(c)
      : c.json({ ...methods } satisfies StepUpMethods, 200);
  });

  const change = createRoute({
    method: "put",
    path,
    tags,
    summary: "Switch codes off or on for strengthening a session (step-up)",
    description:
      "Off needs a passkey: then only passkeys do, until the last one is removed. A mail tells the owner.",
    security: userSecurity,
    middleware: requireStepUp(deps.tokens, deps.clock),
    request: { body: body(z.strictObject({ codes: z.boolean() }).openapi("StepUpChange")) },
    responses: {
      200: answer(methodsSchema, "Methods after the change"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(change, async (c) => {
    const { userId } = userOf(c);
    const { codes } = c.req.valid("json");
    const methods = await deps.service.switchStepUpCodes(userId, codes, originOf(c).device);
    return methods === null ? refuse(c, "passkey_missing") : c.json({ ...methods }, 200);
  });
}
