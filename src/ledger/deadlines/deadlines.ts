// What time does to a book: points mature, lots expire, open holds lapse, pending rows and waiting
// refunds are closed. Every call of the engine brings the book to its own time first, so a deadline
// holds when it is read, however late the alarm is.
import { assert } from "../../kernel/assert.ts";
import type { PurchaseId } from "../../kernel/ids.ts";
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import { dayOf } from "../book/paris-days.ts";
import { coverDebt, dueHolds, markAlerted, releaseOverdue } from "../points/holds.ts";
import { confirmLot, dueLots, expireLot, lotDueMs, readLot, saveLot } from "../points/lots.ts";
import { budgetOpen, desiredHold, giveUpRestoring, plainShare } from "../purchases/reservations.ts";
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
import type { PurchaseRow } from "../purchases/purchase-rows.ts";
import { integerOf, integerOrNull, textOf } from "../book/sql.ts";
import { noteUsage } from "../purchases/user-history.ts";
import type { Call } from "../book/call.ts";

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
  const lots = dueLots(call, BATCH).map((lot) => ({
    confirms: lot.state === "pending",
    dueMs: lotDueMs(lot) ?? 0,
    run: () => settleLot(call, lot.lotNo),
  }));
  const holds = dueHolds(call).filter((hold) => hold.state === "open").map((hold) => ({
    dueMs: hold.dueMs,
    run: () => releaseOverdue(call, hold.redemptionId),
  }));
  const rows = call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND (state = 'pending' OR waits_for = 'purchase') ORDER BY due_ms LIMIT ?`,
    call.nowMs,
    BATCH,
  )
    .map(purchaseFrom).filter((purchase) =>
      !budgetOpen(purchase) || (waitEndsMs(purchase) ?? Infinity) <= call.nowMs
    ).map((purchase) => ({ dueMs: purchase.dueMs ?? 0, run: () => closeRow(call, purchase) }));
  // A hold that lapses in the millisecond in which its lot expires gives its points their 30 days.
  return [
    ...lots.filter(({ confirms }) => confirms),
    ...holds,
    ...lots.filter(({ confirms }) => !confirms),
    ...rows,
  ];
}

/** The lot is read again: an earlier task of the same round may have spent or reversed it. */
function settleLot(call: Call, lotNo: number): void {
  const lot = readLot(call, lotNo);
  const dueMs = lotDueMs(lot);
  if (dueMs === null || dueMs > call.nowMs) return;
  if (lot.state === "available") return expireLot(call, lot);
  confirmLot(call, lot, lot.purchaseNo === null ? null : purchaseIdOf(call, lot.purchaseNo));
  coverDebt(call);
}

function purchaseIdOf(call: Call, n: number): PurchaseId {
  return textOf(
    call.sql.exec("SELECT id FROM purchases WHERE n = ?", n)[0] ?? {},
    "id",
  ) as PurchaseId;
}

/** A pending row that nothing took over, or a refund that waited in vain. Neither has points. */
function closeRow(call: Call, purchase: PurchaseRow): void {
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
  const times = ["confirming", "expiring", "row_due", "hold_due"].map((column) =>
    integerOrNull(row, column)
  );
  const notice30 = integerOrNull(row, "notice_30");
  const notice7 = integerOrNull(row, "notice_7");
  const retryMs = noticesAfterMs(call);
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

function noticesAfterMs(call: Call): number {
  return Number(readMeta(call.sql, NOTICES_AFTER) ?? "0");
}

/**
 * Expiry notices to send now: 30 and 7 days before, lots of one day together. Within the last week
 * only the second is sent.
 */
export function dueNotices(call: Call): NoticeTask[] {
  if (call.nowMs < noticesAfterMs(call)) return [];
  const rows = call.sql.exec(
    "SELECT lot_no, remaining, expires_at_ms, noticed_30_ms, noticed_7_ms FROM lots WHERE remaining > 0 AND expires_at_ms <= ? ORDER BY expires_at_ms, lot_no",
    call.nowMs + 30 * DAY_MS,
  );
  const tasks = new Map<
    string,
    { daysBefore: 30 | 7; expiresOn: string; points: number; lots: number[] }
  >();
  for (const row of rows) {
    const expiresAtMs = integerOf(row, "expires_at_ms");
    const daysBefore = expiresAtMs - call.nowMs <= 7 * DAY_MS ? 7 : 30;
    if (integerOrNull(row, daysBefore === 7 ? "noticed_7_ms" : "noticed_30_ms") !== null) continue;
    const expiresOn = dayOf(
      Math.max(
        expiresAtMs,
        daysBefore === 7 && integerOrNull(row, "noticed_30_ms") === null
          ? call.nowMs + 7 * DAY_MS
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
  call: Call,
  task: Pick<NoticeTask, "daysBefore" | "expiresOn" | "lots">,
): void {
  for (const lotNo of task.lots) {
    const lot = readLot(call, lotNo);
    if (dayOf(lot.expiresAtMs) > task.expiresOn) continue;
    if (task.daysBefore === 30) lot.noticed30Ms ??= call.nowMs;
    else {
      lot.noticed7Ms ??= call.nowMs;
      // Too late for the first: it is not sent after the second.
      lot.noticed30Ms ??= call.nowMs;
    }
    saveLot(call, lot);
  }
}

/**
 * A notice could not be sent; none is tried for an hour. What was not announced does not expire.
 */
export function noteNoticeFailed(call: Call): void {
  writeMeta(call.sql, NOTICES_AFTER, String(call.nowMs + NOTICE_RETRY_MS));
}

// ---- budgets ------------------------------------------------------------------------------------

/**
 * What offers' budgets must be told now. Idempotent for them: a task says what a purchase should
 * hold, not by how much it changes.
 */
export function budgetTasks(call: Call, limit: number): BudgetTask[] {
  const rows = call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms <= ? AND budget IS NOT NULL ORDER BY due_ms, n LIMIT ?`,
    call.nowMs,
    limit,
  ).map(purchaseFrom);
  return rows.flatMap((purchase) =>
    purchase.budget.flatMap((share, index) => {
      const points = desiredHold(purchase, index);
      return share.held === points ? [] : [{
        purchaseId: purchase.id,
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
  call: Call,
  task: Pick<BudgetTask, "key" | "offerId" | "points">,
): void {
  const purchase = hear(call, task, task.points);
  if (purchase === null) return;
  const current = purchase.budget.at(-1);
  if (
    current?.key === task.key && current.offerId === task.offerId && current.restore === task.points
  ) restoreReserved(call, purchase);
  if (
    purchase.waitsFor === "budget" && current?.key === task.key &&
    current.offerId === task.offerId &&
    current.wanted === task.points
  ) {
    purchase.outcome = "earned";
    purchase.waitsFor = null;
    purchase.findings = {
      ...purchase.findings,
      reasons: purchase.findings.reasons.map((
        code,
      ) => (code === "budget_reserving" ? "offer_applied" : code)),
    };
    // What was given back meanwhile is counted as given back of the points that are granted now.
    const { refundedCents } = purchase;
    purchase.refundedCents = 0;
    grantTo(call, purchase, task.points);
    if (refundedCents > 0) applyRefunds(call, purchase, refundedCents);
  }
  closeBudget(call, purchase);
}

/**
 * The budget cannot hold that much: the next best offer is tried, or points that a refund had taken
 * stay taken. A denial of what the purchase no longer wishes says only what is held; what it wishes
 * now is asked next.
 */
export function budgetDenied(call: Call, denial: BudgetDenial): void {
  const purchase = hear(call, denial, denial.held);
  if (purchase === null) return;
  const current = purchase.budget.at(-1);
  if (
    current?.key === denial.key && current.offerId === denial.offerId &&
    desiredHold(purchase, purchase.budget.length - 1) === denial.points
  ) {
    if (purchase.waitsFor === "budget") earnElsewhere(call, purchase, denial.left ?? null);
    else giveUpRestoring(purchase, denial.left ?? null);
  }
  closeBudget(call, purchase);
}

/**
 * Notes what a reservation holds, with whichever row has it now; null when the answer is an old
 * one.
 */
function hear(
  call: Call,
  { key, offerId }: Pick<BudgetTask, "key" | "offerId">,
  held: number,
): PurchaseRow | null {
  const open = call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE due_ms IS NOT NULL AND budget IS NOT NULL`,
  ).map(purchaseFrom);
  for (const purchase of open) {
    const share = purchase.budget.find((each) => each.key === key && each.offerId === offerId);
    if (share === undefined) continue;
    share.held = held;
    return purchase;
  }
  return null;
}

function closeBudget(call: Call, purchase: PurchaseRow): void {
  purchase.budget = purchase.budget.filter((share) => share.current || share.held !== 0);
  // What else might have applied is of no more use once the purchase waits no longer.
  if (purchase.waitsFor !== "budget") {
    purchase.budget = purchase.budget.map((
      share,
    ) => (share.fallback === undefined ? share : plainShare(share)));
  }
  // The row may have come to wait for something else while it owed the budget this.
  purchase.dueMs = budgetOpen(purchase) ? call.nowMs : waitEndsMs(purchase);
  noteUsage(call, purchase);
  updateVerdict(call, purchase);
  coverDebt(call);
}
