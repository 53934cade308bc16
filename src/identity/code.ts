// One-time codes: how they are drawn and what is kept of them, and the limits that make six digits
// enough. Pure.
import { constantTimeEqual } from "../kernel/hash.ts";
import { utf8Encode } from "../kernel/encoding.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";

export const CODE_TTL_MS = 10 * MINUTE_MS;
export const CODES_PER_ADDRESS = 5;
export const CODES_WINDOW_MS = HOUR_MS;
export const TRIES_PER_CODE = 5;
// With a million codes, 20 wrong tries a day leave an attacker one chance in 50 000 a day for one
// address.
export const WRONG_TRIES_PER_ADDRESS = 20;
export const WRONG_TRIES_WINDOW_MS = DAY_MS;

export type CodePurpose = "sign_in" | "step_up";

/** What a code is good for. The session is the one to strengthen; null when signing in. */
type CodeBinding = {
  readonly id: string;
  readonly purpose: CodePurpose;
  readonly addressIndex: string;
  readonly sessionId: string | null;
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

function bound(binding: CodeBinding, code: string): string {
  return JSON.stringify([
    binding.id,
    binding.purpose,
    binding.addressIndex,
    binding.sessionId,
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
