// What a person can do about their account: prove an address, keep a session, hold a profile,
// decide on purposes. Refusals are values; nothing here logs or returns an address, a name or a
// token beyond the answer it is for.
import type { Keyring, UserCipher } from "../kernel/keyring.ts";
import { keyedIndexAll, newWrappedDataKey, openUserCipher } from "../kernel/keyring.ts";
import { assert } from "../kernel/assert.ts";
import { newId } from "../kernel/ids.ts";
import type { SessionId, UserId } from "../kernel/ids.ts";
import { errorClass } from "../kernel/log.ts";
import type { Log } from "../kernel/log.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { Clock } from "../kernel/time.ts";
import { ACCESS_TTL_S } from "./access-tokens.ts";
import type { AccessTokenIssuer } from "./access-tokens.ts";
import {
  CODE_TTL_MS,
  codeMatches,
  CODES_WINDOW_MS,
  codeTag,
  newCode,
  TRIES_PER_CODE,
  WRONG_TRIES_PER_ADDRESS,
  WRONG_TRIES_WINDOW_MS,
} from "./code.ts";
import type { CodePurpose } from "./code.ts";
import { completeConsents } from "./consent.ts";
import type { StandingConsent } from "./consent.ts";
import { emailIndex, emailIndexes, normaliseEmail } from "./email.ts";
import type { RefreshError, SendCodeError, SignInError } from "./errors.ts";
import { codeMail } from "./mail.ts";
import type { ConsentListener, ConsentPurpose, IdentityPort, LinkGate, Mailer } from "./ports.ts";
import { hasReached } from "./profile.ts";
import type { Gender, Profile, ProfileChange } from "./profile.ts";
import {
  newRefreshToken,
  REFRESH_TTL_MS,
  refreshTokenHash,
  sessionOfRefreshToken,
} from "./refresh-token.ts";
import type { CodeRow, IdentityStore, SessionRow, Tally, UserChange, UserRow } from "./store.ts";

export type IdentityDeps = {
  readonly store: IdentityStore;
  readonly keyrings: { readonly encryption: Keyring; readonly index: Keyring };
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly mailer: Mailer;
  readonly accessTokens: AccessTokenIssuer;
  readonly minimumAge: number;
  readonly consentListener: ConsentListener;
};

