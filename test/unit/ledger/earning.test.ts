// The earning rules case by case. Each rule has a pair of purchases that differ in that rule alone,
// one earning and one not: deleting the rule from rules.ts makes the second one earn.
import { describe, expect, it } from "vitest";
import type { EarningFacts, UsageView } from "../../../src/ledger/earning/types.ts";
import type { OfferTerms, ReasonCode } from "../../../src/ledger/ports.ts";
import {
  activated,
  at,
  BRAND,
  decide,
  failed,
  granted,
  makeFacts,
  makeTerms,
  makeUsage,
  pointsOf,
} from "./earning-factories.ts";

describe("decideEarning, the simplest purchase", () => {
  it("earns 3 % of 34.90 euros as 104 points, rounded down once", () => {
    const decision = decide(makeFacts());
    expect(decision).toMatchObject({
      outcome: "earned",
      points: 104,
      periodKey: "offer",
      reasons: ["offer_applied"],
      calculation: {
        baseCents: 3490,
        rateBp: 300,
        pointsPerEuro: 100,
        uncapped: 104,
        capped: 104,
        kind: "percent",
      },
    });
    expect(decision.terms).toMatchObject({ offerId: "off_a", version: 1 });
  });

  it("records every rule that was looked at, with what it needed and found", () => {
    const terms = makeTerms({
      minCents: 1000,
      maxCents: 5000,
      capPointsPerPurchase: 200,
      capPointsPerUser: 500,
      capPurchasesPerUser: 5,
      period: "month",
      channel: "in_store",
      firstPurchaseOnly: true,
      endsAtMs: at("2026-12-01T00:00:00+01:00"),
    });
    const decision = decide(
      makeFacts(),
      [terms],
      makeUsage({}),
    );
    const own = { offerId: "off_a", version: 1, passed: true };
    expect(decision.checks).toEqual([
      {
        rule: "currency_unsupported",
        offerId: null,
        version: null,
        passed: true,
        needed: "EUR",
        found: "EUR",
      },
      {
        rule: "brand_unknown",
        offerId: null,
        version: null,
        passed: true,
        needed: null,
        found: BRAND,
      },
      {
        rule: "brand_without_offer",
        offerId: null,
        version: null,
        passed: true,
        needed: null,
        found: null,
      },
      { ...own, rule: "offer_not_in_force", needed: "2026-01-01/2026-11-30", found: "2026-11-12" },
      { ...own, rule: "wrong_channel", needed: "in_store", found: "in_store" },
      { ...own, rule: "not_first_purchase", needed: "first", found: "first" },
      { ...own, rule: "above_maximum", needed: 5000, found: 3490, measure: "purchase_cents" },
      { ...own, rule: "below_minimum", needed: 1000, found: 3490, measure: "purchase_cents" },
      { ...own, rule: "activation_missing", needed: "automatic", found: null },
      { ...own, rule: "below_minimum", needed: 1, found: 104, measure: "least_points" },
      { ...own, rule: "cap_reached", needed: 200, found: 104, measure: "points_per_purchase" },
      {
        ...own,
        rule: "cap_reached",
        needed: 500,
        found: 104,
        measure: "points_per_period",
        period: "2026-11",
      },
      {
        ...own,
        rule: "cap_reached",
        needed: 5,
        found: 1,
        measure: "purchases_per_period",
        period: "2026-11",
      },
    ]);
  });

  it("asks the ledger nothing for rules that the version does not have", () => {
    const refuse = (): never => {
      throw new Error("asked");
    };
    const usage: UsageView = {
      pointsInPeriod: refuse,
      purchasesInPeriod: refuse,
      hasEarlierPurchase: refuse,
      activationOn: refuse,
    };
    expect(pointsOf(decide(makeFacts(), [makeTerms()], usage))).toBe(104);
  });
});

type Pair = {
  readonly rule: ReasonCode;
  readonly when: string;
  readonly earns: {
    readonly facts?: Partial<EarningFacts>;
    readonly terms?: Partial<OfferTerms>;
    readonly usage?: UsageView;
  };
  readonly not: {
    readonly facts?: Partial<EarningFacts>;
    readonly terms?: Partial<OfferTerms>;
    readonly usage?: UsageView;
  };
};

