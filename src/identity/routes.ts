// HTTP of signing in and of the user's own data (API.md, "Signing in" and "The user"). Reads the
// request, asks the service, says the answer.
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { optionalUser, requireUser, userOf } from "../http/authentication.ts";
import type { UserTokens } from "../http/authentication.ts";
import type { AppEnv } from "../http/context.ts";
import { idempotent } from "../http/idempotency.ts";
import type { IdempotencyDeps } from "../http/idempotency.ts";
import { pageOf, pageQuery } from "../http/paging.ts";
import type { Cursors } from "../http/paging.ts";
import { problem } from "../http/problem.ts";
import type { ProblemCode, ProblemOptions } from "../http/problem.ts";
import { rateLimitHeaders } from "../http/rate-limit.ts";
import { answer, body, createRouter, problems, userSecurity } from "../http/router.ts";
import { toInstant } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type { PublicKey } from "./access-tokens.ts";
import {
  CODE_TTL_MS,
  CODES_PER_ADDRESS,
  CODES_WINDOW_MS,
  TRIES_PER_CODE,
  WRONG_TRIES_PER_ADDRESS,
  WRONG_TRIES_WINDOW_MS,
} from "./code.ts";
import { CONSENT_PURPOSES } from "./consent.ts";
import type { StandingConsent } from "./consent.ts";
import { normaliseEmail } from "./email.ts";
import type { SendCodeError, SignInError } from "./errors.ts";
import { isBirthDate, isName, normaliseName } from "./profile.ts";
import type { Profile } from "./profile.ts";
import type { IdentityService, SignedIn } from "./service.ts";

export type IdentityRoutesDeps = {
  readonly service: IdentityService;
  readonly tokens: UserTokens;
  readonly publicKeys: { readonly keys: readonly PublicKey[] };
  readonly cursors: Cursors;
  readonly idempotency: IdempotencyDeps;
  readonly clock: Clock;
};

type Router = ReturnType<typeof createRouter>;

/** `/v1/auth/*`, `/v1/me*` and `/.well-known/jwks.json`. Mount it at `/`. */
export function identityRoutes(deps: IdentityRoutesDeps): Router {
  const router = createRouter();
  addKeySet(router, deps);
  addCodes(router, deps);
  addSignIn(router, deps);
  addRefresh(router, deps);
  addSessions(router, deps);
  addProfile(router, deps);
  addConsents(router, deps);
  return router;
}

// A refusal has its own type of answer, which zod-openapi cannot tie to the status of its code.
function refuse(c: Context<AppEnv>, code: ProblemCode, options: ProblemOptions = {}): never {
  return problem(c, code, options) as never;
}

/** The token is genuine but its user is gone: the same answer as for a token that is not valid. */
function refuseGoneUser(c: Context<AppEnv>): never {
  return refuse(c, "token_invalid", { headers: { "WWW-Authenticate": "Bearer" } });
}

// ---- schemas ------------------------------------------------------------------------------------

const EMAIL_CHARS_MAX = 254;
const locale = z.enum(["fr", "en"]);
// The longest sensible input is twice the limit, since trimming comes first.
const email = z.string().max(2 * EMAIL_CHARS_MAX).transform(normaliseEmail).pipe(
  z.email().max(EMAIL_CHARS_MAX),
).openapi({ type: "string", format: "email", example: "camille@example.org" });
const instant = z.iso.datetime();

const name = z.string().transform(normaliseName).refine(isName).openapi({
  type: "string",
  description: "1 to 100 characters, no control characters",
});

const codeRequest = z.strictObject({
  email: email.optional(),
  locale: locale.optional(),
  purpose: z.literal("step_up").optional(),
})
  .superRefine((value, context) => {
    if (value.purpose === undefined && value.email === undefined) {
      context.addIssue({
        code: "invalid_type",
        expected: "string",
        input: undefined,
        path: ["email"],
      });
    }
    // A step-up code goes to the user's own address in their own language; naming others would be a
    // mistake worth telling.
    if (value.purpose !== undefined && value.email !== undefined) {
      context.addIssue({ code: "unrecognized_keys", keys: ["email"], input: value });
    }
    if (value.purpose !== undefined && value.locale !== undefined) {
      context.addIssue({ code: "unrecognized_keys", keys: ["locale"], input: value });
    }
  })
  .openapi("CodeRequest", {
    description: '`{email, locale?}` to sign in, or with a bearer token `{purpose: "step_up"}`',
  });

