// Synchronous hashing (WebCrypto's digest is a promise and cannot run inside a storage transaction)
// and RFC 8785 JSON.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import canonicalize from "canonicalize";
import { assert } from "./assert.ts";
import { hexEncode, utf8Encode } from "./encoding.ts";

export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}

export function sha256Hex(text: string): string {
  return hexEncode(sha256(utf8Encode(text)));
}

/** Of the parts one after the other, without putting them together. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = hmac.create(sha256, key);
  for (const part of parts) state.update(part);
  return state.digest();
}

/**
 * Canonical JSON by RFC 8785 (JSON Canonicalization Scheme): equal values give equal texts whatever
 * the key order.
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  assert(typeof text === "string", "json_not_canonical", "a value has no canonical JSON form");
  return text;
}

/** Compares two byte strings in a time that depends on their length only. */
export function constantTimeEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}
