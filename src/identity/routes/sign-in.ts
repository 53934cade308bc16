// Codes, and the session that a code opens.
import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { optionalUser } from "../../http/authentication.ts";
import type { AppEnv } from "../../http/context.ts";
import { idempotent } from "../../http/idempotency.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { originOf } from "./caller.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { limited, refuse, refuseGoneUser } from "./refuse.ts";
import { codeRequest, codeSent, signedInBody, signedInSchema, signInRequest } from "./schemas.ts";

export function addCodes(router: Router, deps: IdentityRoutesDeps): void {
  const remember = idempotent(deps.idempotency, { required: false });
  const route = createRoute({
    method: "post",
    path: "/v1/auth/codes",
    tags: ["Signing in"],
    summary: "Send a one-time code by e-mail",
    description:
      "A sign-in code is good only together with the `challenge` of this answer. Keep the challenge for 400 days, one for each address, and send it again: a device that has signed in is known by it, and what strangers do does not limit it.",
    security: [{}, ...userSecurity],
    middleware: [
      optionalUser(deps.tokens),
      // Answers are remembered per user; an anonymous caller has no scope to remember them in.
      async (
        c: Context<AppEnv>,
        next: () => Promise<void>,
      ) => (c.get("user") === null ? next() : remember(c, next)),
    ],
    request: { body: body(codeRequest) },
    responses: {
      202: answer(codeSent, "The code is on its way; the same whether or not the address is known"),
      ...problems(400, 401, 403, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const asked = c.req.valid("json");
    const user = c.get("user");
    const { purpose, email = "" } = asked;
    if (purpose !== undefined && user === null) {
      return refuse(c, "token_missing", { headers: { "WWW-Authenticate": "Bearer" } });
    }
    const origin = originOf(c);
    const sent = purpose === undefined || user === null
      ? await deps.service.sendSignInCode({
        email,
        locale: asked.locale ?? c.get("locale"),
        challenge: asked.challenge ?? null,
        origin,
      })
      : await deps.service.sendSessionCode(
        user.userId,
        user.sessionId,
        purpose === "step_up" ? { purpose, origin } : { purpose, email, origin },
      );
    if (sent.ok) {
      const { expiresInS, ...rest } = sent.value;
      return c.json({ expires_in: expiresInS, ...rest }, 202);
    }
    if (sent.error.code === "rate_limited") return limited(c, sent.error);
    return sent.error.code === "token_invalid" ? refuseGoneUser(c) : refuse(c, sent.error.code);
  });
}

const REFERRAL_CODE = /^[a-z]{6}$/;

export function addSignIn(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path: "/v1/auth/sessions",
    tags: ["Signing in"],
    summary: "Sign in with a code; the first time makes the account",
    request: { body: body(signInRequest) },
    responses: {
      201: answer(signedInSchema, "Signed in"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const {
      email,
      code,
      challenge,
      device_name: deviceName = null,
      referral_code: referralCode = null,
    } = c.req.valid("json");
    if (referralCode !== null && !REFERRAL_CODE.test(referralCode)) {
      return refuse(c, "referral_code_invalid");
    }
    const opened = await deps.service.signIn({
      email,
      code,
      challenge,
      origin: originOf(c),
      deviceName,
      referralCode,
      locale: c.get("locale"),
    });
    if (opened.ok) return c.json(signedInBody(opened.value), 201);
    return "retryAfterS" in opened.error ? limited(c, opened.error) : refuse(c, opened.error.code);
  });
}
