// What a purchase's shares in offers' budgets should be, read off its row. Nothing here changes it.
import { activePoints } from "./purchase-rows.ts";
import type { BudgetShare, PurchaseRow } from "./purchase-rows.ts";

/** The points that this purchase should have reserved in an offer's budget. */
export function desiredHold(purchase: PurchaseRow, index: number): number {
  const share = purchase.budget[index];
  if (share === undefined || !share.current) return 0;
  return purchase.waitsFor === "budget" ? share.wanted : share.restore ?? activePoints(purchase);
}

/** True while some budget object may not have the desired reservation yet. */
export function budgetOpen(purchase: PurchaseRow): boolean {
  return purchase.budget.some((share, index) => share.held !== desiredHold(purchase, index));
}

/** The share without the points to restore and without the fallback. */
export function plainShare(
  { offerId, key, limit, wanted, held, current }: BudgetShare,
): BudgetShare {
  return { offerId, key, limit, wanted, held, current };
}
