// Which day a purchase counts on: one ahead waits for it, one that nobody can tell is given by a
// person, and a pending row waits for the debit that it announces.
import { describe, expect, test } from "vitest";
import type { BankRow, ReviewDecision } from "../../../src/ledger/ports.ts";
import { runAlarm } from "../../../src/ledger/object/alarm.ts";
import { account, at, MONOPRIX, offer, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";

const OFFERS = { offers: [offer()], covers: null, programme: PROGRAMME };
const ahead = (more: Partial<BankRow> = {}): BankRow =>
  row("1", { purchasedOn: "2026-11-30", bookedOn: "2026-11-30", ...more });

describe("a purchase day in the future", () => {
  test("waits, says for what, and is due when the day begins", () => {
    const book = openBook();
    book.record([ahead()]);
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["not_booked_yet"],
      checks: expect.arrayContaining([
        expect.objectContaining({
          rule: "not_booked_yet",
          passed: false,
          needed: "2026-11-30",
          measure: "purchase_day",
        }),
      ]),
    });
    expect(value(book.engine.dueDays(null, at("2026-11-29")))).toBeNull();
    expect(value(book.engine.dueDays(null, at("2026-11-30")))).toEqual([
      { brandId: MONOPRIX, from: "2026-11-30", to: "2026-11-30" },
    ]);
    expect(book.record([ahead()]).unchanged).toBe(1);
  });

  test("is judged by the offers of its day, not by those of the day on which it came", () => {
    const book = openBook();
    book.record([ahead()]);
    const offers = [offer({ version: 2, rateBp: 1000 })];
    value(book.engine.judgeDueDays({ ...OFFERS, offers }, at("2026-11-30")));
    expect(book.only("2026-11-30").verdict).toMatchObject({ outcome: "earned", points: 349 });
    expect(value(book.engine.dueDays(null, at("2026-11-30")))).toBeNull();
    expect(book.broken("2026-11-30")).toEqual([]);
  });

  test("stays where it is as long as its offers are not at hand", () => {
    const book = openBook();
    book.record([ahead()]);
    value(book.engine.judgeDueDays({ ...OFFERS, offers: [], covers: [] }, at("2026-11-30")));
    expect(book.only("2026-11-30").verdict.outcome).toBe("waiting");
  });

  test("comes with any delivery after it, which asks for the offers", () => {
    const book = openBook();
    book.record([ahead()]);
    const other = row("2", { brand: null, labelTag: "other" });
    const refused = book.engine.record({
      connectionId: account().connectionId,
      syncedAtMs: null,
      accounts: [account()],
      rows: [other],
      ...OFFERS,
      offers: [],
      covers: [],
    }, at("2026-11-30"));
    expect(refused).toMatchObject({
      ok: false,
      error: { code: "offers_needed", needed: [{ brandId: MONOPRIX, from: "2026-11-30" }] },
    });
    book.record([other], "2026-11-30");
    expect(book.purchases("2026-11-30").map(({ verdict }) => verdict.points).sort()).toEqual([
      0,
      104,
    ]);
  });

  test("comes by the alarm", async () => {
    const book = openBook();
    book.record([ahead()]);
    expect(value(book.engine.nextAlarm(null, at("2026-11-14")))).not.toBeNull();
    const asked: unknown[] = [];
    await ring(book, at("2026-11-30"), async (covers) => {
      asked.push(...covers);
      return { ...OFFERS, covers };
    });
    expect(asked).toHaveLength(1);
    expect(book.only("2026-11-30").verdict.points).toBe(104);
  });

  test("a version with another day moves it, also into the past", () => {
    const book = openBook();
    book.record([ahead()]);
    book.record([ahead({ lastUpdateMs: 2000, purchasedOn: "2026-11-12" })]);
    expect(book.only().verdict.points).toBe(104);
    book.record([ahead({ lastUpdateMs: 3000 })]);
    expect(book.only().verdict).toMatchObject({ outcome: "waiting", points: 0 });
    book.record([ahead({ lastUpdateMs: 4000, state: "deleted" })]);
    expect(value(book.engine.dueDays(null, at("2026-12-01")))).toBeNull();
    expect(book.broken()).toEqual([]);
  });

  test("a refund before that day takes its part when the purchase is judged", () => {
    const book = openBook();
    book.record([
      ahead({ purchasedOn: "2026-11-20" }),
      row("r", { kind: "refund", amountCents: 3490, purchasedOn: "2026-11-21" }),
    ]);
    value(book.engine.judgeDueDays(OFFERS, at("2026-11-20")));
    const purchase = book.purchases("2026-11-21").find(({ kind }) => kind === "purchase");
    expect(purchase?.verdict).toMatchObject({ outcome: "reversed", points: 0 });
    expect(book.broken("2026-11-21")).toEqual([]);
  });
});

async function ring(
  book: Book,
  nowMs: number,
  offersOn: Parameters<typeof runAlarm>[0]["helpers"]["offersOn"],
): Promise<void> {
  await runAlarm({
    userId: undefined,
    guard: (call) => call(book.engine),
    database: {
      prepare: () => {
        throw new Error("D1 is not asked");
      },
    } as never,
    reserve: () => Promise.reject(new Error("no budget is asked")),
    helpers: {
      halts: { known: () => [], refresh: async () => {} },
      offersOn,
      sendNotice: async () => false,
      offerToSample: async () => {},
    },
    log: { info: () => {}, alert: () => {} },
  }, nowMs);
}

