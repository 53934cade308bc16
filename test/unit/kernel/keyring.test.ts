// Field encryption: whatever is changed, moved or taken from somebody else must not decrypt.
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { base64Decode, base64UrlEncode, utf8Encode } from "../../../src/kernel/encoding.ts";
import {
  keyedIndex,
  keyedIndexAll,
  newWrappedDataKey,
  openUserCipher,
  openWithKeyring,
  parseKeyring,
  sealWithKeyring,
} from "../../../src/kernel/keyring.ts";
import type { FieldPlace, Keyring, UserCipher } from "../../../src/kernel/keyring.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const key = (): string => Buffer.from(systemRandomBytes(32)).toString("base64");
const K1 = key();
const K2 = key();

function ring(active: string, keys: Record<string, string>): Keyring {
  const parsed = parseKeyring(JSON.stringify({ active, keys }));
  if (parsed === null) throw new Error("not a keyring");
  return parsed;
}

async function cipherFor(keyring: Keyring, userId: string): Promise<UserCipher> {
  const opened = await openUserCipher(
    keyring,
    userId,
    await newWrappedDataKey(keyring, userId, systemRandomBytes),
    systemRandomBytes,
  );
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
}

const PLACE: FieldPlace = { table: "users", column: "email", row: "usr_1" };
const one = ring("k1", { k1: K1 });

describe("parseKeyring", () => {
  it("reads 256-bit keys in base64 and base64url", ({ expect }) => {
    const url = base64UrlEncode(base64Decode(K2) ?? new Uint8Array());
    const parsed = parseKeyring(JSON.stringify({ active: "b", keys: { a: K1, b: url } }));
    expect(parsed?.active).toBe("b");
    expect(parsed?.keys.get("b")).toEqual(base64Decode(K2));
  });

  it("refuses everything else", ({ expect }) => {
    const short = Buffer.from(systemRandomBytes(16)).toString("base64");
    const long = Buffer.from(systemRandomBytes(33)).toString("base64");
    for (
      const value of [
        { active: "a", keys: { a: short } },
        { active: "a", keys: { a: long } },
        { active: "a", keys: { a: K1, b: short } },
        { active: "b", keys: { a: K1 } },
        { active: "a", keys: {} },
        { active: "a" },
        { keys: { a: K1 } },
        { active: 1, keys: { a: K1 } },
        { active: "a", keys: null },
        { active: "a", keys: { a: 1 } },
        { active: "a.b", keys: { "a.b": K1 } },
        { active: "", keys: { "": K1 } },
        { active: "a", keys: { a: `${K1}!` } },
        null,
        [],
        "text",
        1,
      ]
    ) {
      expect(parseKeyring(JSON.stringify(value)), JSON.stringify(Object.keys(value ?? {})))
        .toBeNull();
    }
    expect(parseKeyring("not json")).toBeNull();
    expect(parseKeyring("")).toBeNull();
  });
});

