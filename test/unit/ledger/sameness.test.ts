// The life of a bank row: rules (b) to (e) of DESIGN.md section 4, through the engine.
import { describe, test } from "vitest";
import type { AccountGeneration, BankRow } from "../../../src/ledger/ports.ts";
import { numberOf } from "../../../src/ledger/book/numbered-id.ts";
import { account, ALL, at, offer, PROGRAMME, row } from "../../contract/ledger-factories.ts";
import { openBook, value } from "./book.ts";

const OLD = account("acc_1");
const NEW = account("acc_2", { createdAtMs: at("2026-11-13") });
const both = { accounts: [OLD, NEW] };
const again = (id: string, more: Partial<BankRow> = {}): BankRow =>
  row(id, { accountId: "acc_2", ...more });

describe("the same rows under new ids after the account was made anew", () => {
  test("count once", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2", { purchasedOn: "2026-11-10" })]);
    expect(
      book.record([again("n1"), again("n2", { purchasedOn: "2026-11-10" })], "2026-11-14", both),
    ).toMatchObject({ recorded: 2, duplicates: 2, earnedPoints: 0 });
    expect(book.purchases()).toHaveLength(2);
    expect(book.balances()).toBe("208 0 0");
    expect(book.points().sequence).toBe(2);
  });

  test("count once with a date up to five days away, and twice beyond", ({ expect }) => {
    for (
      const [date, purchases] of [["2026-11-17", 1], ["2026-11-07", 1], ["2026-11-18", 2], [
        "2026-11-06",
        2,
      ]] as const
    ) {
      const book = openBook();
      book.record([row("1")]);
      book.record([again("n1", { purchasedOn: date })], "2026-11-18", both);
      expect(book.purchases("2026-11-18"), date).toHaveLength(purchases);
    }
  });

  test("match the same date before a nearer row takes it, each older row once", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-11-10" })]);
    book.record([again("near", { purchasedOn: "2026-11-11" })], "2026-11-14", both);
    expect(book.purchases()).toHaveLength(1);
    book.record([again("same day", { purchasedOn: "2026-11-10" })], "2026-11-14", both);
    expect(book.purchases().map((purchase) => purchase.purchasedOn)).toEqual([
      "2026-11-11",
      "2026-11-10",
    ]);
    expect(book.balances()).toBe("208 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("repeat the row of the generation before them, not the older ones that are matched already", ({ expect }) => {
    const third = account("acc_3", { createdAtMs: at("2026-11-14") });
    const more = { accounts: [OLD, NEW, third] };
    const last = (id: string, purchasedOn: string): BankRow =>
      row(id, { accountId: "acc_3", purchasedOn });
    const deliveries = [[row("1", { purchasedOn: "2026-11-10" })], [
      again("n1", { purchasedOn: "2026-11-11" }),
    ], [last("l1", "2026-11-11"), last("l2", "2026-11-10")]];
    for (const order of [deliveries, [...deliveries].reverse()]) {
      const book = openBook();
      for (const rows of order) book.record(rows, "2026-11-14", more);
      // The second generation showed the first coffee a day late, and so does the third: what it
      // dates a day earlier is a new one.
      expect(book.purchases().map((purchase) => [purchase.externalId, purchase.purchasedOn]).sort())
        .toEqual([["1", "2026-11-10"], ["l2", "2026-11-10"]]);
      expect(book.balances()).toBe("208 0 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("of another amount, direction or bank account are other purchases", ({ expect }) => {
    const book = openBook();
    const other = account("acc_3", { fingerprint: "fp_other" });
    book.record([row("1")]);
    book.record(
      [
        again("amount", { amountCents: 3491 }),
        again("refund", { kind: "refund", brand: null }),
        row("elsewhere", { accountId: "acc_3" }),
      ],
      "2026-11-14",
      { accounts: [OLD, NEW, other] },
    );
    expect(book.purchases()).toHaveLength(4);
  });

  test("stay one purchase under its first id when the older row is deleted, with its points where they are", ({ expect }) => {
    const book = openBook();
    book.record([row("1")]);
    const { id } = book.only();
    book.record([again("n1")], "2026-11-14", both);
    book.record([row("1", { state: "deleted", lastUpdateMs: 2000 })], "2026-11-14", both);
    expect(book.balances()).toBe("104 0 0");
    expect(book.purchases().filter((purchase) => purchase.state === "booked")).toHaveLength(1);
    expect(value(book.engine.purchase(id, at("2026-11-14")))).not.toBeNull();
    expect(book.broken()).toEqual([]);
  });

  test("that came first leave their points with the purchase when the older account's row follows", ({ expect }) => {
    const book = openBook();
    book.record([again("n1")], "2026-11-14", both);
    const { head } = book.points();
    const { id } = book.only();
    book.record([row("1")], "2026-11-14", both);
    expect(book.points().head).toBe(head);
    expect(book.only()).toMatchObject({
      id,
      externalId: "1",
      verdict: { outcome: "earned", points: 104 },
    });
    book.record([row("r", { kind: "refund" })], "2026-11-14", both);
    expect(book.balances()).toBe("0 0 0");
  });
});

describe("what the newest generation says of a purchase", () => {
  const gone = (id: string, more: Partial<BankRow> = {}): BankRow =>
    again(id, { state: "deleted", lastUpdateMs: 3000, ...more });
  const orders = <T>(
    items: readonly T[],
  ): T[][] => (items.length < 2
    ? [[...items]]
    : items.flatMap((item, index) =>
      orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest])
    ));

  test("holds when it is that the purchase is gone, in every order", ({ expect }) => {
    for (const order of orders([row("1"), again("n1"), gone("n1")])) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", both);
      expect(book.purchases().map(({ state, verdict }) => `${state} ${verdict.points}`)).toEqual([
        "deleted 0",
      ]);
      expect(book.balances()).toBe("0 0 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("is not that it is gone, when it shows the purchase again under another id", ({ expect }) => {
    for (const order of orders([row("1"), gone("n1"), again("n2")])) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", both);
      expect(book.balances()).toBe("104 0 0");
      expect(book.purchases().filter(({ state }) => state === "booked")).toHaveLength(1);
      expect(book.broken()).toEqual([]);
    }
  });

  test("is nothing, when what is gone was an authorisation only, or lies too far away, or has another amount", ({ expect }) => {
    for (const more of [{ bookedOn: null }, { purchasedOn: "2026-11-18" }, { amountCents: 3489 }]) {
      const book = openBook();
      book.record([row("1"), gone("n1", more)], "2026-11-18", both);
      expect(book.balances("2026-11-18")).toBe("104 0 0");
    }
  });

  test("takes one purchase along for each row that is gone", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2"), again("n1"), again("n2")], "2026-11-14", both);
    book.record([gone("n2")], "2026-11-14", both);
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });

  test("holds when it is another amount, in every order", ({ expect }) => {
    const corrected = again("n1", { amountCents: 2000, lastUpdateMs: 3000 });
    for (const order of orders([row("1"), again("n1"), corrected])) {
      const book = openBook();
      for (const each of order) book.record([each], "2026-11-14", both);
      expect(book.only()).toMatchObject({ amountCents: 2000, verdict: { points: 60 } });
      expect(book.balances()).toBe("60 0 0");
      expect(book.broken()).toEqual([]);
    }
  });

  test("holds when the corrected row is gone in the end", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), again("n1")], "2026-11-14", both);
    book.record([again("n1", { amountCents: 2000, lastUpdateMs: 2000 })], "2026-11-14", both);
    book.record([gone("n1", { amountCents: 2000 })], "2026-11-14", both);
    expect(book.balances()).toBe("0 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("two accounts that were taken for one", () => {
  test("have each their own purchases once they part", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), again("n1")], "2026-11-14", both);
    expect(book.purchases()).toHaveLength(1);
    for (const apart of [account("acc_1", { fingerprint: "fp_own" }), NEW]) {
      book.record([], "2026-11-14", { accounts: [apart] });
    }
    expect(book.purchases()).toHaveLength(2);
    expect(book.balances()).toBe("208 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("equal rows of one account", () => {
  test("are different purchases, in one delivery or two", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    book.record([row("3")]);
    expect(book.purchases()).toHaveLength(3);
    expect(book.balances()).toBe("312 0 0");
  });

  test("repeat as many as there were, no more", ({ expect }) => {
    const book = openBook();
    book.record([row("1"), row("2")]);
    book.record([again("n1"), again("n2"), again("n3")], "2026-11-14", both);
    expect(book.purchases()).toHaveLength(3);
  });
});