describe("a day that cannot be true", () => {
  const absurd = (more: Partial<BankRow> = {}): BankRow =>
    row("1", { purchasedOn: "9999-12-31", bookedOn: null, review: "date_absurd", ...more });
  const decide = (book: Book, more: Partial<ReviewDecision> = {}, date = "2026-11-14") =>
    book.engine.decideReview({
      purchaseId: book.purchases(date)[0]?.id ?? "pur_",
      decision: "count",
      offers: [offer()],
      programme: PROGRAMME,
      ...more,
    }, at(date));

  test("counts on the day that a person gives", () => {
    const book = openBook();
    book.record([absurd()]);
    expect(value(decide(book, { purchasedOn: "2026-11-12" }))).toMatchObject({
      purchasedOn: "2026-11-12",
      verdict: { outcome: "earned", points: 104 },
    });
    expect(value(decide(book, { purchasedOn: "2026-11-12" })).verdict.points).toBe(104);
    expect(decide(book, { purchasedOn: "2026-11-11" })).toMatchObject({
      error: { code: "review_unknown" },
    });
    expect(book.broken()).toEqual([]);
  });

  test.each([
    ["2026-11-15", "after the row came"],
    ["2026-07-16", "121 days before it"],
    ["2026-02-30", "no day"],
    ["9999-12-31", "what the bank said"],
  ])("is not counted on %s: %s", (purchasedOn) => {
    const book = openBook();
    book.record([absurd()]);
    expect(decide(book, { purchasedOn })).toMatchObject({ error: { code: "review_day_invalid" } });
    expect(book.only().verdict.outcome).toBe("waiting");
  });

  test("is not counted on a day before the connection was there", () => {
    const book = openBook();
    const accounts = [account("acc_1", { createdAtMs: at("2026-11-10") })];
    book.record([absurd()], "2026-11-14", { accounts });
    expect(decide(book, { purchasedOn: "2026-11-09" })).toMatchObject({
      error: { code: "review_day_invalid" },
    });
    expect(value(decide(book, { purchasedOn: "2026-11-10" })).verdict.points).toBe(104);
  });

  test("is given to no row that has one", () => {
    const book = openBook();
    book.record([row("1", { review: "amount_precision" })]);
    expect(decide(book, { purchasedOn: "2026-11-12" })).toMatchObject({
      error: { code: "review_day_invalid" },
    });
  });

  test("keeps the given day while the bank still says nothing better of the same purchase", () => {
    const book = openBook();
    book.record([absurd()]);
    value(decide(book, { purchasedOn: "2026-11-12" }));
    book.record([absurd({ lastUpdateMs: 2000, labelTag: "else" })]);
    expect(book.only()).toMatchObject({ purchasedOn: "2026-11-12", verdict: { points: 104 } });
    book.record([absurd({ lastUpdateMs: 3000, amountCents: 900_000 })]);
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["held_for_review"],
    });
    book.record([absurd({ lastUpdateMs: 4000, purchasedOn: "2026-11-13", review: null })]);
    expect(book.only()).toMatchObject({ purchasedOn: "2026-11-13", verdict: { points: 104 } });
  });

  test("may turn out to be one that another listing of the account shows", () => {
    const book = openBook();
    const accounts = [account(), account("acc_2", { createdAtMs: at("2026-03-01") })];
    book.record([row("1")], "2026-11-14", { accounts });
    book.record([absurd({ accountId: "acc_2", externalId: "9" })], "2026-11-14", { accounts });
    const held = value(book.engine.reviews(null, at("2026-11-14")))[0]?.purchase.id ?? "pur_";
    value(decide(book, { purchaseId: held, purchasedOn: "2026-11-12" }));
    expect(book.only().verdict.points).toBe(104);
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a deferred debit that is announced", () => {
  const pending = { state: "pending", bookedOn: null } as const;

  test("stays pending until 14 days after its day", () => {
    const book = openBook();
    book.record([row("1", { ...pending, announcedOn: "2026-12-31" })]);
    for (const date of ["2026-11-28", "2026-12-31", "2027-01-14"]) {
      expect(book.only(date)).toMatchObject({ state: "pending", verdict: { outcome: "waiting" } });
    }
    expect(book.only("2027-01-15").state).toBe("deleted");
  });

  test("closes like any other when the announcement is gone or lies before the purchase", () => {
    const book = openBook();
    book.record([row("1", { ...pending, announcedOn: "2026-12-31" })]);
    book.record([row("1", { ...pending, lastUpdateMs: 2000, announcedOn: "2026-11-01" })]);
    expect(book.only("2026-11-26").state).toBe("pending");
    expect(book.only("2026-11-27").state).toBe("deleted");
  });

  test("earns when it is booked, on the day of purchase", () => {
    const book = openBook();
    book.record([row("1", { ...pending, announcedOn: "2026-12-31" })]);
    book.record([row("1", { lastUpdateMs: 2000, bookedOn: "2026-12-31" })], "2026-12-31");
    expect(book.only("2026-12-31")).toMatchObject({
      purchasedOn: "2026-11-12",
      verdict: { points: 104 },
    });
  });
});
