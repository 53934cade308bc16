// One-time codes: how they are drawn and what is kept of them, and the limits that make six digits
// enough. Pure.
import { constantTimeEqual } from "../kernel/hash.ts";
import { utf8Encode } from "../kernel/encoding.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";

export const CODE_TTL_MS = 10 * MINUTE_MS;
/** An hour: of a known device, or of an address and network for all unknown ones together. */
export const CODES_PER_HOUR = 5;
export const CODES_WINDOW_MS = HOUR_MS;
/**
 * An hour, to unknown devices of a /24 or /48; then each /32 or /56 in it has a share of its own.
 */
export const CODES_PER_WIDE_NETWORK = 300;
export const CODES_PER_NETWORK_RESERVED = 10;
export const TRIES_PER_CODE = 5;
/** A day: of a device, and of an address and network for all unknown devices together. */
export const WRONG_TRIES_PER_DAY = 20;
export const WRONG_TRIES_WINDOW_MS = DAY_MS;
// Six digits are enough while few of them are guessed at: with at most 500 wrong tries a day, and
// one more for each of 400 codes that are on their way when the limit is passed, whoever sprays all
// addresses is expected to hit 0.0009 accounts. Beyond that, unknown devices get ten characters.
export const UNKNOWN_WRONG_TRIES_PER_DAY = 500;
export const SHORT_CODES_ON_THE_WAY = 400;

export type CodePurpose = "sign_in" | "step_up" | "change_email";

/**
 * What a code is good for. The device is the hash of its challenge when signing in, otherwise the
 * session.
 */
type CodeBinding = {
  readonly id: string;
  readonly purpose: CodePurpose;
  readonly addressIndex: string;
  readonly deviceKey: string;
};

const CODES = 1_000_000;
// The largest multiple of a million that four bytes can hold; draws above it are thrown away, else
// low codes would be likelier.
const FAIR_BELOW = Math.floor(2 ** 32 / CODES) * CODES;

/** Draws six digits, every code equally likely. */
export function newCode(random: RandomBytes): string {
  for (;;) {
    const bytes = random(4);
    const draw = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
    if (draw < FAIR_BELOW) return String(draw % CODES).padStart(6, "0");
  }
}

// Crockford's base 32: no letter that is read as a digit. 32 divides 256, so every draw is fair.
const LONG_CODE_CHARS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LONG_CODE_LENGTH = 10;
const CODE_PATTERN = /^(?:\d{6}|[0-9A-HJKMNP-TV-Z]{10})$/;

/** Draws ten characters, for when six digits are being guessed at. */
export function newLongCode(random: RandomBytes): string {
  return [...random(LONG_CODE_LENGTH)].map((byte) => LONG_CODE_CHARS.charAt(byte % 32)).join("");
}

/**
 * A code as it was sent, from how people type it: in groups, in lower case, with an O for a zero.
 */
export function normaliseCode(text: string): string {
  return text.replace(/\s/g, "").toUpperCase().replaceAll("O", "0").replace(/[IL]/g, "1");
}

/** Whether a text, after `normaliseCode`, looks like a code. */
export function isCode(text: string): boolean {
  return CODE_PATTERN.test(text);
}

function bound(binding: CodeBinding, code: string): string {
  return JSON.stringify([
    binding.id,
    binding.purpose,
    binding.addressIndex,
    binding.deviceKey,
    code,
  ]);
}

/** What is stored instead of the code: a stolen table cannot be searched without the key. */
export function codeTag(keyring: Keyring, binding: CodeBinding, code: string): string {
  return keyedIndex(keyring, "auth_code", bound(binding, code));
}

/** Whether this code belongs to this row, whichever key of the ring made the tag. */
export function codeMatches(
  keyring: Keyring,
  binding: CodeBinding,
  code: string,
  tag: string,
): boolean {
  const stored = utf8Encode(tag);
  return keyedIndexAll(keyring, "auth_code", bound(binding, code)).some((candidate) =>
    constantTimeEqual(utf8Encode(candidate), stored)
  );
}
