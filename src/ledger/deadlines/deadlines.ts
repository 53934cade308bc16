// What time does to a book: points mature, lots expire, open holds lapse, pending rows and waiting
// refunds are closed. Every call of the engine brings the book to its own time first, so a deadline
// holds when it is read, however late the alarm is.
import { assert } from "../../kernel/assert.ts";
import type { PurchaseId } from "../../kernel/ids.ts";
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import { dayOf } from "../book/paris-days.ts";
import { dueHolds, markAlerted, releaseOverdue, settleDebt } from "../points/holds.ts";
import { confirmLot, dueLots, expireLot, lotDueMs, readLot, saveLot } from "../points/lots.ts";
import { budgetOpen, budgetWish, giveUpRestoring, plainShare } from "../purchases/reservations.ts";
import { grantTo } from "../purchases/purchase-points.ts";
import {
  applyRefunds,
  close,
  earnElsewhere,
  restoreReserved,
  waitEndsMs,
} from "../purchases/verdicts.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import type { BudgetDenial, BudgetTask, NoticeTask } from "../ports.ts";
import { PURCHASE_COLUMNS, purchaseFrom, updateVerdict } from "../purchases/purchase-rows.ts";
import type { PurchaseRecord } from "../purchases/purchase-rows.ts";
import { integerOf, integerOrNull, textOf } from "../book/sql.ts";
import { noteUsage } from "../purchases/user-history.ts";
import type { Work } from "../book/call.ts";

const BATCH = 1000;
/** More rounds than that means that something becomes due again by being written down. */
const ROUNDS_MAX = 100;

/**
 * Writes down everything that is due at `work.nowMs`, in the order in which it became due; at one
 * instant expiry comes last.
 */
export function bringUpToDate(work: Work): void {
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const tasks = dueTasks(work);
    if (tasks.length === 0) return;
    tasks.sort((a, b) => a.dueMs - b.dueMs);
    for (const task of tasks) task.run();
  }
  assert(false, "what is due comes to an end");
}

