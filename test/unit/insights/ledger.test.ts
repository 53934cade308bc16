// What a book projects beside its transactions: purchases for the sample, rows that wait,
// notices; and the counters' sums.
import { DatabaseSync } from "node:sqlite";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HOUR_MS } from "../../../src/kernel/time.ts";
import type { CounterDelta, SampleItem } from "../../../src/ledger/ports.ts";
import { OBJECT_MIGRATIONS } from "../../../src/ledger/book/schema.ts";
import {
  account,
  at,
  FNAC,
  MONOPRIX,
  offer,
  PROGRAMME,
  row,
} from "../../contract/ledger-factories.ts";
import { openBook, TODAY, value } from "../ledger/book.ts";
import type { Book } from "../ledger/book.ts";

function project({ engine }: Book, date = TODAY): readonly SampleItem[] {
  const items: SampleItem[] = [];
  for (
    let batch = value(engine.peekSample(null, at(date)));
    batch !== null;
    batch = value(engine.peekSample(null, at(date)))
  ) {
    items.push(...batch.items);
    value(engine.ackSample(batch.mark, at(date)));
  }
  return items;
}

/** What is projected of purchases that count: [day, brand, cents]. */
const counted = (items: readonly SampleItem[]) =>
  items.flatMap(({ purchase }) => (purchase === null ? [] : [purchase]));
/** Projects a book's whole sample as D1 keeps it: by row, the last word on each. */
function kept(rows: Map<number, SampleItem["purchase"]>, items: readonly SampleItem[]): unknown[] {
  for (const { row: n, purchase } of items) {
    if (purchase === null) rows.delete(n);
    else rows.set(n, purchase);
  }
  return [...rows.values()].map((purchase) => purchase?.cents);
}

const waiting = ({ engine }: Book, date = TODAY) => value(engine.peekReviews(null, at(date)));

