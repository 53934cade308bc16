// The earning rules: what one booked purchase earns, and why. Pure, total and deterministic; the
// order in which offers are given never matters. It reads the past through `UsageView` only, posts
// nothing, and leaves budgets to the engine.
import { mulDivFloor } from "../../kernel/money.ts";
import type { OfferId } from "../../kernel/ids.ts";
import { periodKey } from "../../kernel/time.ts";
import { dayOf, startOfDayMs, startOfLaterDayMs } from "../book/paris-days.ts";
import type { Decision, EarningFacts, UsageView } from "./types.ts";
import type { Calculation, OfferTerms, Programme, ReasonCode, RuleCheck } from "../ports.ts";

/** The only currency that earns: the rate of points is fixed against the euro. */
const EARNING_CURRENCY = "EUR";

// A rate in basis points of an amount in cents, in points: 10 000 for the basis points, 100 for the
// cents.
const PERCENT_DIVISOR = 1_000_000;

/**
 * The rules of an offer version from the one furthest from earning to the nearest: first what the
 * purchase itself is, then what the user could have done, then what earlier purchases used up. A
 * version's reasons are listed in this order, and of two versions that fail equally many rules the
 * one whose first failure comes later here came closer.
 */
const REASONS_BY_CLOSENESS = [
  "wrong_channel",
  "not_first_purchase",
  "above_maximum",
  "below_minimum",
  "activation_missing",
  "cap_reached",
] as const satisfies readonly ReasonCode[];

type VersionReason = (typeof REASONS_BY_CLOSENESS)[number];

type Assessment = {
  readonly terms: OfferTerms;
  readonly checks: readonly RuleCheck[];
  /** Rules that alone would have refused the purchase, in the order of `REASONS_BY_CLOSENESS`. */
  readonly failures: readonly VersionReason[];
  readonly calculation: Calculation;
};

type Window = { readonly startsAtMs: number; readonly endsAtMs: number | null };
type Day = { readonly startMs: number; readonly endMs: number };

/** A Paris calendar day, be it of 23, 24 or 25 hours. */
function parisDay(date: string): Day {
  return { startMs: startOfDayMs(date), endMs: startOfLaterDayMs(date, 1) };
}

/**
 * True when a half-open window shares at least one millisecond with the day. Banks give the day of
 * a purchase but no hour, so the doubt is the user's to profit from.
 */
function overlaps(window: Window, day: Day): boolean {
  if (window.endsAtMs !== null && window.endsAtMs <= window.startsAtMs) return false;
  return window.startsAtMs < day.endMs &&
    (window.endsAtMs === null || window.endsAtMs > day.startMs);
}

/** The versions in force on a Paris day (`YYYY-MM-DD`), of whatever brand, in the order given. */
export function termsInForce(terms: readonly OfferTerms[], date: string): OfferTerms[] {
  if (terms.length === 0) return [];
  const day = parisDay(date);
  return terms.filter((each) => overlaps(each, day));
}

/** The rate that applies to the whole amount in basis points; null for kinds without a rate. */
function rateBpFor(terms: OfferTerms, baseCents: number): number | null {
  switch (terms.kind) {
    case "percent":
      return terms.rateBp ?? 0;
    case "tiered": {
      let reached = { fromCents: -1, rateBp: 0 };
      for (const tier of terms.tiers ?? []) {
        if (tier.fromCents <= baseCents && tier.fromCents > reached.fromCents) reached = tier;
      }
      return reached.rateBp;
    }
    case "fixed":
    case "points_per_euro":
      return null;
  }
}

/**
 * Points that a version gives for an amount in cents, before any cap and without asking whether the
 * purchase is eligible. Rounded down once, at the end. Terms without the number that their kind
 * needs (checkOfferVersion refuses them) give zero.
 */
export function pointsFor(terms: OfferTerms, baseCents: number, programme: Programme): number {
  switch (terms.kind) {
    case "percent":
    case "tiered":
      return mulDivFloor(
        baseCents,
        (rateBpFor(terms, baseCents) ?? 0) * programme.pointsPerEuro,
        PERCENT_DIVISOR,
      );
    case "fixed":
      return terms.points ?? 0;
    case "points_per_euro":
      return mulDivFloor(baseCents, terms.points ?? 0, 100);
  }
}

