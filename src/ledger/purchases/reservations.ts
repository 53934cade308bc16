// Changes of a purchase's shares in offers' budgets. The alarm brings the budget objects in line
// with them (budget-answers.ts); nothing here moves a point.
import type { OfferId } from "../../kernel/ids.ts";
import type { Terms } from "../earning/types.ts";
import { termsInForce } from "../earning/rules.ts";
import { numberOf } from "../book/numbered-id.ts";
import type { OfferTerms, RuleCheck } from "../ports.ts";
import { plainShare } from "./budget-shares.ts";
import type { Fallback, PurchaseRow } from "./purchase-rows.ts";
import { setBudgetReason } from "./verdict-state.ts";

/** The budget was asked for `wanted` points and had only `left` for the purchase. */
export function exhaustedCheck(
  purchase: PurchaseRow,
  offerId: OfferId | null,
  wanted: number | null,
  left: number | null,
): RuleCheck {
  return {
    rule: "budget_exhausted",
    offerId,
    version: purchase.offer?.version ?? null,
    passed: false,
    needed: wanted,
    found: left,
    measure: "budget_points",
  };
}

/**
 * Under an offer with a budget, points are restored only once the budget has reserved them again:
 * others may have used the room. False when the purchase has no such budget.
 */
export function askToRestore(purchase: PurchaseRow, points: number): boolean {
  const share = purchase.budget.at(-1);
  if (share === undefined || !share.current) return false;
  // Unknown: a release of the reservation may be under way, whose answer was lost.
  purchase.budget = [...purchase.budget.slice(0, -1), { ...share, held: null, restore: points }];
  setBudgetReason(purchase, "budget_reserving");
  return true;
}

/** Nothing is to be restored any more, or not by that budget. */
export function stopRestoring(purchase: PurchaseRow): void {
  if (purchase.budget.every((share) => share.restore === undefined)) return;
  purchase.budget = purchase.budget.map(plainShare);
  setBudgetReason(purchase, null);
}

/** Others have used the room in the budget: reversed points stay reversed. */
export function giveUpRestoring(purchase: PurchaseRow, left: number | null): void {
  const share = purchase.budget.at(-1);
  if (share?.restore === undefined) return;
  stopRestoring(purchase);
  const denial = exhaustedCheck(purchase, share.offerId, share.restore, left);
  setBudgetReason(purchase, "budget_exhausted", denial);
}

/**
 * What else may apply: another version of the same offer too, on the day on which one follows the
 * other.
 */
function fallbackOf(
  purchase: PurchaseRow,
  taken: OfferTerms,
  { offers, programme }: Terms,
): Fallback | null {
  const others = offers.filter((each) =>
    each.brandId === taken.brandId &&
    (each.offerId !== taken.offerId || each.version !== taken.version)
  );
  const inForce = termsInForce(others, purchase.purchasedOn);
  return inForce.length === 0 ? null : { offers: inForce, programme };
}

/** Asks that version's budget for `points`; reservations with other budgets are released. */
export function reserveBudget(
  purchase: PurchaseRow,
  terms: OfferTerms,
  points: number,
  all: Terms,
): void {
  const fallback = fallbackOf(purchase, terms, all);
  // The newest: a row to which another's verdict was moved may still have to release a share of its
  // own in the same budget, under its own key.
  const before = purchase.budget.findLast((share) => share.offerId === terms.offerId);
  const others = purchase.budget.filter((share) => share !== before && share.held !== 0).map((
    share,
  ) => ({ ...plainShare(share), current: false }));
  // The share of a row that has another row's id must not be released with that row's share.
  const key = before?.key ??
    (numberOf(purchase.id) === purchase.n ? purchase.id : `${purchase.id}:${purchase.n}`);
  // Unknown from the first moment: the answer of a reservation that is under way may be lost with
  // this isolate.
  purchase.budget = [...others, {
    offerId: terms.offerId,
    key,
    limit: terms.budgetPoints ?? 0,
    wanted: points,
    held: null,
    current: true,
    ...(fallback === null ? {} : { fallback }),
  }];
}

/** All reservations are released. */
export function dropBudget(purchase: PurchaseRow): void {
  purchase.budget = purchase.budget.filter((share) => share.held !== 0).map((share) => ({
    ...plainShare(share),
    current: false,
  }));
}