const PAIRS: readonly Pair[] = [
  {
    rule: "currency_unsupported",
    when: "the purchase is in Swiss francs",
    earns: {},
    not: { facts: { currency: "CHF" } },
  },
  {
    rule: "currency_unsupported",
    when: "the currency is written otherwise",
    earns: {},
    not: { facts: { currency: "eur" } },
  },
  {
    rule: "brand_unknown",
    when: "no brand was recognised",
    earns: {},
    not: { facts: { brandId: null } },
  },
  {
    rule: "brand_without_offer",
    when: "the offer is another brand's",
    earns: {},
    not: { terms: { brandId: "brd_b" } },
  },
  {
    rule: "offer_not_in_force",
    when: "the offer starts the day after",
    earns: { terms: { startsAtMs: at("2026-11-12T23:59:59.999+01:00") } },
    not: { terms: { startsAtMs: at("2026-11-13T00:00:00+01:00") } },
  },
  {
    rule: "offer_not_in_force",
    when: "the offer ended as the day began",
    earns: { terms: { endsAtMs: at("2026-11-12T00:00:00.001+01:00") } },
    not: { terms: { endsAtMs: at("2026-11-12T00:00:00+01:00") } },
  },
  {
    rule: "wrong_channel",
    when: "an online offer meets a shop",
    earns: { terms: { channel: "online" }, facts: { channel: "online" } },
    not: { terms: { channel: "online" }, facts: { channel: "in_store" } },
  },
  {
    rule: "wrong_channel",
    when: "a shop offer meets an online purchase",
    earns: { terms: { channel: "in_store" } },
    not: { terms: { channel: "in_store" }, facts: { channel: "online" } },
  },
  {
    rule: "wrong_channel",
    when: "an online offer meets an unknown channel",
    earns: { facts: { channel: "unknown" } },
    not: { terms: { channel: "online" }, facts: { channel: "unknown" } },
  },
  {
    rule: "wrong_channel",
    when: "a shop offer meets an unknown channel",
    earns: { terms: { channel: "in_store" } },
    not: { terms: { channel: "in_store" }, facts: { channel: "unknown" } },
  },
  {
    rule: "not_first_purchase",
    when: "an earlier purchase is recorded",
    earns: { terms: { firstPurchaseOnly: true }, usage: makeUsage({ earlierAt: ["brd_b"] }) },
    not: { terms: { firstPurchaseOnly: true }, usage: makeUsage({ earlierAt: [BRAND] }) },
  },
  {
    rule: "above_maximum",
    when: "the amount is a cent over",
    earns: { terms: { maxCents: 3490 } },
    not: { terms: { maxCents: 3489 } },
  },
  {
    rule: "below_minimum",
    when: "the amount is a cent under",
    earns: { terms: { minCents: 3490 } },
    not: { terms: { minCents: 3491 } },
  },
  {
    rule: "below_minimum",
    when: "the rate gives no whole point",
    earns: { facts: { baseCents: 34 } },
    not: { facts: { baseCents: 33 } },
  },
  {
    rule: "below_minimum",
    when: "3 % is taken of 10 cents",
    earns: { facts: { baseCents: 100 } },
    not: { facts: { baseCents: 10 } },
  },
  {
    rule: "activation_missing",
    when: "the offer was never activated",
    earns: { terms: { activation: "required" }, usage: activated("2026-11-01T10:00:00Z", null) },
    not: { terms: { activation: "required" } },
  },
  {
    rule: "activation_missing",
    when: "it was activated the day after",
    earns: {
      terms: { activation: "required" },
      usage: activated("2026-11-12T23:30:00+01:00", null),
    },
    not: { terms: { activation: "required" }, usage: activated("2026-11-13T00:00:00+01:00", null) },
  },
  {
    rule: "activation_missing",
    when: "the activation ended the day before",
    earns: {
      terms: { activation: "required" },
      usage: activated("2026-11-01T10:00:00Z", "2026-11-12T10:00:00Z"),
    },
    not: {
      terms: { activation: "required" },
      usage: activated("2026-11-01T10:00:00Z", "2026-11-12T00:00:00+01:00"),
    },
  },
  {
    rule: "cap_reached",
    when: "the points of the whole offer are used up",
    earns: { terms: { capPointsPerUser: 500 }, usage: granted("2026-03-01", 499) },
    not: { terms: { capPointsPerUser: 500 }, usage: granted("2026-03-01", 500) },
  },
  {
    rule: "cap_reached",
    when: "the points of the month are used up",
    earns: { terms: { capPointsPerUser: 500, period: "month" }, usage: granted("2026-10-31", 500) },
    not: { terms: { capPointsPerUser: 500, period: "month" }, usage: granted("2026-11-01", 500) },
  },
  {
    rule: "cap_reached",
    when: "the points of the week are used up",
    earns: { terms: { capPointsPerUser: 500, period: "week" }, usage: granted("2026-11-08", 500) },
    not: { terms: { capPointsPerUser: 500, period: "week" }, usage: granted("2026-11-09", 500) },
  },
  {
    rule: "cap_reached",
    when: "the points of the week are used up by its Sunday",
    earns: { terms: { capPointsPerUser: 500, period: "week" }, usage: granted("2026-11-16", 500) },
    not: { terms: { capPointsPerUser: 500, period: "week" }, usage: granted("2026-11-15", 500) },
  },
  {
    rule: "cap_reached",
    when: "the points of the day are used up",
    earns: { terms: { capPointsPerUser: 500, period: "day" }, usage: granted("2026-11-11", 500) },
    not: { terms: { capPointsPerUser: 500, period: "day" }, usage: granted("2026-11-12", 500) },
  },
  {
    rule: "cap_reached",
    when: "the purchases of the month are used up",
    earns: { terms: { capPurchasesPerUser: 1, period: "month" }, usage: granted("2026-10-31", 1) },
    not: { terms: { capPurchasesPerUser: 1, period: "month" }, usage: granted("2026-11-30", 1) },
  },
  {
    rule: "cap_reached",
    when: "the purchases of the whole offer are used up",
    earns: { terms: { capPurchasesPerUser: 2 }, usage: granted("2026-01-31", 1) },
    not: { terms: { capPurchasesPerUser: 1 }, usage: granted("2026-01-31", 1) },
  },
  {
    rule: "cap_reached",
    when: "more was granted than the cap allows now",
    earns: { terms: { capPointsPerUser: 900 }, usage: granted("2026-03-01", 800) },
    not: { terms: { capPointsPerUser: 500 }, usage: granted("2026-03-01", 800) },
  },
];

