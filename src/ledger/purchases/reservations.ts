// What the OfferBudget objects should hold for one purchase, as its row keeps it. The alarm brings
// the objects in line (due.ts); nothing here moves a point.
import type { OfferId } from "../../kernel/ids.ts";
import type { Terms } from "../earning/types.ts";
import { termsInForce } from "../earning/rules.ts";
import { numberOf } from "../book/numbered-id.ts";
import type { OfferTerms, ReasonCode, RuleCheck } from "../ports.ts";
import { activePoints } from "./purchase-rows.ts";
import type { BudgetShare, Fallback, PurchaseRow } from "./purchase-rows.ts";

/** The points that this purchase should hold in an offer's budget. */
export function desiredHold(purchase: PurchaseRow, index: number): number {
  const share = purchase.budget[index];
  if (share === undefined || !share.current) return 0;
  return purchase.waitsFor === "budget" ? share.wanted : share.restore ?? activePoints(purchase);
}

/** True while some budget object may not yet know what it should. */
export function budgetOpen(purchase: PurchaseRow): boolean {
  return purchase.budget.some((share, index) => share.held !== desiredHold(purchase, index));
}

const BUDGET_REASONS: ReadonlySet<ReasonCode> = new Set(["budget_reserving", "budget_exhausted"]);

function withReason(purchase: PurchaseRow, reason: ReasonCode | null): void {
  const reasons = purchase.findings.reasons.filter((code) => !BUDGET_REASONS.has(code));
  // A denial of the offer that granted is one of points that should have stood again; those of
  // other offers stay.
  const checks = purchase.findings.checks.filter(({ rule, offerId, version }) =>
    rule !== "budget_exhausted" || offerId !== purchase.offer?.id ||
    version !== purchase.offer.version
  );
  purchase.findings = {
    ...purchase.findings,
    checks,
    reasons: reason === null ? reasons : [...reasons, reason],
  };
}

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
 * Under an offer with a budget, points stand (again) only once the budget holds them: others may
 * have taken their room.
 */
export function askToRestore(purchase: PurchaseRow, points: number): boolean {
  const share = purchase.budget.at(-1);
  if (share === undefined || !share.current) return false;
  // Unknown: a giving back may be under way, whose answer was lost.
  purchase.budget = [...purchase.budget.slice(0, -1), { ...share, held: null, restore: points }];
  withReason(purchase, "budget_reserving");
  return true;
}

/** Without what it waits for. */
export function plainShare(
  { offerId, key, limit, wanted, held, current }: BudgetShare,
): BudgetShare {
  return { offerId, key, limit, wanted, held, current };
}

export function stopRestoring(purchase: PurchaseRow): void {
  if (purchase.budget.every((share) => share.restore === undefined)) return;
  purchase.budget = purchase.budget.map(plainShare);
  withReason(purchase, null);
}

/** Others have used the room in the budget: what does not stand stays so. */
export function giveUpRestoring(purchase: PurchaseRow, left: number | null): void {
  const share = purchase.budget.at(-1);
  if (share?.restore === undefined) return;
  stopRestoring(purchase);
  withReason(purchase, "budget_exhausted");
  purchase.findings = {
    ...purchase.findings,
    checks: [
      ...purchase.findings.checks,
      exhaustedCheck(purchase, share.offerId, share.restore, left),
    ],
  };
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

/** The purchase wants `points` of that version's budget; what it holds of others is given back. */
export function wantBudget(
  purchase: PurchaseRow,
  terms: OfferTerms,
  points: number,
  all: Terms,
): void {
  const fallback = fallbackOf(purchase, terms, all);
  // The newest: a row to which another's verdict came may owe the same budget a share of its own,
  // under its own key.
  const before = purchase.budget.findLast((share) => share.offerId === terms.offerId);
  const others = purchase.budget.filter((share) => share !== before && share.held !== 0).map((
    share,
  ) => ({ ...plainShare(share), current: false }));
  // A row that goes by another row's id must not be given back with that row's share.
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

/** No budget is drawn upon any more. */
export function dropBudget(purchase: PurchaseRow): void {
  purchase.budget = purchase.budget.filter((share) => share.held !== 0).map((share) => ({
    ...plainShare(share),
    current: false,
  }));
}
