// Passkeys: the calls between the browser's `navigator.credentials` and the service. Bodies and
// answers are the JSON forms of WebAuthn (Level 3); unknown fields are ignored, since browsers add
// some.
import { createRoute, z } from "@hono/zod-openapi";
import { optionalUser, requireStepUp, requireUser, userOf } from "../../http/authentication.ts";
import { idempotent } from "../../http/idempotency.ts";
import { pageOf, pageQuery } from "../../http/paging.ts";
import { answer, body, problems, userSecurity } from "../../http/router.ts";
import { toInstant } from "../../kernel/time.ts";
import type { PasskeyView } from "../service/index.ts";
import { originOf, sessionOf } from "./caller.ts";
import type { IdentityRoutesDeps, Router } from "./deps.ts";
import { refuse, refuseGoneUser } from "./refuse.ts";
import { name, signedInBody, signedInSchema } from "./schemas.ts";
import {
  assertionAnswer,
  assertionOf,
  passkeySchema,
  registrationAnswer,
} from "./webauthn-schemas.ts";

const tags = ["Signing in"];

function passkeyBody(passkey: PasskeyView): z.infer<typeof passkeySchema> {
  return {
    id: passkey.id,
    name: passkey.name,
    created_at: toInstant(passkey.createdAtMs),
    last_used_at: passkey.lastUsedAtMs === null ? null : toInstant(passkey.lastUsedAtMs),
  };
}

/** What the browser is given: described by WebAuthn, not by us. */
const optionsSchema = z.looseObject({ challenge: z.string(), timeout: z.int() });

