import * as fc from "fast-check";
import { describe, test } from "vitest";
import {
  budgetReserved,
  migrateBudget,
  reserveBudget,
} from "../../../src/ledger/object/offer-budget.ts";
import { at, offer, row } from "../../contract/ledger-factories.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import { openBook, value } from "./book.ts";

const NOW = at("2026-11-14");

function openBudget() {
  const sql = openFileSql(":memory:");
  migrateBudget(sql);
  return {
    sql,
    reserve: (purchase: string, points: number, budgetPoints = 100) =>
      reserveBudget(sql, { key: purchase, points, budgetPoints }),
  };
}

describe("an offer's budget", () => {
  test("grants until it is used up, repeats an answer, and takes back what is given back", ({ expect }) => {
    const { reserve } = openBudget();
    expect(reserve("a", 60)).toEqual({ granted: true, held: 60, reserved: 60 });
    expect(reserve("a", 60)).toEqual({ granted: true, held: 60, reserved: 60 });
    expect(reserve("b", 41)).toEqual({ granted: false, held: 0, reserved: 60 });
    expect(reserve("a", 20)).toEqual({ granted: true, held: 20, reserved: 20 });
    expect(reserve("b", 80)).toEqual({ granted: true, held: 80, reserved: 100 });
    expect(reserve("a", 21)).toEqual({ granted: false, held: 20, reserved: 100 });
    expect(reserve("b", 0)).toEqual({ granted: true, held: 0, reserved: 20 });
  });

  test("is never exceeded, whatever is asked in whatever order", ({ expect }) => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 0, max: 70 })), {
          maxLength: 40,
        }),
        (requests) => {
          const { sql, reserve } = openBudget();
          const model = new Map<string, number>();
          for (const [purchase, points] of requests) {
            // A denial leaves what was reserved: points may depend on it.
            if (reserve(purchase, points).granted) model.set(purchase, points);
            const sum = [...model.values()].reduce((total, each) => total + each, 0);
            expect(budgetReserved(sql)).toBe(sum);
            expect(sum).toBeLessThanOrEqual(100);
          }
        },
      ),
    );
  });
});