describe("decideEarning, one rule at a time", () => {
  it.each(PAIRS)("refuses with $rule when $when", ({ rule, earns, not }) => {
    const earned = decide(makeFacts(earns.facts), [makeTerms(earns.terms)], earns.usage);
    expect(earned.outcome).toBe("earned");
    expect(failed(earned).filter((check) => check.rule !== "cap_reached")).toEqual([]);
    const refused = decide(makeFacts(not.facts), [makeTerms(not.terms)], not.usage);
    expect(refused.outcome).toBe("not_earned");
    expect(refused.reasons).toEqual([rule]);
    expect(new Set(failed(refused).map((check) => check.rule))).toEqual(new Set([rule]));
    expect(refused.calculation?.capped ?? 0).toBe(0);
  });

  it("says in the check that the channel is unknown", () => {
    const decision = decide(makeFacts({ channel: "unknown" }), [makeTerms({ channel: "online" })]);
    expect(failed(decision)).toMatchObject([{
      rule: "wrong_channel",
      needed: "online",
      found: "unknown",
    }]);
  });

  it("shows the window of an activation that does not cover the day", () => {
    const decision = decide(
      makeFacts(),
      [makeTerms({ activation: "required" })],
      activated("2026-11-01T10:00:00Z", "2026-11-08T00:00:00+01:00"),
    );
    expect(failed(decision)).toMatchObject([{
      rule: "activation_missing",
      needed: "required",
      found: "2026-11-01/2026-11-07",
    }]);
  });

  it("lets an unlimited offer meet a purchase of one cent under a points-per-purchase cap alone", () => {
    expect(
      pointsOf(
        decide(makeFacts({ baseCents: 1 }), [
          makeTerms({ kind: "fixed", rateBp: null, points: 50, capPointsPerPurchase: 60 }),
        ]),
      ),
    ).toBe(50);
  });
});
