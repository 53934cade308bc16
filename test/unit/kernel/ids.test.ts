import * as fc from "fast-check";
import { describe, it } from "vitest";
import { isId, newId, shardByteOf } from "../../../src/kernel/ids.ts";
import { systemRandomBytes } from "../../../src/kernel/random.ts";

const NOW_MS = Date.parse("2026-11-23T12:00:00Z");

describe("newId", () => {
  it("orders by creation time, as text", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 48 - 2 }),
        fc.integer({ min: 1, max: 10 ** 12 }),
        (ms, later) => {
          const next = Math.min(ms + later, 2 ** 48 - 1);
          expect(newId("pur", ms, systemRandomBytes) < newId("pur", next, systemRandomBytes)).toBe(
            true,
          );
        },
      ),
    );
  });

  it("is a UUIDv7 (RFC 9562) whose first 48 bits are the time, whatever the random bytes", ({ expect }) => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
      const id = newId("usr", NOW_MS, () => new Uint8Array(bytes));
      expect(isId("usr", id)).toBe(true);
      expect(Number.parseInt(id.slice(4, 17).replace("-", ""), 16)).toBe(NOW_MS);
    }));
  });

  it("carries the shard byte of its owner and keeps the rest random", ({ expect }) => {
    const owner = newId("usr", NOW_MS, systemRandomBytes);
    const ids = Array.from({ length: 300 }, () => newId("con", NOW_MS, systemRandomBytes, owner));
    expect(new Set(ids.map(shardByteOf))).toEqual(new Set([shardByteOf(owner)]));
    expect(new Set(ids).size).toBe(300);
    const free = new Set(
      Array.from({ length: 3000 }, () => shardByteOf(newId("usr", NOW_MS, systemRandomBytes))),
    );
    expect(free.size).toBeGreaterThan(200);
  });

  it("repeats nothing among 20 000 of one millisecond", ({ expect }) => {
    expect(
      new Set(Array.from({ length: 20_000 }, () => newId("evt", NOW_MS, systemRandomBytes))).size,
    ).toBe(20_000);
  });

  it("refuses a time that 48 bits do not hold and an owner without a shard byte", ({ expect }) => {
    for (const ms of [-1, 2 ** 48, 1.5, Number.NaN]) {
      expect(() => newId("usr", ms, systemRandomBytes), String(ms)).toThrow("48 bits");
    }
    for (const owner of ["", "usr_", "xyz", "usr_é"]) {
      expect(() => newId("con", NOW_MS, systemRandomBytes, owner), owner).toThrow("shard byte");
    }
  });
});

describe("isId", () => {
  const id = newId("usr", NOW_MS, systemRandomBytes);

  it("refuses another kind, another version, another case, and anything around it", ({ expect }) => {
    const uuid = id.slice(4);
    const version4 = `usr_${uuid.slice(0, 14)}4${uuid.slice(15)}`;
    const variant = `usr_${uuid.slice(0, 19)}7${uuid.slice(20)}`;
    for (
      const text of [
        `con_${uuid}`,
        uuid,
        version4,
        variant,
        `usr_${uuid.toUpperCase()}A`,
        ` ${id}`,
        `${id} `,
        `${id}\n`,
        `${id}0`,
        id.slice(0, -1),
        "usr_",
        "",
        `usr_${uuid.replaceAll("-", "")}`,
        `usr_${uuid}' OR 1=1`,
      ]
    ) {
      expect(isId("usr", text), text).toBe(false);
    }
    expect(isId("usr", id)).toBe(true);
  });
});