describe("the sample is offered", () => {
  test("recognised, booked purchases, once", () => {
    const book = openBook();
    book.record([
      row("1"),
      row("2", { brand: null }),
      row("3", { brand: { id: FNAC, matched: "FNAC" }, amountCents: 999 }),
      row("r", { kind: "refund", amountCents: 10 }),
      row("4", { currency: "USD" }),
    ]);
    expect(counted(project(book)).map(({ day, brandId, cents }) => [day, brandId, cents])).toEqual([
      [
        "2026-11-12",
        MONOPRIX,
        3490,
      ],
      ["2026-11-12", FNAC, 999],
    ]);
    expect(project(book)).toEqual([]);
    book.record([row("5")]);
    expect(project(book)).toHaveLength(1);
  });

  test("the same ones again when the projection was not noted", () => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    const lost = value(book.engine.peekSample(null, at(TODAY)));
    expect(project(book)).toEqual(lost?.items);
  });

  test("a pending row when it is booked, under its own id or a new one", () => {
    const book = openBook();
    book.record([
      row("1", { state: "pending", bookedOn: null }),
      row("2", { state: "pending", bookedOn: null, amountCents: 5000 }),
      row("3", { amountCents: 777 }),
    ]);
    expect(project(book)).toHaveLength(1);
    book.record([
      row("1", { lastUpdateMs: 2000 }),
      row("2b", { amountCents: 5000, lastUpdateMs: 2000 }),
    ]);
    expect(counted(project(book)).map(({ cents }) => cents).sort()).toEqual([3490, 5000]);
    expect(project(book)).toEqual([]);
  });

  test("a held row when it was cleared, and never when it was refused", () => {
    const book = openBook();
    book.record([
      row("1", { review: "amount_precision", amountCents: 11 }),
      row("2", { review: "amount_precision", amountCents: 22 }),
      row("3"),
    ]);
    expect(project(book)).toHaveLength(1);
    const [first, second] = value(book.engine.reviews(null, at(TODAY)));
    value(
      book.engine.decideReview({
        purchaseId: first?.purchase.id ?? "pur_",
        decision: "count",
        offers: [offer()],
        programme: PROGRAMME,
      }, at(TODAY)),
    );
    value(
      book.engine.decideReview({
        purchaseId: second?.purchase.id ?? "pur_",
        decision: "refuse",
        offers: [offer()],
        programme: PROGRAMME,
      }, at(TODAY)),
    );
    expect(counted(project(book)).map(({ cents }) => cents)).toEqual([11]);
  });

  test("no row that repeats another and none older than 90 days", () => {
    const book = openBook();
    book.record([
      row("1"),
      row("old", { purchasedOn: "2026-08-16" }),
      row("edge", { purchasedOn: "2026-08-17", amountCents: 7 }),
    ]);
    book.record([row("1", { accountId: "acc_2" })], TODAY, {
      accounts: [account(), account("acc_2", { createdAtMs: at("2026-11-13") })],
    });
    expect(counted(project(book)).map(({ cents }) => cents)).toEqual([3490, 7]);
  });

  test("no row that is dated further ahead than two days: it would outlive the 90 and the withdrawal of the consent", () => {
    const book = openBook();
    book.record([
      row("edge", { purchasedOn: "2026-11-16", amountCents: 7 }),
      row("ahead", { purchasedOn: "2026-11-17" }),
    ]);
    expect(counted(project(book)).map(({ cents }) => cents)).toEqual([7]);
  });

  test("a row again when the bank amends its amount, brand or day, and takes back what no longer counts", () => {
    const book = openBook();
    const rows = new Map<number, SampleItem["purchase"]>();
    book.record([
      row("a", { amountCents: 6000 }),
      row("b", { amountCents: 200 }),
      row("c", { amountCents: 300 }),
      row("d", { amountCents: 400 }),
      row("e", { amountCents: 500 }),
    ]);
    expect(kept(rows, project(book))).toEqual([6000, 200, 300, 400, 500]);
    book.record([
      row("a", { lastUpdateMs: 2000, amountCents: 100_000 }),
      row("b", { lastUpdateMs: 2000, amountCents: 200, state: "deleted" }),
      row("c", { lastUpdateMs: 2000, amountCents: 300, brand: { id: FNAC, matched: "FNAC" } }),
      row("d", { lastUpdateMs: 2000, amountCents: 400, brand: null }),
      row("e", { lastUpdateMs: 2000, amountCents: 500, purchasedOn: "2026-10-30" }),
    ]);
    expect(value(book.engine.nextAlarm(null, at(TODAY)))).toBe(at(TODAY));
    expect(kept(rows, project(book))).toEqual([100_000, 300, 500]);
    expect([...rows.values()].map((purchase) => [purchase?.brandId, purchase?.day])).toEqual([
      [MONOPRIX, "2026-11-12"],
      [FNAC, "2026-11-12"],
      [MONOPRIX, "2026-10-30"],
    ]);
    // A new label changes nothing that the sample holds.
    book.record([row("a", { lastUpdateMs: 3000, amountCents: 100_000, labelCipher: "other" })]);
    expect(project(book)).toEqual([]);
  });

  test("a row again that changed between the projection and its mark", () => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    project(book);
    book.record([row("1", { lastUpdateMs: 2000, amountCents: 100 })]);
    const batch = value(book.engine.peekSample(null, at(TODAY)));
    book.record([row("1", { lastUpdateMs: 3000, amountCents: 200 }), row("3", { amountCents: 9 })]);
    value(book.engine.ackSample(batch?.mark ?? "", at(TODAY)));
    expect(counted(project(book)).map(({ cents }) => cents)).toEqual([200, 9]);
    const first = value(book.engine.peekSample(null, at(TODAY)));
    expect(first).toBeNull();
  });

  test("a purchase once when another row comes to represent it", () => {
    const book = openBook();
    const rows = new Map<number, SampleItem["purchase"]>();
    book.record([row("1", { accountId: "acc_2", amountCents: 50 })], TODAY, {
      accounts: [account("acc_2", { createdAtMs: at("2026-11-13") })],
    });
    expect(kept(rows, project(book))).toEqual([50]);
    book.record([row("1", { amountCents: 50 })]);
    expect(kept(rows, project(book))).toEqual([50]);
    expect(book.purchases()).toHaveLength(1);
  });

  test("everything anew after a mark of the first release, whose rows D1 has under other names", () => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    project(book);
    book.sql.exec(
      "UPDATE meta SET name = 'sampled', value = ? WHERE name = 'sample_looked_at'",
      JSON.stringify({ n: 2, waiting: [] }),
    );
    expect(counted(project(book))).toHaveLength(2);
    expect(project(book)).toEqual([]);
  });

  test("at the cost of one row when it changes and none when it comes or is booked", () => {
    const book = openBook();
    const changes = () => book.sql.exec("SELECT n FROM sample_changes");
    book.record([row("1", { brand: { id: FNAC, matched: "FNAC" } }), row("2", { brand: null })]);
    book.record([row("3", { state: "pending", bookedOn: null, amountCents: 33 })]);
    project(book);
    book.record([row("3", { amountCents: 33, lastUpdateMs: 2000 })]);
    expect(changes()).toEqual([]);
    expect(counted(project(book)).map(({ cents }) => cents)).toEqual([33]);
    book.record([
      row("1", { brand: { id: FNAC, matched: "FNAC" }, lastUpdateMs: 2000, amountCents: 9 }),
      row("2", { brand: null, lastUpdateMs: 2000, amountCents: 9 }),
    ]);
    expect(changes()).toEqual([{ n: 1 }]);
  });

  test("past any number of rows that it does not take", () => {
    const book = openBook();
    for (let first = 0; first < 1100; first += 100) {
      book.record(
        Array.from({ length: 100 }, (_, index) => row(`n${first + index}`, { brand: null })),
      );
    }
    book.record([row("1")]);
    expect(project(book)).toHaveLength(1);
  });

  test("by an alarm that rings for it at once, and for nothing afterwards", () => {
    const book = openBook();
    book.record([row("1", { brand: null })]);
    expect(value(book.engine.nextAlarm(null, at(TODAY)))).toBeNull();
    book.record([row("2", { brand: { id: FNAC, matched: "FNAC" } })]);
    expect(value(book.engine.nextAlarm(null, at(TODAY)))).toBe(at(TODAY));
    project(book);
    expect(value(book.engine.nextAlarm(null, at(TODAY)))).toBeNull();
  });
});

