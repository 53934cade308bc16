// A purchase that would earn very much waits two days for a person, then counts.
import { describe, expect, test } from "vitest";
import type { BankRow, Programme } from "../../../src/ledger/ports.ts";
import { at, MONOPRIX, offer, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";
import type { Book } from "./book.ts";

const programme: Programme = { ...PROGRAMME, reviewPoints: 100 };
const OFFERS = { offers: [offer()], covers: null, programme };
// 3 % of 34.90 euros are 104 points.
const large = (more: Partial<BankRow> = {}): BankRow => row("1", more);
const record = (book: Book, rows: readonly BankRow[], date?: string) =>
  book.record(rows, date, { programme });
const passDays = (book: Book, date: string) => value(book.engine.judgeDueDays(OFFERS, at(date)));
/** Whether the row is due at the start of that day and not before. */
const dueFrom = (book: Book, date: string): boolean =>
  value(book.engine.dueDays(null, at(date) - 1)) === null &&
  value(book.engine.dueDays(null, at(date))) !== null;
const decide = (book: Book, decision: "count" | "refuse") =>
  book.engine.decideReview({
    purchaseId: book.purchases()[0]?.id ?? "pur_",
    decision,
    offers: [offer()],
    programme,
  }, at("2026-11-15"));

describe("a reward over the programme's limit", () => {
  test("waits for a person, who sees why, and nothing is posted", () => {
    const book = openBook();
    record(book, [large()]);
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["held_for_review"],
    });
    expect(value(book.engine.reviews(null, at("2026-11-14")))).toMatchObject([{
      why: "large_reward",
    }]);
    expect(book.kinds()).toBe("");
    expect(book.broken()).toEqual([]);
  });

  test("counts after two days, not before, and is no longer shown to anybody", () => {
    const book = openBook();
    record(book, [large()]);
    expect(value(book.engine.dueDays(null, at("2026-11-16") - 1))).toBeNull();
    passDays(book, "2026-11-15");
    expect(book.only("2026-11-15").verdict.outcome).toBe("waiting");
    expect(value(book.engine.dueDays(null, at("2026-11-16")))).toEqual([
      { brandId: MONOPRIX, from: "2026-11-12", to: "2026-11-12" },
    ]);
    passDays(book, "2026-11-16");
    expect(book.only("2026-11-16").verdict).toMatchObject({ outcome: "earned", points: 104 });
    expect(value(book.engine.reviews(null, at("2026-11-16")))).toEqual([]);
    expect(value(book.engine.dueDays(null, at("2026-11-16")))).toBeNull();
    record(book, [large({ lastUpdateMs: 2000 })], "2026-11-17");
    expect(book.only("2026-11-17").verdict.points).toBe(104);
    expect(book.broken("2026-11-17")).toEqual([]);
  });

  test("counts with a delivery after that time as well", () => {
    const book = openBook();
    record(book, [large()]);
    record(book, [row("2", { brand: null, labelTag: "other" })], "2026-11-16");
    expect(book.purchases("2026-11-16").map(({ verdict }) => verdict.points).sort()).toEqual([
      0,
      104,
    ]);
    expect(value(book.engine.reviews(null, at("2026-11-16")))).toEqual([]);
  });

  test("counts at once at the limit, and where there is none", () => {
    const book = openBook();
    book.record([large()], undefined, { programme: { ...PROGRAMME, reviewPoints: 104 } });
    book.record([row("2", { purchasedOn: "2026-11-13" })]);
    expect(book.purchases().map(({ verdict }) => verdict.points)).toEqual([104, 104]);
  });

  test("is counted early or refused for good by a person", () => {
    const [counted, refused] = [openBook(), openBook()];
    for (const book of [counted, refused]) record(book, [large()]);
    expect(value(decide(counted, "count")).verdict.points).toBe(104);
    expect(value(decide(refused, "refuse")).verdict.outcome).toBe("not_earned");
    for (const book of [counted, refused]) passDays(book, "2026-11-20");
    expect(counted.only("2026-11-20").verdict.points).toBe(104);
    expect(refused.only("2026-11-20").verdict).toMatchObject({ outcome: "not_earned", points: 0 });
    expect(value(refused.engine.dueDays(null, at("2026-11-20")))).toBeNull();
  });

  test("does not wait longer because the bank says the same again, and anew for another amount", () => {
    const book = openBook();
    record(book, [large()]);
    record(book, [large({ lastUpdateMs: 2000 })], "2026-11-15");
    expect(dueFrom(book, "2026-11-16")).toBe(true);
    record(book, [large({ lastUpdateMs: 3000, amountCents: 5000 })], "2026-11-15");
    expect(dueFrom(book, "2026-11-17")).toBe(true);
    record(book, [large({ lastUpdateMs: 4000, amountCents: 1000 })], "2026-11-15");
    expect(book.only("2026-11-15").verdict).toMatchObject({ outcome: "earned", points: 30 });
    expect(value(book.engine.reviews(null, at("2026-11-15")))).toEqual([]);
    expect(book.broken("2026-11-15")).toEqual([]);
  });

  test("waits again when the bank raises what has counted, not when it lowers it", () => {
    const book = openBook();
    record(book, [large({ amountCents: 6980 })]);
    passDays(book, "2026-11-16");
    record(book, [large({ lastUpdateMs: 2000 })], "2026-11-17");
    expect(book.only("2026-11-17").verdict).toMatchObject({ outcome: "earned", points: 104 });
    record(book, [large({ lastUpdateMs: 3000, amountCents: 900_000 })], "2026-11-17");
    expect(book.only("2026-11-17").verdict).toMatchObject({ outcome: "waiting", points: 0 });
    expect(book.points("2026-11-17").balances.pending).toBe(0);
    passDays(book, "2026-11-19");
    expect(book.only("2026-11-19").verdict.points).toBe(27_000);
    expect(book.broken("2026-11-19")).toEqual([]);
  });

  test("asks no budget before it counts", () => {
    const book = openBook();
    const offers = [offer({ budgetPoints: 1000 })];
    book.record([large()], undefined, { programme, offers });
    expect(value(book.engine.budgetTasks(null, at("2026-11-14")))).toEqual([]);
    value(book.engine.judgeDueDays({ ...OFFERS, offers }, at("2026-11-16")));
    expect(value(book.engine.budgetTasks(null, at("2026-11-16")))).toMatchObject([{ points: 104 }]);
  });

  test("is gone when the bank takes the row back", () => {
    const book = openBook();
    record(book, [large()]);
    record(book, [large({ lastUpdateMs: 2000, state: "deleted" })]);
    expect(value(book.engine.dueDays(null, at("2026-11-20")))).toBeNull();
    expect(book.kinds("2026-11-20")).toBe("");
    expect(book.broken("2026-11-20")).toEqual([]);
  });

  test("takes part of its refund once it counts", () => {
    const book = openBook();
    record(book, [
      large(),
      row("r", { kind: "refund", amountCents: 3490, purchasedOn: "2026-11-13" }),
    ]);
    passDays(book, "2026-11-16");
    const purchase = book.purchases("2026-11-16").find(({ kind }) => kind === "purchase");
    expect(purchase?.verdict).toMatchObject({ outcome: "reversed", points: 0 });
    expect(book.broken("2026-11-16")).toEqual([]);
  });

  test("is held too when a cap that refused it is free again", () => {
    const book = openBook();
    const offers = [offer({ capPurchasesPerUser: 1 })];
    const more = { programme: { ...PROGRAMME, reviewPoints: 50 }, offers };
    const first = row("a", { amountCents: 1000, purchasedOn: "2026-11-10", labelTag: "first" });
    book.record([first], undefined, more);
    book.record([large()], undefined, more);
    expect(book.purchases().map(({ verdict }) => verdict.points).sort()).toEqual([0, 30]);
    book.record([{ ...first, state: "deleted", lastUpdateMs: 2000 }], undefined, more);
    expect(value(book.engine.reviews(null, at("2026-11-14")))).toMatchObject([{
      why: "large_reward",
    }]);
    value(book.engine.judgeDueDays({ ...OFFERS, ...more }, at("2026-11-16")));
    expect(book.purchases("2026-11-16").map(({ verdict }) => verdict.points).sort()).toEqual([
      0,
      104,
    ]);
    expect(book.broken("2026-11-16")).toEqual([]);
  });
});
