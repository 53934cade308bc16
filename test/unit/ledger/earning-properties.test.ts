// What must hold for any purchase, any offers and any past. A failing property prints its seed and
// path.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, daysBetween, periodKey } from "../../../src/kernel/time.ts";
import { decideEarning, pointsFor, termsInForce } from "../../../src/ledger/earning/rules.ts";
import type { Decision, EarningFacts } from "../../../src/ledger/earning/types.ts";
import type { OfferTerms } from "../../../src/ledger/ports.ts";
import { at, BRAND, makeFacts, makeTerms, makeUsage, PROGRAMME } from "./earning-factories.ts";
import type { Past } from "./earning-factories.ts";

const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.option(arbitrary, { nil: null, freq: 1 });

// Around both clock changes of 2026 and an ordinary month, so that windows, periods and purchases
// meet.
const day = fc.oneof(
  fc.integer({ min: 0, max: 20 }).map((days) => addDays("2026-03-20", days)),
  fc.integer({ min: 0, max: 20 }).map((days) => addDays("2026-10-16", days)),
);
const instantMs = fc.integer({ min: at("2026-03-15T00:00:00Z"), max: at("2026-11-15T00:00:00Z") });
const cents = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.integer({ min: 1, max: 50_000 }),
  fc.integer({ min: 1, max: 1_000_000_000 }),
);

const formula: fc.Arbitrary<Pick<OfferTerms, "kind" | "rateBp" | "points" | "tiers">> = fc.oneof(
  fc.integer({ min: 1, max: 10_000 }).map((rateBp) => ({
    kind: "percent" as const,
    rateBp,
    points: null,
    tiers: null,
  })),
  fc.integer({ min: 1, max: 5_000 }).map((points) => ({
    kind: "fixed" as const,
    rateBp: null,
    points,
    tiers: null,
  })),
  fc.integer({ min: 1, max: 100 }).map((points) => ({
    kind: "points_per_euro" as const,
    rateBp: null,
    points,
    tiers: null,
  })),
  fc.uniqueArray(
    fc.record({
      fromCents: fc.integer({ min: 1, max: 20_000 }),
      rateBp: fc.integer({ min: 1, max: 10_000 }),
    }),
    { selector: (tier) => tier.fromCents, maxLength: 4 },
  )
    .map((tiers) => ({
      kind: "tiered" as const,
      rateBp: null,
      points: null,
      tiers: [{ fromCents: 0, rateBp: 50 }, ...tiers.sort((a, b) => a.fromCents - b.fromCents)],
    })),
);

const conditions = fc.record({
  offerId: fc.constantFrom("off_a" as const, "off_b" as const, "off_c" as const),
  brandId: fc.constantFrom("brd_a" as const, "brd_a" as const, "brd_a" as const, "brd_b" as const),
  minCents: maybe(fc.integer({ min: 0, max: 20_000 })),
  maxCents: maybe(fc.integer({ min: 1, max: 1_000_000 })),
  capPointsPerPurchase: maybe(fc.integer({ min: 1, max: 500 })),
  capPointsPerUser: maybe(fc.integer({ min: 1, max: 1_000 })),
  capPurchasesPerUser: maybe(fc.integer({ min: 1, max: 4 })),
  period: fc.constantFrom("day" as const, "week" as const, "month" as const, "offer" as const),
  firstPurchaseOnly: fc.boolean(),
  activation: fc.constantFrom("automatic" as const, "required" as const),
  channel: fc.constantFrom("any" as const, "any" as const, "in_store" as const, "online" as const),
  startsAtMs: instantMs,
  endsAtMs: maybe(instantMs),
  budgetPoints: maybe(fc.constant(10_000)),
  priority: fc.integer({ min: 0, max: 2 }),
  offerCreatedAtMs: fc.integer({ min: 0, max: 2 }),
}, { noNullPrototype: true });

const offer: fc.Arbitrary<OfferTerms> = fc.tuple(formula, conditions).map(([how, when]) =>
  makeTerms({ ...when, ...how })
);
/** Versions are numbered apart, as the catalogue does: two of one offer never share a number. */
const offers = fc.array(offer, { maxLength: 5 }).map((list) =>
  list.map((each, index) => ({ ...each, version: index + 1 }))
);

const facts: fc.Arbitrary<EarningFacts> = fc.record({
  baseCents: cents,
  currency: fc.constantFrom("EUR", "EUR", "EUR", "EUR", "USD"),
  purchasedOn: day,
  brandId: fc.constantFrom(BRAND, BRAND, BRAND, BRAND, null),
  channel: fc.constantFrom("in_store" as const, "online" as const, "unknown" as const),
}, { noNullPrototype: true });

const past: fc.Arbitrary<Past> = fc.record({
  offerId: fc.constantFrom("off_a", "off_b", "off_c"),
  on: day,
  points: fc.integer({ min: 1, max: 600 }),
});
const usage = fc.record({
  grants: fc.array(past, { maxLength: 6 }),
  earlierAt: fc.constantFrom([], [BRAND]),
  activations: fc.dictionary(
    fc.constantFrom("off_a", "off_b", "off_c"),
    fc.record({ activatedAtMs: instantMs, expiresAtMs: maybe(instantMs) }),
    { noNullPrototype: true },
  ),
}, { noNullPrototype: true }).map(makeUsage);

