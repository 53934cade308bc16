// The sums behind a verdict: which rules were looked at, what they needed and found, what was
// multiplied with what, and when the points mature. Recomputed from the catalogue with the oracle's
// own rules.
import { addDays } from "../../src/kernel/time.ts";
import type { OfferTerms, PurchaseView, RuleCheck } from "../../src/ledger/ports.ts";
import { canonical, ensure } from "./book.ts";
import { rawPoints, touches } from "./model-earning.ts";
import { keyOf } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";

export function checkCalculation(world: World, user: SimUser, view: PurchaseView): void {
  const { verdict } = view;
  const key = keyOf(view);
  const terms = world.catalogue.terms.find((each) =>
    each.offerId === verdict.offer?.id && each.version === verdict.offer.version
  );
  const matures = verdict.outcome === "earned" ||
    (verdict.outcome === "waiting" && verdict.reasons.includes("budget_reserving"));
  const expectedOn = terms === undefined || !matures || view.kind === "refund"
    ? null
    : addDays(view.purchasedOn, terms.confirmationDays);
  ensure(
    verdict.confirmationExpectedOn === expectedOn,
    `${key} is expected to mature on ${verdict.confirmationExpectedOn}, expected ${expectedOn}`,
  );
  // A row that the bank took back keeps what was worked out while it counted.
  if (user.model.resolution.status.get(key)?.is !== "live" || view.kind === "refund") return;
  if (user.model.rows.get(key)?.awaitsDay === true) return;
  const { calculation } = verdict;
  if (terms !== undefined) {
    ensure(calculation !== null, `${key} shows how it was worked out`);
    const uncapped = rawPoints(terms, view.amountCents, world.programme.pointsPerEuro);
    const rateBp = terms.kind === "percent"
      ? terms.rateBp
      : terms.kind === "tiered"
      ? (terms.tiers ?? []).findLast((tier) => tier.fromCents <= view.amountCents)?.rateBp ?? 0
      : null;
    const expected = {
      baseCents: view.amountCents,
      rateBp,
      pointsPerEuro: world.programme.pointsPerEuro,
      uncapped,
      kind: terms.kind,
      offerPoints: terms.points,
    };
    const { capped, ...found } = { offerPoints: null, ...calculation };
    ensure(
      canonical(found) === canonical(expected),
      `${key} was worked out as ${canonical(found)}, expected ${canonical(expected)}`,
    );
    ensure(
      capped <= uncapped && verdict.points <= capped &&
        (verdict.outcome === "not_earned") === (capped === 0),
      `${key} is ${verdict.outcome} ${verdict.points} with ${capped} of ${uncapped}`,
    );
  }
  if (view.currency === "EUR" && view.brand !== null) checkRules(world, view);
}

/**
 * Every version in force is looked at by every rule; those that depend on the row alone are
 * answered right.
 */
function checkRules(world: World, view: PurchaseView): void {
  const { checks } = view.verdict;
  const key = keyOf(view);
  for (const terms of world.catalogue.terms) {
    if (
      terms.brandId !== view.brand?.id ||
      !touches(terms.startsAtMs, terms.endsAtMs, view.purchasedOn)
    ) continue;
    const mine = checks.filter((check) =>
      check.offerId === terms.offerId && check.version === terms.version
    );
    for (const [rule, measure, passed, needed, found] of rulesOf(world, terms, view)) {
      const check = mine.find((each) => each.rule === rule && (each.measure ?? null) === measure);
      ensure(
        check !== undefined && check.passed === passed && check.needed === needed &&
          check.found === found,
        `${key}: ${rule} of ${terms.offerId} v${terms.version} needed ${check?.needed} and found ${check?.found}, expected ${needed} and ${found}`,
      );
    }
    for (const rule of ["not_first_purchase", "activation_missing", "offer_not_in_force"]) {
      ensure(
        mine.some((check) => check.rule === rule),
        `${key} shows what ${rule} found of ${terms.offerId}`,
      );
    }
    const caps = mine.filter((check) => check.rule === "cap_reached");
    for (const { measure, passed, needed, found } of caps) {
      const cap = measure === "points_per_purchase"
        ? terms.capPointsPerPurchase
        : measure === "points_per_period"
        ? terms.capPointsPerUser
        : terms.capPurchasesPerUser;
      ensure(
        needed === cap && passed === (cap === null || (typeof found === "number" && found <= cap)),
        `${key}: the cap of ${terms.offerId} for ${measure} is ${cap}, not ${needed}`,
      );
    }
    ensure(caps.length === 3, `${key} shows three caps of ${terms.offerId}`);
  }
}

type Rule = readonly [
  rule: RuleCheck["rule"],
  measure: RuleCheck["measure"] | null,
  passed: boolean,
  needed: RuleCheck["needed"],
  found: RuleCheck["found"],
];

function rulesOf(world: World, terms: OfferTerms, { amountCents: cents }: PurchaseView): Rule[] {
  const points = rawPoints(terms, cents, world.programme.pointsPerEuro);
  return [
    [
      "below_minimum",
      "purchase_cents",
      terms.minCents === null || cents >= terms.minCents,
      terms.minCents,
      cents,
    ],
    [
      "above_maximum",
      "purchase_cents",
      terms.maxCents === null || cents <= terms.maxCents,
      terms.maxCents,
      cents,
    ],
    ["below_minimum", "least_points", points > 0, 1, points],
    [
      "cap_reached",
      "points_per_purchase",
      points <= (terms.capPointsPerPurchase ?? Infinity),
      terms.capPointsPerPurchase,
      points,
    ],
  ];
}