describe("where only the family says that accounts are one", () => {
  const listing = (id: string, from: string, until: string | null = null): AccountGeneration =>
    account(id, {
      strength: "weak",
      createdAtMs: at(from),
      goneAtMs: until === null ? null : at(until),
    });
  const older = listing("acc_1", "2026-01-01", "2026-11-01");
  const newer = listing("acc_2", "2026-11-01");
  const generations = { accounts: [older, newer] };
  const reasonsOf = (book: ReturnType<typeof openBook>, date?: string) =>
    Object.fromEntries(
      book.purchases(date).map(({ externalId, verdict }) => [externalId, verdict.reasons[0]]),
    );

  test("a row of the same day and label repeats, one of another day or label waits for a person", ({ expect }) => {
    const book = openBook();
    book.record(
      [
        row("1", { purchasedOn: "2026-10-25" }),
        row("2", { purchasedOn: "2026-10-26", amountCents: 500 }),
        row("3", { purchasedOn: "2026-10-27", amountCents: 600 }),
        row("4", { purchasedOn: "2026-10-27", amountCents: 700 }),
      ],
      "2026-11-14",
      generations,
    );
    book.record(
      [
        again("same", { purchasedOn: "2026-10-25" }),
        again("day", { purchasedOn: "2026-10-28", amountCents: 500 }),
        again("label", { purchasedOn: "2026-10-27", amountCents: 600, labelTag: "other" }),
        again("far", { purchasedOn: "2026-11-02", amountCents: 700 }),
        again("new", { purchasedOn: "2026-10-27", amountCents: 800 }),
      ],
      "2026-11-14",
      generations,
    );
    expect(reasonsOf(book)).toEqual({
      1: "offer_applied",
      2: "offer_applied",
      3: "offer_applied",
      4: "offer_applied",
      day: "held_for_review",
      label: "held_for_review",
      far: "offer_applied",
      new: "offer_applied",
    });
    expect(value(book.engine.reviews(null, at("2026-11-14")))).toMatchObject([
      { why: "weak_account" },
      { why: "weak_account" },
    ]);
  });

  test("an older row casts doubt on one newer row, and only near the first sight of the newer listing", ({ expect }) => {
    const book = openBook();
    book.record(
      [
        row("near", { purchasedOn: "2026-10-28" }),
        row("old", { purchasedOn: "2026-10-21", amountCents: 500 }),
      ],
      "2026-11-14",
      generations,
    );
    book.record(
      [
        again("a", { purchasedOn: "2026-10-29" }),
        again("b", { purchasedOn: "2026-10-30" }),
        again("c", { purchasedOn: "2026-10-22", amountCents: 500 }),
      ],
      "2026-11-14",
      generations,
    );
    expect(reasonsOf(book)).toMatchObject({
      a: "held_for_review",
      b: "offer_applied",
      c: "offer_applied",
    });
  });

  test("a held row counts by itself after thirty days, and stays so", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-28" })], "2026-11-14", generations);
    book.record([again("late", { purchasedOn: "2026-10-29" })], "2026-11-14", generations);
    const deadlineMs = at("2026-11-14") + 30 * 86_400_000;
    const before = value(book.engine.purchases(ALL, deadlineMs - 1)).items;
    expect(before.map(({ verdict }) => verdict.outcome).sort()).toEqual(["earned", "waiting"]);
    const after = value(book.engine.purchases(ALL, deadlineMs)).items;
    expect(after.map(({ verdict }) => `${verdict.outcome} ${verdict.points}`)).toEqual([
      "earned 104",
      "earned 104",
    ]);
    // Another delivery does not hold it again.
    book.record([], "2026-12-15", { accounts: [older, { ...newer, nameTag: "renamed" }] });
    expect(book.balances("2026-12-15")).toBe("0 208 0");
    expect(book.broken("2026-12-15")).toEqual([]);
  });

  test("a refund that was held is matched when its time has come", ({ expect }) => {
    const book = openBook();
    const refund = { kind: "refund", amountCents: 1000 } as const;
    book.record(
      [row("1", { purchasedOn: "2026-10-27" }), row("r", { ...refund, purchasedOn: "2026-10-28" })],
      "2026-11-14",
      generations,
    );
    book.record([again("r2", { ...refund, purchasedOn: "2026-10-29" })], "2026-11-14", generations);
    expect(book.points("2026-11-15").balances).toMatchObject({ pending: 74 });
    expect(Object.values(book.points("2026-12-15").balances)).toEqual([0, 44, 0]);
    expect(book.broken("2026-12-15")).toEqual([]);
  });

  test("a person's decision comes before the deadline and is not undone by it", ({ expect }) => {
    const book = openBook();
    book.record([row("1", { purchasedOn: "2026-10-28" })], "2026-11-14", generations);
    book.record([again("late", { purchasedOn: "2026-10-29" })], "2026-11-14", generations);
    const [item] = value(book.engine.reviews(null, at("2026-11-14")));
    if (item === undefined) throw new Error("nothing to review");
    const decision = { purchaseId: item.purchase.id, decision: "refuse" as const };
    const terms = { offers: [offer()], programme: PROGRAMME };
    value(book.engine.decideReview({ ...decision, ...terms }, at("2026-11-15")));
    expect(book.balances("2027-01-15")).toBe("0 104 0");
  });

  test("a row goes free once its older twin arrives, refunds too", ({ expect }) => {
    const book = openBook();
    const refund = { kind: "refund", amountCents: 1000 } as const;
    const near = [
      row("0", { purchasedOn: "2026-10-25" }),
      row("0r", { ...refund, purchasedOn: "2026-10-26" }),
    ];
    const own = [
      again("n1", { purchasedOn: "2026-10-27" }),
      again("nr", { ...refund, purchasedOn: "2026-10-28" }),
    ];
    book.record([...near, ...own], "2026-11-14", generations);
    expect(book.balances()).toBe("74 0 0");
    book.record(
      [
        row("1", { purchasedOn: "2026-10-27" }),
        row("1r", { ...refund, purchasedOn: "2026-10-28" }),
      ],
      "2026-11-14",
      generations,
    );
    expect(book.balances()).toBe("148 0 0");
    expect(value(book.engine.reviews(null, at("2026-11-14")))).toEqual([]);
    expect(book.broken()).toEqual([]);
  });

  test("that an older listing becomes known without its rows, or late, ends the same", ({ expect }) => {
    const rows = [row("1", { purchasedOn: "2026-10-27" })];
    const repeated = [again("n1", { purchasedOn: "2026-10-27" })];
    for (const olderFirst of [true, false]) {
      const book = openBook();
      if (olderFirst) book.record([], "2026-11-14", { accounts: [older] });
      book.record(repeated, "2026-11-14", { accounts: [newer] });
      expect(book.balances()).toBe("104 0 0");
      book.record(rows, "2026-11-14", { accounts: [older] });
      expect(book.balances()).toBe("104 0 0");
      expect(book.only().id).toBeTruthy();
      expect(book.broken()).toEqual([]);
    }
  });

  test("makes rows one purchase when the bank reports the IBAN of its account late", ({ expect }) => {
    const book = openBook();
    book.record([row("1")], "2026-11-14", {
      accounts: [account("acc_1", { fingerprint: "fp_before" })],
    });
    book.record([again("n1")], "2026-11-14", { accounts: [NEW] });
    expect(book.balances()).toBe("208 0 0");
    book.record([], "2026-11-14", { accounts: [OLD] });
    expect(book.purchases()).toHaveLength(1);
    expect(book.balances()).toBe("104 0 0");
    expect(book.broken()).toEqual([]);
  });
});

