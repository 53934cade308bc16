// Keys and field encryption. AES-256-GCM (NIST SP 800-38D) with random 96-bit IVs; every ciphertext
// is bound by its associated data to the place it belongs to, so a value moved to another row, user
// or column does not decrypt. Two layers: the keyring's key wraps one random data key per user; the
// data key encrypts that user's fields.
import { assert } from "./assert.ts";
import { base64Decode, base64UrlEncode, utf8Decode, utf8Encode } from "./encoding.ts";
import { hmacSha256 } from "./hash.ts";
import type { RandomBytes } from "./random.ts";
import { err, ok } from "./result.ts";
import type { Result } from "./result.ts";

export type Keyring = {
  readonly active: string;
  readonly keys: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
};

export type CipherError = "cipher_malformed" | "cipher_key_unknown" | "cipher_refused";

const KEY_BYTES = 32;
const IV_BYTES = 12;

/**
 * Parses `{"active": kid, "keys": {kid: base64}}`; null unless every key has 256 bits and the
 * active one is there.
 */
export function parseKeyring(json: string): Keyring | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch {
    return null;
  }
  if (
    typeof parsed !== "object" || parsed === null || !("active" in parsed) || !("keys" in parsed)
  ) return null;
  const { active, keys } = parsed;
  if (typeof active !== "string" || typeof keys !== "object" || keys === null) return null;
  const map = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [kid, text] of Object.entries(keys)) {
    const bytes = typeof text === "string" ? base64Decode(text) : null;
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(kid) || bytes === null || bytes.length !== KEY_BYTES) {
      return null;
    }
    map.set(kid, bytes);
  }
  return map.has(active) ? { active, keys: map } : null;
}

const imported = new WeakMap<Uint8Array, Promise<CryptoKey>>();

function aesKey(raw: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  let key = imported.get(raw);
  if (key === undefined) {
    key = crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
    imported.set(raw, key);
  }
  return key;
}

async function seal(
  key: CryptoKey,
  prefix: string,
  associated: string,
  plain: Uint8Array<ArrayBuffer>,
  random: RandomBytes,
): Promise<string> {
  const iv = random(IV_BYTES);
  const data = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: utf8Encode(associated) },
    key,
    plain,
  );
  return `${prefix}.${base64UrlEncode(iv)}.${base64UrlEncode(new Uint8Array(data))}`;
}

async function open(
  key: CryptoKey,
  ivText: string,
  dataText: string,
  associated: string,
): Promise<Result<Uint8Array<ArrayBuffer>, CipherError>> {
  const iv = base64Decode(ivText);
  const data = base64Decode(dataText);
  if (iv === null || data === null || iv.length !== IV_BYTES) return err("cipher_malformed");
  try {
    return ok(
      new Uint8Array(
        await crypto.subtle.decrypt(
          { name: "AES-GCM", iv, additionalData: utf8Encode(associated) },
          key,
          data,
        ),
      ),
    );
  } catch {
    return err("cipher_refused");
  }
}

/**
 * Encrypts under the keyring's active key: `k1.<kid>.<iv>.<data>`. For data keys and for secrets
 * that belong to no user.
 */
export async function sealWithKeyring(
  keyring: Keyring,
  associated: string,
  plain: Uint8Array<ArrayBuffer>,
  random: RandomBytes,
): Promise<string> {
  const raw = keyring.keys.get(keyring.active);
  if (raw === undefined) throw new Error("keyring without its active key");
  return seal(await aesKey(raw), `k1.${keyring.active}`, associated, plain, random);
}

/** Decrypts what `sealWithKeyring` made, with whichever key of the ring it names. */
export async function openWithKeyring(
  keyring: Keyring,
  associated: string,
  sealed: string,
): Promise<Result<Uint8Array<ArrayBuffer>, CipherError>> {
  const [version, kid = "", iv = "", data = "", rest] = sealed.split(".");
  if (version !== "k1" || rest !== undefined) return err("cipher_malformed");
  const raw = keyring.keys.get(kid);
  if (raw === undefined) return err("cipher_key_unknown");
  return open(await aesKey(raw), iv, data, associated);
}

