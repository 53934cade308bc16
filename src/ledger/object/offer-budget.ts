// The rules of an offer's budget on the storage port, apart from the object that runs them.
import { assert } from "../../kernel/assert.ts";
import { migrate } from "../book/schema.ts";
import type { ObjectMigration } from "../book/schema.ts";
import { integerOf } from "../book/sql.ts";
import type { Sql } from "../book/sql.ts";

/**
 * `key` names the reservation: the id of the purchase, and its row number where two rows have
 * shared that id.
 */
export type BudgetRequest = {
  readonly key: string;
  readonly points: number; /** The whole budget, by the version that granted. */
  readonly budgetPoints: number;
};
/** `held` is what this purchase holds now, `reserved` what all hold together. */
export type BudgetAnswer = {
  readonly granted: boolean;
  readonly held: number;
  readonly reserved: number;
};

/** Never edited, only appended to. */
export const BUDGET_MIGRATIONS: readonly ObjectMigration[] = [{
  id: 1,
  name: "reservations",
  sql: [
    "CREATE TABLE reservations (purchase_id TEXT PRIMARY KEY, points INTEGER NOT NULL CHECK (points > 0)) STRICT, WITHOUT ROWID",
    "CREATE TABLE total (id INTEGER PRIMARY KEY CHECK (id = 1), points INTEGER NOT NULL CHECK (points >= 0)) STRICT",
    "INSERT INTO total (id, points) VALUES (1, 0)",
  ],
}];

export function migrateBudget(sql: Sql): void {
  migrate(sql, BUDGET_MIGRATIONS);
}

export function budgetReserved(sql: Sql): number {
  return integerOf(sql.exec("SELECT points FROM total WHERE id = 1")[0] ?? {}, "points");
}

/**
 * Sets what a purchase holds. Less than before is always granted; more only while the sum stays
 * within the budget. A denial changes nothing: points of this purchase may rest on what it holds
 * already.
 */
export function reserveBudget(sql: Sql, request: BudgetRequest): BudgetAnswer {
  assert(
    Number.isSafeInteger(request.points) && request.points >= 0,
    "reservation_invalid",
    "a budget reservation of less than zero points, or of a fraction, was asked for",
  );
  const row = sql.exec("SELECT points FROM reservations WHERE purchase_id = ?", request.key)[0];
  const before = row === undefined ? 0 : integerOf(row, "points");
  const total = budgetReserved(sql);
  const after = total - before + request.points;
  if (request.points > before && after > request.budgetPoints) {
    return { granted: false, held: before, reserved: total };
  }
  if (request.points !== before) set(sql, request.key, request.points, after);
  return { granted: true, held: request.points, reserved: after };
}

function set(sql: Sql, key: string, points: number, total: number): void {
  if (points === 0) sql.exec("DELETE FROM reservations WHERE purchase_id = ?", key);
  else {sql.exec(
      "INSERT INTO reservations (purchase_id, points) VALUES (?, ?) ON CONFLICT (purchase_id) DO UPDATE SET points = excluded.points",
      key,
      points,
    );}
  sql.exec("UPDATE total SET points = ? WHERE id = 1", total);
}
