// Any order of deliveries ends with the same purchases and the same points. The rows of a whole
// life of an account are drawn, cut into deliveries, shuffled, and compared with the order in which
// the bank made them.
import * as fc from "fast-check";
import { describe, test } from "vitest";
import { addDays } from "../../../src/kernel/time.ts";
import type { AccountGeneration, BankRow } from "../../../src/ledger/ports.ts";
import {
  account,
  at,
  essence,
  FNAC,
  MONOPRIX,
  offer,
  row,
} from "../../contract/ledger-factories.ts";
import { openBook } from "./book.ts";

const MONOPRIX_BRAND = { id: MONOPRIX, matched: "MONOPRIX" };
const FNAC_BRAND = { id: FNAC, matched: "FNAC" };
const GENERATIONS: readonly AccountGeneration[] = [
  account("acc_1"),
  account("acc_2", { createdAtMs: at("2026-10-20") }),
  account("acc_3", { createdAtMs: at("2026-11-01"), fingerprint: "fp_other" }),
];
const OFFERS = [
  offer({ confirmationDays: 20 }),
  offer({ offerId: "off_f", brandId: FNAC, kind: "points_per_euro", rateBp: null, points: 7 }),
];

const version = fc.record({
  id: fc.integer({ min: 1, max: 9 }),
  account: fc.constantFrom("acc_1", "acc_2", "acc_3"),
  day: fc.integer({ min: 0, max: 12 }),
  cents: fc.constantFrom(1000, 1000, 2550, 333),
  kind: fc.constantFrom("purchase", "purchase", "purchase", "refund"),
  state: fc.constantFrom("booked", "booked", "booked", "pending", "deleted"),
  update: fc.integer({ min: 1, max: 40 }),
  brand: fc.constantFrom(MONOPRIX_BRAND, MONOPRIX_BRAND, FNAC_BRAND, null),
  tag: fc.constantFrom("a", "b"),
}, { noNullPrototype: true });

type Version = typeof version extends fc.Arbitrary<infer V> ? V : never;

function bankRow(drawn: Version): BankRow {
  const date = addDays("2026-10-15", drawn.day);
  return row(`x${drawn.id}`, {
    accountId: drawn.account,
    purchasedOn: date,
    bookedOn: drawn.state === "pending" ? null : date,
    amountCents: drawn.cents,
    kind: drawn.kind,
    state: drawn.state,
    lastUpdateMs: drawn.update,
    brand: drawn.brand,
    labelTag: drawn.tag,
    labelCipher: `${drawn.tag} ${drawn.update}`,
  });
}

/**
 * Versions of one row at one time must be one version: a bank says one thing at a time, and an id
 * names one row on whichever account of the link it is.
 */
function consistent(rows: readonly BankRow[]): BankRow[] {
  const seen = new Map<string, BankRow>();
  for (const each of rows) {
    const key = `${each.externalId} ${each.lastUpdateMs}`;
    if (!seen.has(key)) seen.set(key, each);
  }
  return [...seen.values()];
}

function deliver(
  rows: readonly BankRow[],
  sizes: readonly number[],
  date = "2026-10-29",
): { essence: string[]; balances: string; broken: readonly string[] } {
  const book = openBook();
  let index = 0;
  for (let turn = 0; index < rows.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    book.record(rows.slice(index, index + size), date, { accounts: GENERATIONS, offers: OFFERS });
    index += size;
  }
  return {
    essence: essence(book.purchases(date)),
    balances: book.balances(date),
    broken: book.broken(date),
  };
}

describe("order of arrival", () => {
  test("every order of deliveries ends with the same purchases, verdicts and points", {
    timeout: 90_000,
  }, ({ expect }) => {
    fc.assert(
      fc.property(
        fc.array(version, { minLength: 1, maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
        fc.infiniteStream(fc.nat()),
        (drawn, sizes, stream) => {
          const rows = consistent(drawn.map(bankRow));
          const shuffled = rows.map((each) => ({ each, key: stream.next().value as number })).sort((
            a,
            b,
          ) => a.key - b.key).map(({ each }) => each);
          const inOrder = deliver(rows, [rows.length]);
          const mixed = deliver(shuffled, sizes);
          expect(mixed.broken).toEqual([]);
          expect(mixed.essence).toEqual(inOrder.essence);
          expect(mixed.balances).toEqual(inOrder.balances);
        },
      ),
      { numRuns: Number(process.env["RUNS"] ?? 300) },
    );
  });
});
