// Facts, terms and usage for tests of the earning rules: one purchase that earns, from which each
// test departs.
import { periodKey } from "../../../src/kernel/time.ts";
import { decideEarning } from "../../../src/ledger/earning/rules.ts";
import type { Decision, EarningFacts, UsageView } from "../../../src/ledger/earning/types.ts";
import type { OfferTerms, Programme, RuleCheck } from "../../../src/ledger/ports.ts";

export const BRAND = "brd_a";
export const PROGRAMME: Programme = { pointsPerEuro: 100, pointsExpireMonths: 24 };
/** An instant given as text, with its offset. */
export const at = (instant: string): number => Date.parse(instant);

export function makeFacts(changes: Partial<EarningFacts> = {}): EarningFacts {
  return {
    baseCents: 3490,
    currency: "EUR",
    purchasedOn: "2026-11-12",
    brandId: BRAND,
    channel: "in_store",
    ...changes,
  };
}

/** 3 % at any time, without any other condition. */
export function makeTerms(changes: Partial<OfferTerms> = {}): OfferTerms {
  return {
    offerId: "off_a",
    version: 1,
    brandId: BRAND,
    kind: "percent",
    rateBp: 300,
    points: null,
    tiers: null,
    minCents: null,
    maxCents: null,
    capPointsPerPurchase: null,
    capPointsPerUser: null,
    capPurchasesPerUser: null,
    period: "offer",
    firstPurchaseOnly: false,
    activation: "automatic",
    activationDays: null,
    channel: "any",
    startsAtMs: at("2026-01-01T00:00:00Z"),
    endsAtMs: null,
    confirmationDays: 30,
    budgetPoints: null,
    priority: 100,
    offerCreatedAtMs: at("2025-12-01T00:00:00Z"),
    ...changes,
  };
}

export type Past = { readonly offerId: string; readonly on: string; readonly points: number };
type PastWorld = {
  readonly grants?: readonly Past[];
  readonly earlierAt?: readonly string[];
  readonly activations?: Readonly<
    Record<string, { readonly activatedAtMs: number; readonly expiresAtMs: number | null }>
  >;
};

const PERIODS = ["day", "week", "month", "offer"] as const;

/**
 * A usage view over a list of past grants, counted as the engine counts them: by the purchase's
 * date.
 */
export function makeUsage(world: PastWorld = {}): UsageView {
  const grants = world.grants ?? [];
  const inPeriod = (offerId: string, key: string): readonly Past[] =>
    grants.filter((grant) =>
      grant.offerId === offerId && PERIODS.some((period) => periodKey(period, grant.on) === key)
    );
  return {
    pointsInPeriod: (offerId, key) =>
      inPeriod(offerId, key).reduce((sum, grant) => sum + grant.points, 0),
    purchasesInPeriod: (offerId, key) => inPeriod(offerId, key).length,
    hasEarlierPurchase: (brandId) => world.earlierAt?.includes(brandId) ?? false,
    activationOn: (offerId) => world.activations?.[offerId] ?? null,
  };
}

/** The decision about a purchase, by default of one version that the user has not used yet. */
export function decide(
  facts: EarningFacts,
  terms: readonly OfferTerms[] = [makeTerms()],
  usage: UsageView = makeUsage(),
): Decision {
  return decideEarning(facts, terms, usage, PROGRAMME);
}

export const pointsOf = (
  decision: Decision,
): number => (decision.outcome === "not_earned" ? 0 : decision.points);
export const failed = (decision: Decision): RuleCheck[] =>
  decision.checks.filter((check) => !check.passed);
/** A past in which the offer `off_a` was activated. */
export const activated = (from: string, to: string | null): UsageView =>
  makeUsage({
    activations: { off_a: { activatedAtMs: at(from), expiresAtMs: to === null ? null : at(to) } },
  });
/** A past in which the offer `off_a` granted points. */
export const granted = (on: string, points: number): UsageView =>
  makeUsage({ grants: [{ offerId: "off_a", on, points }] });

/** Pairs of facts, terms or pasts that differ in one rule alone. */
