import * as fc from "fast-check";
import { describe, test } from "vitest";
import { allocateRefunds } from "../../../src/ledger/purchases/refund-allocation.ts";
import type { RefundPart, RefundRow } from "../../../src/ledger/purchases/refund-allocation.ts";

const rowOf = (n: number, cents: number, more: Partial<RefundRow> = {}): RefundRow => ({
  n,
  account: "card",
  date: "2026-11-10",
  cents,
  currency: "EUR",
  original: null,
  labelTag: `label ${n}`,
  externalId: String(n),
  ...more,
});
const refundOf = (n: number, cents: number, more: Partial<RefundRow> = {}): RefundRow =>
  rowOf(n, cents, { date: "2026-11-20", ...more });
const usd = (amountCents: number) => ({ original: { amountCents, currency: "USD" } });

/** The parts of the one refund, as `purchase:cents`. */
function parts(purchases: readonly RefundRow[], refund: RefundRow): string {
  const found = allocateRefunds(purchases, [refund]).get(refund.n);
  return found === undefined ? "unknown" : words(found);
}
const words = (found: readonly RefundPart[]): string =>
  found.map(({ purchase, cents }) => `${purchase}:${cents}`).join(" ");

describe("a refund takes", () => {
  test("the purchase whose rest equals it, before a newer one with more left", ({ expect }) => {
    const purchases = [rowOf(1, 5_000), rowOf(2, 9_000, { date: "2026-11-12" })];
    expect(parts(purchases, refundOf(9, 5_000))).toBe("1:5000");
  });

  test("the whole purchase with the same foreign amount, whatever the rate became", ({ expect }) => {
    const purchases = [rowOf(1, 2_310, usd(2_500)), rowOf(2, 9_000, { date: "2026-11-12" })];
    expect(parts(purchases, refundOf(9, 2_347, usd(2_500)))).toBe("1:2310");
    expect(parts(purchases, refundOf(9, 2_290, usd(2_500)))).toBe("1:2310");
    expect(parts(purchases, refundOf(9, 2_290, usd(2_400)))).toBe("2:2290");
  });

  test("a part of the newest purchase with more left", ({ expect }) => {
    const purchases = [rowOf(1, 7_000), rowOf(2, 8_000, { date: "2026-11-12" }), rowOf(3, 900)];
    expect(parts(purchases, refundOf(9, 3_000))).toBe("2:3000");
  });

  test("of two purchases of one day, the one that it fits most closely", ({ expect }) => {
    expect(parts([rowOf(1, 9_000), rowOf(2, 4_000)], refundOf(9, 3_000))).toBe("2:3000");
  });

  test("several purchases of split shipments and of instalments, newest first", ({ expect }) => {
    const shipments = [rowOf(1, 7_000), rowOf(2, 5_000, { date: "2026-11-12" })];
    expect(parts(shipments, refundOf(9, 12_000))).toBe("2:5000 1:7000");
    const instalments = [1, 2, 3].map((n) => rowOf(n, 3_000, { date: `2026-11-0${n}` }));
    expect(parts(instalments, refundOf(9, 9_000))).toBe("3:3000 2:3000 1:3000");
    expect(parts(instalments, refundOf(9, 7_000))).toBe("3:3000 2:3000 1:1000");
  });

  test("all of a purchase when it is a cent, or the postage, larger", ({ expect }) => {
    expect(parts([rowOf(1, 5_000)], refundOf(9, 5_001))).toBe("1:5000");
    expect(parts([rowOf(1, 5_000)], refundOf(9, 5_590))).toBe("1:5000");
  });

  test("up to 10 euros or 15 percent more than is left, whichever is more, and no more", ({ expect }) => {
    expect(parts([rowOf(1, 5_000)], refundOf(9, 6_000))).toBe("1:5000");
    expect(parts([rowOf(1, 5_000)], refundOf(9, 6_001))).toBe("unknown");
    expect(parts([rowOf(1, 85_000)], refundOf(9, 100_000))).toBe("1:85000");
    expect(parts([rowOf(1, 84_999)], refundOf(9, 100_000))).toBe("unknown");
  });

  test("its own account's purchase before those of the rest of the family", ({ expect }) => {
    const purchases = [
      rowOf(1, 5_000),
      rowOf(2, 5_000, { account: "parent", date: "2026-11-15" }),
    ];
    expect(parts(purchases, refundOf(9, 5_000))).toBe("1:5000");
    expect(parts(purchases, refundOf(9, 5_000, { account: "parent" }))).toBe("2:5000");
    expect(parts([rowOf(1, 5_000)], refundOf(9, 5_000, { account: "parent" }))).toBe("1:5000");
  });

  test("nothing after it, more than 90 days before it, or in another currency", ({ expect }) => {
    expect(parts([rowOf(1, 5_000, { date: "2026-11-21" })], refundOf(9, 5_000))).toBe("unknown");
    expect(parts([rowOf(1, 5_000, { date: "2026-08-22" })], refundOf(9, 5_000))).toBe("1:5000");
    expect(parts([rowOf(1, 5_000, { date: "2026-08-21" })], refundOf(9, 5_000))).toBe("unknown");
    expect(parts([rowOf(1, 5_000, { currency: "CHF" })], refundOf(9, 5_000))).toBe("unknown");
    expect(parts([], refundOf(9, 5_000))).toBe("unknown");
  });
});

