// The challenge that a passkey signs: for what, in which session and until when, signed by us, so
// that asking for one stores nothing. Answering one does: each is good once. Pure.
import { base64Decode, base64UrlEncode, utf8Decode, utf8Encode } from "../kernel/encoding.ts";
import { constantTimeEqual, sha256Hex } from "../kernel/hash.ts";
import type { SessionId } from "../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { MINUTE_MS } from "../kernel/time.ts";

export const PASSKEY_CHALLENGE_TTL_MS = 5 * MINUTE_MS;
const PURPOSE = "passkey_challenge";
const RANDOM_BYTES = 16;
const FORM = /^([\w-]{22})\.(\d{1,16})\.(.{1,200})$/;

/** What an answer may be used for; a sign-in has no session yet. */
export type ChallengeUse =
  | { readonly purpose: "sign_in"; readonly sessionId: null }
  | { readonly purpose: "register" | "step_up"; readonly sessionId: SessionId };

/** What is stored of a challenge once it was answered, and until when. */
export type OpenedChallenge = { readonly hash: string; readonly expiresAtMs: number };

function bound(id: string, expiresAtMs: number, use: ChallengeUse): string {
  return JSON.stringify([id, expiresAtMs, use.purpose, use.sessionId]);
}

/** `<128 random bits>.<until when>.<key id>.<tag>`, as bytes. */
export function newPasskeyChallenge(
  keyring: Keyring,
  use: ChallengeUse,
  nowMs: number,
  random: RandomBytes,
): Uint8Array<ArrayBuffer> {
  const id = base64UrlEncode(random(RANDOM_BYTES));
  const expiresAtMs = nowMs + PASSKEY_CHALLENGE_TTL_MS;
  const tag = keyedIndex(keyring, PURPOSE, bound(id, expiresAtMs, use));
  return utf8Encode(`${id}.${expiresAtMs}.${tag}`);
}

/** A challenge as browsers send it back, base64url; null when it is not ours, not for this or late. */
export function openPasskeyChallenge(
  keyring: Keyring,
  use: ChallengeUse,
  challenge: string,
  nowMs: number,
): OpenedChallenge | null {
  const bytes = base64Decode(challenge);
  // Only ASCII is ours; other bytes must not reach the decoder, which throws.
  if (bytes === null || bytes.some((byte) => byte > 0x7e)) return null;
  const [, id, until, tag] = FORM.exec(utf8Decode(bytes)) ?? [];
  if (id === undefined || until === undefined || tag === undefined) return null;
  const expiresAtMs = Number(until);
  const given = utf8Encode(tag);
  const ours = keyedIndexAll(keyring, PURPOSE, bound(id, expiresAtMs, use)).some((candidate) =>
    constantTimeEqual(utf8Encode(candidate), given)
  );
  return ours && nowMs < expiresAtMs ? { hash: sha256Hex(id), expiresAtMs } : null;
}
