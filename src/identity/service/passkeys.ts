// Registers, lists and removes passkeys, and signs in with them.
import { assert } from "../../kernel/assert.ts";
import { newId } from "../../kernel/ids.ts";
import type { SessionId, UserId } from "../../kernel/ids.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { DeviceKind } from "../device.ts";
import type { PasskeyError } from "../errors.ts";
import {
  assertionOptions,
  claimedChallenge,
  PASSKEY_METHODS,
  registrationOptions,
  verifyAssertion,
  verifyRegistration,
} from "../passkey.ts";
import type { AssertionAnswer, PasskeyKey, RegistrationAnswer } from "../passkey.ts";
import { newPasskeyChallenge, openPasskeyChallenge } from "../passkey-challenge.ts";
import type { ChallengeUse } from "../passkey-challenge.ts";
import type { NewPasskey, PasskeyUse, UserRow } from "../store/index.ts";
import type { IdentityDeps } from "./deps.ts";
import { cipherOfRow, decrypted } from "./fields.ts";
import { prepareSession, signedIn } from "./new-session.ts";
import type { SignedIn } from "./new-session.ts";

export type PasskeyView = {
  readonly id: string;
  readonly name: string | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
};

/** A user in a session of ours. */
export type InSession = { readonly userId: UserId; readonly sessionId: SessionId };

function keyOf(row: NewPasskey): PasskeyKey {
  return {
    credentialId: row.credentialId,
    publicKey: row.publicKey,
    counter: row.counter,
    transports: JSON.parse(row.transports) as string[],
  };
}

async function toView(cipher: UserCipher, row: NewPasskey): Promise<PasskeyView> {
  const place = { table: "passkeys", column: "name", row: row.id };
  const opened = row.nameCipher === null ? null : await cipher.decrypt(place, row.nameCipher);
  return {
    id: row.id,
    // A passkey must stay in the list, where its owner can remove it, whatever became of its name.
    name: opened?.ok === true ? opened.value : null,
    createdAtMs: row.createdAtMs,
    lastUsedAtMs: row.lastUsedAtMs,
  };
}

/** Null without such a user. */
export async function passkeyRegistration(
  deps: IdentityDeps,
  { userId, sessionId }: InSession,
): Promise<Awaited<ReturnType<typeof registrationOptions>> | null> {
  const user = await deps.store.user(userId);
  if (user === null) return null;
  const use = { purpose: "register", sessionId } as const;
  return registrationOptions(deps.relyingParty, {
    userId,
    email: await decrypted(await cipherOfRow(deps, user), "email", user.emailCipher),
    challenge: newPasskeyChallenge(deps.keyrings.index, use, deps.clock.nowMs(), deps.random),
    known: (await deps.store.passkeysOf(userId)).map(keyOf),
  });
}

export async function registerPasskey(
  deps: IdentityDeps,
  { userId, sessionId }: InSession,
  answer: RegistrationAnswer,
  by: { readonly name: string | null; readonly device: DeviceKind },
): Promise<Result<PasskeyView, PasskeyError>> {
  const nowMs = deps.clock.nowMs();
  const proved = await opened(deps, { purpose: "register", sessionId }, answer, nowMs);
  const key = proved === null
    ? null
    : await verifyRegistration(deps.relyingParty, answer, proved.challenge);
  const user = await deps.store.user(userId);
  if (proved === null || key === null || user === null) {
    return err({ code: "passkey_not_registered" });
  }
  const cipher = await cipherOfRow(deps, user);
  const id = newId("psk", nowMs, deps.random, userId);
  const row: NewPasskey = {
    id,
    userId,
    credentialId: key.credentialId,
    publicKey: key.publicKey,
    counter: key.counter,
    transports: JSON.stringify(key.transports),
    nameCipher: by.name === null ? null : await sealedName(cipher, id, by.name),
    createdAtMs: nowMs,
    lastUsedAtMs: null,
  };
  const { added, full } = await deps.store.addPasskey(row, proved.opened, {
    userId,
    sessionId,
    device: by.device,
    nowMs,
  });
  if (added) return ok(await toView(cipher, row));
  return err({ code: full ? "passkey_limit_reached" : "passkey_not_registered" });
}

