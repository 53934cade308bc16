// What a person decided about a row that no rule may judge: it counts like any other, or it earns
// nothing for good.
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { PurchaseView, ReviewDecision } from "./ports.ts";
import { coverDebt } from "./points/holds.ts";
import { findPurchase } from "./purchases/purchase-rows.ts";
import type { PurchaseRow } from "./purchases/purchase-rows.ts";
import { settleReview } from "./purchases/settled-reviews.ts";
import { purchaseView } from "./views/views.ts";
import type { Call } from "./book/call.ts";

/**
 * The bank's value cannot be true, and a bound or today's date is stored instead: no points may be
 * calculated from it.
 */
const NOT_COUNTABLE: ReadonlySet<string | null> = new Set([
  "amount_out_of_bounds",
  "amount_missing",
  "date_absurd",
]);

export type ReviewRefusal = { readonly code: "review_unknown" } | {
  readonly code: "review_not_countable";
} | { readonly code: "review_amended" };

function isAsSeen(purchase: PurchaseRow, seen: NonNullable<ReviewDecision["seen"]>): boolean {
  return purchase.amountCents === seen.amountCents && purchase.purchasedOn === seen.purchasedOn &&
    (purchase.brand?.id ?? null) === (seen.brand?.id ?? null);
}

/**
 * Decides a row that waits for review; the same decision again gives the same answer, another one
 * is refused.
 */
export function decideReview(
  call: Call,
  input: ReviewDecision,
): Result<PurchaseView, ReviewRefusal> {
  const purchase = findPurchase(call, input.purchaseId);
  const decided = input.decision === "count" ? "cleared" : "refused";
  if (purchase === null || (purchase.waitsFor !== "review" && purchase.review !== decided)) {
    return err({ code: "review_unknown" });
  }
  if (input.decision === "count" && NOT_COUNTABLE.has(purchase.review)) {
    return err({ code: "review_not_countable" });
  }
  if (
    input.decision === "count" && purchase.review !== decided && input.seen !== undefined &&
    !isAsSeen(purchase, input.seen)
  ) return err({ code: "review_amended" });
  if (purchase.review !== decided) {
    settleReview(call, purchase, decided, { ...input, covers: null });
    coverDebt(call);
  }
  const view = purchaseView(call, purchase.id);
  return view === null ? err({ code: "review_unknown" }) : ok(view);
}