function windowText(window: Window): string {
  return `${dayOf(window.startsAtMs)}/${
    window.endsAtMs === null ? ".." : dayOf(window.endsAtMs - 1)
  }`;
}

type CheckOf = (
  rule: ReasonCode,
  passed: boolean,
  needed: RuleCheck["needed"],
  found: RuleCheck["found"],
  extra?: Pick<RuleCheck, "measure" | "period">,
) => RuleCheck;

function checkOf(terms: OfferTerms | null): CheckOf {
  return (rule, passed, needed, found, extra = {}) => ({
    rule,
    offerId: terms?.offerId ?? null,
    version: terms?.version ?? null,
    passed,
    needed,
    found,
    ...extra,
  });
}

/**
 * Whether an offer for the first purchase has rewarded another one: that was the first while this
 * one did not count, and one offer has one first purchase.
 */
export function isFirstElsewhere(usage: UsageView, offerId: OfferId): boolean {
  return usage.purchasesInPeriod(offerId, "offer") > 0;
}

/** The rules on the purchase itself and on the user, before any amount. */
function checkEligibility(facts: EarningFacts, terms: OfferTerms, usage: UsageView): RuleCheck[] {
  const check = checkOf(terms);
  const { minCents, maxCents } = terms;
  const cents = { measure: "purchase_cents" } as const;
  // Asked only where a rule needs it: each question is a read in the ledger.
  const earlier = terms.firstPurchaseOnly
    ? usage.hasEarlierPurchase(terms.brandId) || isFirstElsewhere(usage, terms.offerId)
    : null;
  const activation = terms.activation === "required"
    ? usage.activationOn(terms.offerId, facts.purchasedOn)
    : null;
  const activationWindow = activation === null
    ? null
    : { startsAtMs: activation.activatedAtMs, endsAtMs: activation.expiresAtMs };
  const activated = terms.activation === "automatic" ||
    (activationWindow !== null && overlaps(activationWindow, parisDay(facts.purchasedOn)));
  return [
    check("offer_not_in_force", true, windowText(terms), facts.purchasedOn),
    // A purchase whose channel the label does not give does not earn an offer for one channel: in
    // doubt, no.
    check(
      "wrong_channel",
      terms.channel === "any" || facts.channel === terms.channel,
      terms.channel,
      facts.channel,
    ),
    check(
      "not_first_purchase",
      earlier !== true,
      terms.firstPurchaseOnly ? "first" : null,
      earlier === null ? null : earlier ? "later" : "first",
    ),
    check(
      "above_maximum",
      maxCents === null || facts.baseCents <= maxCents,
      maxCents,
      facts.baseCents,
      cents,
    ),
    check(
      "below_minimum",
      minCents === null || facts.baseCents >= minCents,
      minCents,
      facts.baseCents,
      cents,
    ),
    check(
      "activation_missing",
      activated,
      terms.activation,
      activationWindow === null ? null : windowText(activationWindow),
    ),
  ];
}

/**
 * The caps: what each allows, what this purchase would have made of it, and the points that are
 * left.
 */
