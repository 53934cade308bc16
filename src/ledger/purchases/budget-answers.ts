// Reservations in offers' budgets: which are to be asked for now, and what an answer does to the
// purchase that waits for it.
import type { Call } from "../book/call.ts";
import { coverDebt } from "../points/holds.ts";
import type { BudgetDenial, BudgetTask } from "../ports.ts";
import { grantTo } from "./purchase-points.ts";
import { PURCHASE_COLUMNS, purchaseFrom, updateVerdict } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { desiredHold, plainShare } from "./budget-shares.ts";
import { giveUpRestoring } from "./reservations.ts";
import { noteUsage } from "./user-history.ts";
import { applyRefunds, earnElsewhere, restoreReserved } from "./verdicts.ts";
import { dueUnlessBudgetOpen, earned, waitEndsMs } from "./verdict-state.ts";

/**
 * The reservations that offers' budgets must be asked for now. Idempotent for them: a task says how
 * much a purchase should have reserved, not by how much that changes. What is given back comes
 * first: it may be what another of them needs.
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
  ).sort((a, b) => Number(a.points > 0) - Number(b.points > 0));
}

/**
 * The budget has reserved `points` for this purchase. Posts `earn` when that is what the purchase
 * waits for.
 */
export function budgetGranted(
  call: Call,
  task: Pick<BudgetTask, "key" | "offerId" | "points">,
): void {
  const purchase = applyBudgetAnswer(call, task, task.points);
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
    earned(purchase, purchase.findings, purchase.offer);
    // What was refunded meanwhile is reversed of the points that are granted now.
    const { refundedCents } = purchase;
    purchase.refundedCents = 0;
    grantTo(call, purchase, task.points);
    if (refundedCents > 0) applyRefunds(call, purchase, refundedCents);
  }
  closeBudget(call, purchase);
}

/**
 * The budget cannot reserve that much: the next best offer is tried, or points that a refund had
 * reversed stay reversed. A denial of what the purchase no longer needs says only what is reserved;
 * what it needs now is asked next.
 */
export function budgetDenied(call: Call, denial: BudgetDenial): void {
  const purchase = applyBudgetAnswer(call, denial, denial.held);
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

/** Notes the points reserved with the row that has the share now; null when no row has it. */
function applyBudgetAnswer(
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
  // The fallback is needed only while the purchase waits.
  if (purchase.waitsFor !== "budget") {
    purchase.budget = purchase.budget.map((
      share,
    ) => (share.fallback === undefined ? share : plainShare(share)));
  }
  // The row may wait for something else since this was asked.
  dueUnlessBudgetOpen(purchase, waitEndsMs(purchase), call.nowMs);
  noteUsage(call, purchase);
  updateVerdict(call, purchase);
  coverDebt(call);
}
