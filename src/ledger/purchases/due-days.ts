// Booked purchases that are judged when their time comes: those of a day ahead on that day, those
// with a large reward when nobody objected in time. Whoever calls has to bring the offers of their
// days.
import type { Call } from "../book/call.ts";
import { HALT_RETRY_MS } from "../book/halts.ts";
import { dayOf } from "../book/paris-days.ts";
import { integerOf } from "../book/sql.ts";
import type { Terms } from "../earning/types.ts";
import { coverDebt } from "../points/holds.ts";
import type { OfferCover } from "../ports.ts";
import { plannedStored } from "./batch-plan.ts";
import type { BatchPlan } from "./batch-plan.ts";
import { readPurchase, updatePurchase } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { rematchRefundsAround } from "./refund-rematching.ts";
import { reviewIsOver } from "./review-deadlines.ts";
import { waitEndsMs } from "./verdict-state.ts";
import { settleVerdict } from "./verdicts.ts";

/** Judged in one call; the alarm comes back for more. */
const ROWS_MAX = 200;

function dueRows(call: Call, byMs = call.nowMs): PurchaseRow[] {
  return call.sql.exec(
    `SELECT n FROM purchases WHERE due_ms <= ? AND state = 'booked' AND purchased_on <= ?
       AND (waits_for = 'booking' OR (waits_for = 'review' AND review = 'large_reward')) ORDER BY n LIMIT ?`,
    byMs,
    dayOf(call.nowMs),
    ROWS_MAX,
  ).map((row) => readPurchase(call, integerOf(row, "n")))
    // A row is due as well while a budget has to be asked for what it had before.
    .filter((row) => (waitEndsMs(row) ?? 0) <= call.nowMs)
    .filter((row) => row.waitsFor !== "review" || reviewIsOver(call, row));
}

/** Nobody objected to a large reward in time: it counts as if a person had let it. */
function endReview(row: PurchaseRow): PurchaseRow {
  if (row.waitsFor === "review") row.review = "cleared";
  return row;
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
    settleVerdict(call, endReview(row), false, false, terms);
    updatePurchase(call, row);
    rematchRefundsAround(call, row);
  }
  coverDebt(call);
}

function isCovered({ brand, purchasedOn: on }: PurchaseRow, { covers }: Terms): boolean {
  return brand === null || covers === null ||
    covers.some((cover) => cover.brandId === brand.id && cover.from <= on && on <= cover.to);
}

/**
 * A delivery judges what is due as well, so that its own rows find in the caps what came before.
 */
export function planDueDays(call: Call, plan: BatchPlan, { paused }: Pick<Terms, "paused">): void {
  // After a halt, rows that it deferred come before those of the delivery, also ahead of their alarm.
  const byMs = paused === true ? call.nowMs : call.nowMs + HALT_RETRY_MS;
  for (const row of dueRows(call, byMs)) {
    if (plan.rows.has(row.n)) continue;
    const factsChanged = row.waitsFor === "review";
    plan.rows.set(row.n, { ...plannedStored(endReview(row)), decided: false, factsChanged });
  }
}
