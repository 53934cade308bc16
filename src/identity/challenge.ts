// The challenge that a client keeps: it names one device for one address, without saying anything
// about either. Its tag says that we made it for this address, so no row is needed until the device
// has signed in. Pure.
import { base64UrlEncode, utf8Encode } from "../kernel/encoding.ts";
import { constantTimeEqual, sha256Hex } from "../kernel/hash.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { DAY_MS } from "../kernel/time.ts";
import { normaliseEmail } from "./email.ts";

export const CHALLENGE_KEPT_MS = 400 * DAY_MS;
export const CHALLENGE_CHARS_MAX = 256;
const PURPOSE = "sign_in_challenge";
const RANDOM_BYTES = 16;

function bound(id: string, email: string): string {
  return JSON.stringify([id, normaliseEmail(email)]);
}

/** `<128 random bits>.<key id>.<tag>`, bound to an address. */
export function newChallenge(keyring: Keyring, email: string, random: RandomBytes): string {
  const id = base64UrlEncode(random(RANDOM_BYTES));
  return `${id}.${keyedIndex(keyring, PURPOSE, bound(id, email))}`;
}

/**
 * What is stored of a device: the hash of its challenge's random part. Null for a challenge that we
 * did not make for this address.
 */
export function deviceKeyOf(keyring: Keyring, email: string, challenge: string): string | null {
  const dot = challenge.indexOf(".");
  if (challenge.length > CHALLENGE_CHARS_MAX || dot < 1) return null;
  const id = challenge.slice(0, dot);
  const given = utf8Encode(challenge.slice(dot + 1));
  const ours = keyedIndexAll(keyring, PURPOSE, bound(id, email)).some((tag) =>
    constantTimeEqual(utf8Encode(tag), given)
  );
  return ours ? sha256Hex(id) : null;
}