const pointsOf = (
  decision: Decision,
): number => (decision.outcome === "not_earned" ? 0 : decision.points);
const RUNS = { numRuns: 500 };

describe("decideEarning for any purchase", () => {
  it("does not depend on the order of the offers", () => {
    fc.assert(
      fc.property(facts, offers, usage, fc.func(fc.integer()), (purchase, list, view, rank) => {
        const shuffled = list.toSorted((a, b) => rank(a.version) - rank(b.version));
        expect(decideEarning(purchase, shuffled, view, PROGRAMME)).toEqual(
          decideEarning(purchase, list, view, PROGRAMME),
        );
      }),
      RUNS,
    );
  });

  it("does not depend on offers of other brands nor on versions out of force, once one is in force", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const inForce = termsInForce(list, purchase.purchasedOn).filter((each) =>
          each.brandId === purchase.brandId
        );
        fc.pre(inForce.length > 0);
        expect(decideEarning(purchase, inForce, view, PROGRAMME)).toEqual(
          decideEarning(purchase, list, view, PROGRAMME),
        );
      }),
      RUNS,
    );
  });

  it("changes neither its facts nor its offers", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const before = structuredClone({ purchase, list });
        decideEarning(purchase, list, view, PROGRAMME);
        expect({ purchase, list }).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });

  it("grants a whole number of points, above zero exactly when it earns, and shows the same in the calculation", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const decision = decideEarning(purchase, list, view, PROGRAMME);
        const points = pointsOf(decision);
        expect(Number.isSafeInteger(points)).toBe(true);
        expect(points > 0).toBe(decision.outcome !== "not_earned");
        expect(decision.calculation?.capped ?? 0).toBe(points);
        expect(decision.calculation?.uncapped ?? 0).toBeGreaterThanOrEqual(points);
      }),
      RUNS,
    );
  });

  it("never grants more than any cap of the winning version leaves", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const decision = decideEarning(purchase, list, view, PROGRAMME);
        fc.pre(decision.outcome !== "not_earned");
        const { terms } = decision;
        const key = periodKey(terms.period, purchase.purchasedOn);
        expect(pointsOf(decision)).toBeLessThanOrEqual(terms.capPointsPerPurchase ?? Infinity);
        expect(view.pointsInPeriod(terms.offerId, key) + pointsOf(decision)).toBeLessThanOrEqual(
          terms.capPointsPerUser ?? Infinity,
        );
        expect(view.purchasesInPeriod(terms.offerId, key) + 1).toBeLessThanOrEqual(
          terms.capPurchasesPerUser ?? Infinity,
        );
      }),
      RUNS,
    );
  });

  it("gives the best of what each offer alone would give", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const alone = list.map((each) =>
          pointsOf(decideEarning(purchase, [each], view, PROGRAMME))
        );
        expect(pointsOf(decideEarning(purchase, list, view, PROGRAMME))).toBe(
          Math.max(0, ...alone),
        );
      }),
      RUNS,
    );
  });

  it("names at least one reason, each refusal backed by a failed check of the deciding version", () => {
    fc.assert(
      fc.property(facts, offers, usage, (purchase, list, view) => {
        const decision = decideEarning(purchase, list, view, PROGRAMME);
        expect(decision.reasons.length).toBeGreaterThan(0);
        for (const reason of decision.reasons) {
          if (reason === "offer_applied" || reason === "budget_reserving") continue;
          const backing = decision.checks.filter((check) =>
            check.rule === reason && !check.passed &&
            (decision.terms === null || check.offerId === decision.terms.offerId)
          );
          expect(backing.length).toBeGreaterThan(0);
        }
      }),
      RUNS,
    );
  });

  it("earns under a version exactly when all of its checks but the caps pass and the caps leave a point", () => {
    fc.assert(
      fc.property(facts, offer, usage, (purchase, terms, view) => {
        const decision = decideEarning(purchase, [terms], view, PROGRAMME);
        const passed = decision.checks.every((check) =>
          check.passed || check.rule === "cap_reached"
        );
        const key = periodKey(terms.period, purchase.purchasedOn);
        const hasRoom =
          view.pointsInPeriod(terms.offerId, key) < (terms.capPointsPerUser ?? Infinity) &&
          view.purchasesInPeriod(terms.offerId, key) < (terms.capPurchasesPerUser ?? Infinity);
        expect(decision.outcome !== "not_earned").toBe(passed && hasRoom);
      }),
      RUNS,
    );
  });
});

