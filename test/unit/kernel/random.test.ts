// Bytes drawn together are handed out once each.
import { describe, test } from "vitest";
import { pooled } from "../../../src/kernel/random.ts";

function counted(): {
  readonly random: (length: number) => Uint8Array<ArrayBuffer>;
  readonly draws: () => number;
} {
  let draws = 0;
  let next = 0;
  return {
    random: (length) => {
      draws += 1;
      return Uint8Array.from({ length }, () => next++ % 256);
    },
    draws: () => draws,
  };
}

describe("pooled()", () => {
  test("hands out every byte at most once, in the order drawn", ({ expect }) => {
    const random = pooled(counted().random);
    expect([...random(3), ...random(2), ...random(4)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test("draws nothing before it is asked, once for many ids, and again when it runs out", ({ expect }) => {
    const { random, draws } = counted();
    const pool = pooled(random);
    expect(draws()).toBe(0);
    for (let id = 0; id < 32; id++) pool(16);
    expect(draws()).toBe(1);
    pool(16);
    expect(draws()).toBe(2);
    expect(pool(5000)).toHaveLength(5000);
  });

  test("what a caller writes into its bytes reaches nobody else", ({ expect }) => {
    const random = pooled(counted().random);
    const first = random(16);
    first.fill(255);
    expect([...random(2)]).toEqual([16, 17]);
  });
});
