// A refusal does not outlive its cause: what a cap or an earlier purchase refused or cut is judged
// again when that is taken back, whatever takes it back.
import { describe, expect, test } from "vitest";
import type { BankRow, OfferTerms } from "../../../src/ledger/ports.ts";
import { account, at, batch, FNAC, offer, row } from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "./book.ts";
import type { Book } from "./book.ts";

const LATER = { lastUpdateMs: 2000 };
const deleted: Partial<BankRow> = { ...LATER, state: "deleted" };
const refund = (id: string, amountCents: number, more: Partial<BankRow> = {}): BankRow =>
  row(id, { kind: "refund", amountCents, purchasedOn: "2026-11-13", ...more });

/** One purchase a month, 100 points each. */
const ONE_A_MONTH = offer({
  kind: "fixed",
  rateBp: null,
  points: 100,
  capPurchasesPerUser: 1,
  period: "month",
});
const FIRST = offer({ ...ONE_A_MONTH, capPurchasesPerUser: null, firstPurchaseOnly: true });
/** 200 points in all. */
const CAPPED = offer({ capPointsPerUser: 200 });

/** The points of each booked purchase, by row. */
function points(book: Book): Record<string, number> {
  return Object.fromEntries(
    book.purchases().filter(({ kind, state }) => kind === "purchase" && state === "booked").map((
      { externalId, verdict },
    ) => [externalId, verdict.points]),
  );
}

function bookOf(offers: readonly OfferTerms[], rows: readonly BankRow[]): Book {
  const book = openBook();
  for (const each of rows) book.record([each], TODAY, { offers });
  return book;
}

test("rows that come again under new ids earn once the old ones are deleted", () => {
  const fnac = { brand: { id: FNAC, matched: "FNAC" } };
  const offers = [FIRST, offer({ ...ONE_A_MONTH, offerId: "off_f", brandId: FNAC })];
  const book = bookOf(offers, [row("1"), row("2", fnac), row("1 again"), row("2 again", fnac)]);
  expect(points(book)).toEqual({ 1: 100, 2: 100, "1 again": 0, "2 again": 0 });
  book.record([row("1", deleted), row("2", { ...fnac, ...deleted })], TODAY, { offers });
  expect(points(book)).toEqual({ "1 again": 100, "2 again": 100 });
  expect(book.balances()).toBe("200 0 0");
  expect(book.broken()).toEqual([]);
});

/** Each takes purchase 1 back, in part or whole. */
const CAUSES: readonly (readonly [string, readonly BankRow[]])[] = [
  ["the bank deletes", [row("1", deleted)]],
  ["a refund gives back", [refund("r", 3490)]],
  ["the bank moves to another brand", [row("1", { ...LATER, brand: null })]],
  ["is held for review", [row("1", { ...LATER, review: "amount_precision" })]],
  ["proves to be pending", [row("1", { ...LATER, state: "pending", bookedOn: null })]],
  ["proves to be a refund", [row("1", { ...LATER, kind: "refund", purchasedOn: "2026-11-01" })]],
];

describe.each(CAUSES)("a purchase that %s", (_, rows) => {
  test.each([["the cap", ONE_A_MONTH], ["being the first", FIRST]])(
    "gives up %s to the one that it refused",
    (__, terms) => {
      const book = bookOf([terms], [row("1"), row("2", { amountCents: 5000 })]);
      expect(points(book)).toMatchObject({ 1: 100, 2: 0 });
      book.record(rows, TODAY, { offers: [terms] });
      expect(points(book)).toMatchObject({ 2: 100 });
      expect(book.broken()).toEqual([]);
      const sequence = book.points().sequence;
      book.record(rows, TODAY, { offers: [terms] });
      expect(book.points().sequence).toBe(sequence);
    },
  );
});

