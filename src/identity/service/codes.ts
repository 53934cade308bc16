// Sends one-time codes by e-mail.
import { newId } from "../../kernel/ids.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { CODE_TTL_MS, CODES_WINDOW_MS, codeTag, newCode } from "../code.ts";
import type { CodePurpose } from "../code.ts";
import { emailIndex, emailIndexes } from "../email.ts";
import type { SendCodeError } from "../errors.ts";
import { codeMail } from "../mail.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";

type CodeRequest = {
  readonly purpose: CodePurpose;
  readonly email: string;
  readonly locale: "fr" | "en";
  readonly sessionId: SessionId | null;
};

export async function sendCode(
  deps: IdentityDeps,
  request: CodeRequest,
): Promise<Result<{ expiresInS: number }, SendCodeError>> {
  const { store, keyrings, clock, random, mailer } = deps;
  const nowMs = clock.nowMs();
  const code = newCode(random);
  const binding = {
    id: newId("cod", nowMs, random),
    purpose: request.purpose,
    addressIndex: emailIndex(keyrings.index, request.email),
    sessionId: request.sessionId,
  };
  const row = {
    ...binding,
    codeTag: codeTag(keyrings.index, binding, code),
    createdAtMs: nowMs,
    expiresAtMs: nowMs + CODE_TTL_MS,
  };
  const { added, oldestAtMs } = await store.addCode(
    row,
    emailIndexes(keyrings.index, request.email),
  );
  if (!added) {
    return err({
      code: "rate_limited",
      limit: "codes",
      retryAfterS: secondsUntil(oldestAtMs + CODES_WINDOW_MS, nowMs),
    });
  }
  const sent = await mailer.send({
    to: request.email,
    ...codeMail(request.purpose, request.locale, code),
  });
  if (sent.ok) return ok({ expiresInS: CODE_TTL_MS / 1000 });
  await store.removeCode(binding.id);
  return sent;
}

export async function sendStepUpCode(
  deps: IdentityDeps,
  userId: UserId,
  sessionId: SessionId | null,
): Promise<Result<{ expiresInS: number }, SendCodeError>> {
  // A token of an outside issuer has no session of ours to strengthen.
  if (sessionId === null) return err({ code: "forbidden" });
  const live = await deps.store.sessionIsLive(sessionId, deps.clock.nowMs());
  const user = live ? await deps.store.user(userId) : null;
  if (user === null) return err({ code: "token_invalid" });
  const email = await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher);
  return sendCode(deps, { purpose: "step_up", email, locale: user.locale, sessionId });
}

export function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((atMs - nowMs) / 1000));
}