function dueTasks(work: Work): { readonly dueMs: number; readonly run: () => void }[] {
  const lots = dueLots(work, BATCH).map((lot) => ({
    confirms: lot.state === "pending",
    dueMs: lotDueMs(lot) ?? 0,
    run: () => settleLot(work, lot.lotNo),
  }));
  const holds = dueHolds(work).filter((hold) => hold.state === "open").map((hold) => ({
    dueMs: hold.dueMs,
    run: () => releaseOverdue(work, hold.redemptionId),
  }));
  const rows = work.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND (state = 'pending' OR waits_for = 'purchase') ORDER BY due_ms LIMIT ?`,
    work.nowMs,
    BATCH,
  )
    .map(purchaseFrom).filter((record) =>
      !budgetOpen(record) || (waitEndsMs(record) ?? Infinity) <= work.nowMs
    ).map((record) => ({ dueMs: record.dueMs ?? 0, run: () => closeRow(work, record) }));
  // A hold that lapses in the millisecond in which its lot expires gives its points their 30 days.
  return [
    ...lots.filter(({ confirms }) => confirms),
    ...holds,
    ...lots.filter(({ confirms }) => !confirms),
    ...rows,
  ];
}

/** The lot is read again: an earlier task of the same round may have spent or reversed it. */
function settleLot(work: Work, lotNo: number): void {
  const lot = readLot(work, lotNo);
  const dueMs = lotDueMs(lot);
  if (dueMs === null || dueMs > work.nowMs) return;
  if (lot.state === "available") return expireLot(work, lot);
  confirmLot(work, lot, lot.purchaseNo === null ? null : purchaseIdOf(work, lot.purchaseNo));
  settleDebt(work);
}

function purchaseIdOf(work: Work, n: number): PurchaseId {
  return textOf(
    work.sql.exec("SELECT id FROM purchases WHERE n = ?", n)[0] ?? {},
    "id",
  ) as PurchaseId;
}

/** A pending row that nothing took over, or a refund that waited in vain. Neither has points. */
function closeRow(work: Work, record: PurchaseRecord): void {
  close(record);
  updateVerdict(work, record);
}

/** Committed holds that are overdue, each reported once. */
export function takeOverdueHolds(work: Work): string[] {
  const overdue = dueHolds(work).filter((hold) => hold.state === "committed").map((hold) =>
    hold.redemptionId
  );
  for (const redemptionId of overdue) markAlerted(work, redemptionId);
  return overdue;
}

/**
 * When something is due next, or null. Whatever is due already was written down; what waits for
 * others is due now.
 */
export function nextAlarmMs(work: Work): number | null {
  const row = work.sql.exec(
    `SELECT (SELECT MIN(due_ms) FROM lots WHERE state = 'pending' AND due_ms IS NOT NULL) AS confirming,
       (SELECT MIN(due_ms) FROM lots WHERE state = 'available' AND due_ms IS NOT NULL) AS expiring,
       (SELECT MIN(due_ms) FROM purchases WHERE due_ms IS NOT NULL) AS row_due,
       (SELECT MIN(due_ms) FROM holds WHERE state = 'open' OR (state = 'committed' AND alerted = 0)) AS hold_due,
       (SELECT MIN(expires_at_ms) FROM lots WHERE remaining > 0 AND noticed_30_ms IS NULL) AS notice_30,
       (SELECT MIN(expires_at_ms) FROM lots WHERE remaining > 0 AND noticed_7_ms IS NULL) AS notice_7`,
  )[0] ?? {};
  const times = ["confirming", "expiring", "row_due", "hold_due"].map((column) =>
    integerOrNull(row, column)
  );
  const notice30 = integerOrNull(row, "notice_30");
  const notice7 = integerOrNull(row, "notice_7");
  const retryMs = noticesAfterMs(work);
  if (notice30 !== null) times.push(Math.max(notice30 - 30 * DAY_MS, retryMs));
  if (notice7 !== null) times.push(Math.max(notice7 - 7 * DAY_MS, retryMs));
  const next = Math.min(...times.filter((time) => time !== null));
  return next === Infinity ? null : next;
}

// ---- notices ------------------------------------------------------------------------------------

const NOTICES_AFTER = "notices_after_ms";
// A mailbox that refuses must not keep an alarm ringing all day; of thirty days an hour does not
// count.
const NOTICE_RETRY_MS = HOUR_MS;

function noticesAfterMs(work: Work): number {
  return Number(readMeta(work.sql, NOTICES_AFTER) ?? "0");
}

/**
 * Expiry notices to send now: 30 and 7 days before, lots of one day together. Within the last week
 * only the second is sent.
 */
export function dueNotices(work: Work): NoticeTask[] {
  if (work.nowMs < noticesAfterMs(work)) return [];
  const rows = work.sql.exec(
    "SELECT lot_no, remaining, expires_at_ms, noticed_30_ms, noticed_7_ms FROM lots WHERE remaining > 0 AND expires_at_ms <= ? ORDER BY expires_at_ms, lot_no",
    work.nowMs + 30 * DAY_MS,
  );
  const tasks = new Map<
    string,
    { daysBefore: 30 | 7; expiresOn: string; points: number; lots: number[] }
  >();
  for (const row of rows) {
    const expiresAtMs = integerOf(row, "expires_at_ms");
    const daysBefore = expiresAtMs - work.nowMs <= 7 * DAY_MS ? 7 : 30;
    if (integerOrNull(row, daysBefore === 7 ? "noticed_7_ms" : "noticed_30_ms") !== null) continue;
    const expiresOn = dayOf(
      Math.max(
        expiresAtMs,
        daysBefore === 7 && integerOrNull(row, "noticed_30_ms") === null
          ? work.nowMs + 7 * DAY_MS
          : 0,
      ),
    );
    const key = `${daysBefore} ${expiresOn}`;
    const task = tasks.get(key) ?? { daysBefore, expiresOn, points: 0, lots: [] };
    task.points += integerOf(row, "remaining");
    task.lots.push(integerOf(row, "lot_no"));
    tasks.set(key, task);
  }
  return [...tasks.values()];
}

/**
 * Records that a notice left. Without at least one, a lot never expires; one whose points came back
 * meanwhile was not the one announced.
 */
export function noteNoticeSent(
  work: Work,
  task: Pick<NoticeTask, "daysBefore" | "expiresOn" | "lots">,
): void {
  for (const lotNo of task.lots) {
    const lot = readLot(work, lotNo);
    if (dayOf(lot.expiresAtMs) > task.expiresOn) continue;
    if (task.daysBefore === 30) lot.noticed30Ms ??= work.nowMs;
    else {
      lot.noticed7Ms ??= work.nowMs;
      // Too late for the first: it is not sent after the second.
      lot.noticed30Ms ??= work.nowMs;
    }
    saveLot(work, lot);
  }
}

/**
 * A notice could not be sent; none is tried for an hour. What was not announced does not expire.
 */
export function noteNoticeFailed(work: Work): void {
  writeMeta(work.sql, NOTICES_AFTER, String(work.nowMs + NOTICE_RETRY_MS));
}

// ---- budgets ------------------------------------------------------------------------------------

/**
 * What offers' budgets must be told now. Idempotent for them: a task says what a purchase should
 * hold, not by how much it changes.
 */
export function budgetTasks(work: Work, limit: number): BudgetTask[] {
  const rows = work.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND budget IS NOT NULL ORDER BY due_ms, n LIMIT ?`,
    work.nowMs,
    limit,
  ).map(purchaseFrom);
  return rows.flatMap((record) =>
    record.budget.flatMap((share, index) => {
      const points = budgetWish(record, index);
      return share.held === points ? [] : [{
        purchaseId: record.id,
        offerId: share.offerId,
        points,
        key: share.key,
        budgetPoints: share.limit,
      }];
    })
  );
}

