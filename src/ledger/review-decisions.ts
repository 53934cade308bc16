// What a person decided about a row that no rule may judge: it counts like any other, or it earns
// nothing for good.
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { addDays, isDate } from "../kernel/time.ts";
import type { OffersNeeded, PurchaseView, ReviewDecision } from "./ports.ts";
import { dayOf } from "./book/paris-days.ts";
import { coverDebt } from "./points/holds.ts";
import { findPurchase } from "./purchases/purchase-rows.ts";
import type { PurchaseRow } from "./purchases/purchase-rows.ts";
import { judgeAnew } from "./purchases/record-batch.ts";
import { integerOf } from "./book/sql.ts";
import { settleReview } from "./purchases/settled-reviews.ts";
import { purchaseView } from "./views/views.ts";
import type { Call } from "./book/call.ts";

/** A bound replaces an amount that cannot be true: no points may be calculated from it. */
const NOT_COUNTABLE: ReadonlySet<string | null> = new Set([
  "amount_out_of_bounds",
  "amount_missing",
]);
/** A day that a person gives lies at most so long before the row came. */
const GIVEN_DAY_AGE_MAX = 120;

export type ReviewRefusal = {
  readonly code:
    | "review_unknown"
    | "review_not_countable"
    | "review_amended"
    /** The bank's day cannot be true, and no other was given. */
    | "review_day_required"
    /** Such a day cannot be true either, or none was asked for. */
    | "review_day_invalid";
};

function isAsSeen(purchase: PurchaseRow, seen: NonNullable<ReviewDecision["seen"]>): boolean {
  return purchase.amountCents === seen.amountCents && purchase.purchasedOn === seen.purchasedOn &&
    (purchase.brand?.id ?? null) === (seen.brand?.id ?? null);
}

/**
 * Whether a person may give this day: one of the months before the row came, and none before the
 * connection that brought it was there, since what was bought then is nobody's business.
 */
function canBeGiven(call: Call, purchase: PurchaseRow, day: string): boolean {
  const [first] = call.sql.exec(
    `SELECT MIN(created_at_ms) AS ms FROM accounts WHERE connection_id =
       (SELECT connection_id FROM accounts WHERE account_no = ?)`,
    purchase.accountNo,
  );
  const recordedOn = dayOf(purchase.recordedAtMs);
  return isDate(day) && day <= recordedOn && day >= addDays(recordedOn, -GIVEN_DAY_AGE_MAX) &&
    day >= dayOf(integerOf(first ?? {}, "ms"));
}

function refusalOf(
  call: Call,
  purchase: PurchaseRow,
  { purchasedOn, seen }: ReviewDecision,
): ReviewRefusal | null {
  if (NOT_COUNTABLE.has(purchase.review)) return { code: "review_not_countable" };
  const needsDay = purchase.review === "date_absurd";
  if (needsDay && purchasedOn === undefined) return { code: "review_day_required" };
  if (purchasedOn !== undefined && !(needsDay && canBeGiven(call, purchase, purchasedOn))) {
    return { code: "review_day_invalid" };
  }
  return seen === undefined || isAsSeen(purchase, seen) ? null : { code: "review_amended" };
}

/**
 * Decides a row that waits for review; the same decision again gives the same answer, another one
 * is refused. A row whose day cannot be true counts on the day that is given. The caller undoes the
 * call when it is refused.
 */
export function decideReview(
  call: Call,
  input: ReviewDecision,
): Result<PurchaseView, ReviewRefusal | OffersNeeded> {
  const purchase = findPurchase(call, input.purchaseId);
  const decided = input.decision === "count" ? "cleared" : "refused";
  if (purchase === null) return err({ code: "review_unknown" });
  if (purchase.review === decided) {
    const isSame = input.purchasedOn === undefined || input.purchasedOn === purchase.givenOn;
    if (!isSame) return err({ code: "review_unknown" });
  } else {
    if (purchase.waitsFor !== "review") return err({ code: "review_unknown" });
    const refusal = input.decision === "count" ? refusalOf(call, purchase, input) : null;
    if (refusal !== null) return err(refusal);
    const followed = follow(call, purchase, decided, input);
    if (!followed.ok) return followed;
  }
  const view = purchaseView(call, purchase.id);
  return view === null ? err({ code: "review_unknown" }) : ok(view);
}

/** Has the book follow what was decided. On another day the row may repeat another one. */
function follow(
  call: Call,
  purchase: PurchaseRow,
  review: "cleared" | "refused",
  { purchasedOn, offers, programme, paused = false }: ReviewDecision,
): Result<null, OffersNeeded> {
  const terms = { offers, programme, covers: null, paused };
  if (review === "cleared" && purchasedOn !== undefined) {
    purchase.review = review;
    purchase.givenOn = purchasedOn;
    purchase.purchasedOn = purchasedOn;
    return judgeAnew(call, purchase, terms);
  }
  settleReview(call, purchase, review, terms);
  coverDebt(call);
  return ok(null);
}