export type SignInInput = {
  readonly email: string;
  readonly code: string;
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

export type SessionView = {
  readonly id: string;
  readonly deviceName: string | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number;
};

export type IdentityService = {
  /**
   * Sends a sign-in code. The same work whether or not the address has a user: users are not looked
   * at.
   */
  readonly sendSignInCode: (
    email: string,
    locale: "fr" | "en",
  ) => Promise<Result<{ readonly expiresInS: number }, SendCodeError>>;
  /** Sends a code that strengthens this session, to the user's own address. */
  readonly sendStepUpCode: (
    userId: UserId,
    sessionId: SessionId | null,
  ) => Promise<Result<{ readonly expiresInS: number }, SendCodeError>>;
  /**
   * Exchanges a code for a session, and makes the user at the first time. A code opens exactly one
   * session.
   */
  readonly signIn: (input: SignInInput) => Promise<Result<SignedIn, SignInError>>;
  readonly refresh: (token: string) => Promise<Result<SignedIn, RefreshError>>;
  /** One row more than `limit` when there is another page. */
  readonly pageSessions: (
    userId: UserId,
    beforeId: string | null,
    limit: number,
  ) => Promise<SessionView[]>;
  /** False when the session is not this user's. */
  readonly endSession: (userId: UserId, sessionId: string) => Promise<boolean>;
  /** For routes that must notice an ended session at once. */
  readonly sessionIsLive: (sessionId: SessionId) => Promise<boolean>;
  readonly profile: (userId: UserId) => Promise<Profile | null>;
  readonly updateProfile: (userId: UserId, change: ProfileChange) => Promise<Profile | null>;
  readonly consents: (userId: UserId) => Promise<StandingConsent[]>;
  /**
   * Null without such a user; `connections_not_ended` when the withdrawal stands but must be
   * repeated.
   */
  readonly decide: (
    userId: UserId,
    purpose: ConsentPurpose,
    granted: boolean,
    textVersion: string,
  ) => Promise<Result<StandingConsent, "user_unknown" | "connections_not_ended">>;
  readonly linkedUser: (issuer: string, subject: string) => Promise<UserId | null>;
  /** Links a subject of an outside issuer; false when it is somebody else's already. */
  readonly linkUser: (userId: UserId, issuer: string, subject: string) => Promise<boolean>;
  /**
   * Moves at most `limit` users to the active index key; returns how many. At zero an old key may
   * leave the ring.
   */
  readonly reindex: (limit: number) => Promise<number>;
} & IdentityPort;

/** The identity domain over its store. */
export function identityService(deps: IdentityDeps): IdentityService {
  const { store, clock } = deps;
  return {
    sendSignInCode: (email, locale) =>
      sendCode(deps, { purpose: "sign_in", email: normaliseEmail(email), locale, sessionId: null }),
    sendStepUpCode: (userId, sessionId) => sendStepUpCode(deps, userId, sessionId),
    signIn: (input) => signIn(deps, input),
    refresh: (token) => refresh(deps, token),
    pageSessions: (userId, beforeId, limit) => pageSessions(deps, userId, beforeId, limit),
    endSession: (userId, sessionId) => store.endSession(userId, sessionId, clock.nowMs()),
    sessionIsLive: (sessionId) => store.sessionIsLive(sessionId, clock.nowMs()),
    async profile(userId) {
      const user = await store.user(userId);
      return user === null ? null : toProfile(deps, user);
    },
    updateProfile: (userId, change) => updateProfile(deps, userId, change),
    consents: async (userId) => completeConsents(await store.standingConsents(userId)),
    decide: (userId, purpose, granted, textVersion) =>
      decide(deps, userId, purpose, granted, textVersion),
    linkedUser: async (issuer, subject) =>
      (await store.linkedUser(linkIndexes(deps, issuer, subject))) as UserId | null,
    linkUser: async (userId, issuer, subject) =>
      (await store.linkUser(linkIndexes(deps, issuer, subject), userId, clock.nowMs())) === userId,
    reindex: (limit) => reindex(deps, limit),
    linkGate: (userId) => linkGate(deps, userId),
    async cipherOf(userId) {
      const user = await store.user(userId);
      return user === null || user.state !== "active"
        ? null
        : openUserCipher(deps.keyrings.encryption, userId, user.dataKey, deps.random);
    },
  };
}

// ---- codes --------------------------------------------------------------------------------------

type CodeRequest = {
  readonly purpose: CodePurpose;
  readonly email: string;
  readonly locale: "fr" | "en";
  readonly sessionId: SessionId | null;
};

async function sendCode(
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

async function sendStepUpCode(
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

function secondsUntil(atMs: number, nowMs: number): number {
  return Math.max(1, Math.ceil((atMs - nowMs) / 1000));
}

// ---- sign in ------------------------------------------------------------------------------------

// A second round is needed only when the address got its user between reading and writing; it
// cannot happen twice.
const SIGN_IN_ROUNDS = 2;

async function signIn(
  deps: IdentityDeps,
  input: SignInInput,
): Promise<Result<SignedIn, SignInError>> {
  const { store, keyrings, clock } = deps;
  const email = normaliseEmail(input.email);
  const indexes = atLeastOne(emailIndexes(keyrings.index, email));
  for (let round = 1;; round++) {
    const { code, user } = await store.findCode("sign_in", indexes);
    const nowMs = clock.nowMs();
    // Without a code there is nothing to guess: such tries are refused, not counted, or anybody
    // could lock an address out at will.
    if (code === null) {
      return limitError(await store.tallyOf(indexes, nowMs), null, nowMs) ??
        err({ code: "code_invalid" });
    }
    const binding = {
      id: code.id,
      purpose: code.purpose,
      addressIndex: code.addressIndex,
      sessionId: code.sessionId,
    };
    if (!codeMatches(keyrings.index, binding, input.code, code.codeTag)) {
      const { counted, tally } = await store.addWrongTry(code, indexes, nowMs);
      return (counted ? null : limitError(tally, code, nowMs)) ?? err({ code: "code_invalid" });
    }
    const opening = await prepareSession(deps, input, { email, user, nowMs });
    const written = await store.signIn({
      codeId: code.id,
      indexes,
      userId: opening.userId,
      newUser: opening.newUser,
      session: opening.session,
      nowMs,
    });
    if (written.opened) return ok(await signedIn(deps, opening, opening.newUser !== null, nowMs));
    // The code was right and is spent, but a user who is being erased does not come back.
    if (written.used) return err({ code: "forbidden" });
    const limited = limitError(written.tally, code, nowMs);
    if (limited !== null) return limited;
    if (code.usedAtMs !== null || code.expiresAtMs <= nowMs || round === SIGN_IN_ROUNDS) {
      return err({ code: "code_invalid" });
    }
  }
}

/**
 * The refusal that a tally calls for, or null. A spent or late code is not "tried too often", it is
 * just not valid.
 */
function limitError(
  tally: Tally,
  code: CodeRow | null,
  nowMs: number,
): { readonly ok: false; readonly error: SignInError } | null {
  if (tally.ofAddress >= WRONG_TRIES_PER_ADDRESS) {
    return err({
      code: "rate_limited",
      limit: "tries",
      retryAfterS: secondsUntil((tally.oldestAtMs ?? nowMs) + WRONG_TRIES_WINDOW_MS, nowMs),
    });
  }
  if (
    code === null || code.usedAtMs !== null || code.expiresAtMs <= nowMs ||
    tally.ofCode < TRIES_PER_CODE
  ) return null;
  return err({ code: "code_tries_exceeded", retryAfterS: secondsUntil(code.expiresAtMs, nowMs) });
}

type Opening = {
  readonly userId: UserId;
  readonly newUser: UserRow | null;
  readonly refreshToken: string;
  readonly session: {
    readonly id: SessionId;
    readonly currentHash: string;
    readonly deviceNameCipher: string | null;
    readonly authTimeS: number;
    readonly amr: readonly string[];
  };
};

async function prepareSession(
  deps: IdentityDeps,
  input: SignInInput,
  found: { email: string; user: UserRow | null; nowMs: number },
): Promise<Opening> {
  const { keyrings, random } = deps;
  const { user, nowMs } = found;
  const userId = user === null ? newId("usr", nowMs, random) : (user.id as UserId);
  const dataKey = user === null
    ? await newWrappedDataKey(keyrings.encryption, userId, random)
    : user.dataKey;
  const cipher = await openedCipher(deps, userId, dataKey);
  const newUser: UserRow | null = user !== null ? null : {
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
  return { userId, newUser, refreshToken, session };
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

function atLeastOne(texts: readonly string[]): readonly [string, ...string[]] {
  const [first, ...rest] = texts;
  assert(first !== undefined, "keyring_empty", "the keyring has no key");
  return [first, ...rest];
}

// ---- sessions -----------------------------------------------------------------------------------

async function refresh(deps: IdentityDeps, token: string): Promise<Result<SignedIn, RefreshError>> {
  const { store, keyrings, clock, random } = deps;
  const sessionId = sessionOfRefreshToken(keyrings.index, token);
  if (sessionId === null) return err({ code: "refresh_invalid" });
  const nowMs = clock.nowMs();
  const refreshToken = newRefreshToken(keyrings.index, sessionId, random);
  const { rotated, reused } = await store.rotate({
    sessionId,
    presentedHash: refreshTokenHash(token),
    newHash: refreshTokenHash(refreshToken),
    nowMs,
  });
  if (rotated === null) {
    if (reused) deps.log.alert("refresh_token_reused", { session: sessionId });
    return err({ code: reused ? "refresh_reused" : "refresh_invalid" });
  }
  const userId = rotated.userId as UserId;
  const accessToken = await deps.accessTokens.issue({
    userId,
    sessionId,
    authTimeS: rotated.authTimeS,
    amr: JSON.parse(rotated.amr) as string[],
  });
  return ok({
    accessToken,
    expiresInS: ACCESS_TTL_S,
    refreshToken,
    refreshExpiresInS: secondsUntil(rotated.expiresAtMs, nowMs),
    userId,
    created: false,
  });
}

async function pageSessions(
  deps: IdentityDeps,
  userId: UserId,
  beforeId: string | null,
  limit: number,
): Promise<SessionView[]> {
  const { user, rows } = await deps.store.pageSessions(userId, beforeId, limit, deps.clock.nowMs());
  if (user === null) return [];
  const cipher = await cipherOfRow(deps, user);
  return Promise.all(rows.map((row) => toSessionView(cipher, row)));
}

async function toSessionView(cipher: UserCipher, row: SessionRow): Promise<SessionView> {
  const sealed = row.deviceNameCipher;
  const opened = sealed === null
    ? null
    : await cipher.decrypt({ table: "sessions", column: "device_name", row: row.id }, sealed);
  // A session must stay in the list, where its owner can end it, even if its name cannot be read.
  return {
    id: row.id,
    deviceName: opened?.ok === true ? opened.value : null,
    createdAtMs: row.createdAtMs,
    lastUsedAtMs: row.lastUsedAtMs,
  };
}

// ---- profile ------------------------------------------------------------------------------------

type UserColumn = "email" | "first_name" | "last_name" | "gender" | "birth_date";

async function openedCipher(
  deps: IdentityDeps,
  userId: string,
  dataKey: string,
): Promise<UserCipher> {
  const cipher = await openUserCipher(deps.keyrings.encryption, userId, dataKey, deps.random);
  assert(
    cipher.ok,
    "data_key_unreadable",
    "a user's data key cannot be decrypted with the keyring",
  );
  return cipher.value;
}

function cipherOfRow(deps: IdentityDeps, user: UserRow): Promise<UserCipher> {
  return openedCipher(deps, user.id, user.dataKey);
}

async function decrypted(cipher: UserCipher, column: UserColumn, sealed: string): Promise<string> {
  const opened = await cipher.decrypt({ table: "users", column, row: cipher.userId }, sealed);
  assert(
    opened.ok,
    "field_unreadable",
    "a user's encrypted field cannot be decrypted with their data key",
  );
  return opened.value;
}

async function toProfile(deps: IdentityDeps, user: UserRow): Promise<Profile> {
  const cipher = await cipherOfRow(deps, user);
  const open = (
    column: UserColumn,
    sealed: string | null,
  ): Promise<
    string | null
  > => (sealed === null ? Promise.resolve(null) : decrypted(cipher, column, sealed));
  const [email, firstName, lastName, gender, birthDate] = await Promise.all([
    decrypted(cipher, "email", user.emailCipher),
    open("first_name", user.firstNameCipher),
    open("last_name", user.lastNameCipher),
    open("gender", user.genderCipher),
    open("birth_date", user.birthDateCipher),
  ]);
  return {
    id: user.id,
    email,
    firstName,
    lastName,
    gender: gender as Gender | null,
    birthDate,
    locale: user.locale,
    createdAtMs: user.createdAtMs,
  };
}

async function updateProfile(
  deps: IdentityDeps,
  userId: UserId,
  change: ProfileChange,
): Promise<Profile | null> {
  const user = await deps.store.user(userId);
  if (user === null) return null;
  const cipher = await cipherOfRow(deps, user);
  const seal = (column: UserColumn, text: string | null): Promise<string | null> =>
    text === null
      ? Promise.resolve(null)
      : cipher.encrypt({ table: "users", column, row: userId }, text);
  const columns: UserChange = {
    ...(change.firstName === undefined
      ? {}
      : { firstNameCipher: await seal("first_name", change.firstName) }),
    ...(change.lastName === undefined
      ? {}
      : { lastNameCipher: await seal("last_name", change.lastName) }),
    ...(change.gender === undefined ? {} : { genderCipher: await seal("gender", change.gender) }),
    ...(change.birthDate === undefined
      ? {}
      : { birthDateCipher: await seal("birth_date", change.birthDate) }),
    ...(change.locale === undefined ? {} : { locale: change.locale }),
  };
  const after = Object.keys(columns).length === 0
    ? user
    : await deps.store.updateUser(userId, columns);
  return after === null ? null : toProfile(deps, after);
}

// ---- consents -----------------------------------------------------------------------------------

async function decide(
  deps: IdentityDeps,
  userId: UserId,
  purpose: ConsentPurpose,
  granted: boolean,
  textVersion: string,
): Promise<Result<StandingConsent, "user_unknown" | "connections_not_ended">> {
  const nowMs = deps.clock.nowMs();
  const standing = await deps.store.decide({
    id: newId("evt", nowMs, deps.random, userId),
    userId,
    purpose,
    granted,
    textVersion,
    atMs: nowMs,
  });
  if (standing === null) return err("user_unknown");
  if (purpose === "bank_data" && !granted) {
    // Told at every repetition: the row may be there from a time when the telling failed.
    try {
      await deps.consentListener.bankDataWithdrawn(userId);
    } catch (error) {
      deps.log.alert("bank_data_withdrawal_unfinished", { user: userId, error: errorClass(error) });
      return err("connections_not_ended");
    }
  }
  // A failure is the database's and answers 503: the withdrawal stands, and its repetition tells
  // again.
  if (purpose === "statistics" && !granted) await deps.consentListener.statisticsWithdrawn(userId);
  return ok(standing);
}

async function linkGate(deps: IdentityDeps, userId: UserId): Promise<LinkGate | null> {
  const { user, consents } = await deps.store.userWithConsents(userId);
  if (user === null || user.state !== "active") return null;
  const since = (purpose: ConsentPurpose): number | null =>
    consents.find((consent) => consent.purpose === purpose)?.grantedSinceMs ?? null;
  const birthDate = user.birthDateCipher === null
    ? null
    : await decrypted(await cipherOfRow(deps, user), "birth_date", user.birthDateCipher);
  return {
    userId,
    locale: user.locale,
    termsGrantedAtMs: since("terms"),
    bankDataGrantedAtMs: since("bank_data"),
    profileComplete: birthDate !== null,
    oldEnough: birthDate === null
      ? null
      : hasReached(birthDate, deps.minimumAge, deps.clock.nowMs()),
  };
}

// ---- outside issuers and key rotation -----------------------------------------------------------

function linkIndexes(
  deps: IdentityDeps,
  issuer: string,
  subject: string,
): readonly [string, ...string[]] {
  return atLeastOne(
    keyedIndexAll(deps.keyrings.index, "identity_link", JSON.stringify([issuer, subject])),
  );
}

async function reindex(deps: IdentityDeps, limit: number): Promise<number> {
  const { store, keyrings } = deps;
  const rows = await store.usersIndexedOtherwise(keyrings.index.active, limit);
  for (const user of rows) {
    const email = await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher);
    await store.reindexUser(user.id, user.emailIndex, emailIndex(keyrings.index, email));
  }
  return rows.length;
}
