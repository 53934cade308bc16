// What operators and users read of brands and offers, in English: what is wrong with a brand, an
// offer or a line of a file, and whether an offer applies. Refusals of a field have no final period
// and no value.
import type { TranslationOf } from "./catalogue.ts";
import type { OFFERS_FR } from "./offers.fr.ts";

export const OFFERS_EN: TranslationOf<typeof OFFERS_FR> = {
  // What is wrong with the terms of an offer.
  kind_unknown: "There is no such kind of offer",
  channel_unknown: "There is no such channel",
  activation_unknown: "There is no such kind of activation",
  period_unknown: "There is no such period",
  missing_for_kind: "This kind of offer needs this field",
  not_for_kind: "This field means nothing for this kind of offer",
  rate_out_of_range: "The rate is an integer from 1 to 10,000 basis points; a tier may give 0",
  points_out_of_range: "The points are an integer from 1 to 1,000,000, or to 100,000 per euro",
  rate_over_whole_amount: "These points per euro would give back more than the purchase",
  tiers_too_many: "An offer has 20 tiers at most",
  tiers_first_not_zero: "The first tier starts at 0",
  tiers_overlap: "Two tiers start at the same amount",
  tiers_not_ascending: "The tiers go from the lowest to the highest",
  tiers_give_nothing: "No tier that can be reached gives any points",
  tier_unreachable: "This tier starts above the maximum amount",
  amount_out_of_range: "The amount is an integer of cents from 0 to 1,000,000,000",
  maximum_not_positive: "The maximum amount is at least one cent",
  minimum_over_maximum: "The maximum amount is below the minimum amount",
  cap_out_of_range: "A cap is an integer from 1 to 1,000,000,000",
  cap_below_fixed_points: "The cap is below the offer's fixed points",
  cap_per_user_below_per_purchase: "The cap per user is below the cap per purchase",
  period_without_cap: "A period means something only with a cap per user",
  activation_days_without_activation: "Activation days need a required activation",
  activation_days_out_of_range: "The activation lasts from 1 to 365 days",
  instant_invalid: "A date is YYYY-MM-DD or an RFC 3339 instant, between 2000 and 2100",
  ends_before_start: "The offer ends before it starts",
  confirmation_days_out_of_range: "The confirmation takes 0 to 365 days",
  budget_out_of_range: "A budget is an integer from 1 to 1,000,000,000",
  budget_below_least_grant: "The budget does not suffice for a single purchase",
  priority_out_of_range: "The priority is an integer from 0 to 1,000,000",

  // What is wrong with a brand, an offer, a correction or a line of a file.
  name_taken: "A brand has this name already",
  brand_unknown: "There is no such brand",
  brand_missing: "The brand must be named by brand_id or by brand",
  duplicate_in_file: "This brand is already in the file",
  malformed_json: "This line is not a JSON object",
  malformed_csv: "This line is not valid CSV",
  not_utf8: "This line is not UTF-8",
  column_unknown: "There is no such column",
  list_missing: "The list to import belongs here",
  unknown_field: "There is no such field",
  too_many_lines: "The file has too many lines",
  file_empty: "The file is empty",
  legal_name_repeated: "This legal name is already in the file",
  label_not_card: "This label is not that of a card payment",
  merchant_missing: "This label names no merchant",
  name_unreadable: "This name has no letter and no readable sign",
  duplicate_offer_in_file: "This offer (same brand, same French title) is already in the file",
  brand_archived: "This brand is archived",
  reason_missing: "A stop with immediate effect needs a reason",
  offer_is_stopped: "This offer is stopped",

  not_waiting: "Nothing waits for this approval any more.",
  name_taken_sentence: "A brand has this name already; change that one.",
  programme_paused:
    "Offers are halted: no version, brand name or stop takes effect before they resume.",
  catalogue_busy: "The catalogue keeps changing; try again.",
  offer_stopped: "This offer is stopped; create another one.",
  offer_over: "This offer is over already.",
  brand_has_offer: "An offer of this brand is running or to come; stop it first.",
  activation_not_needed: "This offer applies without activation.",

  eligible_activation_missing: "Activate this offer before your purchase.",
  eligible_not_in_force: "This offer is not running.",
  eligible_cap_reached: "You have reached the cap of this offer.",
  eligible_cap_reached_until:
    "You have reached the cap of this offer; it starts again from zero on {day}.",
  eligible_not_first_purchase:
    "This offer is for a first purchase, and we have already recorded one at this brand.",
  eligible_budget_exhausted: "The budget of this offer is used up.",
};