describe("a purchase under an offer with a budget", () => {
  const offers = [offer({ budgetPoints: 1000 })];
  const waiting = () => {
    const book = openBook();
    book.record([row("1")], "2026-11-14", { offers });
    return book;
  };

  test("waits, asks again until it is answered, and earns once", ({ expect }) => {
    const book = waiting();
    const [task] = value(book.engine.budgetTasks(null, NOW));
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      points: 0,
      reasons: ["budget_reserving"],
    });
    if (task === undefined) throw new Error("no task");
    expect(task).toMatchObject({ offerId: "off_1", points: 104, budgetPoints: 1000 });
    expect(value(book.engine.budgetTasks(null, NOW))).toEqual([task]);
    value(book.engine.budgetGranted(task, NOW));
    value(book.engine.budgetGranted(task, NOW));
    expect(book.balances()).toBe("104 0 0");
    expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
  });

  test("that is denied says so and earns nothing", ({ expect }) => {
    const book = waiting();
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetDenied({ ...task, held: 0 }, NOW));
    expect(book.only().verdict).toMatchObject({
      outcome: "not_earned",
      reasons: ["budget_exhausted"],
      points: 0,
    });
    expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
  });

  test("deleted while its reservation is under way gives it back", ({ expect }) => {
    const book = waiting();
    book.record([row("1", { state: "deleted", lastUpdateMs: 2000 })], "2026-11-14", { offers });
    const [task] = value(book.engine.budgetTasks(null, NOW));
    expect(task).toMatchObject({ points: 0 });
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetGranted(task, NOW));
    expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
    expect(book.balances()).toBe("0 0 0");
  });

  test("refunded in part while it waits earns what is left, and corrects the reservation", ({ expect }) => {
    const book = waiting();
    book.record(
      [row("r", { kind: "refund", amountCents: 1000, purchasedOn: "2026-11-13" })],
      "2026-11-14",
      { offers },
    );
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetGranted(task, NOW));
    expect(book.balances()).toBe("74 0 0");
    expect(value(book.engine.budgetTasks(null, NOW))).toMatchObject([{ points: 74 }]);
    expect(book.broken()).toEqual([]);
  });

  test("is not given up for a denial of more than it asks for now", ({ expect }) => {
    const book = waiting();
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    book.record([row("1", { amountCents: 1000, lastUpdateMs: 2000 })], "2026-11-14", { offers });
    value(book.engine.budgetDenied({ ...task, held: 0 }, NOW));
    expect(book.only().verdict).toMatchObject({
      outcome: "waiting",
      reasons: ["budget_reserving"],
    });
    expect(value(book.engine.budgetTasks(null, NOW))).toMatchObject([{ points: 30 }]);
  });

  test("refunded wholly while it waits counts for nothing in what is projected", ({ expect }) => {
    const book = waiting();
    book.record([row("r", { kind: "refund", purchasedOn: "2026-11-13" })], "2026-11-14", {
      offers,
    });
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetGranted(task, NOW));
    const counters = value(book.engine.peekOutbox(null, NOW))?.counters ?? [];
    expect(counters.map(({ kind, purchases, cents, points }) => [kind, purchases, cents, points]))
      .toEqual([["earn", 1, 3490, 104], ["cancel", 1, 3490, 104]]);
  });

  test("deleted while it waits says something, though the budget's reason went with the reservation", ({ expect }) => {
    const book = waiting();
    book.record([row("1", { state: "deleted", lastUpdateMs: 2000 })], "2026-11-14", { offers });
    expect(book.only().verdict).toMatchObject({
      outcome: "not_earned",
      reasons: ["not_booked_yet"],
    });
  });

  /**
   * Earned, refunded in part or whole, the reservation corrected, and the refund taken back: points
   * are due again.
   */
  const wantsBack = (refundCents: number) => {
    const book = waiting();
    const budget = openBudget();
    const answer = (limit = 104) => {
      for (const task of value(book.engine.budgetTasks(null, NOW))) {
        const { granted, held } = budget.reserve(task.purchaseId, task.points, limit);
        value(
          granted
            ? book.engine.budgetGranted(task, NOW)
            : book.engine.budgetDenied({ ...task, held }, NOW),
        );
      }
    };
    answer();
    const refund = { kind: "refund", amountCents: refundCents, purchasedOn: "2026-11-13" } as const;
    book.record([row("r", refund)], "2026-11-14", { offers });
    answer();
    book.record([row("r", { ...refund, state: "deleted", lastUpdateMs: 2000 })], "2026-11-14", {
      offers,
    });
    const purchase = () => book.purchases().find((each) => each.externalId === "1")?.verdict;
    return { book, budget, answer, purchase };
  };

  test("gets back what a refund took only once the budget holds it", ({ expect }) => {
    for (const [cents, left, outcome] of [[1000, 74, "earned"], [3490, 0, "reversed"]] as const) {
      const { book, budget, answer, purchase } = wantsBack(cents);
      expect(book.balances()).toBe(`${left} 0 0`);
      expect(purchase()).toMatchObject({
        outcome,
        points: left,
        reasons: ["offer_applied", "budget_reserving"],
      });
      expect(value(book.engine.budgetTasks(null, NOW))).toMatchObject([{ points: 104 }]);
      answer();
      expect(purchase()).toMatchObject({
        outcome: "earned",
        points: 104,
        reasons: ["offer_applied"],
      });
      expect(budgetReserved(budget.sql)).toBe(104);
      expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
      expect(book.broken()).toEqual([]);
    }
  });

  test("keeps what it had when another took the room meanwhile, and asks no more", ({ expect }) => {
    for (const [cents, left, outcome] of [[1000, 74, "earned"], [3490, 0, "reversed"]] as const) {
      const { book, budget, answer, purchase } = wantsBack(cents);
      budget.reserve("another", 30, 104);
      answer();
      expect(purchase()).toMatchObject({
        outcome,
        points: left,
        reasons: ["offer_applied", "budget_exhausted"],
      });
      expect(book.balances()).toBe(`${left} 0 0`);
      expect(budgetReserved(budget.sql)).toBe(left + 30);
      expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
      expect(book.broken()).toEqual([]);
    }
  });

  test("refunded again while it asks for its points wants no more than what is due", ({ expect }) => {
    const { book, budget, answer, purchase } = wantsBack(3490);
    book.record(
      [row("r2", { kind: "refund", amountCents: 1000, purchasedOn: "2026-11-13" })],
      "2026-11-14",
      { offers },
    );
    answer();
    expect(purchase()).toMatchObject({ outcome: "earned", points: 74 });
    expect(budgetReserved(budget.sql)).toBe(74);
  });

  test("whose budget is used up earns by the brand's next best offer, and says what it looked at", ({ expect }) => {
    const book = openBook();
    const next = offer({ offerId: "off_2", rateBp: 200 });
    const others = [
      ...offers,
      next,
      offer({ offerId: "off_3", rateBp: 100 }),
      offer({ offerId: "off_4", rateBp: 250, minCents: 9999 }),
    ];
    book.record([row("1")], "2026-11-14", { offers: others });
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetDenied({ ...task, held: 0 }, NOW));
    value(book.engine.budgetDenied({ ...task, held: 0 }, NOW));
    const { verdict } = book.only();
    expect(verdict).toMatchObject({
      outcome: "earned",
      points: 69,
      reasons: ["offer_applied"],
      offer: { id: "off_2", version: 1 },
    });
    expect(
      verdict.checks.filter((check) => !check.passed).map((check) =>
        `${check.offerId} ${check.rule}`
      ),
    ).toEqual(["off_1 budget_exhausted", "off_4 below_minimum"]);
    expect(book.balances()).toBe("69 0 0");
    expect(value(book.engine.budgetTasks(null, NOW))).toEqual([]);
    expect(book.broken()).toEqual([]);
  });

  test("goes from one used up budget to the next, and keeps the refund it had meanwhile", ({ expect }) => {
    const book = openBook();
    const both = [...offers, offer({ offerId: "off_2", rateBp: 200, budgetPoints: 500 })];
    book.record(
      [row("1"), row("r", { kind: "refund", amountCents: 1000, purchasedOn: "2026-11-13" })],
      "2026-11-14",
      { offers: both },
    );
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetDenied({ ...task, held: 0 }, NOW));
    const [second] = value(book.engine.budgetTasks(null, NOW));
    if (second === undefined) throw new Error("no second task");
    expect(second).toMatchObject({ offerId: "off_2", points: 69, budgetPoints: 500 });
    value(book.engine.budgetGranted(second, NOW));
    expect(book.balances()).toBe("49 0 0");
    expect(book.broken()).toEqual([]);
  });
});