describe("a pending row", () => {
  const pending = (id: string, more: Partial<BankRow> = {}): BankRow =>
    row(id, { state: "pending", bookedOn: null, ...more });

  test("is taken over by the booked row under a new id, also with another amount, and keeps its public id", ({ expect }) => {
    const book = openBook();
    book.record([pending("p", { amountCents: 10_000 })]);
    const { id } = book.only();
    book.record([row("b", { amountCents: 6500, purchasedOn: "2026-11-14", lastUpdateMs: 2000 })]);
    expect(book.only()).toMatchObject({
      id,
      externalId: "b",
      amountCents: 6500,
      verdict: { outcome: "earned", points: 195 },
    });
    expect(value(book.engine.purchase(id, at("2026-11-14")))?.externalId).toBe("b");
  });

  test("that arrives after its booked row is swallowed by it", ({ expect }) => {
    const book = openBook();
    book.record([row("b", { lastUpdateMs: 2000 })]);
    book.record([pending("p", { amountCents: 10_000 })]);
    expect(book.only()).toMatchObject({ externalId: "b", verdict: { points: 104 } });
  });

  test("is not taken over from another brand, too many days away, or by a row that was pending itself", ({ expect }) => {
    const book = openBook();
    book.record([pending("p"), pending("q", { amountCents: 100 })]);
    book.record([row("other", { brand: null, lastUpdateMs: 2000 })]);
    book.record([row("far", { purchasedOn: "2026-11-23", lastUpdateMs: 2000 })], "2026-11-23");
    book.record([row("p", { lastUpdateMs: 2000 })], "2026-11-23");
    const states = Object.fromEntries(
      book.purchases("2026-11-23").map((purchase) => [purchase.externalId, purchase.state]),
    );
    expect(states).toEqual({ p: "booked", q: "pending", other: "booked", far: "booked" });
  });

  test("of an unknown merchant is taken over by the same label only", ({ expect }) => {
    const book = openBook();
    book.record([pending("p", { brand: null, labelTag: "cafe" })]);
    book.record([row("b", { brand: null, labelTag: "shoes", lastUpdateMs: 2000 })]);
    expect(book.purchases()).toHaveLength(2);
    book.record([row("c", { brand: null, labelTag: "cafe", lastUpdateMs: 2000 })]);
    expect(book.purchases().map((purchase) => purchase.externalId).sort()).toEqual(["b", "c"]);
  });
});

test("every id that was ever shown leads to its purchase, also after two turn out to be one", ({ expect }) => {
  const book = openBook();
  book.record([
    row("p", { state: "pending", labelTag: "a", brand: null }),
    row("b", { labelTag: "b", brand: null, lastUpdateMs: 2000 }),
  ]);
  const ids = book.purchases().map((purchase) => purchase.id);
  expect(ids).toHaveLength(2);
  book.record([row("b", { labelTag: "a", brand: null, lastUpdateMs: 3000 })]);
  const { id } = book.only();
  for (const each of ids) expect(value(book.engine.purchase(each, at("2026-11-14")))?.id).toBe(id);
});

test("another user's id for a purchase of the same number leads nowhere", ({ expect }) => {
  const [mine, other] = [openBook(undefined, 1), openBook(undefined, 2)];
  mine.record([row("1")], "2026-11-14");
  other.record([row("1")], "2026-11-15");
  const foreign = other.only().id;
  expect(numberOf(foreign)).toBe(numberOf(mine.only().id));
  expect(value(mine.engine.purchase(foreign, at("2026-11-16")))).toBeNull();
  expect(value(mine.engine.purchase(mine.only().id, at("2026-11-16")))?.externalId).toBe("1");
});
