// Sends one-time codes by e-mail.
import { assert } from "../../kernel/assert.ts";
import type { Networks } from "../../http/rate-limit.ts";
import { newId } from "../../kernel/ids.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { deviceKeyOf, newChallenge } from "../challenge.ts";
import { CODE_TTL_MS, CODES_WINDOW_MS, codeTag, newCode, newLongCode } from "../code.ts";
import type { CodePurpose } from "../code.ts";
import type { DeviceKind } from "../device.ts";
import { emailIndex, emailIndexes, normaliseEmail } from "../email.ts";
import type { SendCodeError } from "../errors.ts";
import { codeMail } from "../mail.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";

/** Where a request comes from. */
export type Origin = { readonly networks: Networks; readonly device: DeviceKind };

type CodeRequest = {
  readonly purpose: CodePurpose;
  readonly email: string;
  readonly locale: "fr" | "en";
  readonly deviceKey: string;
  readonly origin: Origin;
};

export type SessionCodeRequest =
  & { readonly origin: Origin }
  & (
    | { readonly purpose: "step_up" }
    | { readonly purpose: "change_email"; readonly email: string }
  );

/** A network under every key of the index ring, active first. */
export function networkIndexes(deps: IdentityDeps, network: string): string[] {
  return keyedIndexAll(deps.keyrings.index, "network", network);
}

async function sendCode(
  deps: IdentityDeps,
  request: CodeRequest,
): Promise<Result<{ expiresInS: number }, SendCodeError>> {
  const { store, keyrings, clock, random, mailer } = deps;
  const { networks, device } = request.origin;
  const nowMs = clock.nowMs();
  const codes = { short: newCode(random), long: newLongCode(random) };
  const binding = {
    id: newId("cod", nowMs, random),
    purpose: request.purpose,
    addressIndex: emailIndex(keyrings.index, request.email),
    deviceKey: request.deviceKey,
  };
  const kept = await store.addCode({
    ...binding,
    networkIndex: keyedIndex(keyrings.index, "network", networks.own),
    wideNetworkIndex: keyedIndex(keyrings.index, "network", networks.wide),
    tags: {
      short: codeTag(keyrings.index, binding, codes.short),
      long: codeTag(keyrings.index, binding, codes.long),
    },
    createdAtMs: nowMs,
    expiresAtMs: nowMs + CODE_TTL_MS,
  }, {
    address: emailIndexes(keyrings.index, request.email),
    network: networkIndexes(deps, networks.own),
    wideNetwork: networkIndexes(deps, networks.wide),
  });
  if (!kept.added) {
    return err({
      code: "rate_limited",
      limit: kept.limit,
      retryAfterS: secondsUntil(kept.oldestAtMs + CODES_WINDOW_MS, nowMs),
    });
  }
  const sent = await mailer.send({
    to: request.email,
    ...codeMail(request.purpose, request.locale, kept.short ? codes.short : codes.long, {
      device,
      atMs: nowMs,
    }),
  });
  if (sent.ok) return ok({ expiresInS: CODE_TTL_MS / 1000 });
  await store.removeCode(binding.id);
  return sent;
}

export type SignInCodeRequest = {
  readonly email: string;
  readonly locale: "fr" | "en";
  readonly challenge: string | null;
  readonly origin: Origin;
};

/** Sends a sign-in code; the challenge is the given one, or a new one when it is not ours. */
export async function sendSignInCode(
  deps: IdentityDeps,
  request: SignInCodeRequest,
): Promise<Result<{ expiresInS: number; challenge: string }, SendCodeError>> {
  const { index } = deps.keyrings;
  const email = normaliseEmail(request.email);
  const { locale, origin } = request;
  const given = request.challenge;
  const challenge = given !== null && deviceKeyOf(index, email, given) !== null
    ? given
    : newChallenge(index, email, deps.random);
  const deviceKey = deviceKeyOf(index, email, challenge);
  assert(deviceKey !== null, "challenge_unreadable", "a challenge that we made is not ours");
  const sent = await sendCode(deps, { purpose: "sign_in", email, locale, deviceKey, origin });
  return sent.ok ? ok({ ...sent.value, challenge }) : sent;
}

/** Sends a code for this session: to the user's address, or to `email`, which is to become it. */
export async function sendSessionCode(
  deps: IdentityDeps,
  userId: UserId,
  sessionId: SessionId | null,
  request: SessionCodeRequest,
): Promise<Result<{ expiresInS: number }, SendCodeError>> {
  const { purpose, origin } = request;
  // A token of an outside issuer has no session of ours to strengthen.
  if (sessionId === null) return err({ code: "forbidden" });
  const live = await deps.store.sessionIsLive(sessionId, deps.clock.nowMs());
  const user = live ? await deps.store.user(userId) : null;
  if (user === null) return err({ code: "token_invalid" });
  if (purpose === "step_up" && user.stepUpCodes === 0) return err({ code: "step_up_codes_off" });
  const email = purpose === "change_email"
    ? normaliseEmail(request.email)
    : await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher);
  return sendCode(deps, {
    purpose,
    email,
    locale: user.locale,
    deviceKey: sessionId,
    origin,
  });
}

export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((atMs - nowMs) / 1000));
}
