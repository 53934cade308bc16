// What can be wrong with an offer version: a closed list of codes. Their sentences are in the
// texts.
import type { InBothLanguages } from "../../texts/catalogue.ts";
import { OFFERS } from "../../texts/texts.ts";

const CODES = [
  "kind_unknown",
  "channel_unknown",
  "activation_unknown",
  "period_unknown",
  "missing_for_kind",
  "not_for_kind",
  "rate_out_of_range",
  "points_out_of_range",
  "rate_over_whole_amount",
  "tiers_too_many",
  "tiers_first_not_zero",
  "tiers_overlap",
  "tiers_not_ascending",
  "tiers_give_nothing",
  "tier_unreachable",
  "amount_out_of_range",
  "maximum_not_positive",
  "minimum_over_maximum",
  "cap_out_of_range",
  "cap_below_fixed_points",
  "cap_per_user_below_per_purchase",
  "period_without_cap",
  "activation_days_without_activation",
  "activation_days_out_of_range",
  "instant_invalid",
  "ends_before_start",
  "confirmation_days_out_of_range",
  "budget_out_of_range",
  "budget_below_least_grant",
  "priority_out_of_range",
] as const;

/** Codes of what can be wrong with an offer version, closed; also the keys of their texts. */
export type OfferVersionCode = (typeof CODES)[number];

/**
 * One bad field: a JSON pointer (RFC 6901) into the version; the route puts `/version` before it
 * where it is nested.
 */
export type OfferVersionProblem = {
  readonly pointer: string;
  readonly code: OfferVersionCode;
};

/** What is wrong, in words: one sentence without a final period and without a value. */
export function offerVersionDetail(code: OfferVersionCode): InBothLanguages {
  return OFFERS.both(code);
}
