// Text and byte encodings that the rest of the code needs in one spelling. Base64url is jose's, hex
// is noble's.
import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { base64url } from "jose";

const encoder = new TextEncoder();
// ignoreBOM keeps a leading byte order mark as a character; by default it would vanish.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/**
 * Decodes UTF-8 and throws on malformed input, so that two different byte strings never become the
 * same text.
 */
export function utf8Decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function base64UrlEncode(bytes: Uint8Array): string {
  return base64url.encode(bytes);
}

const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)(={0,2})$/;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * Decodes base64url or plain base64, padded or not, or returns null. Only the one text that
 * encoding these bytes gives is accepted (RFC 4648, section 3.5): otherwise a signed or sealed
 * value would have several spellings.
 */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | null {
  const padding = BASE64.exec(text)?.[1];
  if (padding === undefined || (padding !== "" && text.length % 4 !== 0)) return null;
  const bare = text.slice(0, text.length - padding.length).replaceAll("+", "-").replaceAll(
    "/",
    "_",
  );
  const unusedBits = [0, null, 15, 3][bare.length % 4] ?? null;
  if (unusedBits === null || (ALPHABET.indexOf(bare.slice(-1)) & unusedBits) !== 0) return null;
  try {
    return new Uint8Array(base64url.decode(bare));
  } catch {
    return null;
  }
}

/** Lower-case hex. */
export function hexEncode(bytes: Uint8Array): string {
  return bytesToHex(bytes);
}

/** Decodes hex and throws on anything else. */
export function hexDecode(text: string): Uint8Array {
  return hexToBytes(text);
}

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
