// Purchases that the bank booked for a day ahead: they are judged on that day, by the offers that are
// in force then and that whoever calls has to bring.
import type { Call } from "../book/call.ts";
import { dayOf } from "../book/paris-days.ts";
import { integerOf } from "../book/sql.ts";
import type { Terms } from "../earning/types.ts";
import { coverDebt } from "../points/holds.ts";
import type { OfferCover } from "../ports.ts";
import { plannedStored } from "./batch-plan.ts";
import type { BatchPlan } from "./batch-plan.ts";
import { readPurchase, updateVerdict } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { rematchRefundsAround } from "./refund-rematching.ts";
import { settleVerdict } from "./verdicts.ts";

/** Judged in one call; the alarm comes back for more. */
const ROWS_MAX = 200;

function dueRows(call: Call): PurchaseRow[] {
  return call.sql.exec(
    "SELECT n FROM purchases WHERE due_ms <= ? AND state = 'booked' AND waits_for = 'booking' AND purchased_on <= ? ORDER BY n LIMIT ?",
    call.nowMs,
    dayOf(call.nowMs),
    ROWS_MAX,
  ).map((row) => readPurchase(call, integerOf(row, "n")));
}

/** The brands and days whose offers judge the purchases that are due; null when none is. */
export function dueDays(call: Call): readonly OfferCover[] | null {
  const rows = dueRows(call);
  return rows.length === 0
    ? null
    : rows.flatMap(({ brand, purchasedOn: on }) =>
      brand === null ? [] : [{ brandId: brand.id, from: on, to: on }]
    );
}

/** Judges the purchases that are due, as far as `terms` has the offers of their brands and days. */
export function judgeDueDays(call: Call, terms: Terms): void {
  for (const row of dueRows(call)) {
    if (!isCovered(row, terms)) continue;
    settleVerdict(call, row, false, false, terms);
    updateVerdict(call, row);
    rematchRefundsAround(call, row);
  }
  coverDebt(call);
}

function isCovered({ brand, purchasedOn: on }: PurchaseRow, { covers }: Terms): boolean {
  return brand === null || covers === null ||
    covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
}

/** A delivery judges what is due as well, so that its own rows find in the caps what came before. */
export function planDueDays(call: Call, plan: BatchPlan): void {
  for (const row of dueRows(call)) {
    if (!plan.rows.has(row.n)) plan.rows.set(row.n, { ...plannedStored(row), decided: false });
  }
}
