// Why a purchase or a refund earned what it earned: one sentence for each reason of a verdict, in
// English. No label, no name and no id may enter a sentence.
import type { TranslationOf } from "./catalogue.ts";
import type { REASONS_FR } from "./reasons.fr.ts";

export const REASONS_EN: TranslationOf<typeof REASONS_FR> = {
  // The sum behind a verdict.
  sum_of_rate: "{rate} of {amount}{tier}{programmeRate} = {points}",
  sum_tier_reached: " (tier reached)",
  sum_programme_rate: " × {points} per euro",
  sum_fixed: "a flat {points} per purchase",
  sum_of_points_per_euro: "{offerPoints} per euro × {amount} = {points}",
  sum_plain: "{amount} = {points}",
  sum_capped: "{sum}, reduced to {points} by the cap",
  sum_of_kept_points: "{granted} × {left} / {whole}, rounded down",
  sum_in_parentheses: " ({sum})",
  sum_after_colon: ": {sum}",
  sum_of_offer: " (the offer's calculation: {sum})",
  sum_before_caps: " (the offer's calculation, before caps: {sum})",

  // Periods, windows and places of purchase.
  period_offer: "over the whole offer",
  period_week: "for the week of {day}",
  period_day: "for {day}",
  period_month: "for {month}",
  window_open: "from {from} onwards",
  window_closed: "from {from} to {to}",
  channel_any: "in store or online",
  channel_in_store: "in store",
  channel_online: "online",
  channel_unknown: "unknown",

  // Why a person must look at an operation.
  trouble_amount_precision: "an amount with fractions of a cent",
  trouble_amount_out_of_bounds: "an amount outside the limits",
  trouble_amount_missing: "no amount",
  trouble_date_absurd: "an implausible date",
  trouble_currency_unknown: "an unknown currency",
  trouble_weak_account: "it may already be recorded from another account",
  trouble_not_shown: "your bank's aggregator does not show it; after 60 days it earns nothing",
  trouble_large_reward: "a large reward; without an objection it counts after two days",

  // The offer.
  offer_applies: "The offer applies{sum}{confirmation}.",
  offer_applied_before_reversal: "The offer applied at first{sum}.",
  confirmed_one: ", already confirmed",
  confirmed_many: ", already confirmed",
  confirmation_expected: ", to be confirmed on {day}",
  brand_unknown: "We did not recognise any partner brand in your bank's label.",
  brand_unknown_claim:
    "We did not recognise any partner brand in your bank's label; if this is a mistake, write to us.",
  brand_without_offer: "This brand had no offer on the day of your purchase.",
  offer_not_in_force: "No offer of this brand was running on the day of your purchase.",
  offer_not_in_force_window:
    "This brand's offer is valid {window}, and your purchase was made on {day}.",
  activation_missing:
    "The offer had to be activated before the purchase, and it was not active on that day{sum}.",
  activation_other_days:
    "Your activation of the offer, valid {window}, did not cover the day of the purchase{sum}.",
  currency_unsupported: "Only purchases debited in euros earn points.",
  currency_unsupported_found:
    "Only purchases debited in euros earn points, and this one was debited in {currency}.",
  wrong_channel: "The offer does not apply to this kind of purchase.",
  wrong_channel_unknown:
    "The offer is only for purchases made {needed}, and your bank's label does not say where you made this one.",
  wrong_channel_found:
    "The offer is only for purchases made {needed}, and you made this one {found}.",
  not_first_purchase:
    "The offer is only for your first purchase at this brand among those we have recorded, and this is not the first.",

  // Limits of the offer.
  too_small_for_a_point: "Your purchase is too small to earn a whole point{sum}.",
  below_minimum: "Your purchase is below the offer's minimum.",
  below_minimum_amounts: "Your purchase of {found} is below the offer's minimum of {needed}.",
  above_maximum: "Your purchase is above the offer's maximum.",
  above_maximum_amounts: "Your purchase of {found} is above the offer's maximum of {needed}.",
  cap_per_purchase: " ({points} per purchase)",
  cap_points_of_period: " ({points} {period})",
  cap_purchases_of_period_one: " ({count} rewarded purchase {period})",
  cap_purchases_of_period_many: " ({count} rewarded purchases {period})",
  cap_limited: "The offer's cap{cap} limited your points{sum}.",
  cap_reached: "The offer's cap{cap} has been reached: this purchase earns no points.",

  programme_paused:
    "Offers are halted for a while: this purchase will be judged when they resume, by the offer of its day. You do not need to do anything.",

  // The offer's budget.
  budget_reserving:
    "We are reserving this purchase's points from the offer's budget{sum}: you do not need to do anything.",
  budget_reserving_again:
    "We are reserving this purchase's points from the offer's budget again{sum}: you do not need to do anything.",
  budget_reserving_more:
    "This purchase keeps {kept}; we are reserving {more} more from the offer's budget: you do not need to do anything.",
  budget_reserving_others:
    "This purchase keeps {kept}; we are reserving the others from the offer's budget: you do not need to do anything.",
  budget_used_up: "The offer's budget was used up when we processed your purchase{sum}.",
  budget_too_small: "The offer's budget was no longer enough for your purchase{sum}.",
  budget_too_small_left:
    "The offer's budget was no longer enough for your purchase: it had {left} left, and {needed} were needed{sum}.",
  budget_cannot_restore:
    "The offer's budget was no longer enough to give this purchase its points back{wanted}.",
  budget_cannot_add:
    "The offer's budget was not enough to add points{wanted}: this purchase keeps {kept}.",
  budget_wanted: " ({requested}, {available})",
  budget_requested_one: "{points} requested",
  budget_requested_many: "{points} requested",
  budget_available_one: "{count} available",
  budget_available_many: "{count} available",

  // The bank.
  purchase_not_booked_yet:
    "Your bank has not booked this purchase yet; we will calculate its points as soon as it has.",
  purchase_ahead: "Your bank dated this purchase {day}; we will calculate its points on that day.",
  refund_not_booked_yet:
    "Your bank has not booked this refund yet; we will look for the refunded purchase as soon as it has.",
  purchase_never_booked:
    "Your bank has not booked this purchase after {days} days: we treat it as cancelled; if it is booked later, it will count.",
  refund_never_booked:
    "Your bank has not booked this refund after {days} days: we treat it as cancelled; if it is booked later, it will count.",
  purchase_cancelled: "Your bank cancelled this purchase: it earns no points.",
  purchase_cancelled_taken_back_one:
    "Your bank cancelled this purchase: it earns no points, and {points} was taken back.",
  purchase_cancelled_taken_back_many:
    "Your bank cancelled this purchase: it earns no points, and {points} were taken back.",
  refund_cancelled: "Your bank cancelled this refund: it does not change your points.",
  refund_cancelled_later: "Your bank cancelled this refund: it no longer changes your points.",

  // Refunds.
  refunded_in_full: "This purchase was refunded in full: it earns no points.",
  refunded_part: " ({back} of {whole})",
  refunded_in_part_nothing_left:
    "This purchase was partly refunded{part}: it no longer earns any points.",
  refunded_in_part: "This purchase was partly refunded{part}: it keeps {points}.",
  refunded_in_part_in_proportion:
    "This purchase was partly refunded{part}: it keeps {points}, in proportion to the amount kept ({sum}).",
  refund_purchases_one: "the original purchase",
  refund_purchases_many: "{count} purchases",
  refund_these_purchases_one: "that purchase",
  refund_these_purchases_many: "those purchases",
  refund_rest_ignored:
    " The rest of the refund ({rest}), such as postage or a difference in exchange rates, is not counted.",
  refund_foreign_amount:
    " All that was paid in foreign currency was given back: the amount of the purchase is what counts.",
  refund_applied_one:
    "We matched this refund to {purchases}: {points} was taken back, in proportion to the amount refunded.{rest}",
  refund_applied_many:
    "We matched this refund to {purchases}: {points} were taken back, in proportion to the amount refunded.{rest}",
  refunds_applied_together_one:
    "We matched this refund to {purchases}: {points} was taken back in total for the refunds of {these}, in proportion to the amount refunded.{rest}",
  refunds_applied_together_many:
    "We matched this refund to {purchases}: {points} were taken back in total for the refunds of {these}, in proportion to the amount refunded.{rest}",
  refund_applied_nothing_taken:
    "We matched this refund to {purchases}: no points are taken back.{rest}",
  refund_applied_nothing_earned_one:
    "We matched this refund to {purchases}, which had earned no points: no points are taken back.{rest}",
  refund_applied_nothing_earned_many:
    "We matched this refund to {purchases}, which had earned no points: no points are taken back.{rest}",
  refund_brand_unknown:
    "We do not recognise the brand of this refund, so we do not look for its purchase; no points are taken back.",
  refund_purchase_not_found_yet:
    "We have not found the purchase for this refund yet; in the meantime no points are taken back.",
  refund_purchase_not_found:
    "We did not find the purchase for this refund within {days} days; no points are taken back.",

  // The operation and its account.
  duplicate: "This transaction is already recorded and counts only once.",
  account_shared:
    "Another holder has also linked this account, and a purchase earns points for one person only; you can ask for it to be you.",
  account_not_earning: "This account is set not to earn points; you can change this setting.",
  held_for_review:
    "This transaction is unusual{trouble}: someone on our team is checking it before we decide.",
  held_trouble: " ({trouble})",
  review_refused:
    "Someone on our team checked this transaction and did not accept it: it does not count.",
  review_never_booked:
    "Your bank has not booked this transaction after {days} days: it does not count.",
  review_cancelled:
    "Your bank cancelled this transaction before we had checked it: it does not count.",
};