function applyCaps(
  facts: EarningFacts,
  terms: OfferTerms,
  usage: UsageView,
  uncapped: number,
): { readonly checks: RuleCheck[]; readonly capped: number } {
  const check = checkOf(terms);
  const period = periodKey(terms.period, facts.purchasedOn);
  const { capPointsPerPurchase, capPointsPerUser, capPurchasesPerUser } = terms;
  const afterPurchaseCap = Math.min(uncapped, capPointsPerPurchase ?? uncapped);
  const pointsUsed = capPointsPerUser === null ? null : usage.pointsInPeriod(terms.offerId, period);
  const purchasesUsed = capPurchasesPerUser === null
    ? null
    : usage.purchasesInPeriod(terms.offerId, period);
  const pointsFound = pointsUsed === null ? null : pointsUsed + afterPurchaseCap;
  const purchasesFound = purchasesUsed === null ? null : purchasesUsed + 1;
  const within = (cap: number | null, found: number | null): boolean =>
    cap === null || found === null || found <= cap;
  const pointsRoom = capPointsPerUser === null || pointsUsed === null
    ? afterPurchaseCap
    : Math.max(0, capPointsPerUser - pointsUsed);
  const purchaseHasRoom = within(capPurchasesPerUser, purchasesFound);
  return {
    checks: [
      check("cap_reached", within(capPointsPerPurchase, uncapped), capPointsPerPurchase, uncapped, {
        measure: "points_per_purchase",
      }),
      check("cap_reached", within(capPointsPerUser, pointsFound), capPointsPerUser, pointsFound, {
        measure: "points_per_period",
        period,
      }),
      check("cap_reached", purchaseHasRoom, capPurchasesPerUser, purchasesFound, {
        measure: "purchases_per_period",
        period,
      }),
    ],
    capped: purchaseHasRoom ? Math.min(afterPurchaseCap, pointsRoom) : 0,
  };
}

/**
 * Looks at every rule of one version that is in force; what it grants is zero as soon as one rule
 * refuses.
 */
