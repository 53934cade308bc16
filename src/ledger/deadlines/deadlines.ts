// What time does to a book: points mature, lots expire, open holds lapse, pending rows and waiting
// refunds are closed. Every call of the engine brings the book to its own time first, so a deadline
// holds when it is read, however late the alarm is.
import { assert } from "../../kernel/assert.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { confirmationsHalted, HALT_RETRY_MS, noExpiryBeforeMs } from "../book/halts.ts";
import { integerOrNull } from "../book/sql.ts";
import type { Sql } from "../book/sql.ts";
import { coverDebt, dueHolds, markAlerted, releaseOverdue } from "../points/holds.ts";
import { dueLots, lotDueMs, readLot } from "../points/lot-rows.ts";
import { deferExpiry, expireLot } from "../points/lots.ts";
import {
  PURCHASE_COLUMNS,
  purchaseFrom,
  readPurchase,
  updateVerdict,
} from "../purchases/purchase-rows.ts";
import type { PurchaseRow } from "../purchases/purchase-rows.ts";
import { lapseReview } from "../purchases/settled-reviews.ts";
import { settlePendingLot } from "../purchases/unshown-lots.ts";
import { budgetOpen } from "../purchases/budget-shares.ts";
import { deferredReviews, deferReview, reviewIsOver } from "../purchases/review-deadlines.ts";
import { close, waitEndsMs } from "../purchases/verdict-state.ts";
import { noticesAfterMs } from "./expiry-notices.ts";

const BATCH = 1000;
/** More rounds than that means that something becomes due again by being written down. */
const ROUNDS_MAX = 100;

/**
 * Writes down everything that is due at `call.nowMs`, in the order in which it became due; at one
 * instant expiry comes last.
 */
export function bringUpToDate(call: Call): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const tasks = dueTasks(call);
    if (tasks.length === 0) return;
    tasks.sort((a, b) => a.dueMs - b.dueMs);
    for (const task of tasks) task.run();
  }
  assert(
    false,
    "deadlines_do_not_end",
    "deadlines keep falling due after 100 rounds of processing them",
  );
}