export function addPasskeyRegistration(router: Router, deps: IdentityRoutesDeps): void {
  const stepUp = requireStepUp(deps.tokens, deps.clock);
  const options = createRoute({
    method: "post",
    path: "/v1/auth/passkeys/options",
    tags,
    summary: "Ask for a challenge to register a passkey with (step-up)",
    description:
      "The answer is the `PublicKeyCredentialCreationOptionsJSON` for `navigator.credentials.create`; its challenge is good once, for 5 minutes, in this session.",
    security: userSecurity,
    middleware: stepUp,
    responses: {
      200: answer(optionsSchema.openapi("PasskeyCreationOptions"), "Options"),
      ...problems(401, 403, 429, 503),
    },
  });
  router.openapi(options, async (c) => {
    const found = await deps.service.passkeyRegistration(sessionOf(c));
    return found === null ? refuseGoneUser(c) : c.json(found as never, 200);
  });

  const register = createRoute({
    method: "post",
    path: "/v1/auth/passkeys",
    tags,
    summary: "Register a passkey (step-up)",
    description:
      "The `RegistrationResponseJSON` of the browser, with a `name` if there is one. At most 20 for each user; a mail names each new one.",
    security: userSecurity,
    middleware: [stepUp, idempotent(deps.idempotency, { required: false })],
    request: { body: body(registrationAnswer) },
    responses: {
      201: answer(passkeySchema, "The new passkey"),
      ...problems(400, 401, 403, 409, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(register, async (c) => {
    const { id, rawId, response, name = null } = c.req.valid("json");
    const registered = await deps.service.registerPasskey(sessionOf(c), { id, rawId, response }, {
      name,
      device: originOf(c).device,
    });
    return registered.ok
      ? c.json(passkeyBody(registered.value), 201)
      : refuse(c, registered.error.code);
  });
}

export function addPasskeyAssertions(router: Router, deps: IdentityRoutesDeps): void {
  const options = createRoute({
    method: "post",
    path: "/v1/auth/passkeys/assertions/options",
    tags,
    summary: "Ask for a challenge for a passkey to sign",
    description:
      "The answer is the `PublicKeyCredentialRequestOptionsJSON` for `navigator.credentials.get`; its challenge is good once, for 5 minutes. Without a token it is for signing in; with one for `POST /v1/auth/step-up` in this session, and names the user's passkeys.",
    security: [{}, ...userSecurity],
    middleware: optionalUser(deps.tokens),
    responses: {
      200: answer(optionsSchema.openapi("PasskeyRequestOptions"), "Options"),
      ...problems(401, 403, 429, 503),
    },
  });
  router.openapi(options, async (c) => {
    const user = c.get("user");
    // A token of an outside issuer has no session of ours to strengthen.
    if (user !== null && user.sessionId === null) return refuse(c, "forbidden");
    const session = user === null ? null : sessionOf(c);
    return c.json((await deps.service.passkeyAssertion(session)) as never, 200);
  });

  const signIn = createRoute({
    method: "post",
    path: "/v1/auth/passkeys/assertions",
    tags,
    summary: "Sign in with a passkey",
    description:
      "The `AuthenticationResponseJSON` of the browser, with a `device_name` if there is one.",
    request: { body: body(assertionAnswer) },
    responses: {
      201: answer(signedInSchema, "Signed in"),
      ...problems(400, 401, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(signIn, async (c) => {
    const given = c.req.valid("json");
    const opened = await deps.service.signInWithPasskey(assertionOf(given), {
      deviceName: given.device_name ?? null,
      device: originOf(c).device,
    });
    return opened.ok ? c.json(signedInBody(opened.value), 201) : refuse(c, opened.error.code);
  });
}

const passkeyId = z.object({ id: z.string().max(64) });

export function addPasskeys(router: Router, deps: IdentityRoutesDeps): void {
  const list = createRoute({
    method: "get",
    path: "/v1/auth/passkeys",
    tags,
    summary: "The user's passkeys, oldest first",
    security: userSecurity,
    middleware: requireUser(deps.tokens),
    request: { query: z.object(pageQuery) },
    responses: {
      200: answer(pageOf(passkeySchema), "Passkeys"),
      ...problems(400, 401, 422, 429, 503),
    },
  });
  router.openapi(list, async (c) => {
    const { userId } = userOf(c);
    const { limit, cursor } = c.req.valid("query");
    const scope = `passkeys|${userId}`;
    const afterId = cursor === undefined ? "" : deps.cursors.open(scope, cursor);
    if (afterId === null) return refuse(c, "cursor_invalid");
    const rest = (await deps.service.passkeys(userId)).filter(({ id }) => id > afterId);
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    const more = rest.length > limit && last !== undefined;
    return c.json({
      data: page.map(passkeyBody),
      next_cursor: more ? deps.cursors.seal(scope, last.id) : null,
    }, 200);
  });
}

export function addPasskeyChanges(router: Router, deps: IdentityRoutesDeps): void {
  const stepUp = requireStepUp(deps.tokens, deps.clock);
  const rename = createRoute({
    method: "patch",
    path: "/v1/auth/passkeys/{id}",
    tags,
    summary: "Rename a passkey (step-up)",
    security: userSecurity,
    middleware: stepUp,
    request: {
      params: passkeyId,
      body: body(z.strictObject({ name }).openapi("PasskeyChange")),
    },
    responses: {
      200: answer(passkeySchema, "The passkey after the change"),
      ...problems(400, 401, 403, 404, 413, 415, 422, 429, 503),
    },
  });
  router.openapi(rename, async (c) => {
    const renamed = await deps.service.renamePasskey(
      userOf(c).userId,
      c.req.valid("param").id,
      c.req.valid("json").name,
    );
    return renamed === null ? refuse(c, "not_found") : c.json(passkeyBody(renamed), 200);
  });

  const remove = createRoute({
    method: "delete",
    path: "/v1/auth/passkeys/{id}",
    tags,
    summary: "Remove a passkey (step-up)",
    description:
      "It is good for nothing at once; sessions that it opened stay. With the last one, codes confirm operations again.",
    security: userSecurity,
    middleware: stepUp,
    request: { params: passkeyId },
    responses: { 204: { description: "Removed" }, ...problems(401, 403, 404, 429, 503) },
  });
  router.openapi(remove, async (c) => {
    const { id } = c.req.valid("param");
    const removed = await deps.service.removePasskey(id, sessionOf(c), originOf(c).device);
    return removed ? c.body(null, 204) : refuse(c, "not_found");
  });
}