describe("waiting rows", () => {
  test("are projected when they change, and as a whole", () => {
    const book = openBook();
    book.record([row("1")]);
    expect(waiting(book)).toBeNull();
    book.record([
      row("held", { review: "amount_precision" }),
      row("r", { kind: "refund", purchasedOn: "2026-11-01" }),
    ]);
    const batch = waiting(book);
    expect(batch?.open.map(({ why }) => why)).toEqual([
      "amount_precision",
      "refund_without_purchase",
    ]);
    value(book.engine.ackReviews(batch?.mark ?? "", at(TODAY)));
    expect(waiting(book)).toBeNull();
    book.record([row("p", { purchasedOn: "2026-10-31" })]);
    expect(waiting(book)?.open.map(({ why }) => why)).toEqual(["amount_precision"]);
  });

  test("are no longer projected when the refund's 90 days are over", () => {
    const book = openBook();
    book.record([row("r", { kind: "refund" })]);
    const batch = waiting(book);
    value(book.engine.ackReviews(batch?.mark ?? "", at(TODAY)));
    expect(waiting(book, "2027-02-11")).toBeNull();
    expect(waiting(book, "2027-02-13")?.open).toEqual([]);
  });

  test("are projected again when D1 may have lost them, also when there is none", () => {
    const book = openBook();
    book.record([row("1")]);
    value(book.engine.resetProjection(null, at(TODAY)));
    expect(waiting(book)?.open).toEqual([]);
    expect(value(book.engine.peekOutbox(null, at(TODAY)))?.from).toBe(0);
  });

  test("are all projected, however many there are", () => {
    const book = openBook();
    for (let first = 0; first < 1200; first += 400) {
      book.record(
        Array.from(
          { length: 400 },
          (_, index) => row(`h${first + index}`, { review: "amount_precision" }),
        ),
      );
    }
    expect(waiting(book)?.open).toHaveLength(1200);
  });

  test("are projected again when the bank's newer version holds again what a person had decided", () => {
    const book = openBook();
    book.record([row("1", { review: "amount_precision" })]);
    const before = waiting(book);
    value(book.engine.ackReviews(before?.mark ?? "", at(TODAY)));
    value(
      book.engine.decideReview({
        purchaseId: before?.open[0]?.purchaseId ?? "pur_",
        decision: "refuse",
        offers: [],
        programme: PROGRAMME,
      }, at(TODAY)),
    );
    // Nothing was projected in between: the list is the same to the letter, and yet it is another
    // one.
    book.record([row("1", { review: "amount_precision", lastUpdateMs: 2000 })]);
    expect(waiting(book)?.open).toEqual(before?.open);
  });

  test("are found by their own small index", () => {
    const database = new DatabaseSync(":memory:");
    for (const { sql } of OBJECT_MIGRATIONS) for (const statement of sql) database.exec(statement);
    const plan = database.prepare(
      "EXPLAIN QUERY PLAN SELECT id, review, waits_for, last_update_ms FROM purchases WHERE waits_for IN ('review', 'purchase') ORDER BY n LIMIT 10000",
    ).all();
    database.close();
    expect(JSON.stringify(plan)).toContain("purchases_waiting");
  });
});

