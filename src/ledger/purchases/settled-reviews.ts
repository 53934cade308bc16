// How the review of a row ends: a person decided, or nobody did in time.
import type { Call } from "../book/call.ts";
import type { Terms } from "../earning/types.ts";
import { updatePurchase } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { rematchRefundsAround } from "./refund-rematching.ts";
import { letCount } from "./sight.ts";
import { settleVerdict } from "./verdicts.ts";

/** Writes the end of a review and the verdict that follows. The caller covers a debt. */
export function settleReview(
  call: Call,
  purchase: PurchaseRow,
  review: "cleared" | "refused" | "lapsed",
  terms: Terms,
): void {
  // A person's word stands in for the read that did not show the row.
  if (purchase.review === "not_shown" && review === "cleared") letCount(purchase);
  purchase.review = review;
  settleVerdict(call, purchase, false, false, terms);
  updatePurchase(call, purchase);
  rematchRefundsAround(call, purchase);
}

/** Nobody decided within the time: a row that only may repeat another counts. */
export function lapseReview(call: Call, purchase: PurchaseRow): void {
  if (purchase.heldTerms === null) return;
  const { offers, programme } = purchase.heldTerms;
  settleReview(call, purchase, "lapsed", { offers, programme, covers: null });
}
