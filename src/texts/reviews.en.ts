// Why a review cannot be decided, for the operator, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { REVIEWS_FR } from "./reviews.fr.ts";

export const REVIEWS_EN: TranslationOf<typeof REVIEWS_FR> = {
  decided: "This row was decided already, or waits no more",
  not_decidable: "This refund waits for its purchase; there is nothing to decide",
  not_countable: "The amount of this row is not known: it can only be refused",
  second_person_required: "The row would earn more points by now: read it and decide again",
};
