// The verdict on a purchase: its outcome, the reasons, and every rule that was checked.
import type { OfferId } from "../../kernel/ids.ts";
import type { OfferTerms } from "./recording.ts";

/** Codes of API.md, closed. */
export type ReasonCode =
  | "offer_applied"
  | "brand_unknown"
  | "brand_without_offer"
  | "offer_not_in_force"
  | "activation_missing"
  | "below_minimum"
  | "above_maximum"
  | "cap_reached"
  | "budget_reserving"
  | "budget_exhausted"
  | "not_first_purchase"
  | "wrong_channel"
  | "not_booked_yet"
  | "duplicate"
  | "refunded"
  | "refund_applied"
  | "refund_without_purchase"
  | "account_shared"
  | "account_not_earning"
  | "currency_unsupported"
  | "held_for_review"
  | "programme_paused";

/**
 * What a number in a check counts, and the period it is counted in: a code alone does not
 * distinguish two caps.
 */
export type RuleMeasure =
  | "purchase_cents"
  | "least_points"
  | "points_per_purchase"
  | "points_per_period"
  | "purchases_per_period"
  /** `booked`, `pending`, `deleted` by the bank, or `lapsed`: never booked. */
  | "bank_state"
  /** The day, still to come, for which the bank booked the purchase. */
  | "purchase_day"
  /**
   * `ordinary`, `cleared` or `refused` by a person, or the trouble (`Review`) that nobody has
   * looked at.
   */
  | "review_result"
  | "purchase_id"
  /**
   * Points that an offer's budget should hold for the purchase, and those that it holds, or could
   * have held at most.
   */
  | "budget_points"
  /** The amount, and what refunds have left of it; the points granted, and those that remain. */
  | "kept_cents"
  | "kept_points"
  /**
   * The points granted, and those of them that were taken back: for one refund, or for all of its
   * purchase together.
   */
  | "taken_back_points"
  | "taken_back_points_together"
  /** The amount of a refund, and what of its purchases it gives back. */
  | "refund_cents";

/** One rule that was looked at: what it needed and what it found, by `measure`. */
export type RuleCheck = {
  readonly rule: ReasonCode;
  readonly offerId: OfferId | null;
  readonly version: number | null;
  readonly passed: boolean;
  readonly needed: number | string | null;
  readonly found: number | string | null;
  readonly measure?: RuleMeasure;
  /** The `periodKey` of a cap that counts over a period. */
  readonly period?: string;
};

export type Calculation = {
  readonly baseCents: number;
  readonly rateBp: number | null;
  readonly pointsPerEuro: number;
  readonly uncapped: number;
  /** What the decision grants: zero whenever the purchase earned nothing. */
  readonly capped: number;
  /**
   * The formula that gave `uncapped`, and the offer's own points where it has any: what a sentence
   * needs to show the sum.
   */
  readonly kind?: OfferTerms["kind"];
  readonly offerPoints?: number;
};

export type Outcome = "earned" | "not_earned" | "reversed" | "waiting";

export type Verdict = {
  readonly outcome: Outcome;
  /** Points that remain: granted less reversed. */
  readonly points: number;
  /** The deciding reasons, the first one being the answer to "why?". */
  readonly reasons: readonly ReasonCode[];
  readonly checks: readonly RuleCheck[];
  readonly calculation: Calculation | null;
  readonly offer: { readonly id: OfferId; readonly version: number } | null;
  readonly confirmationExpectedOn: string | null;
  /** Its points have been confirmed: the day above is past. */
  readonly confirmed?: boolean;
};