test("a purchase that proves to be another's duplicate gives up its place", () => {
  const offers = [offer({ ...ONE_A_MONTH, capPurchasesPerUser: 2 })];
  const book = openBook();
  const another = (fingerprint: string) =>
    account("acc_2", { fingerprint, createdAtMs: at("2026-11-13") });
  book.record([row("1")], TODAY, { offers });
  book.record([row("9", { accountId: "acc_2" })], TODAY, {
    offers,
    accounts: [account(), another("fp_2")],
  });
  book.record([row("3", { amountCents: 777 })], TODAY, { offers });
  expect(points(book)["3"]).toBe(0);
  book.record([], TODAY, { offers, accounts: [account(), another("fp_1")] });
  expect(points(book)).toEqual({ 1: 100, 3: 100 });
});

test("room that a refund frees in part goes to the one that was cut, and no refund taken back exceeds the cap", () => {
  const offers = [CAPPED];
  const book = bookOf(offers, [
    row("1", { amountCents: 5000 }),
    row("2", { amountCents: 5000 }),
    refund("r", 2500),
  ]);
  expect(points(book)).toEqual({ 1: 75, 2: 125 });
  book.record([refund("r", 2500, deleted)], TODAY, { offers });
  expect(points(book)).toEqual({ 1: 75, 2: 125 });
  book.record([row("2", { amountCents: 5000, ...deleted })], TODAY, { offers });
  expect(points(book)).toEqual({ 1: 150 });
  expect(book.broken()).toEqual([]);
});

test("an amount that proves to be smaller leaves room", () => {
  const book = bookOf([CAPPED], [row("1", { amountCents: 6000 }), row("2")]);
  expect(points(book)).toEqual({ 1: 180, 2: 20 });
  book.record([row("1", { ...LATER, amountCents: 4000 })], TODAY, { offers: [CAPPED] });
  expect(points(book)).toEqual({ 1: 120, 2: 80 });
  expect(book.kinds()).toBe("earn earn cancel earn");
});

test("the oldest decision comes first, and what has no room stays refused", () => {
  const rows = [row("1"), row("2", { amountCents: 500 }), row("3", { amountCents: 9000 })];
  const book = bookOf([ONE_A_MONTH], rows);
  book.record([row("1", deleted)], TODAY, { offers: [ONE_A_MONTH] });
  expect(points(book)).toEqual({ 2: 100, 3: 0 });
});

test("a first purchase that comes back does not earn beside the one that took its place", () => {
  const book = bookOf([FIRST], [row("1"), row("2", { amountCents: 500 }), row("1", deleted)]);
  expect(points(book)).toEqual({ 2: 100 });
  book.record([row("1", { lastUpdateMs: 3000 })], TODAY, { offers: [FIRST] });
  expect(points(book)).toEqual({ 1: 0, 2: 100 });
  const refunded = bookOf([FIRST], [row("1"), row("2", { amountCents: 500 }), refund("r", 3490)]);
  refunded.record([refund("r", 3490, deleted)], TODAY, { offers: [FIRST] });
  expect(points(refunded)).toEqual({ 1: 0, 2: 100 });
});

test("a purchase that still earns nothing says why now", () => {
  const offers = [offer({ ...FIRST, minCents: 4000 })];
  const book = bookOf(offers, [row("1"), row("2")]);
  const reasons = () =>
    book.purchases().find(({ externalId }) => externalId === "2")?.verdict.reasons;
  expect(reasons()).toEqual(["not_first_purchase", "below_minimum"]);
  book.record([row("1", deleted)], TODAY, { offers });
  expect(reasons()).toEqual(["below_minimum"]);
});

