// What makes two spellings one address, and how an address is found without being stored in clear.
// Pure.
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";

/**
 * One spelling of an address: trimmed, NFC, lower case. Dots and plus tags stay: whether they mean
 * another mailbox is the provider's business, and merging them could hand one person's account to
 * another.
 */
export function normaliseEmail(text: string): string {
  return text.trim().normalize("NFC").toLowerCase();
}

/** The index under the active key, which new rows carry. */
export function emailIndex(keyring: Keyring, email: string): string {
  return keyedIndex(keyring, "email", normaliseEmail(email));
}

/**
 * The index under every key of the ring, active first: rows written before a rotation are still
 * found.
 */
export function emailIndexes(keyring: Keyring, email: string): string[] {
  return keyedIndexAll(keyring, "email", normaliseEmail(email));
}