function sealedName(cipher: UserCipher, id: string, name: string): Promise<string> {
  return cipher.encrypt({ table: "passkeys", column: "name", row: id }, name);
}

/** The challenge of an answer, when it is ours, for this use, and not late. */
async function opened(
  deps: IdentityDeps,
  use: ChallengeUse,
  answer: { readonly response: { readonly clientDataJSON: string } },
  nowMs: number,
) {
  const challenge = await claimedChallenge(answer);
  if (challenge === null) return null;
  const found = openPasskeyChallenge(deps.keyrings.index, use, challenge, nowMs);
  return found === null ? null : { challenge, opened: found };
}

export async function listPasskeys(deps: IdentityDeps, userId: UserId): Promise<PasskeyView[]> {
  const [user, rows] = await Promise.all([
    deps.store.user(userId),
    deps.store.passkeysOf(userId),
  ]);
  if (user === null) return [];
  const cipher = await cipherOfRow(deps, user);
  return Promise.all(rows.map((row) => toView(cipher, row)));
}

/** Null when it is not this user's. */
export async function renamePasskey(
  deps: IdentityDeps,
  userId: UserId,
  id: string,
  name: string,
): Promise<PasskeyView | null> {
  const user = await deps.store.user(userId);
  if (user === null) return null;
  const cipher = await cipherOfRow(deps, user);
  const row = await deps.store.renamePasskey(userId, id, await sealedName(cipher, id, name));
  return row === null ? null : toView(cipher, row);
}

/** For a session of ours to be strengthened with the user's own passkeys; without one to sign in. */
export async function passkeyAssertion(
  deps: IdentityDeps,
  session: InSession | null,
): Promise<Awaited<ReturnType<typeof assertionOptions>>> {
  const use: ChallengeUse = session === null
    ? { purpose: "sign_in", sessionId: null }
    : { purpose: "step_up", sessionId: session.sessionId };
  return assertionOptions(
    deps.relyingParty,
    newPasskeyChallenge(deps.keyrings.index, use, deps.clock.nowMs(), deps.random),
    session === null ? null : (await deps.store.passkeysOf(session.userId)).map(keyOf),
  );
}

/** What a passkey has proved, with its owner; null when the answer is refused. */
export async function provedByPasskey(
  deps: IdentityDeps,
  use: ChallengeUse,
  answer: AssertionAnswer,
  nowMs: number,
): Promise<{ readonly user: UserRow; readonly used: PasskeyUse } | null> {
  const proved = await opened(deps, use, answer, nowMs);
  const found = proved === null ? null : await deps.store.passkeyByCredential(answer.id);
  if (proved === null || found === null) return null;
  const { passkey, user } = found;
  const owner = { userId: user.id as UserId, key: keyOf(passkey) };
  const result = await verifyAssertion(deps.relyingParty, answer, proved.challenge, owner);
  if (result === null) return null;
  if (result.wentBack) {
    deps.log.alert("passkey_counter_back", { user: user.id, passkey: passkey.id });
    return null;
  }
  const used = { passkey, newCounter: result.counter, challenge: proved.opened, nowMs };
  return { user, used };
}

export async function signInWithPasskey(
  deps: IdentityDeps,
  answer: AssertionAnswer,
  by: { readonly deviceName: string | null; readonly device: DeviceKind },
): Promise<Result<SignedIn, { readonly code: "passkey_invalid" }>> {
  const nowMs = deps.clock.nowMs();
  const use = { purpose: "sign_in", sessionId: null } as const;
  const proved = await provedByPasskey(deps, use, answer, nowMs);
  if (proved === null) return err({ code: "passkey_invalid" });
  const { user, used } = proved;
  assert(user.id === used.passkey.userId, "passkey_of_another", "a passkey of another user");
  const prepared = await prepareSession(deps, await cipherOfRow(deps, user), {
    deviceName: by.deviceName,
    amr: PASSKEY_METHODS,
    nowMs,
  });
  const stored = await deps.store.signInWithPasskey(used, prepared.session, by.device);
  return stored
    ? ok(await signedIn(deps, user.id as UserId, prepared, false, nowMs))
    : err({ code: "passkey_invalid" });
}
