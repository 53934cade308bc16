// Refresh tokens: which session one belongs to and that we made it, without a database read. A
// forged token must never reach the rule that closes a session, or anybody who knows a session id
// could log its owner out. Pure.
import { assert } from "../kernel/assert.ts";
import {
  base64Decode,
  base64UrlEncode,
  concatBytes,
  utf8Decode,
  utf8Encode,
} from "../kernel/encoding.ts";
import { constantTimeEqual, sha256Hex } from "../kernel/hash.ts";
import { isId } from "../kernel/ids.ts";
import type { SessionId } from "../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { DAY_MS } from "../kernel/time.ts";

export const REFRESH_TTL_MS = 60 * DAY_MS;
export const SESSION_TTL_MAX_MS = 180 * DAY_MS;

const SECRET_BYTES = 32;
const PURPOSE = "refresh_token";
const SUCCESSOR_PURPOSE = "refresh_successor";
const TOKEN_CHARS_MAX = 512;

/** The first token of a session: `<session id and 256 random bits>.<key id>.<tag>`. */
export function newRefreshToken(
  keyring: Keyring,
  sessionId: SessionId,
  random: RandomBytes,
): string {
  const payload = base64UrlEncode(concatBytes(utf8Encode(sessionId), random(SECRET_BYTES)));
  return `${payload}.${keyedIndex(keyring, PURPOSE, payload)}`;
}

/** What the next successor is derived from, beside the token; stored with the session. */
export function newSuccessorSalt(random: RandomBytes): string {
  return base64UrlEncode(random(SECRET_BYTES));
}

/**
 * The token that follows a token, under every key of the ring, active first: the same question has
 * the same answer, also after the active key changed. It takes the token, the stored salt and a key
 * to derive it, so neither a copy of the database nor a spent token with the keys is enough.
 */
export function successorTokens(
  keyring: Keyring,
  sessionId: SessionId,
  token: string,
  salt: string,
): string[] {
  return keyedIndexAll(keyring, SUCCESSOR_PURPOSE, `${token}|${salt}`).map((derived, at) => {
    const secret = base64Decode(derived.slice(derived.indexOf(".") + 1));
    assert(secret !== null, "index_malformed", "a keyed index does not end in base64url");
    const payload = base64UrlEncode(concatBytes(utf8Encode(sessionId), secret));
    return `${payload}.${keyedIndexAll(keyring, PURPOSE, payload)[at]}`;
  });
}

/**
 * The session of a token that we made, or null. Says nothing about whether the token is still good.
 */
export function sessionOfRefreshToken(keyring: Keyring, token: string): SessionId | null {
  const dot = token.indexOf(".");
  if (token.length > TOKEN_CHARS_MAX || dot < 1) return null;
  const payload = token.slice(0, dot);
  const given = utf8Encode(token.slice(dot + 1));
  if (
    !keyedIndexAll(keyring, PURPOSE, payload).some((tag) =>
      constantTimeEqual(utf8Encode(tag), given)
    )
  ) return null;
  const bytes = base64Decode(payload);
  if (bytes === null || bytes.length <= SECRET_BYTES) return null;
  const id = utf8Decode(bytes.subarray(0, bytes.length - SECRET_BYTES));
  return isId("ses", id) ? id : null;
}

/** What is stored of a token. It is random enough that a plain hash cannot be searched. */
export function refreshTokenHash(token: string): string {
  return sha256Hex(token);
}
