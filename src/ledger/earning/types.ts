// The seam between the engine (which knows the books) and the earning rules (pure): what a rule may
// ask about the user's past.
import type { OfferCover, OfferTerms, Programme } from "../ports.ts";

export type { Decision, EarningFacts, UsageView } from "../ports.ts";

/**
 * What a decision needs beside the row: the terms that may apply, for which brands and days they
 * are complete, and the programme.
 */
export type Terms = {
  readonly offers: readonly OfferTerms[];
  readonly covers: readonly OfferCover[] | null;
  readonly programme: Programme;
  /** Offers are halted: what has no points yet is judged at the end of the halt. */
  readonly paused?: boolean;
};