const codeSent = z.object({ expires_in: z.int() }).openapi("CodeSent");

const signInRequest = z.strictObject({
  email,
  code: z.string().regex(/^\d{6}$/),
  device_name: name.optional(),
  // The shape is judged by the route, since its refusal has its own code.
  referral_code: z.string().max(64).optional().openapi({ description: "6 lower-case letters" }),
}).openapi("SignInRequest");

const signedInSchema = z.object({
  access_token: z.string(),
  token_type: z.literal("Bearer"),
  expires_in: z.int(),
  refresh_token: z.string(),
  refresh_expires_in: z.int(),
  user: z.object({ id: z.string(), created: z.boolean() }),
}).openapi("SignedIn");

const sessionSchema = z.object({
  id: z.string(),
  device_name: z.string().nullable(),
  created_at: instant,
  last_used_at: instant,
  current: z.boolean(),
}).openapi("Session");

const profileSchema = z.object({
  id: z.string(),
  email: z.string(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  gender: z.enum(["female", "male", "other"]).nullable(),
  birth_date: z.iso.date().nullable(),
  locale,
  profile_complete: z.boolean(),
  created_at: instant,
}).openapi("Profile");

const consentSchema = z.object({
  purpose: z.enum(CONSENT_PURPOSES),
  granted: z.boolean(),
  text_version: z.string().nullable(),
  at: instant.nullable(),
}).openapi("Consent");

function signedInBody(session: SignedIn): z.infer<typeof signedInSchema> {
  return {
    access_token: session.accessToken,
    token_type: "Bearer",
    expires_in: session.expiresInS,
    refresh_token: session.refreshToken,
    refresh_expires_in: session.refreshExpiresInS,
    user: { id: session.userId, created: session.created },
  };
}

// ---- signing in ---------------------------------------------------------------------------------

function addKeySet(router: Router, deps: IdentityRoutesDeps): void {
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

function limited(
  c: Context<AppEnv>,
  error: Extract<SendCodeError | SignInError, { retryAfterS: number }>,
): never {
  const [policy, limit, windowMs] = error.code === "code_tries_exceeded"
    ? (["tries-per-code", TRIES_PER_CODE, CODE_TTL_MS] as const)
    : error.limit === "codes"
    ? (["codes-per-address", CODES_PER_ADDRESS, CODES_WINDOW_MS] as const)
    : (["tries-per-address", WRONG_TRIES_PER_ADDRESS, WRONG_TRIES_WINDOW_MS] as const);
  return refuse(c, error.code, {
    headers: rateLimitHeaders(policy, limit, windowMs / 1000, error.retryAfterS),
  });
}

function addCodes(router: Router, deps: IdentityRoutesDeps): void {
  const remember = idempotent(deps.idempotency, { required: false });
  const route = createRoute({
    method: "post",
    path: "/v1/auth/codes",
    tags: ["Signing in"],
    summary: "Send a one-time code by e-mail",
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
    if (asked.email === undefined && user === null) {
      return refuse(c, "token_missing", { headers: { "WWW-Authenticate": "Bearer" } });
    }
    const sent = asked.email !== undefined || user === null
      ? await deps.service.sendSignInCode(asked.email ?? "", asked.locale ?? c.get("locale"))
      : await deps.service.sendStepUpCode(user.userId, user.sessionId);
    if (sent.ok) return c.json({ expires_in: sent.value.expiresInS }, 202);
    if (sent.error.code === "rate_limited") return limited(c, sent.error);
    return sent.error.code === "token_invalid" ? refuseGoneUser(c) : refuse(c, sent.error.code);
  });
}

const REFERRAL_CODE = /^[a-z]{6}$/;

function addSignIn(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path: "/v1/auth/sessions",
    tags: ["Signing in"],
    summary: "Sign in with a code; the first time makes the account",
    request: { body: body(signInRequest) },
    responses: {
      201: answer(signedInSchema, "Signed in"),
      ...problems(400, 401, 403, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const { email, code, device_name: deviceName = null, referral_code: referralCode = null } = c
      .req.valid("json");
    if (referralCode !== null && !REFERRAL_CODE.test(referralCode)) {
      return refuse(c, "referral_code_invalid");
    }
    const opened = await deps.service.signIn({
      email,
      code,
      deviceName,
      referralCode,
      locale: c.get("locale"),
    });
    if (opened.ok) return c.json(signedInBody(opened.value), 201);
    return "retryAfterS" in opened.error ? limited(c, opened.error) : refuse(c, opened.error.code);
  });
}

function addRefresh(router: Router, deps: IdentityRoutesDeps): void {
  const route = createRoute({
    method: "post",
    path: "/v1/auth/refresh",
    tags: ["Signing in"],
    summary: "Exchange a refresh token for new tokens",
    description:
      "Every token is good once. The immediately previous one, within 60 s and while its successor is unused, gets a new successor; any other spent one closes the session.",
    request: {
      body: body(
        z.strictObject({ refresh_token: z.string().min(1).max(1024) }).openapi("RefreshRequest"),
      ),
    },
    responses: {
      200: answer(signedInSchema, "New tokens"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(route, async (c) => {
    const renewed = await deps.service.refresh(c.req.valid("json").refresh_token);
    return renewed.ok ? c.json(signedInBody(renewed.value), 200) : refuse(c, renewed.error.code);
  });
}

function addSessions(router: Router, deps: IdentityRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/v1/auth/sessions",
    tags: ["Signing in"],
    summary: "Signed-in devices, newest first",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { query: z.object(pageQuery) },
    responses: {
      200: answer(pageOf(sessionSchema), "Sessions"),
      ...problems(400, 401, 422, 429, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { userId, sessionId } = userOf(c);
    const { limit, cursor } = c.req.valid("query");
    const scope = `sessions|${userId}`;
    const beforeId = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    if (cursor !== undefined && beforeId === null) return refuse(c, "cursor_invalid");
    const found = await deps.service.pageSessions(userId, beforeId, limit);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    const data = page.map((session) => ({
      id: session.id,
      device_name: session.deviceName,
      created_at: toInstant(session.createdAtMs),
      last_used_at: toInstant(session.lastUsedAtMs),
      current: session.id === sessionId,
    }));
    return c.json({
      data,
      next_cursor: found.length > limit && last !== undefined
        ? deps.cursors.seal(scope, last.id)
        : null,
    }, 200);
  });

  const end = createRoute({
    method: "delete",
    path: "/v1/auth/sessions/{id}",
    tags: ["Signing in"],
    summary: "End a session: `current` or one of the list",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    description:
      "Its refresh token stops at once; an access token in use runs out within 10 minutes.",
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 204: { description: "Ended" }, ...problems(401, 404, 429, 503) },
  });
  router.openapi(end, async (c) => {
    const { userId, sessionId } = userOf(c);
    const { id } = c.req.valid("param");
    const target = id === "current" ? sessionId : id;
    const ended = target !== null && (await deps.service.endSession(userId, target));
    return ended ? c.body(null, 204) : refuse(c, "not_found");
  });
}

// ---- the user -----------------------------------------------------------------------------------

function profileBody(profile: Profile): z.infer<typeof profileSchema> {
  return {
    id: profile.id,
    email: profile.email,
    first_name: profile.firstName,
    last_name: profile.lastName,
    gender: profile.gender,
    birth_date: profile.birthDate,
    locale: profile.locale,
    profile_complete: profile.birthDate !== null,
    created_at: toInstant(profile.createdAtMs),
  };
}

function addProfile(router: Router, deps: IdentityRoutesDeps): void {
  const read = createRoute({
    method: "get",
    path: "/v1/me",
    tags: ["The user"],
    summary: "The user's profile",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    responses: { 200: answer(profileSchema, "Profile"), ...problems(401, 429, 503) },
  });
  router.openapi(read, async (c) => {
    const profile = await deps.service.profile(userOf(c).userId);
    return profile === null ? refuseGoneUser(c) : c.json(profileBody(profile), 200);
  });

  const birthDate = z.string().refine((text) => isBirthDate(text, deps.clock.nowMs())).openapi({
    type: "string",
    format: "date",
  });
  const change = z.strictObject({
    first_name: name.nullable().optional(),
    last_name: name.nullable().optional(),
    gender: z.enum(["female", "male", "other"]).nullable().optional(),
    birth_date: birthDate.nullable().optional(),
    locale: locale.optional(),
  }).openapi("ProfileChange", { description: "Only what is named changes; null clears" });
  const write = createRoute({
    method: "patch",
    path: "/v1/me",
    tags: ["The user"],
    summary: "Change the profile",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { body: body(change) },
    responses: {
      200: answer(profileSchema, "Profile after the change"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(write, async (c) => {
    const { first_name: firstName, last_name: lastName, gender, birth_date: birthDate, locale } = c
      .req.valid("json");
    const profile = await deps.service.updateProfile(userOf(c).userId, {
      ...(firstName === undefined ? {} : { firstName }),
      ...(lastName === undefined ? {} : { lastName }),
      ...(gender === undefined ? {} : { gender }),
      ...(birthDate === undefined ? {} : { birthDate }),
      ...(locale === undefined ? {} : { locale }),
    });
    return profile === null ? refuseGoneUser(c) : c.json(profileBody(profile), 200);
  });
}

function consentBody(consent: StandingConsent): z.infer<typeof consentSchema> {
  return {
    purpose: consent.purpose,
    granted: consent.granted,
    text_version: consent.textVersion,
    at: consent.atMs === null ? null : toInstant(consent.atMs),
  };
}

function addConsents(router: Router, deps: IdentityRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/v1/me/consents",
    tags: ["The user"],
    summary: "What stands for each purpose",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { query: z.object(pageQuery) },
    responses: {
      200: answer(pageOf(consentSchema), "Consents"),
      ...problems(400, 401, 422, 429, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { userId } = userOf(c);
    const { limit, cursor } = c.req.valid("query");
    const scope = `consents|${userId}`;
    const after = cursor === undefined ? null : deps.cursors.open(scope, cursor);
    if (cursor !== undefined && after === null) return refuse(c, "cursor_invalid");
    const all = await deps.service.consents(userId);
    const start = after === null ? 0 : all.findIndex((consent) => consent.purpose === after) + 1;
    const page = all.slice(start, start + limit);
    const last = page.at(-1);
    const more = start + limit < all.length && last !== undefined;
    return c.json({
      data: page.map(consentBody),
      next_cursor: more ? deps.cursors.seal(scope, last.purpose) : null,
    }, 200);
  });

  const decide = createRoute({
    method: "put",
    path: "/v1/me/consents/{purpose}",
    tags: ["The user"],
    summary: "Give or withdraw a consent",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    description:
      "Withdrawing `bank_data` ends the bank connections. May be repeated: the same decision on the same text keeps its first time.",
    request: {
      params: z.object({ purpose: z.enum(CONSENT_PURPOSES) }),
      body: body(
        z.strictObject({
          granted: z.boolean(),
          text_version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
        }).openapi("ConsentDecision"),
      ),
    },
    responses: {
      200: answer(consentSchema, "What stands now"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(decide, async (c) => {
    const { granted, text_version: textVersion } = c.req.valid("json");
    const decided = await deps.service.decide(
      userOf(c).userId,
      c.req.valid("param").purpose,
      granted,
      textVersion,
    );
    if (decided.ok) return c.json(consentBody(decided.value), 200);
    return decided.error === "user_unknown"
      ? refuseGoneUser(c)
      : refuse(c, "unavailable", { headers: { "Retry-After": "5" } });
  });
}
