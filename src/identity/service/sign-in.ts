// Exchanges a code for a session, and creates the user the first time.
import { newId } from "../../kernel/ids.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import { keyedIndex, newWrappedDataKey } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { ACCESS_TTL_S } from "../access-tokens.ts";
import { deviceKeyOf } from "../challenge.ts";
import { codeMatches, WRONG_TRIES_PER_DAY, WRONG_TRIES_WINDOW_MS } from "../code.ts";
import { emailIndex, emailIndexes, normaliseEmail } from "../email.ts";
import type { SignInError } from "../errors.ts";
import { newRefreshToken, REFRESH_TTL_MS, refreshTokenHash } from "../refresh-token.ts";
import type { Attempt, CodeRow, NewUser, SignInWrite, Tally, UserRow } from "../store/index.ts";
import { networkIndexes, secondsUntil } from "./codes.ts";
import type { Origin } from "./codes.ts";
import type { IdentityDeps } from "./deps.ts";
import { decrypted, openedCipher } from "./fields.ts";
import { atLeastOne } from "./indexes.ts";

export type SignInInput = {
  readonly email: string;
  readonly code: string;
  readonly challenge: string;
  readonly origin: Origin;
  readonly deviceName: string | null;
  readonly referralCode: string | null;
  readonly locale: "fr" | "en";
};

/** What a signed-in device holds. Times to live in seconds. */
export type SignedIn = {
  readonly accessToken: string;
  readonly expiresInS: number;
  readonly refreshToken: string;
  readonly refreshExpiresInS: number;
  readonly userId: UserId;
  readonly created: boolean;
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
    const opening = await prepareSession(deps, input, { email, user, nowMs });
    if (opening === null) return err({ code: "forbidden" });
    const { userId, session } = opening;
    const written = await store.signIn({
      attempt,
      indexes,
      userId,
      user: opening.user,
      session,
      device: input.origin.device,
    });
    if (written.opened) return ok(await signedIn(deps, opening, opening.user.is === "new", nowMs));
    // The code was right and is spent, but a user who is being erased does not come back.
    if (written.used) return err({ code: "forbidden" });
    const limited = limitError(written.tally, code, nowMs);
    if (limited !== null) return err(limited);
    if (
      code.usedAtMs !== null || code.superseded === 1 || code.expiresAtMs <= nowMs ||
      round === SIGN_IN_ROUNDS
    ) return err({ code: "code_invalid" });
  }
}

/** A try of a code, as the limits count it. */
function attemptOf(
  deps: IdentityDeps,
  code: CodeRow,
  addressIndexes: readonly string[],
  origin: Origin,
  nowMs: number,
): Attempt {
  return {
    codeId: code.id,
    deviceKey: code.deviceKey,
    known: code.known,
    addressIndexes,
    networkIndexes: networkIndexes(deps, origin.networks.own),
    nowMs,
  };
}

/** Counts a wrong try, and says how it is refused. */
async function countWrongTry(
  deps: IdentityDeps,
  code: CodeRow,
  attempt: Attempt,
  origin: Origin,
): Promise<SignInError> {
  const { counted, alerted, tally } = await deps.store.addWrongTry(attempt, {
    address: code.addressIndex,
    network: keyedIndex(deps.keyrings.index, "network", origin.networks.own),
  });
  if (alerted) deps.log.alert("sign_in_sprayed", {});
  return (counted ? null : limitError(tally, code, attempt.nowMs)) ?? { code: "code_invalid" };
}

/**
 * The refusal that a tally calls for, or null. A spent or late code is not "tried too often", it is
 * just not valid.
 */
function limitError(tally: Tally, code: CodeRow, nowMs: number): SignInError | null {
  if (tally.ofDevice >= WRONG_TRIES_PER_DAY || tally.ofAddress >= WRONG_TRIES_PER_DAY) {
    return {
      code: "rate_limited",
      limit: "tries",
      retryAfterS: secondsUntil((tally.oldestAtMs ?? nowMs) + WRONG_TRIES_WINDOW_MS, nowMs),
    };
  }
  if (
    code.usedAtMs !== null || code.superseded === 1 || code.expiresAtMs <= nowMs ||
    tally.ofCode < tally.allowedOfCode
  ) return null;
  return { code: "code_tries_exceeded", retryAfterS: secondsUntil(code.expiresAtMs, nowMs) };
}

type Opening = {
  readonly userId: UserId;
  readonly user: SignInWrite["user"];
  readonly refreshToken: string;
  readonly session: {
    readonly id: SessionId;
    readonly currentHash: string;
    readonly deviceNameCipher: string | null;
    readonly authTimeS: number;
    readonly amr: readonly string[];
  };
};

/** Null when the address that the user's row holds is not the one that was proved. */
async function prepareSession(
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
  };
  const id = newId("ses", nowMs, random, userId);
  const refreshToken = newRefreshToken(keyrings.index, id, random);
  const deviceNameCipher = input.deviceName === null
    ? null
    : await cipher.encrypt({ table: "sessions", column: "device_name", row: id }, input.deviceName);
  const session = {
    id,
    currentHash: refreshTokenHash(refreshToken),
    deviceNameCipher,
    authTimeS: Math.floor(nowMs / 1000),
    amr: ["otp"],
  };
  return {
    userId,
    user: user === null ? { is: "new", row: newUser } : { is: "known", row: user },
    refreshToken,
    session,
  };
}

async function signedIn(
  deps: IdentityDeps,
  opening: Opening,
  created: boolean,
  nowMs: number,
): Promise<SignedIn> {
  const { id: sessionId, authTimeS, amr } = opening.session;
  return {
    accessToken: await deps.accessTokens.issue({
      userId: opening.userId,
      sessionId,
      authTimeS,
      amr,
    }),
    expiresInS: ACCESS_TTL_S,
    refreshToken: opening.refreshToken,
    refreshExpiresInS: secondsUntil(nowMs + REFRESH_TTL_MS, nowMs),
    userId: opening.userId,
    created,
  };
}