describe("pointsFor() for any amount", () => {
  it("never gives fewer points for a larger amount, whatever the percentage", () => {
    fc.assert(
      fc.property(
        cents,
        cents,
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (x, y, rateBp, pointsPerEuro) => {
          const [small, large] = [Math.min(x, y), Math.max(x, y)];
          const programme = { ...PROGRAMME, pointsPerEuro };
          expect(pointsFor(makeTerms({ rateBp }), small, programme)).toBeLessThanOrEqual(
            pointsFor(makeTerms({ rateBp }), large, programme),
          );
        },
      ),
      RUNS,
    );
  });

  it("is within one point below the exact percentage", () => {
    fc.assert(
      fc.property(
        cents,
        fc.integer({ min: 1, max: 10_000 }),
        fc.integer({ min: 1, max: 10_000 }),
        (baseCents, rateBp, pointsPerEuro) => {
          const points = BigInt(
            pointsFor(makeTerms({ rateBp }), baseCents, { ...PROGRAMME, pointsPerEuro }),
          );
          const exactTimesMillion = BigInt(baseCents) * BigInt(rateBp) * BigInt(pointsPerEuro);
          expect(
            points * 1_000_000n <= exactTimesMillion &&
              exactTimesMillion < (points + 1n) * 1_000_000n,
          ).toBe(true);
        },
      ),
      RUNS,
    );
  });

  it("of a tiered offer equals a percentage at the highest tier that the amount reaches", () => {
    fc.assert(
      fc.property(formula.filter((each) => each.kind === "tiered"), cents, (how, baseCents) => {
        const rateBp = (how.tiers ?? []).filter((tier) =>
          tier.fromCents <= baseCents
        ).at(-1)?.rateBp ?? 0;
        expect(pointsFor(makeTerms(how), baseCents, PROGRAMME)).toBe(
          pointsFor(makeTerms({ rateBp }), baseCents, PROGRAMME),
        );
      }),
      RUNS,
    );
  });

  it("splits an amount into two without ever gaining a point", () => {
    fc.assert(
      fc.property(cents, cents, fc.integer({ min: 1, max: 10_000 }), (x, y, rateBp) => {
        const terms = makeTerms({ rateBp });
        expect(pointsFor(terms, x, PROGRAMME) + pointsFor(terms, y, PROGRAMME)).toBeLessThanOrEqual(
          pointsFor(terms, x + y, PROGRAMME),
        );
      }),
      RUNS,
    );
  });
});

describe("a user's purchases one after the other", () => {
  type Buy = { readonly on: string; readonly baseCents: number };
  const buys = fc.array(fc.record({ on: day, baseCents: fc.integer({ min: 1, max: 30_000 }) }), {
    maxLength: 25,
  });
  const period = fc.constantFrom(
    "day" as const,
    "week" as const,
    "month" as const,
    "offer" as const,
  );

  /** Decides each purchase with what the ones before it were granted. */
  function run(list: readonly Buy[], terms: OfferTerms): Past[] {
    const grants: Past[] = [];
    for (const { on, baseCents } of list) {
      const points = pointsOf(
        decideEarning(
          makeFacts({ purchasedOn: on, baseCents }),
          [terms],
          makeUsage({ grants }),
          PROGRAMME,
        ),
      );
      if (points > 0) grants.push({ offerId: terms.offerId, on, points });
    }
    return grants;
  }

  /** Whether two days lie in one period, worked out without `periodKey`. */
  function together(which: OfferTerms["period"], a: string, b: string): boolean {
    const weekOf = (date: string): number => Math.floor(daysBetween("2026-01-05", date) / 7);
    switch (which) {
      case "day":
        return a === b;
      case "week":
        return weekOf(a) === weekOf(b);
      case "month":
        return a.slice(0, 7) === b.slice(0, 7);
      case "offer":
        return true;
    }
  }

  it("never exceed a cap in any period, in any order of days, over both clock changes", () => {
    fc.assert(
      fc.property(
        buys,
        period,
        maybe(fc.integer({ min: 1, max: 700 })),
        maybe(fc.integer({ min: 1, max: 4 })),
        (list, which, capPointsPerUser, capPurchasesPerUser) => {
          const grants = run(
            list,
            makeTerms({ period: which, capPointsPerUser, capPurchasesPerUser, startsAtMs: 0 }),
          );
          for (const { on } of grants) {
            const same = grants.filter((grant) => together(which, grant.on, on));
            expect(same.reduce((sum, grant) => sum + grant.points, 0)).toBeLessThanOrEqual(
              capPointsPerUser ?? Infinity,
            );
            expect(same.length).toBeLessThanOrEqual(capPurchasesPerUser ?? Infinity);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("use a cap on points up to the last point when they ask for more", () => {
    fc.assert(
      fc.property(
        buys,
        period,
        fc.integer({ min: 1, max: 700 }),
        (list, which, capPointsPerUser) => {
          const grants = run(list, makeTerms({ period: which, capPointsPerUser, startsAtMs: 0 }));
          for (const { on } of list) {
            const asked = list.filter((buy) => together(which, buy.on, on)).reduce(
              (sum, buy) => sum + pointsFor(makeTerms(), buy.baseCents, PROGRAMME),
              0,
            );
            const given = grants.filter((grant) => together(which, grant.on, on)).reduce(
              (sum, grant) => sum + grant.points,
              0,
            );
            expect(given).toBe(Math.min(asked, capPointsPerUser));
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
