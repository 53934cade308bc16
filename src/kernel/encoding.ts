// Text and byte encodings that the rest of the code needs in one spelling. Base64url is jose's.
import { base64url } from "jose";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Decodes UTF-8 and throws on malformed input, so that two different byte strings never become the same text. */
export function utf8Decode(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

export function base64UrlEncode(bytes: Uint8Array): string {
  return base64url.encode(bytes);
}

/** Decodes base64url or plain base64, or returns null when the text is neither. */
export function base64Decode(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return null;
  try {
    return new Uint8Array(base64url.decode(text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")));
  } catch {
    return null;
  }
}

export function hexEncode(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
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
