// The deadlines of reviews, which stand still during halts: a person who may not act, or who has
// something more urgent to do, must not find that everything counts meanwhile.
import { deadlineOverHalts, HALT_RETRY_MS } from "../book/halts.ts";
import type { Call } from "../book/call.ts";
import { PURCHASE_COLUMNS, purchaseFrom, updateVerdict } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import {
  DOUBT_WAIT_MS,
  dueUnlessBudgetOpen,
  LARGE_REVIEW_MS,
  UNSHOWN_HELD_MS,
  waitEndsMs,
} from "./verdict-state.ts";

function reviewEndsMs(call: Call, purchase: PurchaseRow): number {
  const endsMs = waitEndsMs(purchase);
  if (endsMs === null || call.halts === null) return Infinity;
  const waitMs = waitOf(purchase);
  return deadlineOverHalts(endsMs - waitMs, waitMs, call.halts);
}

/** The longest that such a review lasts. */
function waitOf({ heldTerms, review }: PurchaseRow): number {
  if (heldTerms !== null) return DOUBT_WAIT_MS;
  return review === "not_shown" ? UNSHOWN_HELD_MS : LARGE_REVIEW_MS;
}

/** Whether a person has had the whole time to decide about the row. */
export function reviewIsOver(call: Call, purchase: PurchaseRow): boolean {
  return reviewEndsMs(call, purchase) <= call.nowMs;
}

/** Rows under review that are due by the calendar, but had halts in their time. */
export function deferredReviews(call: Call): PurchaseRow[] {
  if (call.halts === null || call.halts.length === 0) return [];
  return call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND waits_for = 'review'`,
    call.nowMs,
  ).map(purchaseFrom).filter((purchase) =>
    (waitEndsMs(purchase) ?? Infinity) <= call.nowMs && !reviewIsOver(call, purchase)
  );
}

/** Has the row looked at again when its time may be over. */
export function deferReview(call: Call, purchase: PurchaseRow): void {
  const againMs = Math.min(reviewEndsMs(call, purchase), call.nowMs + HALT_RETRY_MS);
  dueUnlessBudgetOpen(purchase, againMs, call.nowMs);
  updateVerdict(call, purchase);
}
