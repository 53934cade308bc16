// What a person decided about a row that no rule may judge: it counts like any other, or it earns
// nothing for good.
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import type { PurchaseView, ReviewDecision } from "./ports.ts";
import { settleDebt } from "./points/holds.ts";
import { findPurchase, updatePurchase } from "./purchases/purchase-rows.ts";
import type { PurchaseRecord } from "./purchases/purchase-rows.ts";
import { hasRefunds, reassignRefunds } from "./purchases/refund-matching.ts";
import { integerOf } from "./book/sql.ts";
import { settleVerdict } from "./purchases/verdicts.ts";
import { purchaseView } from "./views/views.ts";
import type { Work } from "./book/call.ts";

/**
 * What was told cannot be true, and what stands in its place is a bound or today: no points may be
 * worked out from it.
 */
const NOT_COUNTABLE: ReadonlySet<string | null> = new Set([
  "amount_out_of_bounds",
  "amount_missing",
  "date_absurd",
]);

export type ReviewRefusal = { readonly code: "review_unknown" } | {
  readonly code: "review_not_countable";
} | { readonly code: "review_amended" };

function isAsSeen(record: PurchaseRecord, seen: NonNullable<ReviewDecision["seen"]>): boolean {
  return record.amountCents === seen.amountCents && record.purchasedOn === seen.purchasedOn &&
    (record.brand?.id ?? null) === (seen.brand?.id ?? null);
}

/**
 * Decides a row that is held for review; the same decision again gives the same answer, another one
 * is refused.
 */
export function decideReview(
  work: Work,
  input: ReviewDecision,
): Result<PurchaseView, ReviewRefusal> {
  const record = findPurchase(work, input.purchaseId);
  const decided = input.decision === "count" ? "cleared" : "refused";
  if (record === null || (record.waitsFor !== "review" && record.review !== decided)) {
    return err({ code: "review_unknown" });
  }
  if (input.decision === "count" && NOT_COUNTABLE.has(record.review)) {
    return err({ code: "review_not_countable" });
  }
  if (
    input.decision === "count" && record.review !== decided && input.seen !== undefined &&
    !isAsSeen(record, input.seen)
  ) return err({ code: "review_amended" });
  if (record.review !== decided) {
    record.review = decided;
    settleVerdict(work, record, false, false, { ...input, covers: null });
    updatePurchase(work, record);
    if (record.brand !== null && hasRefunds(work, record.brand.id)) {
      const accounts = work.sql.exec(
        "SELECT account_no FROM accounts WHERE fingerprint = (SELECT fingerprint FROM accounts WHERE account_no = ?)",
        record.accountNo,
      );
      reassignRefunds(work, accounts.map((row) => integerOf(row, "account_no")), record.brand.id);
    }
    settleDebt(work);
  }
  const view = purchaseView(work, record.id);
  return view === null ? err({ code: "review_unknown" }) : ok(view);
}