describe("a user's cipher", () => {
  it("gives every text back", async ({ expect }) => {
    const cipher = await cipherFor(one, "usr_1");
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", maxLength: 300 }), async (text) => {
        const sealed = await cipher.encrypt(PLACE, text);
        expect(await cipher.decrypt(PLACE, sealed)).toEqual({ ok: true, value: text });
      }),
    );
  });

  it("refuses every single flipped bit of the vector, the text and the tag", async ({ expect }) => {
    const cipher = await cipherFor(one, "usr_1");
    const [version = "", iv = "", data = ""] = (await cipher.encrypt(PLACE, "FR76")).split(".");
    let refused = 0;
    for (const part of ["iv", "data"] as const) {
      const bytes = base64Decode(part === "iv" ? iv : data) ?? new Uint8Array();
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Uint8Array.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const changed = base64UrlEncode(flipped);
        expect(
          await cipher.decrypt(
            PLACE,
            part === "iv" ? `${version}.${changed}.${data}` : `${version}.${iv}.${changed}`,
          ),
        ).toEqual({ ok: false, error: "cipher_refused" });
        refused += 1;
      }
    }
    expect(refused).toBe((12 + 4 + 16) * 8);
  });

  it("refuses a value moved to another table, column, row or user", async ({ expect }) => {
    const wrapped = await newWrappedDataKey(one, "usr_1", systemRandomBytes);
    const opened = await openUserCipher(one, "usr_1", wrapped, systemRandomBytes);
    if (!opened.ok) throw new Error(opened.error);
    const sealed = await opened.value.encrypt(PLACE, "secret");
    for (
      const moved of [{ ...PLACE, table: "claims" }, { ...PLACE, column: "first_name" }, {
        ...PLACE,
        row: "usr_2",
      }]
    ) {
      expect(await opened.value.decrypt(moved, sealed)).toEqual({
        ok: false,
        error: "cipher_refused",
      });
    }
    expect(await (await cipherFor(one, "usr_2")).decrypt(PLACE, sealed)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
    expect(await openUserCipher(one, "usr_2", wrapped, systemRandomBytes)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
  });

  it("does not take one place for another whose parts join to the same text", async ({ expect }) => {
    const cipher = await cipherFor(one, "usr_1");
    await expect(cipher.encrypt({ table: "a|b", column: "c", row: "r" }, "x")).rejects.toThrow(
      "separator",
    );
    await expect(cipher.encrypt({ table: "a", column: "b|c", row: "r" }, "x")).rejects.toThrow(
      "separator",
    );
    const sealed = await cipher.encrypt(
      { table: "a", column: "b", row: "x|y" },
      "row of an aggregator",
    );
    expect(await cipher.decrypt({ table: "a", column: "b", row: "x|y" }, sealed)).toEqual({
      ok: true,
      value: "row of an aggregator",
    });
    expect((await cipher.decrypt({ table: "a", column: "b", row: "x" }, sealed)).ok).toBe(false);
  });

  it("refuses malformed input without throwing", async ({ expect }) => {
    const cipher = await cipherFor(one, "usr_1");
    const [, iv = "", data = ""] = (await cipher.encrypt(PLACE, "x")).split(".");
    for (
      const text of [
        "",
        "f1",
        "f1..",
        `f2.${iv}.${data}`,
        `f1.${iv}.${data}.x`,
        `f1.!.${data}`,
        `f1.${iv}.!`,
        `f1.AAAA.${data}`,
        `k1.k1.${iv}.${data}`,
      ]
    ) {
      expect(await cipher.decrypt(PLACE, text), text).toEqual({
        ok: false,
        error: "cipher_malformed",
      });
    }
    expect(await cipher.decrypt(PLACE, `f1.${iv}.`)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
    expect(await cipher.decrypt(PLACE, `f1.${iv}.AAAA`)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
  });

  it("never uses a vector twice in 10 000 encryptions", async ({ expect }) => {
    const cipher = await cipherFor(one, "usr_1");
    const sealed = await Promise.all(
      Array.from({ length: 10_000 }, () => cipher.encrypt(PLACE, "the same text")),
    );
    expect(new Set(sealed.map((text) => text.split(".")[1])).size).toBe(10_000);
    expect(new Set(sealed.map((text) => text.split(".")[2])).size).toBe(10_000);
  });

  it("refuses a data key of less than 256 bits", async ({ expect }) => {
    const short = await sealWithKeyring(
      one,
      "users|data_key|usr_1|usr_1|k1",
      systemRandomBytes(16),
      systemRandomBytes,
    );
    expect(await openUserCipher(one, "usr_1", short, systemRandomBytes)).toEqual({
      ok: false,
      error: "cipher_malformed",
    });
  });
});

describe("rotation", () => {
  it("opens old values with the old key while new ones use the active key", async ({ expect }) => {
    const before = await sealWithKeyring(one, "place", utf8Encode("old"), systemRandomBytes);
    const rotated = ring("k2", { k1: K1, k2: K2 });
    expect(await openWithKeyring(rotated, "place", before)).toEqual({
      ok: true,
      value: utf8Encode("old"),
    });
    const after = await sealWithKeyring(rotated, "place", utf8Encode("new"), systemRandomBytes);
    expect(after.startsWith("k1.k2.")).toBe(true);
    expect(await openWithKeyring(one, "place", after)).toEqual({
      ok: false,
      error: "cipher_key_unknown",
    });
  });

  it("says so when the key is lost, and refuses one that was only renamed", async ({ expect }) => {
    const sealed = await sealWithKeyring(one, "place", utf8Encode("x"), systemRandomBytes);
    expect(await openWithKeyring(ring("k2", { k2: K2 }), "place", sealed)).toEqual({
      ok: false,
      error: "cipher_key_unknown",
    });
    expect(await openWithKeyring(ring("k1", { k1: K2 }), "place", sealed)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
    expect(await openWithKeyring(one, "elsewhere", sealed)).toEqual({
      ok: false,
      error: "cipher_refused",
    });
    for (const text of ["", "k1", "k2.k1.a.b", `${sealed}.x`, "f1.a.b"]) {
      expect((await openWithKeyring(one, "place", text)).ok, text).toBe(false);
    }
  });
});

describe("keyedIndex", () => {
  it("is the same for the same value and differs by purpose, value and key", ({ expect }) => {
    const other = ring("k1", { k1: K2 });
    const index = keyedIndex(one, "email", "a@example.com");
    expect(index).toMatch(/^k1\.[A-Za-z0-9_-]{43}$/);
    expect(keyedIndex(one, "email", "a@example.com")).toBe(index);
    expect(keyedIndex(one, "iban", "a@example.com")).not.toBe(index);
    expect(keyedIndex(one, "email", "b@example.com")).not.toBe(index);
    expect(keyedIndex(other, "email", "a@example.com")).not.toBe(index);
  });

  it("does not confuse where the purpose ends", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z]{2,8}$/),
        fc.stringMatching(/^[a-z]{1,8}$/),
        (purpose, value) => {
          expect(keyedIndex(one, purpose, value)).not.toBe(
            keyedIndex(one, purpose.slice(0, -1), purpose.slice(-1) + value),
          );
        },
      ),
    );
  });

  it("finds a value under every key of the ring, the active one first", ({ expect }) => {
    const rotated = ring("k2", { k1: K1, k2: K2 });
    const all = keyedIndexAll(rotated, "email", "a@example.com");
    expect(all).toEqual([
      keyedIndex(rotated, "email", "a@example.com"),
      keyedIndex(one, "email", "a@example.com"),
    ]);
    expect(all[0]?.startsWith("k2.")).toBe(true);
  });
});