function assess(
  facts: EarningFacts,
  terms: OfferTerms,
  usage: UsageView,
  programme: Programme,
): Assessment {
  const uncapped = pointsFor(terms, facts.baseCents, programme);
  const eligibility = checkEligibility(facts, terms, usage);
  // 3 % of 10 cents is no whole point: as the user sees it, the purchase is too small for this
  // offer.
  const leastPoints = checkOf(terms)("below_minimum", uncapped >= 1, 1, uncapped, {
    measure: "least_points",
  });
  const caps = applyCaps(facts, terms, usage, uncapped);
  const refused = new Set<ReasonCode>();
  for (const check of [...eligibility, leastPoints]) if (!check.passed) refused.add(check.rule);
  if (uncapped > 0 && caps.capped === 0) refused.add("cap_reached");
  const failures = REASONS_BY_CLOSENESS.filter((reason) => refused.has(reason));
  return {
    terms,
    checks: [...eligibility, leastPoints, ...caps.checks],
    failures,
    calculation: {
      baseCents: facts.baseCents,
      rateBp: rateBpFor(terms, facts.baseCents),
      pointsPerEuro: programme.pointsPerEuro,
      uncapped,
      capped: failures.length === 0 ? caps.capped : 0,
      kind: terms.kind,
      ...(terms.points === null ? {} : { offerPoints: terms.points }),
    },
  };
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Lowest priority number, then the oldest offer, and of one offer the oldest version; ids only make
 * the order total.
 */
function compareRank(a: OfferTerms, b: OfferTerms): number {
  return a.priority - b.priority || a.offerCreatedAtMs - b.offerCreatedAtMs ||
    compareText(a.offerId, b.offerId) || a.version - b.version;
}

function compareGrants(a: Assessment, b: Assessment): number {
  return b.calculation.capped - a.calculation.capped || compareRank(a.terms, b.terms);
}

function firstFailure(assessment: Assessment): number {
  return REASONS_BY_CLOSENESS.findIndex((reason) => assessment.failures.includes(reason));
}

/**
 * Which version came closest to earning: the fewest rules that refuse, then the refusal latest in
 * `REASONS_BY_CLOSENESS`, then the most points it would have given, then the rank by which versions
 * that earn are chosen.
 */
function compareCloseness(a: Assessment, b: Assessment): number {
  return a.failures.length - b.failures.length || firstFailure(b) - firstFailure(a) ||
    b.calculation.uncapped - a.calculation.uncapped || compareRank(a.terms, b.terms);
}

function first<T>(items: readonly T[], compare: (a: T, b: T) => number): T | null {
  let best: T | null = null;
  for (const item of items) if (best === null || compare(item, best) < 0) best = item;
  return best;
}

/**
 * The version whose window lies nearest to the day, to show a user by how much the purchase missed
 * it.
 */
function nearestInTime(terms: readonly OfferTerms[], date: string): OfferTerms | null {
  const dayMs = startOfDayMs(date);
  const distanceMs = (
    each: OfferTerms,
  ): number => (each.startsAtMs > dayMs
    ? each.startsAtMs - dayMs
    : dayMs - (each.endsAtMs ?? dayMs));
  return first(terms, (a, b) => distanceMs(a) - distanceMs(b) || compareRank(a, b));
}

/**
 * Refusals that no offer is asked about: the currency, the brand, and that there is an offer at
 * all.
 */
function refuseBeforeOffers(
  facts: EarningFacts,
  ofBrand: readonly OfferTerms[],
  inForce: readonly OfferTerms[],
): { readonly checks: RuleCheck[]; readonly reasons: ReasonCode[] } {
  const check = checkOf(null);
  const checks = [
    check(
      "currency_unsupported",
      facts.currency === EARNING_CURRENCY,
      EARNING_CURRENCY,
      facts.currency,
    ),
    check("brand_unknown", facts.brandId !== null, null, facts.brandId),
  ];
  if (facts.brandId !== null) {
    checks.push(check("brand_without_offer", ofBrand.length > 0, null, null));
    const nearest = ofBrand.length > 0 && inForce.length === 0
      ? nearestInTime(ofBrand, facts.purchasedOn)
      : null;
    if (nearest !== null) {
      checks.push(
        checkOf(nearest)("offer_not_in_force", false, windowText(nearest), facts.purchasedOn),
      );
    }
  }
  return { checks, reasons: checks.filter((each) => !each.passed).map((each) => each.rule) };
}

/**
 * Decides what a booked purchase earns under the offers given: of the versions of its brand in
 * force on its day, the one that gives most after caps wins; equal, the lowest priority number,
 * then the oldest offer.
 *
 * - `earned`, or `waiting` when the winning offer has a budget: the budget is then reserved by the
 *   engine, not here.
 * - `not_earned`: `reasons` are those of the version that came closest (see `compareCloseness`),
 *   the first one answering "why
 * did this purchase earn nothing?"; what is wrong with the purchase or the brand itself comes
 * before any offer.
 *
 * `checks` holds every rule looked at, version by version in the order of offer id and version. In
 * a cap's check, `needed` is the cap and `found` what this purchase, counted in, would have made of
 * it. Never throws for facts of a valid row.
 */
export function decideEarning(
  facts: EarningFacts,
  terms: readonly OfferTerms[],
  usage: UsageView,
  programme: Programme,
): Decision {
  const ofBrand = terms.filter((each) => each.brandId === facts.brandId);
  const inForce = termsInForce(ofBrand, facts.purchasedOn);
  const { checks, reasons } = refuseBeforeOffers(facts, ofBrand, inForce);
  if (reasons.length > 0) {
    return { outcome: "not_earned", calculation: null, terms: null, reasons, checks };
  }

  inForce.sort((a, b) => compareText(a.offerId, b.offerId) || a.version - b.version);
  const assessments = inForce.map((each) => assess(facts, each, usage, programme));
  for (const assessment of assessments) checks.push(...assessment.checks);

  const winner = first(assessments.filter((each) => each.failures.length === 0), compareGrants);
  if (winner === null) {
    const closest = first(assessments, compareCloseness);
    return {
      outcome: "not_earned",
      calculation: closest?.calculation ?? null,
      terms: closest?.terms ?? null,
      reasons: closest?.failures ?? [],
      checks,
    };
  }
  const { calculation } = winner;
  const waiting = winner.terms.budgetPoints !== null;
  return {
    outcome: waiting ? "waiting" : "earned",
    points: calculation.capped,
    terms: winner.terms,
    periodKey: periodKey(winner.terms.period, facts.purchasedOn),
    calculation,
    reasons: [
      waiting ? "budget_reserving" : "offer_applied",
      ...(calculation.capped < calculation.uncapped ? ["cap_reached" as const] : []),
    ],
    checks,
  };
}