function dueTasks(call: Call): { readonly dueMs: number; readonly run: () => void }[] {
  const lots = settleableLots(call).map((lot) => ({
    confirms: lot.state === "pending",
    dueMs: lotDueMs(lot) ?? 0,
    run: () => settleLot(call, lot.lotNo),
  }));
  const holds = dueHolds(call).filter((hold) => hold.state === "open").map((hold) => ({
    dueMs: hold.dueMs,
    run: () => releaseOverdue(call, hold.redemptionId),
  }));
  const rows = call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND (state = 'pending' OR waits_for = 'purchase' OR held_terms IS NOT NULL OR (waits_for = 'review' AND review = 'not_shown')) ORDER BY due_ms LIMIT ?`,
    call.nowMs,
    BATCH,
  )
    .map(purchaseFrom).filter((purchase) =>
      !budgetOpen(purchase) || (waitEndsMs(purchase) ?? Infinity) <= call.nowMs
    ).filter((purchase) => purchase.waitsFor !== "review" || reviewIsOver(call, purchase))
    .map((purchase) => ({ dueMs: purchase.dueMs ?? 0, run: () => closeRow(call, purchase) }));
  const deferred = deferredReviews(call).map((purchase) => ({
    dueMs: purchase.dueMs ?? 0,
    run: () => deferReview(call, purchase),
  }));
  // A hold that lapses in the millisecond in which its lot expires gives its points their 30 days.
  return [
    ...lots.filter(({ confirms }) => confirms),
    ...holds,
    ...lots.filter(({ confirms }) => !confirms),
    ...rows,
    ...deferred,
  ];
}

/** Due lots, without those that a halt keeps as they are, or may keep for all that is known. */
function settleableLots(call: Call): ReturnType<typeof dueLots> {
  const { halts } = call;
  if (halts === null) return [];
  const due = dueLots(call, BATCH);
  return confirmationsHalted(halts) ? due.filter((lot) => lot.state !== "pending") : due;
}

/** Whether a lot or a review is due, of which a halt could decide otherwise. */
export function awaitsHalts(sql: Sql, nowMs: number): boolean {
  return sql.exec(
    `SELECT 1 WHERE EXISTS (SELECT 1 FROM lots WHERE state IN ('pending', 'available') AND due_ms <= ?)
       OR EXISTS (SELECT 1 FROM purchases WHERE due_ms <= ? AND waits_for = 'review')`,
    nowMs,
    nowMs,
  ).length > 0;
}

/** The lot is read again: an earlier task of the same round may have spent or reversed it. */
function settleLot(call: Call, lotNo: number): void {
  const lot = readLot(call, lotNo);
  const dueMs = lotDueMs(lot);
  if (dueMs === null || dueMs > call.nowMs) return;
  if (lot.state === "available") {
    const notBeforeMs = noExpiryBeforeMs(call.halts ?? [], call.nowMs);
    return notBeforeMs > call.nowMs ? deferExpiry(call, lot, notBeforeMs) : expireLot(call, lot);
  }
  settlePendingLot(call, lot);
  coverDebt(call);
}

/**
 * A pending row that nothing took over, a refund that waited in vain, or a row that no read has
 * shown: none has points. A row that nobody reviewed counts; it is read again, since an earlier task
 * may have changed it.
 */
function closeRow(call: Call, purchase: PurchaseRow): void {
  if (purchase.heldTerms !== null) {
    lapseReview(call, readPurchase(call, purchase.n));
    return coverDebt(call);
  }
  close(purchase);
  updateVerdict(call, purchase);
}

/** Committed holds that are overdue, each reported once. */
export function takeOverdueHolds(call: Call): string[] {
  const overdue = dueHolds(call).filter((hold) => hold.state === "committed").map((hold) =>
    hold.redemptionId
  );
  for (const redemptionId of overdue) markAlerted(call, redemptionId);
  return overdue;
}

/**
 * When something is due next, or null. Whatever is due already was written down; what waits for
 * others is due now.
 */
export function nextAlarmMs(call: Call): number | null {
  const row = call.sql.exec(
    `SELECT (SELECT MIN(due_ms) FROM lots WHERE state = 'pending' AND due_ms IS NOT NULL) AS confirming,
       (SELECT MIN(due_ms) FROM lots WHERE state = 'available' AND due_ms IS NOT NULL) AS expiring,
       (SELECT MIN(due_ms) FROM purchases WHERE due_ms IS NOT NULL) AS row_due,
       (SELECT MIN(due_ms) FROM holds WHERE state = 'open' OR (state = 'committed' AND alerted = 0)) AS hold_due,
       (SELECT MIN(expires_at_ms) FROM lots WHERE remaining > 0 AND noticed_30_ms IS NULL) AS notice_30,
       (SELECT MIN(expires_at_ms) FROM lots WHERE remaining > 0 AND noticed_7_ms IS NULL) AS notice_7`,
  )[0] ?? {};
  const times = ["expiring", "row_due", "hold_due"].map((column) => integerOrNull(row, column));
  const confirming = integerOrNull(row, "confirming");
  // What is due and not confirmed waits for the end of a halt.
  const isHalted = confirming !== null && confirming <= call.nowMs && call.halts !== null;
  times.push(isHalted ? call.nowMs + HALT_RETRY_MS : confirming);
  const notice30 = integerOrNull(row, "notice_30");
  const notice7 = integerOrNull(row, "notice_7");
  const retryMs = noticesAfterMs(call);
  if (notice30 !== null) times.push(Math.max(notice30 - 30 * DAY_MS, retryMs));
  if (notice7 !== null) times.push(Math.max(notice7 - 7 * DAY_MS, retryMs));
  const next = Math.min(...times.filter((time) => time !== null));
  return next === Infinity ? null : next;
}
