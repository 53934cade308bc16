// Strengthens a session for what must not be done with a stolen token alone. Only this sets
// `step_up_at`, and only in the token that it answers.
import { newId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { ACCESS_TTL_S } from "../access-tokens.ts";
import { codeMatches } from "../code.ts";
import { emailIndexes } from "../email.ts";
import type { StepUpError } from "../errors.ts";
import { PASSKEY_METHODS } from "../passkey.ts";
import type { AssertionAnswer } from "../passkey.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";
import { provedByPasskey } from "./passkeys.ts";
import type { InSession } from "./passkeys.ts";
import { attemptOf, countWrongTry, limitError } from "./tries.ts";

/** The session to strengthen, as its present token describes it. */
export type StepUpSession = InSession & {
  readonly authTimeS: number;
  readonly amr: readonly string[];
};

export type Strengthened = { readonly accessToken: string; readonly expiresInS: number };

async function strengthened(
  deps: IdentityDeps,
  session: StepUpSession,
  methods: readonly string[],
): Promise<Strengthened> {
  const accessToken = await deps.accessTokens.issue({
    ...session,
    amr: [...new Set([...session.amr, ...methods])],
    stepUpAtS: Math.floor(deps.clock.nowMs() / 1000),
  });
  return { accessToken, expiresInS: ACCESS_TTL_S };
}

export async function stepUpByPasskey(
  deps: IdentityDeps,
  session: StepUpSession,
  answer: AssertionAnswer,
): Promise<Result<Strengthened, StepUpError>> {
  const nowMs = deps.clock.nowMs();
  const { userId, sessionId } = session;
  const proved = await provedByPasskey(deps, { purpose: "step_up", sessionId }, answer, nowMs);
  if (proved === null || proved.user.id !== userId) return err({ code: "passkey_invalid" });
  const answeredFor = newId("req", nowMs, deps.random);
  const used = await deps.store.usePasskey(proved.used, { userId, sessionId, nowMs }, answeredFor);
  return used
    ? ok(await strengthened(deps, session, PASSKEY_METHODS))
    : err({ code: "passkey_invalid" });
}

export async function stepUpByCode(
  deps: IdentityDeps,
  session: StepUpSession,
  given: string,
  origin: Origin,
): Promise<Result<Strengthened, StepUpError>> {
  const { store, keyrings, clock } = deps;
  const { userId, sessionId } = session;
  const user = await store.user(userId);
  if (user === null) return err({ code: "code_invalid" });
  if (user.stepUpCodes === 0) return err({ code: "step_up_codes_off" });
  const email = await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher);
  const indexes = emailIndexes(keyrings.index, email);
  const { code } = await store.findCode("step_up", sessionId, indexes);
  // A code that went to an address of before proves nothing about the present one.
  if (code === null || !indexes.includes(code.addressIndex)) return err({ code: "code_invalid" });
  const nowMs = clock.nowMs();
  const attempt = attemptOf(deps, code, indexes, origin, nowMs);
  if (!codeMatches(keyrings.index, code, given, code.codeTag)) {
    return err(await countWrongTry(deps, code, attempt, origin));
  }
  const { used, tally } = await store.useStepUpCode(attempt, { userId, sessionId, nowMs });
  return used
    ? ok(await strengthened(deps, session, ["otp"]))
    : err(limitError(tally, code, nowMs) ?? { code: "code_invalid" });
}