describe("a purchase that earned less under another offer", () => {
  const better = offer({ ...ONE_A_MONTH, offerId: "off_better", points: 300 });
  const other = offer({ ...ONE_A_MONTH, offerId: "off_other", points: 20 });
  const rows = [row("1"), row("2", { amountCents: 500 }), row("3", { amountCents: 600 })];

  test("moves to the better one, and leaves its own place to the next", () => {
    const book = bookOf([better, other], rows);
    expect(points(book)).toEqual({ 1: 300, 2: 20, 3: 0 });
    book.record([row("1", deleted)], TODAY, { offers: [better, other] });
    expect(points(book)).toEqual({ 2: 300, 3: 20 });
    expect(book.broken()).toEqual([]);
  });

  test("keeps points that are confirmed: they may be spent", () => {
    const offers = [better, { ...other, confirmationDays: 0 }];
    const book = bookOf(offers, rows);
    book.record([row("1", deleted)], TODAY, { offers });
    expect(points(book)).toEqual({ 2: 20, 3: 300 });
  });
});

test("the offers of the refused purchase's day are asked for, and nothing is decided without them", () => {
  const first = row("1", { purchasedOn: "2026-11-02" });
  const book = bookOf([ONE_A_MONTH], [first, row("2")]);
  const one = batch([{ ...first, ...deleted }], { covers: [], offers: [] });
  expect(book.engine.record(one, at(TODAY))).toEqual({
    ok: false,
    error: {
      code: "offers_needed",
      needed: [{ brandId: ONE_A_MONTH.brandId, from: "2026-11-12", to: "2026-11-12" }],
    },
  });
  expect(points(book)).toEqual({ 1: 100, 2: 0 });
});

test("what a person's decision frees is judged again at the next delivery", () => {
  const book = bookOf([ONE_A_MONTH], [
    row("1"),
    row("2", { amountCents: 500 }),
    refund("r", 3490, { review: "amount_precision" }),
  ]);
  const held = book.purchases().find(({ externalId }) => externalId === "r");
  value(
    book.engine.decideReview({
      purchaseId: held?.id ?? "pur_",
      decision: "count",
      offers: [ONE_A_MONTH],
      programme: batch([]).programme,
    }, at(TODAY)),
  );
  expect(points(book)).toEqual({ 1: 0, 2: 0 });
  book.record([], TODAY, { offers: [ONE_A_MONTH] });
  expect(points(book)).toEqual({ 1: 0, 2: 100 });
});

describe("a budget that comes back", () => {
  const offers = [offer({ kind: "fixed", rateBp: null, points: 100, budgetPoints: 100 })];

  /** Answers all that the book asks of a budget of 100 points. */
  function answer(book: Book): void {
    for (let round = 0; round < 5; round++) {
      for (const task of value(book.engine.budgetTasks(null, at(TODAY)))) {
        const held = reserved.get(task.key) ?? 0;
        const others = [...reserved.values()].reduce((sum, each) => sum + each, 0) - held;
        const granted = others + task.points <= 100;
        if (granted) reserved.set(task.key, task.points);
        value(
          granted
            ? book.engine.budgetGranted(task, at(TODAY))
            : book.engine.budgetDenied({ ...task, held }, at(TODAY)),
        );
      }
    }
  }
  let reserved = new Map<string, number>();
  const withRefused = (again: BankRow): Book => {
    reserved = new Map();
    const book = openBook();
    for (const each of [row("1"), again]) {
      book.record([each], TODAY, { offers });
      answer(book);
    }
    expect(points(book)).toMatchObject({ 1: 100, [again.externalId]: 0 });
    book.record([row("1", deleted)], TODAY, { offers });
    answer(book);
    book.record([], TODAY, { offers });
    answer(book);
    expect(book.broken()).toEqual([]);
    return book;
  };

  test("serves the same purchase under another id", () => {
    expect(points(withRefused(row("1 again")))).toEqual({ "1 again": 100 });
  });

  test.each([
    ["of another amount", { amountCents: 3491 }],
    ["of another day", { purchasedOn: "2026-11-11" }],
    ["with another label", { labelTag: "other" }],
  ])("does not serve an earlier purchase %s", (_, more) => {
    expect(points(withRefused(row("other", more)))).toEqual({ other: 0 });
  });
});
