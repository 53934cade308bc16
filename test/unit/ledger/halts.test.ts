// Halts defer what time does to a book; they take nothing, and afterwards everything follows once.
import { describe, expect, test } from "vitest";
import { deadlineOverHalts, HALT_RETRY_MS } from "../../../src/ledger/book/halts.ts";
import type { BankRow, Halt, Programme } from "../../../src/ledger/ports.ts";
import { account, at, MONOPRIX, offer, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import { ended, held, reads, said } from "./deliveries.ts";
import type { Book } from "./book.ts";

const DAY_MS = 86_400_000;
// 3 % of 34.90 euros are 104 points; bought on 12 November they confirm on 12 December.
const BOUGHT: BankRow = row("1");
const halt = (what: Halt["what"], from: string, until: string | null = null): Halt => ({
  what,
  fromMs: at(from),
  untilMs: until === null ? null : at(until),
});

/** A book that obeys what `state.halts` holds; null: the halts are not known. */
function openHalting(halts: readonly Halt[] | null = []) {
  const state = { halts };
  return { state, book: openBook(undefined, 1, () => state.halts) };
}

/** When the alarm rings next once D1 has what it gets. */
function nextAlarm({ engine }: Book, date: string): number {
  const nowMs = at(date);
  value(engine.ackOutbox(engine.leaf().sequence, nowMs));
  const sample = value(engine.peekSample(null, nowMs));
  if (sample !== null) value(engine.ackSample(sample.mark, nowMs));
  const reviews = value(engine.peekReviews(null, nowMs));
  if (reviews !== null) value(engine.ackReviews(reviews.mark, nowMs));
  return value(engine.nextAlarm(null, nowMs)) ?? Infinity;
}

describe("deadlineOverHalts()", () => {
  const over = (...halts: Halt[]) =>
    (deadlineOverHalts(at("2026-11-10"), 2 * DAY_MS, halts) - at("2026-11-10")) / DAY_MS;

  test("stands still during a halt, counts two that overlap once, and never ends in one", () => {
    expect(over()).toBe(2);
    expect(over(halt("offers", "2026-11-11", "2026-11-14"))).toBe(5);
    expect(over(halt("offers", "2026-11-01", "2026-11-11"))).toBe(3);
    expect(over(halt("offers", "2026-11-01", "2026-11-09"))).toBe(2);
    expect(over(halt("offers", "2026-11-12", "2026-11-20"))).toBe(2);
    expect(
      over(
        halt("payouts", "2026-11-12", "2026-11-15"),
        halt("offers", "2026-11-11", "2026-11-14"),
      ),
    ).toBe(6);
    expect(over(halt("offers", "2026-11-11"))).toBe(Infinity);
  });
});

describe("a halt of confirmations", () => {
  test("keeps due points pending and rings hourly; the end confirms them once", () => {
    const { state, book } = openHalting();
    book.record([BOUGHT]);
    state.halts = [halt("confirmations", "2026-12-01")];
    expect(book.balances("2026-12-13")).toBe("104 0 0");
    expect(nextAlarm(book, "2026-12-13")).toBe(at("2026-12-13") + HALT_RETRY_MS);
    state.halts = [halt("confirmations", "2026-12-01", "2026-12-20")];
    expect(book.balances("2026-12-20")).toBe("0 104 0");
    expect(book.balances("2026-12-21")).toBe("0 104 0");
    expect(book.kinds("2026-12-21")).toBe("earn confirm");
    expect(book.broken("2026-12-21")).toEqual([]);
  });

  test("also keeps points pending that are mature when they are recorded", () => {
    const { state, book } = openHalting([halt("confirmations", "2026-11-01")]);
    book.record([BOUGHT], "2026-12-20");
    expect(book.balances("2026-12-20")).toBe("104 0 0");
    state.halts = [];
    expect(book.balances("2026-12-21")).toBe("0 104 0");
    expect(book.broken("2026-12-21")).toEqual([]);
  });

  test("keeps points pending that a read shows meanwhile, and the end confirms them at once", () => {
    const { state, book } = openHalting();
    said(book, [BOUGHT]);
    expect(book.balances("2026-12-16")).toBe("104 0 0");
    state.halts = [halt("confirmations", "2026-12-17")];
    reads(book, [BOUGHT], "2026-12-18");
    expect(book.balances("2026-12-18")).toBe("104 0 0");
    state.halts = [halt("confirmations", "2026-12-17", "2026-12-19")];
    expect(book.balances("2026-12-19")).toBe("0 104 0");
  });

  test("other halts confirm as ever", () => {
    const { book } = openHalting([halt("offers", "2026-11-01"), halt("payouts", "2026-11-01")]);
    book.record([BOUGHT]);
    expect(book.balances("2026-12-13")).toBe("0 104 0");
  });

  test("unknown halts let nothing due happen, and the alarm comes at once to ask", () => {
    const { state, book } = openHalting();
    book.record([BOUGHT]);
    state.halts = null;
    expect(book.engine.awaitsHalts(at("2026-12-11"))).toBe(false);
    expect(book.engine.awaitsHalts(at("2026-12-13"))).toBe(true);
    expect(book.balances("2026-12-13")).toBe("104 0 0");
    expect(nextAlarm(book, "2026-12-13")).toBeLessThanOrEqual(at("2026-12-13"));
  });
});

describe("expiry", () => {
  const GRANT = {
    kind: "goodwill",
    points: 50,
    reference: "g",
    programme: { ...PROGRAMME, pointsExpireMonths: 1 },
  } as const;
  /** 50 points that expire on 14 December, announced. */
  function expiring() {
    const { state, book } = openHalting();
    value(book.operate("g", GRANT));
    announce(book, "2026-11-20");
    return { state, book };
  }
  function announce(book: Book, date: string): string[] {
    const tasks = value(book.engine.notices(null, at(date)));
    for (const task of tasks) value(book.engine.noticeSent(task, at(date)));
    return tasks.map((task) => task.expiresOn);
  }

  test.each(["payouts", "confirmations"] as const)(
    "does not happen during a halt of %s nor for 30 days after, and is announced anew",
    (what) => {
      const { state, book } = expiring();
      state.halts = [halt(what, "2026-12-10")];
      expect(book.balances("2026-12-15")).toBe("0 50 0");
      state.halts = [halt(what, "2026-12-10", "2026-12-20")];
      expect(announce(book, "2026-12-15")).toEqual(["2027-01-14"]);
      expect(book.balances("2027-01-18")).toBe("0 50 0");
      expect(announce(book, "2027-01-18")).toEqual(["2027-01-25"]);
      expect(book.balances("2027-01-24")).toBe("0 50 0");
      expect(book.balances("2027-01-26")).toBe("0 0 0");
      expect(book.kinds("2027-01-26")).toBe("goodwill expire");
      expect(book.broken("2027-01-26")).toEqual([]);
    },
  );

  test("happens on its day when nothing, or only offers, are halted", () => {
    const { state, book } = expiring();
    state.halts = [halt("offers", "2026-12-01")];
    expect(book.balances("2026-12-15")).toBe("0 0 0");
  });
});

describe("a halt of offers", () => {
  const TERMS = { offers: [offer()], covers: null, programme: PROGRAMME };
  const dueAt = (book: Book, date: string) => value(book.engine.dueDays(null, at(date)));

  test("lets a purchase wait, which its day's offer judges at the end, once", () => {
    const book = openBook();
    book.record([BOUGHT], undefined, { paused: true, offers: [] });
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["programme_paused"],
    });
    expect(dueAt(book, "2026-11-15")).toEqual([
      { brandId: MONOPRIX, from: "2026-11-12", to: "2026-11-12" },
    ]);
    value(book.engine.judgeDueDays({ ...TERMS, paused: true }, at("2026-11-15")));
    expect(book.only("2026-11-15").verdict.reasons).toEqual(["programme_paused"]);
    value(book.engine.judgeDueDays(TERMS, at("2026-11-16")));
    value(book.engine.judgeDueDays(TERMS, at("2026-11-17")));
    expect(book.only("2026-11-17").verdict).toMatchObject({ outcome: "earned", points: 104 });
    expect(book.kinds("2026-11-17")).toBe("earn");
    expect(book.broken("2026-11-17")).toEqual([]);
  });

  test("keeps the order: what waited is judged before what a delivery brings after the end", () => {
    const first = offer({ firstPurchaseOnly: true });
    const book = openBook();
    book.record([BOUGHT], undefined, { paused: true });
    // Ahead of the alarm, which rings hourly.
    book.record([row("2", { purchasedOn: "2026-11-13" })], undefined, { offers: [first] });
    const points = Object.fromEntries(
      book.purchases().map((each) => [each.purchasedOn, each.verdict.points]),
    );
    expect(points).toEqual({ "2026-11-12": 104, "2026-11-13": 0 });
    expect(book.broken()).toEqual([]);
  });

  test("judges nothing again that a purchase taken back had refused, before the end", () => {
    const more = { offers: [offer({ capPurchasesPerUser: 1 })] };
    const book = openBook();
    book.record([BOUGHT, row("2", { amountCents: 1000 })], undefined, more);
    const deleted = { ...BOUGHT, state: "deleted", lastUpdateMs: 5000 } as const;
    book.record([deleted], undefined, { ...more, paused: true });
    expect(book.balances()).toBe("0 0 0");
    book.record([], undefined, more);
    expect(book.balances()).toBe("30 0 0");
  });

  test("leaves the points of before and takes a refund off them", () => {
    const book = openBook();
    book.record([BOUGHT]);
    book.record([row("r", { kind: "refund", purchasedOn: "2026-11-14" })], undefined, {
      paused: true,
    });
    expect(book.balances()).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("a row of no known brand does not wait: no offer could concern it", () => {
    const book = openBook();
    book.record([row("1", { brand: null })], undefined, { paused: true });
    expect(book.only().verdict.reasons).toEqual(["brand_unknown"]);
  });

  test("what a person let count is not held a second time after the halt", () => {
    const programme: Programme = { ...PROGRAMME, reviewPoints: 100 };
    const book = openBook();
    book.record([BOUGHT], undefined, { programme });
    value(book.engine.decideReview({
      purchaseId: book.only().id,
      decision: "count",
      offers: [offer()],
      programme,
      paused: true,
    }, at("2026-11-15")));
    expect(book.only("2026-11-15").verdict.reasons).toEqual(["programme_paused"]);
    value(book.engine.judgeDueDays({ ...TERMS, programme }, at("2026-11-16")));
    expect(book.only("2026-11-16").verdict.points).toBe(104);
  });
});

describe("deadlines of reviews", () => {
  test("a large reward counts after two days without the days of a halt", () => {
    const programme: Programme = { ...PROGRAMME, reviewPoints: 100 };
    const { state, book } = openHalting();
    book.record([BOUGHT], undefined, { programme });
    state.halts = [halt("confirmations", "2026-11-15", "2026-11-20")];
    expect(value(book.engine.dueDays(null, at("2026-11-20")))).toBeNull();
    expect(nextAlarm(book, "2026-11-20")).toBe(at("2026-11-20") + HALT_RETRY_MS);
    expect(value(book.engine.dueDays(null, at("2026-11-22")))).not.toBeNull();
  });

  test("a row that may repeat another counts after its 30 days without those of a halt", () => {
    const { state, book } = openHalting();
    const weak = { strength: "weak" } as const;
    const accounts = [
      account("acc_1", { ...weak, goneAtMs: at("2026-11-13") }),
      account("acc_2", { ...weak, createdAtMs: at("2026-11-13") }),
    ];
    book.record([BOUGHT], "2026-11-13", { accounts });
    book.record(
      [row("2", { accountId: "acc_2", purchasedOn: "2026-11-13", labelTag: "other" })],
      "2026-11-14",
      { accounts },
    );
    const held = () => book.purchases("2026-12-15").map((each) => each.verdict.outcome).sort();
    state.halts = [halt("offers", "2026-12-01")];
    expect(held()).toEqual(["earned", "waiting"]);
    state.halts = [halt("offers", "2026-12-01", "2026-12-02")];
    expect(book.purchases("2026-12-16").map((each) => each.verdict.outcome)).toEqual([
      "earned",
      "earned",
    ]);
    expect(book.broken("2026-12-16")).toEqual([]);
  });

  test("a row that reads lacked is held without the days of a halt, and while halts are unknown", () => {
    const { state, book } = openHalting();
    said(book, [BOUGHT]);
    for (const date of ["2026-11-20", "2026-11-21"]) reads(book, [], date);
    const outcome = (date: string) => book.only(date).verdict.outcome;
    state.halts = null;
    expect(outcome("2027-01-20")).toBe("waiting");
    expect(nextAlarm(book, "2027-01-20")).toBeLessThanOrEqual(at("2027-01-20"));
    state.halts = [halt("payouts", "2026-12-01", "2026-12-21")];
    expect(outcome("2027-01-21")).toBe("waiting");
    expect(nextAlarm(book, "2027-01-21")).toBe(at("2027-01-21") + HALT_RETRY_MS);
    expect(outcome("2027-02-08")).toBe("waiting");
    expect(outcome("2027-02-10")).toBe("not_earned");
  });

  test("a person has their time for what became due during a halt of confirmations", () => {
    const { state, book } = openHalting();
    said(book, [BOUGHT]);
    reads(book, [], "2026-12-02");
    ended(book, "2026-12-03");
    state.halts = [halt("confirmations", "2026-12-04")];
    expect(book.balances("2027-01-10")).toBe("104 0 0");
    state.halts = [halt("confirmations", "2026-12-04", "2027-01-11")];
    expect(held(book, "2027-01-11")).toEqual(["not_shown"]);
    expect(book.only("2027-02-01").verdict.outcome).toBe("waiting");
    expect(book.only("2027-02-04").verdict.outcome).toBe("not_earned");
  });
});
