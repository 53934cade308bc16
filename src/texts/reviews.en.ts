// What operators read of rows that wait for a person, in English: why each waits, and why a
// decision is refused.
import type { TranslationOf } from "./catalogue.ts";
import type { REVIEWS_FR } from "./reviews.fr.ts";

export const REVIEWS_EN: TranslationOf<typeof REVIEWS_FR> = {
  why_amount_precision: "The bank's amount is more precise than a cent; it was rounded.",
  why_amount_out_of_bounds: "The amount is out of bounds; the one that is shown does not count.",
  why_amount_missing: "The bank gave no amount; the one that is shown does not count.",
  why_date_absurd: "The day that the bank gave is not plausible.",
  why_currency_unknown: "The currency of the account is not known.",
  why_weak_account:
    "The row may be recorded already from another account: compare day and amount with the user's other purchases.",
  why_large_reward:
    "The purchase would earn more than REVIEW_POINTS: check amount, brand and offer. Without a decision it counts after two days.",
  why_not_shown:
    "A webhook brought this row, and reads at the aggregator do not give it. It counts only if you decide so, or once a read shows it; after 60 days at the latest it earns nothing.",
  why_refund_without_purchase:
    "This refund waits for its purchase; there is nothing to decide, it is matched when the purchase arrives.",
  why_other: "This row waits for a decision.",

  decided: "This row was decided already, or waits no more.",
  not_decidable: "This refund waits for its purchase; there is nothing to decide.",
  not_countable: "The amount of this row is not known: it can only be refused.",
  earns_more: "The row would earn more points by now: read it and decide again.",
};
