// Keyed seals of database rows: HMAC-SHA-256 over the table's name and the columns that say whose a
// row is or what it earns. Whoever can write the database, but does not hold the key, can neither
// make such a row nor change one. Pure; which columns of which table: db/sealed-tables.ts.
import { assert } from "./assert.ts";
import { base64UrlEncode, utf8Encode } from "./encoding.ts";
import { constantTimeEqual, hmacSha256 } from "./hash.ts";
import type { Keyring } from "./keyring.ts";

export type SealedValue = string | number | boolean | null | readonly string[];
/** Columns with their values, in an order that the table fixes. */
export type SealedFields = readonly (readonly [column: string, value: SealedValue])[];

type SealKeys = {
  /** `s1.<kid>.<tag>` under the active key. */
  readonly make: (table: string, fields: SealedFields) => string;
  /** Whether a key of the ring, the one that the seal names, made it over these values. */
  readonly isGood: (table: string, fields: SealedFields, seal: string) => boolean;
  /** Whether the seal names the active key. */
  readonly isActive: (seal: string) => boolean;
};

const FORMAT = "s1";
// As a purpose of `keyedIndex`: no other use of the ring derives the same bytes.
const KEY_LABEL = utf8Encode("row_seal_key\u0000");

/** Seals under keys that are derived from a keyring and serve nothing else. */
export function sealKeys(keyring: Keyring): SealKeys {
  const derived = new Map(
    [...keyring.keys].map(([kid, key]) => [kid, hmacSha256(key, KEY_LABEL)] as const),
  );
  const under = (kid: string, table: string, fields: SealedFields): string | null => {
    const key = derived.get(kid);
    if (key === undefined) return null;
    return `${FORMAT}.${kid}.${base64UrlEncode(hmacSha256(key, encoded(table, fields)))}`;
  };
  return {
    make(table, fields) {
      const seal = under(keyring.active, table, fields);
      assert(seal !== null, "keyring_empty", "the keyring lacks its active key");
      return seal;
    },
    isGood(table, fields, seal) {
      const [format, kid = ""] = seal.split(".");
      const expected = format === FORMAT ? under(kid, table, fields) : null;
      return expected !== null && constantTimeEqual(utf8Encode(expected), utf8Encode(seal));
    },
    isActive: (seal) => seal.startsWith(`${FORMAT}.${keyring.active}.`),
  };
}

/**
 * JSON of arrays has one spelling for one value and keeps texts apart from numbers and null, so no
 * two rows share their bytes.
 */
function encoded(table: string, fields: SealedFields): Uint8Array {
  assert(
    fields.every(([, value]) => typeof value !== "number" || Number.isSafeInteger(value)),
    "seal_number_unsafe",
    "a number in a sealed row is not a safe integer",
  );
  return utf8Encode(JSON.stringify([FORMAT, table, fields]));
}
