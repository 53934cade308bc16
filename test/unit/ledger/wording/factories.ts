// What the tests of verdicts in words share: details of verdicts and the checks of each stage.
import { decideEarning } from "../../../../src/ledger/earning/rules.ts";
import type { EarningFacts, UsageView } from "../../../../src/ledger/earning/types.ts";
import type {
  OfferTerms,
  ReasonCode,
  RuleCheck,
  RuleMeasure,
} from "../../../../src/ledger/ports.ts";
import type { ReasonDetails } from "../../../../src/ledger/wording/reason-sentences.ts";
import { makeFacts, makeTerms, makeUsage, PROGRAMME } from "../earning-factories.ts";

/** The no-break space of French typography is written as an ordinary one in what is expected. */
export const plain = (text: string): string => text.replaceAll("\u00a0", " ");

/** The details that a verdict made of a decision would carry. */
export function detailsOf(
  facts: Partial<EarningFacts>,
  terms: Partial<OfferTerms>,
  usage: UsageView = makeUsage(),
  changes: Partial<ReasonDetails> = {},
): ReasonDetails & { readonly reasons: readonly ReasonCode[] } {
  const decision = decideEarning(makeFacts(facts), [makeTerms(terms)], usage, PROGRAMME);
  return {
    kind: "purchase",
    state: "booked",
    outcome: decision.outcome,
    calculation: decision.calculation,
    checks: decision.checks,
    reasons: decision.reasons,
    confirmationExpectedOn: null,
    points: decision.outcome === "not_earned" ? 0 : decision.points,
    offer: decision.terms === null
      ? null
      : { id: decision.terms.offerId, version: decision.terms.version },
    ...changes,
  };
}

export const EMPTY: ReasonDetails = {
  kind: "purchase",
  state: "booked",
  outcome: "waiting",
  calculation: null,
  checks: [],
  offer: null,
  points: 0,
  confirmationExpectedOn: null,
};

/** A check of a stage, as stages.ts makes them. */
export function stage(
  rule: ReasonCode,
  measure: RuleMeasure,
  needed: RuleCheck["needed"],
  found: RuleCheck["found"],
  passed = false,
): RuleCheck {
  return { rule, offerId: null, version: null, passed, needed, found, measure };
}
export const bank = (found: string): RuleCheck =>
  stage("not_booked_yet", "bank_state", "booked", found);
export const review = (found: string): RuleCheck =>
  stage("held_for_review", "review_result", "ordinary", found);
export const refundOf = (
  whole: number,
  left: number,
  granted: number,
  points: number,
  outcome: ReasonDetails["outcome"] = "earned",
): ReasonDetails => ({
  ...EMPTY,
  outcome,
  points,
  checks: [
    stage("refunded", "kept_cents", whole, left),
    stage("refunded", "kept_points", granted, points),
  ],
});
export const refundRow = (
  checks: readonly RuleCheck[],
  more: Partial<ReasonDetails> = {},
): ReasonDetails => ({ ...EMPTY, kind: "refund", outcome: "not_earned", checks, ...more });
export const exhausted = (needed: number, left: number | null): RuleCheck => ({
  ...stage("budget_exhausted", "budget_points", needed, left),
  offerId: "off_a",
  version: 1,
});
/** A purchase of which the budget holds less than it is worth. */
export const short = (
  check: RuleCheck,
  points: number,
  outcome: ReasonDetails["outcome"],
): ReasonDetails => ({
  ...EMPTY,
  outcome,
  points,
  offer: { id: "off_a", version: 1 },
  checks: [check],
});
export const reserving = (needed: number): RuleCheck => ({
  ...stage("budget_reserving", "budget_points", needed, null),
  offerId: "off_a",
  version: 1,
});
export const granted = (on: string, points: number): UsageView =>
  makeUsage({ grants: [{ offerId: "off_a", on, points }] });

export const CODES: readonly ReasonCode[] = Object.keys(
  {
    offer_applied: 0,
    brand_unknown: 0,
    brand_without_offer: 0,
    offer_not_in_force: 0,
    activation_missing: 0,
    below_minimum: 0,
    above_maximum: 0,
    cap_reached: 0,
    budget_reserving: 0,
    budget_exhausted: 0,
    not_first_purchase: 0,
    wrong_channel: 0,
    not_booked_yet: 0,
    duplicate: 0,
    refunded: 0,
    refund_applied: 0,
    refund_without_purchase: 0,
    account_shared: 0,
    account_not_earning: 0,
    currency_unsupported: 0,
    held_for_review: 0,
    programme_paused: 0,
  } satisfies Record<ReasonCode, number>,
) as ReasonCode[];
