// Exchanges a code for a session, and creates the user the first time.
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import { newWrappedDataKey } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { deviceKeyOf } from "../challenge.ts";
import { codeMatches } from "../code.ts";
import { emailIndex, emailIndexes, normaliseEmail } from "../email.ts";
import type { SignInError } from "../errors.ts";
import type { NewUser, SignInWrite, UserRow } from "../store/index.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import { decrypted, openedCipher } from "./fields.ts";
import { atLeastOne } from "./indexes.ts";
import { prepareSession, signedIn } from "./new-session.ts";
import type { SignedIn } from "./new-session.ts";
import { attemptOf, countWrongTry, limitError } from "./tries.ts";

export type SignInInput = {
  readonly email: string;
  readonly code: string;
  readonly challenge: string;
  readonly origin: Origin;
  readonly deviceName: string | null;
  readonly referralCode: string | null;
  readonly locale: "fr" | "en";
};

// A second round is needed only when the address got its user between reading and writing; it
// cannot happen twice.
const SIGN_IN_ROUNDS = 2;

export async function signIn(
  deps: IdentityDeps,
  input: SignInInput,
): Promise<Result<SignedIn, SignInError>> {
  const { store, keyrings, clock } = deps;
  const email = normaliseEmail(input.email);
  // A try without the challenge that the code was asked with is refused and does not count: nobody
  // spends the tries of others.
  const deviceKey = deviceKeyOf(keyrings.index, email, input.challenge);
  if (deviceKey === null) return err({ code: "code_invalid" });
  const indexes = atLeastOne(emailIndexes(keyrings.index, email));
  for (let round = 1;; round++) {
    const { code, user } = await store.findCode("sign_in", deviceKey, indexes);
    const nowMs = clock.nowMs();
    if (code === null) return err({ code: "code_invalid" });
    const attempt = attemptOf(deps, code, indexes, input.origin, nowMs);
    if (!codeMatches(keyrings.index, code, input.code, code.codeTag)) {
      return err(await countWrongTry(deps, code, attempt, input.origin));
    }
    // Somebody wrote to the database: to sign in would be to sign in as somebody else.
    if (user === "unusable") return err({ code: "forbidden" });
    const opening = await prepareOpening(deps, input, { email, user, nowMs });
    if (opening === null) return err({ code: "forbidden" });
    const { userId, prepared } = opening;
    const written = await store.signIn({
      attempt,
      indexes,
      userId,
      user: opening.user,
      session: prepared.session,
      device: input.origin.device,
    });
    if (written.opened) {
      return ok(await signedIn(deps, userId, prepared, opening.user.is === "new", nowMs));
    }
    // The code was right and is spent, but a user who is being erased does not come back, and an
    // address whose change can still be undone gets no other user.
    if (written.used) {
      return err({ code: opening.user.is === "known" ? "forbidden" : "email_reserved" });
    }
    const limited = limitError(written.tally, code, nowMs);
    if (limited !== null) return err(limited);
    if (
      code.usedAtMs !== null || code.superseded === 1 || code.expiresAtMs <= nowMs ||
      round === SIGN_IN_ROUNDS
    ) return err({ code: "code_invalid" });
  }
}

type Opening = {
  readonly userId: UserId;
  readonly user: SignInWrite["user"];
  readonly prepared: Awaited<ReturnType<typeof prepareSession>>;
};

/** Null when the address that the user's row holds is not the one that was proved. */
async function prepareOpening(
  deps: IdentityDeps,
  input: SignInInput,
  found: { email: string; user: UserRow | null; nowMs: number },
): Promise<Opening | null> {
  const { keyrings, random } = deps;
  const { user, nowMs } = found;
  const userId = user === null ? newId("usr", nowMs, random) : (user.id as UserId);
  const dataKey = user === null
    ? await newWrappedDataKey(keyrings.encryption, userId, random)
    : user.dataKey;
  const cipher = await openedCipher(deps, userId, dataKey);
  if (user !== null && (await decrypted(cipher, "email", user.emailCipher)) !== found.email) {
    deps.log.alert("email_index_mismatch", { user: userId });
    return null;
  }
  const newUser: NewUser = {
    id: userId,
    emailIndex: emailIndex(keyrings.index, found.email),
    dataKey,
    locale: input.locale,
    state: "active",
    createdAtMs: nowMs,
    emailCipher: await cipher.encrypt(
      { table: "users", column: "email", row: userId },
      found.email,
    ),
    firstNameCipher: null,
    lastNameCipher: null,
    genderCipher: null,
    birthDateCipher: null,
    referralCodeGiven: input.referralCode,
    sessionsEndedAtMs: null,
    stepUpCodes: 1,
  };
  const { deviceName } = input;
  const prepared = await prepareSession(deps, cipher, { deviceName, amr: ["otp"], nowMs });
  return {
    userId,
    user: user === null ? { is: "new", row: newUser } : { is: "known", row: user },
    prepared,
  };
}
