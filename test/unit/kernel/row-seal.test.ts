// Keyed seals of rows: what they bind, and what a key that came, or went, means for them.
import { describe, test } from "vitest";
import { sealKeys } from "../../../src/kernel/row-seal.ts";
import type { SealedFields } from "../../../src/kernel/row-seal.ts";
import { keyedIndex } from "../../../src/kernel/keyring.ts";
import type { Keyring } from "../../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const [first, second] = [systemRandomBytes(32), systemRandomBytes(32)];
const ring = (
  active: string,
  keys: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
): Keyring => ({
  active,
  keys: new Map(Object.entries(keys)),
});
const keys = sealKeys(ring("k1", { k1: first }));
const ROW: SealedFields = [["id", "ses_1"], ["user_id", "usr_1"], ["at_ms", 5]];

describe("a row's seal", () => {
  test("is good for its own values, and the same again", ({ expect }) => {
    const seal = keys.make("sessions", ROW);
    expect(seal).toMatch(/^s1\.k1\.[\w-]{43}$/);
    expect(keys.make("sessions", ROW)).toBe(seal);
    expect(keys.isGood("sessions", ROW, seal)).toBe(true);
    expect(keys.isActive(seal)).toBe(true);
  });

  test.for(
    [
      ["another value", "sessions", [["id", "ses_1"], ["user_id", "usr_2"], ["at_ms", 5]]],
      ["another table", "users", ROW],
      ["another column", "sessions", [["id", "ses_1"], ["owner", "usr_1"], ["at_ms", 5]]],
      ["another order", "sessions", [["user_id", "usr_1"], ["id", "ses_1"], ["at_ms", 5]]],
      ["a number in the place of a text", "sessions", [["id", "ses_1"], ["user_id", "usr_1"], [
        "at_ms",
        "5",
      ]]],
      ["null in the place of a value", "sessions", [["id", "ses_1"], ["user_id", "usr_1"], [
        "at_ms",
        null,
      ]]],
      ["a value less", "sessions", [["id", "ses_1"], ["user_id", "usr_1"]]],
    ] as readonly (readonly [string, string, SealedFields])[],
  )("is not good for %s", ([, table, fields], { expect }) => {
    expect(keys.isGood(table, fields, keys.make("sessions", ROW))).toBe(false);
  });

  test("keeps values apart that read alike side by side", ({ expect }) => {
    const seals = [
      keys.make("t", [["a", "b,c"], ["d", "e"]]),
      keys.make("t", [["a", "b"], ["d", "c,e"]]),
      keys.make("t", [["a", ["b", "c"]], ["d", "e"]]),
      keys.make("t", [["a", ["b,c"]], ["d", "e"]]),
      keys.make("t", [["a", 'b","d'], ["d", "e"]]),
      keys.make("t", [["a", "null"], ["d", "e"]]),
      keys.make("t", [["a", null], ["d", "e"]]),
      keys.make("t", [["a", "true"], ["d", "e"]]),
      keys.make("t", [["a", true], ["d", "e"]]),
    ];
    expect(new Set(seals).size).toBe(seals.length);
  });

  test.for(["", "s1", "s1.k1", "s1.k1.", "s2.k1.AAAA", "f1.a.b", "s1.gone.AAAA", "s1..AAAA"])(
    "is not good as %j",
    (seal, { expect }) => {
      expect(keys.isGood("sessions", ROW, seal)).toBe(false);
    },
  );

  test("is not good with anything behind it, or under the name of another key", ({ expect }) => {
    const both = sealKeys(ring("k1", { k1: first, k2: second }));
    const seal = both.make("sessions", ROW);
    expect(both.isGood("sessions", ROW, `${seal}A`)).toBe(false);
    expect(both.isGood("sessions", ROW, `${seal}.x`)).toBe(false);
    expect(both.isGood("sessions", ROW, seal.replace(".k1.", ".k2."))).toBe(false);
  });

  test("stays good while its key is in the ring, and no longer", ({ expect }) => {
    const seal = keys.make("sessions", ROW);
    const rotated = sealKeys(ring("k2", { k1: first, k2: second }));
    expect([rotated.isGood("sessions", ROW, seal), rotated.isActive(seal)]).toEqual([true, false]);
    expect(rotated.make("sessions", ROW)).toMatch(/^s1\.k2\./);
    expect(sealKeys(ring("k2", { k2: second })).isGood("sessions", ROW, seal)).toBe(false);
    expect(sealKeys(ring("k1", { k1: second })).isGood("sessions", ROW, seal)).toBe(false);
  });

  test("is no keyed index, whatever is indexed: the key is another one", ({ expect }) => {
    const keyring = ring("k1", { k1: first });
    const text = JSON.stringify(["s1", "sessions", ROW]);
    for (const purpose of ["", "row_seal_key", "email"]) {
      expect(keys.isGood("sessions", ROW, `s1.${keyedIndex(keyring, purpose, text)}`)).toBe(false);
    }
  });

  test("is refused for numbers that two rows could share", ({ expect }) => {
    for (const number of [2 ** 53, 0.5]) {
      expect(() => keys.make("t", [["a", number]])).toThrow("not a safe integer");
    }
  });
});