/**
 * The budget holds `points` for this purchase now. Posts `earn` when that is what the purchase
 * waits for.
 */
export function budgetGranted(
  work: Work,
  task: Pick<BudgetTask, "key" | "offerId" | "points">,
): void {
  const record = hear(work, task, task.points);
  if (record === null) return;
  const current = record.budget.at(-1);
  if (
    current?.key === task.key && current.offerId === task.offerId && current.restore === task.points
  ) restoreReserved(work, record);
  if (
    record.waitsFor === "budget" && current?.key === task.key && current.offerId === task.offerId &&
    current.wanted === task.points
  ) {
    record.outcome = "earned";
    record.waitsFor = null;
    record.findings = {
      ...record.findings,
      reasons: record.findings.reasons.map((
        code,
      ) => (code === "budget_reserving" ? "offer_applied" : code)),
    };
    // What was given back meanwhile is counted as given back of the points that are granted now.
    const { refundedCents } = record;
    record.refundedCents = 0;
    grantTo(work, record, task.points);
    if (refundedCents > 0) applyRefunds(work, record, refundedCents);
  }
  closeBudget(work, record);
}

/**
 * The budget cannot hold that much: the next best offer is tried, or points that a refund had taken
 * stay taken. A denial of what the purchase no longer wishes says only what is held; what it wishes
 * now is asked next.
 */
export function budgetDenied(work: Work, denial: BudgetDenial): void {
  const record = hear(work, denial, denial.held);
  if (record === null) return;
  const current = record.budget.at(-1);
  if (
    current?.key === denial.key && current.offerId === denial.offerId &&
    budgetWish(record, record.budget.length - 1) === denial.points
  ) {
    if (record.waitsFor === "budget") earnElsewhere(work, record, denial.left ?? null);
    else giveUpRestoring(record, denial.left ?? null);
  }
  closeBudget(work, record);
}

/**
 * Notes what a reservation holds, with whichever row has it now; null when the answer is an old
 * one.
 */
function hear(
  work: Work,
  { key, offerId }: Pick<BudgetTask, "key" | "offerId">,
  held: number,
): PurchaseRecord | null {
  const open = work.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms IS NOT NULL AND budget IS NOT NULL`,
  ).map(purchaseFrom);
  for (const record of open) {
    const share = record.budget.find((each) => each.key === key && each.offerId === offerId);
    if (share === undefined) continue;
    share.held = held;
    return record;
  }
  return null;
}

function closeBudget(work: Work, record: PurchaseRecord): void {
  record.budget = record.budget.filter((share) => share.current || share.held !== 0);
  // What else might have applied is of no more use once the purchase waits no longer.
  if (record.waitsFor !== "budget") {
    record.budget = record.budget.map((
      share,
    ) => (share.fallback === undefined ? share : plainShare(share)));
  }
  // The row may have come to wait for something else while it owed the budget this.
  record.dueMs = budgetOpen(record) ? work.nowMs : waitEndsMs(record);
  noteUsage(work, record);
  updateVerdict(work, record);
  settleDebt(work);
}
