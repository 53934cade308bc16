// What makes two spellings one address, and how an address is found without being stored in clear.
// Pure.
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";

// Letters, marks, digits, hyphens and the dots of all scripts (RFC 3490, section 3.1). Everything
// that the URL parser would read as more than a host (ports, paths, percent signs) is left out.
const UNICODE_DOMAIN = /^[\p{L}\p{M}\p{N}.\u3002\uFF0E\uFF61-]+$/u;

/**
 * What an address looks like, after `normaliseEmail`. The last label of the domain is a name, or
 * the ASCII form of a Unicode one; never a number, which would be an IP address.
 */
export const EMAIL_PATTERN =
  /^(?!\.)(?!.*\.\.)[a-z0-9_'+.-]*[a-z0-9_+-]@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{0,58}[a-z0-9])$/;

/**
 * One spelling of an address: trimmed, NFC, lower case, a Unicode domain in its ASCII form (UTS 46,
 * "punycode"), since that is what mail is delivered by and both spellings are one mailbox. Dots and
 * plus tags stay: whether they mean another mailbox is the provider's business, and merging them
 * could hand one person's account to another.
 */
export function normaliseEmail(text: string): string {
  const spelling = text.trim().normalize("NFC").toLowerCase();
  const at = spelling.lastIndexOf("@");
  if (at < 0) return spelling;
  return spelling.slice(0, at + 1) + asciiDomain(spelling.slice(at + 1));
}

/** A domain in ASCII, or unchanged when it is already or has no ASCII form. */
function asciiDomain(domain: string): string {
  if (/^[\x20-\x7e]*$/.test(domain) || !UNICODE_DOMAIN.test(domain)) return domain;
  // The URL parser of every runtime here does UTS 46; workerd has no other interface to it.
  const url = `http://${domain}/`;
  return URL.canParse(url) ? new URL(url).hostname : domain;
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
