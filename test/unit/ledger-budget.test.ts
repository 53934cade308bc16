import * as fc from "fast-check";
import { describe, test } from "vitest";
import type { PurchaseId } from "../../src/kernel/ids.ts";
import { budgetReserved, migrateBudget, reserveBudget } from "../../src/ledger/budget.ts";
import { at, offer, row } from "../contract/ledger-factories.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import { openBook, value } from "./ledger-book.ts";

const NOW = at("2026-11-14");

function openBudget() {
  const sql = openFileSql(":memory:");
  migrateBudget(sql);
  return { sql, reserve: (purchase: string, points: number, budgetPoints = 100) => reserveBudget(sql, { purchaseId: purchase as PurchaseId, points, budgetPoints }) };
}

describe("an offer's budget", () => {
  test("grants until it is used up, repeats an answer, and takes back what is given back", ({ expect }) => {
    const { reserve } = openBudget();
    expect(reserve("a", 60)).toEqual({ granted: true, reserved: 60 });
    expect(reserve("a", 60)).toEqual({ granted: true, reserved: 60 });
    expect(reserve("b", 41)).toEqual({ granted: false, reserved: 60 });
    expect(reserve("a", 20)).toEqual({ granted: true, reserved: 20 });
    expect(reserve("b", 80)).toEqual({ granted: true, reserved: 100 });
    expect(reserve("b", 0)).toEqual({ granted: true, reserved: 20 });
  });

  test("is never exceeded, whatever is asked in whatever order", ({ expect }) => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 0, max: 70 })), { maxLength: 40 }), (requests) => {
      const { sql, reserve } = openBudget();
      const model = new Map<string, number>();
      for (const [purchase, points] of requests) {
        model.set(purchase, reserve(purchase, points).granted ? points : 0);
        const sum = [...model.values()].reduce((total, each) => total + each, 0);
        expect(budgetReserved(sql)).toBe(sum);
        expect(sum).toBeLessThanOrEqual(100);
      }
    }));
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
    expect(book.only().verdict).toMatchObject({ outcome: "waiting", points: 0, reasons: ["budget_reserving"] });
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
    value(book.engine.budgetDenied(task, NOW));
    expect(book.only().verdict).toMatchObject({ outcome: "not_earned", reasons: ["budget_exhausted"], points: 0 });
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

  test("refunded in part while it waits earns what is left, and tells the budget", ({ expect }) => {
    const book = waiting();
    book.record([row("r", { kind: "refund", amountCents: 1000, purchasedOn: "2026-11-13" })], "2026-11-14", { offers });
    const [task] = value(book.engine.budgetTasks(null, NOW));
    if (task === undefined) throw new Error("no task");
    value(book.engine.budgetGranted(task, NOW));
    expect(book.balances()).toBe("74 0 0");
    expect(value(book.engine.budgetTasks(null, NOW))).toMatchObject([{ points: 74 }]);
    expect(book.broken()).toEqual([]);
  });
});