/**
 * Where a ciphertext belongs. The parts are the associated data of DESIGN.md section 2:
 * `table|column|user|row|version`.
 */
export type FieldPlace = { readonly table: string; readonly column: string; readonly row: string };

/** Encrypts and decrypts the fields of one user under that user's data key. */
export type UserCipher = {
  readonly userId: string;
  readonly encrypt: (place: FieldPlace, text: string) => Promise<string>;
  readonly decrypt: (place: FieldPlace, sealed: string) => Promise<Result<string, CipherError>>;
};

const FIELD_VERSION = "f1";

function dataKeyPlace(userId: string): string {
  return `users|data_key|${userId}|${userId}|k1`;
}

/** A new random data key for a user, wrapped by the keyring: what is stored in D1. */
export async function newWrappedDataKey(
  keyring: Keyring,
  userId: string,
  random: RandomBytes,
): Promise<string> {
  return sealWithKeyring(keyring, dataKeyPlace(userId), random(KEY_BYTES), random);
}

/**
 * Opens a user's data key. Fails when the keyring lost the wrapping key or the wrapped key belongs
 * to another user.
 */
export async function openUserCipher(
  keyring: Keyring,
  userId: string,
  wrappedKey: string,
  random: RandomBytes,
): Promise<Result<UserCipher, CipherError>> {
  const raw = await openWithKeyring(keyring, dataKeyPlace(userId), wrappedKey);
  if (!raw.ok) return raw;
  if (raw.value.length !== KEY_BYTES) return err("cipher_malformed");
  const key = await aesKey(raw.value);
  const associated = (place: FieldPlace): string => {
    // The row may be anybody's text; the other parts must not hold the separator, or two places
    // could share one name.
    assert(
      ![place.table, place.column, userId].some((part) => part.includes("|")),
      "field_place_invalid",
      "a table, column or user id contains the separator of field places",
    );
    return `${place.table}|${place.column}|${userId}|${place.row}|${FIELD_VERSION}`;
  };
  return ok({
    userId,
    encrypt: async (place, text) =>
      seal(key, FIELD_VERSION, associated(place), utf8Encode(text), random),
    decrypt: async (place, sealed) => {
      const [version, iv = "", data = "", rest] = sealed.split(".");
      if (version !== FIELD_VERSION || rest !== undefined) return err("cipher_malformed");
      const opened = await open(key, iv, data, associated(place));
      return opened.ok ? ok(utf8Decode(opened.value)) : opened;
    },
  });
}

/**
 * Keyed, purpose-bound index of a value (`HMAC-SHA-256` under the index keyring): finds a row
 * without storing the value in clear. Returns `<kid>.<base64url>` under the active key.
 */
export function keyedIndex(keyring: Keyring, purpose: string, value: string): string {
  return indexUnder(keyring, keyring.active, purpose, value);
}

/**
 * The index of a value under every key of the ring, active first: for look-ups while the index key
 * is being rotated.
 */
export function keyedIndexAll(keyring: Keyring, purpose: string, value: string): string[] {
  const others = [...keyring.keys.keys()].filter((kid) => kid !== keyring.active);
  return [keyring.active, ...others].map((kid) => indexUnder(keyring, kid, purpose, value));
}

function indexUnder(keyring: Keyring, kid: string, purpose: string, value: string): string {
  const key = keyring.keys.get(kid);
  if (key === undefined) throw new Error("keyring without a key it names");
  // The purpose is separated by a byte that neither part can contain, so ("ab","c") and ("a","bc")
  // differ.
  return `${kid}.${base64UrlEncode(hmacSha256(key, utf8Encode(`${purpose}\u0000${value}`)))}`;
}