describe("notices", () => {
  test("that could not be sent are tried again after an hour, not at once, and nothing expires meanwhile", () => {
    const book = openBook();
    book.record([row("1")]);
    // Confirmed on 12 December 2026, good until 12 December 2028: projected from 12 November 2028
    // on.
    const [early, noticed, expiry] = ["2028-11-11", "2028-11-13", "2029-06-01"];
    expect(value(book.engine.notices(null, at(early)))).toEqual([]);
    expect(value(book.engine.notices(null, at(noticed)))).toMatchObject([{
      daysBefore: 30,
      expiresOn: "2028-12-12",
      points: 104,
    }]);
    value(book.engine.noticeFailed(null, at(noticed)));
    expect(value(book.engine.notices(null, at(noticed) + HOUR_MS - 1))).toEqual([]);
    expect(value(book.engine.notices(null, at(noticed) + HOUR_MS))).toHaveLength(1);
    for (
      let batch = value(book.engine.peekOutbox(null, at(noticed)));
      batch !== null;
      batch = value(book.engine.peekOutbox(null, at(noticed)))
    ) value(book.engine.ackOutbox(batch.through, at(noticed)));
    project(book, noticed);
    expect(value(book.engine.nextAlarm(null, at(noticed)))).toBe(at(noticed) + HOUR_MS);
    expect(book.balances(expiry)).toBe(book.balances(noticed));
  });
});

describe("counters", () => {
  const total = (lines: readonly CounterDelta[]) =>
    lines.reduce(
      (sum, { changes }) => ({
        pending: sum.pending + changes.pending,
        available: sum.available + changes.available,
        held: sum.held + changes.held,
      }),
      { pending: 0, available: 0, held: 0 },
    );

  test("add up to the balances, whatever happens to the book and wherever it is cut", () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("buy" as const),
        cents: fc.integer({ min: 100, max: 30_000 }),
        age: fc.integer({ min: 0, max: 60 }),
      }),
      fc.record({
        do: fc.constant("refund" as const),
        cents: fc.integer({ min: 100, max: 30_000 }),
        age: fc.integer({ min: 0, max: 60 }),
      }),
      fc.record({
        do: fc.constantFrom(
          "hold",
          "commit",
          "settle",
          "release",
          "reinstate",
          "goodwill",
          "forfeit" as const,
        ),
        cents: fc.integer({ min: 1, max: 400 }),
        age: fc.constant(0),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), fc.nat(), (steps, cut) => {
        const book = openBook();
        for (const [index, { do: what, cents, age }] of steps.entries()) {
          const day = new Date(at(TODAY) - age * 86_400_000).toISOString().slice(0, 10);
          const redemptionId = `red_${cents % 3}`;
          if (what === "buy") {
            book.record([row(`b${index}`, { amountCents: cents, purchasedOn: day })]);
          } else if (what === "refund") {
            book.record([
              row(`r${index}`, { kind: "refund", amountCents: cents, purchasedOn: day }),
            ]);
          } else if (what === "hold") {
            book.operate(`k${index}`, {
              kind: "hold",
              redemptionId,
              points: cents,
              expiresAtMs: null,
            });
          } else if (what === "release") {
            book.operate(`k${index}`, {
              kind: "release",
              redemptionId,
              cause: cents % 2 === 0 ? "cancelled" : "rejected",
            });
          } else if (what === "goodwill") {
            book.operate(`k${index}`, {
              kind: "goodwill",
              points: cents,
              reference: `g${index}`,
              programme: PROGRAMME,
            });
          } else if (what === "forfeit") book.operate(`k${index}`, { kind: "forfeit" });
          else book.operate(`k${index}`, { kind: what, redemptionId });
        }
        const { balances, sequence } = book.points();
        const from = sequence === 0 ? 0 : cut % (sequence + 1);
        const history = book.engine.history(from);
        expect(total(history.whole)).toEqual(balances);
        expect(history.leaf.sequence).toBe(sequence);
        value(book.engine.ackOutbox(from, at(TODAY)));
        expect(history.rest).toEqual(
          value(book.engine.peekOutbox(null, at(TODAY)))?.counters ?? [],
        );
        expect(book.broken()).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