test("several refunds are taken by day, then the larger first", ({ expect }) => {
  const purchases = [rowOf(1, 5_000), rowOf(2, 3_000, { date: "2026-11-12" })];
  const refunds = [
    refundOf(8, 3_000),
    refundOf(9, 5_000),
    refundOf(7, 3_000, { date: "2026-11-13" }),
  ];
  const found = allocateRefunds(purchases, refunds);
  expect([...found].map(([n, each]) => `${n} takes ${words(each)}`)).toEqual([
    "7 takes 2:3000",
    "9 takes 1:5000",
  ]);
});

const arbitraryRow = (purchase: boolean) =>
  fc.record({
    n: fc.constant(0),
    account: fc.constantFrom("card", "parent"),
    date: fc.integer({ min: 1, max: purchase ? 20 : 28 }).map((day) =>
      `2026-11-${String(day).padStart(2, "0")}`
    ),
    cents: fc.integer({ min: 1, max: 20 }).map((euros) => euros * 100),
    currency: fc.constant("EUR"),
    original: fc.constantFrom(null, { amountCents: 500, currency: "USD" }),
    labelTag: fc.constantFrom("a", "b"),
    externalId: fc.constant(""),
  }, { noNullPrototype: true });

describe("whatever the rows are", () => {
  const sets = fc.tuple(
    fc.array(arbitraryRow(true), { maxLength: 8 }),
    fc.array(arbitraryRow(false), { maxLength: 6 }),
    fc.integer(),
  ).map(([purchases, refunds, seed]) => ({
    purchases: purchases.map((row, n) => ({ ...row, n, externalId: `p${n}` })),
    refunds: refunds.map((row, n) => ({ ...row, n: 100 + n, externalId: `r${n}` })),
    seed,
  }));

  test("no purchase gives back more than it cost, and no refund takes more than it is", ({ expect }) => {
    fc.assert(fc.property(sets, ({ purchases, refunds }) => {
      const left = new Map(purchases.map((row) => [row.n, row.cents]));
      for (const [n, found] of allocateRefunds(purchases, refunds)) {
        const refund = refunds.find((row) => row.n === n);
        for (const { purchase, cents } of found) {
          expect(cents).toBeGreaterThan(0);
          left.set(purchase, (left.get(purchase) ?? 0) - cents);
        }
        const taken = found.reduce((sum, part) => sum + part.cents, 0);
        // By the foreign amount a purchase goes back whole, though the euros of the day are fewer.
        if (refund?.original === null) expect(taken).toBeLessThanOrEqual(refund.cents);
      }
      for (const rest of left.values()) expect(rest).toBeGreaterThanOrEqual(0);
    }));
  });

  test("the order in which they came decides nothing", ({ expect }) => {
    fc.assert(fc.property(sets, ({ purchases, refunds, seed }) => {
      const turned = <T>(rows: readonly T[]): T[] => {
        const by = Math.abs(seed) % Math.max(1, rows.length);
        return [...rows.slice(by), ...rows.slice(0, by)].reverse();
      };
      const sorted = (found: Map<number, readonly RefundPart[]>): unknown =>
        [...found].sort(([a], [b]) => a - b);
      expect(sorted(allocateRefunds(turned(purchases), turned(refunds)))).toEqual(
        sorted(allocateRefunds(purchases, refunds)),
      );
    }));
  });
});
