// The public ids of rows that are one purchase, or are no longer. Entries and budgets name a
// purchase by its id, so two listed rows must never have the same one.
import { integerOf, integerOrNull } from "../book/sql.ts";
import { numberedId } from "../book/numbered-id.ts";
import type { Call } from "../book/call.ts";
import { isListed } from "./batch-plan.ts";
import type { BatchPlan, PlannedRow } from "./batch-plan.ts";
import { readPurchase } from "./purchase-rows.ts";

/** The purchase keeps the public id under which its first row, number `idOf`, was shown. */
export function takeId(call: Call, plan: BatchPlan, planned: PlannedRow, idOf: number): void {
  const { row } = planned;
  const id = plan.rows.get(idOf)?.row.id ?? readPurchase(call, idOf).id;
  if (row.id === id || isIdOfAnother(call, plan, id, [idOf, row.n])) return;
  row.id = id;
  planned.factsChanged = true;
}

/**
 * A row that parts from its purchase leaves its id to the purchase that once took it over: entries
 * and budgets name that one by it. It need not be the one that the row parts from, since a row may
 * have been part of several. Kept, the id would lead to the row's new purchase instead.
 */
export function partIds(call: Call, plan: BatchPlan, planned: PlannedRow): void {
  const { row } = planned;
  const own = keeperOf(planned);
  if (keepersOfId(call, plan, row.id, row.n).every((keeper) => keeper === own)) return;
  row.id = numberedId("pur", row.n, row.recordedAtMs, call.random, call.shardOf);
  planned.factsChanged = true;
}

const keeperOf = ({ row, match }: PlannedRow): number => match?.keeper ?? row.sameAs ?? row.n;

/** The rows that represent the purchases which rows other than `except` have that id in. */
function keepersOfId(call: Call, plan: BatchPlan, id: string, except: number): number[] {
  const stored = call.sql.exec("SELECT n, same_as FROM purchases WHERE id = ?", id)
    .filter((row) => !plan.rows.has(integerOf(row, "n")))
    .filter((row) => integerOf(row, "n") !== except)
    .map((row) => integerOrNull(row, "same_as") ?? integerOf(row, "n"));
  const planned = [...plan.rows.values()]
    .filter(({ row }) => row.id === id && row.n !== except)
    .map(keeperOf);
  return [...stored, ...planned];
}

/** Whether a listed row outside `except` has that id. */
function isIdOfAnother(
  call: Call,
  plan: BatchPlan,
  id: string,
  except: readonly number[],
): boolean {
  const stored = call.sql.exec("SELECT n FROM purchases WHERE id = ? AND same_as IS NULL", id)
    .map((row) => integerOf(row, "n"))
    .filter((n) => !plan.rows.has(n));
  const planned = [...plan.rows.values()]
    .filter((each) => each.row.id === id && isListed(each))
    .map(({ row }) => row.n);
  return [...stored, ...planned].some((n) => !except.includes(n));
}
