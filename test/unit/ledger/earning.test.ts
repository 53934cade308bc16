// The earning rules case by case. Each rule has a pair of purchases that differ in that rule alone,
// one earning and one not: deleting the rule from earning.ts makes the second one earn.
import { describe, expect, it } from "vitest";
import { decideEarning, pointsFor, termsInForce } from "../../../src/ledger/earning/rules.ts";
import type { Decision, EarningFacts, UsageView } from "../../../src/ledger/earning/types.ts";
import type { OfferTerms, ReasonCode, RuleCheck } from "../../../src/ledger/ports.ts";
import { at, BRAND, makeFacts, makeTerms, makeUsage, PROGRAMME } from "./earning-factories.ts";

function decide(
  facts: EarningFacts,
  terms: readonly OfferTerms[] = [makeTerms()],
  usage: UsageView = makeUsage(),
): Decision {
  return decideEarning(facts, terms, usage, PROGRAMME);
}

const pointsOf = (
  decision: Decision,
): number => (decision.outcome === "not_earned" ? 0 : decision.points);
const failed = (decision: Decision): RuleCheck[] =>
  decision.checks.filter((check) => !check.passed);

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
      makeUsage({ grants: [{ offerId: "off_a", on: "2026-11-02", points: 50 }] }),
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
        found: 154,
        measure: "points_per_period",
        period: "2026-11",
      },
      {
        ...own,
        rule: "cap_reached",
        needed: 5,
        found: 2,
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

const activated = (from: string, to: string | null): UsageView =>
  makeUsage({
    activations: { off_a: { activatedAtMs: at(from), expiresAtMs: to === null ? null : at(to) } },
  });
const granted = (on: string, points: number): UsageView =>
  makeUsage({ grants: [{ offerId: "off_a", on, points }] });

/** Pairs of facts, terms or pasts that differ in one rule alone. */
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

describe("decideEarning, caps that leave something", () => {
  const cases = [
    { cap: "points per purchase", terms: { capPointsPerPurchase: 40 }, points: 40 },
    { cap: "points per purchase, exactly met", terms: { capPointsPerPurchase: 104 }, points: 104 },
    { cap: "points per user", terms: { capPointsPerUser: 500 }, points: 30 },
    {
      cap: "both, the purchase's smaller",
      terms: { capPointsPerPurchase: 20, capPointsPerUser: 500 },
      points: 20,
    },
    {
      cap: "both, the user's smaller",
      terms: { capPointsPerPurchase: 40, capPointsPerUser: 500 },
      points: 30,
    },
    { cap: "points per user, not reached", terms: { capPointsPerUser: 574 }, points: 104 },
    { cap: "points per user, one point short", terms: { capPointsPerUser: 573 }, points: 103 },
  ];
  it.each(cases)("grants $points points under a cap on $cap", ({ terms, points }) => {
    const decision = decide(makeFacts(), [makeTerms(terms)], granted("2026-05-05", 470));
    expect(decision.outcome).toBe("earned");
    expect(pointsOf(decision)).toBe(points);
    expect(decision.calculation).toMatchObject({ uncapped: 104, capped: points });
    expect(decision.reasons).toEqual(
      points < 104 ? ["offer_applied", "cap_reached"] : ["offer_applied"],
    );
  });

  it("counts what the cap per purchase left against the cap per user, not what the formula gave", () => {
    const decision = decide(makeFacts(), [
      makeTerms({ capPointsPerPurchase: 40, capPointsPerUser: 500 }),
    ], granted("2026-05-05", 450));
    expect(decision.checks.find((check) => check.measure === "points_per_period")).toMatchObject({
      passed: true,
      needed: 500,
      found: 490,
    });
    expect(pointsOf(decision)).toBe(40);
  });

  it("does not count what another offer granted", () => {
    const usage = makeUsage({ grants: [{ offerId: "off_b", on: "2026-11-12", points: 500 }] });
    expect(
      pointsOf(
        decide(makeFacts(), [makeTerms({ capPointsPerUser: 500, capPurchasesPerUser: 1 })], usage),
      ),
    ).toBe(104);
  });

  it("gives a purchase without room its calculation with nothing granted", () => {
    const decision = decide(
      makeFacts(),
      [makeTerms({ capPurchasesPerUser: 1 })],
      granted("2026-05-05", 10),
    );
    expect(decision).toMatchObject({
      outcome: "not_earned",
      reasons: ["cap_reached"],
      calculation: { uncapped: 104, capped: 0 },
      terms: { offerId: "off_a" },
    });
  });
});

describe("pointsFor()", () => {
  const tiers = [{ fromCents: 0, rateBp: 100 }, { fromCents: 5_000, rateBp: 300 }, {
    fromCents: 10_000,
    rateBp: 500,
  }];
  const percent = (rateBp: number): Partial<OfferTerms> => ({ kind: "percent", rateBp });
  const fixed = (points: number): Partial<OfferTerms> => ({ kind: "fixed", rateBp: null, points });
  const perEuro = (points: number): Partial<OfferTerms> => ({
    kind: "points_per_euro",
    rateBp: null,
    points,
  });
  const tiered: Partial<OfferTerms> = { kind: "tiered", rateBp: null, tiers };
  const cases: readonly [Partial<OfferTerms>, number, number, number][] = [
    [percent(300), 3490, 100, 104],
    [percent(300), 33, 100, 0],
    [percent(300), 34, 100, 1],
    [percent(300), 0, 100, 0],
    [percent(10_000), 1, 100, 1],
    [percent(1), 9_999, 100, 0],
    [percent(1), 10_000, 100, 1],
    [percent(300), 3490, 1000, 1047],
    [percent(300), 3490, 1, 1],
    [percent(250), 1999, 100, 49],
    [percent(10_000), 1_000_000_000, 100, 1_000_000_000],
    [percent(9_999), 999_999_999, 1000, 9_998_999_990],
    [fixed(150), 1, 100, 150],
    [fixed(150), 1_000_000_000, 7, 150],
    [perEuro(3), 3490, 100, 104],
    [perEuro(3), 33, 100, 0],
    [perEuro(3), 34, 100, 1],
    [perEuro(3), 3490, 1000, 104],
    [perEuro(1), 99, 100, 0],
    [perEuro(1), 100, 100, 1],
    [perEuro(1_000_000), 1_000_000_000, 100, 10_000_000_000_000],
    [tiered, 4_999, 100, 49],
    [tiered, 5_000, 100, 150],
    [tiered, 9_999, 100, 299],
    [tiered, 10_000, 100, 500],
    [tiered, 0, 100, 0],
    [{ ...tiered, tiers: tiers.toReversed() }, 5_000, 100, 150],
    [{ kind: "percent", rateBp: null }, 5_000, 100, 0],
    [{ kind: "tiered", rateBp: null, tiers: null }, 5_000, 100, 0],
    [{ kind: "fixed", rateBp: null }, 5_000, 100, 0],
    [{ kind: "points_per_euro", rateBp: null }, 5_000, 100, 0],
  ];
  it.each(cases)(
    "%j of %i cents at %i points per euro gives %i points",
    (terms, baseCents, pointsPerEuro, points) => {
      expect(pointsFor(makeTerms(terms), baseCents, { ...PROGRAMME, pointsPerEuro })).toBe(points);
    },
  );

  it.each([[percent(300), 300], [tiered, 100], [fixed(9), null], [perEuro(9), null]] as const)(
    "the calculation of %j names the rate %s",
    (terms, rateBp) => {
      expect(decide(makeFacts(), [makeTerms(terms)]).calculation?.rateBp).toBe(rateBp);
    },
  );

  it("refuses an amount that no row can have", () => {
    expect(() => pointsFor(makeTerms(), -1, PROGRAMME)).toThrow("non-negative");
    expect(() => pointsFor(makeTerms(), 1.5, PROGRAMME)).toThrow("safe integer");
  });
});

describe("termsInForce()", () => {
  // 29 March 2026 has 23 hours in Paris, 25 October 2026 has 25.
  const cases: readonly [string, string, string | null, string, boolean][] = [
    ["open", "2026-01-01T00:00:00Z", null, "2026-11-12", true],
    ["starts in the day's last millisecond", "2026-11-12T22:59:59.999Z", null, "2026-11-12", true],
    ["starts with the next day", "2026-11-12T23:00:00Z", null, "2026-11-12", false],
    ["ends as the day starts", "2026-01-01T00:00:00Z", "2026-11-11T23:00:00Z", "2026-11-12", false],
    [
      "ends a millisecond into the day",
      "2026-01-01T00:00:00Z",
      "2026-11-11T23:00:00.001Z",
      "2026-11-12",
      true,
    ],
    [
      "is empty, inside the day",
      "2026-11-12T10:00:00Z",
      "2026-11-12T10:00:00Z",
      "2026-11-12",
      false,
    ],
    [
      "ends before it starts, around the day",
      "2026-11-20T10:00:00Z",
      "2026-11-01T10:00:00Z",
      "2026-11-12",
      false,
    ],
    ["lies within the day", "2026-11-12T10:00:00Z", "2026-11-12T11:00:00Z", "2026-11-12", true],
    [
      "starts in the last minute of a 23-hour day",
      "2026-03-29T21:59:00Z",
      null,
      "2026-03-29",
      true,
    ],
    ["starts as a 23-hour day ends", "2026-03-29T22:00:00Z", null, "2026-03-29", false],
    [
      "ends as a 23-hour day starts",
      "2026-01-01T00:00:00Z",
      "2026-03-28T23:00:00Z",
      "2026-03-29",
      false,
    ],
    [
      "ends just into a 23-hour day",
      "2026-01-01T00:00:00Z",
      "2026-03-28T23:00:00.001Z",
      "2026-03-29",
      true,
    ],
    [
      "starts in the last minute of a 25-hour day",
      "2026-10-25T22:59:00Z",
      null,
      "2026-10-25",
      true,
    ],
    ["starts as a 25-hour day ends", "2026-10-25T23:00:00Z", null, "2026-10-25", false],
    [
      "ends as a 25-hour day starts",
      "2026-01-01T00:00:00Z",
      "2026-10-24T22:00:00Z",
      "2026-10-25",
      false,
    ],
    [
      "ends just into a 25-hour day",
      "2026-01-01T00:00:00Z",
      "2026-10-24T22:00:00.001Z",
      "2026-10-25",
      true,
    ],
  ];
  it.each(cases)("a window that %s (%s to %s) on %s: %s", (_name, from, to, date, inForce) => {
    const terms = makeTerms({ startsAtMs: at(from), endsAtMs: to === null ? null : at(to) });
    expect(termsInForce([terms], date)).toEqual(inForce ? [terms] : []);
  });
});

describe("decideEarning, periods of caps in Paris", () => {
  const cases: readonly ["day" | "week" | "month", string, string, boolean][] = [
    ["day", "2026-03-29", "2026-03-29", true],
    ["day", "2026-03-28", "2026-03-29", false],
    ["day", "2026-03-29", "2026-03-30", false],
    ["day", "2026-10-25", "2026-10-25", true],
    ["day", "2026-10-24", "2026-10-25", false],
    ["day", "2026-10-25", "2026-10-26", false],
    ["week", "2026-03-23", "2026-03-29", true],
    ["week", "2026-03-22", "2026-03-23", false],
    ["week", "2026-03-29", "2026-03-30", false],
    ["week", "2026-10-19", "2026-10-25", true],
    ["week", "2026-10-25", "2026-10-26", false],
    ["week", "2026-12-28", "2027-01-03", true],
    ["week", "2027-01-03", "2027-01-04", false],
    ["month", "2026-03-01", "2026-03-31", true],
    ["month", "2026-03-31", "2026-04-01", false],
    ["month", "2026-10-01", "2026-10-31", true],
    ["month", "2026-10-31", "2026-11-01", false],
    ["month", "2025-11-12", "2026-11-12", false],
    ["month", "2028-02-29", "2028-02-01", true],
  ];
  it.each(cases)(
    "by %s, a grant of %s counts on %s: %s",
    (period, grantedOn, purchasedOn, counts) => {
      const decision = decide(makeFacts({ purchasedOn }), [
        makeTerms({ period, capPurchasesPerUser: 1, startsAtMs: 0 }),
      ], granted(grantedOn, 1));
      expect(decision.outcome).toBe(counts ? "not_earned" : "earned");
    },
  );
});

describe("decideEarning, several versions", () => {
  const a = makeTerms({ offerId: "off_a", offerCreatedAtMs: 2_000 });
  const winner = (terms: readonly OfferTerms[], usage = makeUsage()): string => {
    const decision = decide(makeFacts(), terms, usage);
    return `${decision.terms?.offerId ?? "none"}/${decision.terms?.version ?? 0}`;
  };

  it("gives the version that gives most points", () => {
    expect(
      winner([
        a,
        makeTerms({ offerId: "off_b", rateBp: 301, priority: 999, offerCreatedAtMs: 9_000 }),
      ]),
    ).toBe("off_b/1");
  });
  it("compares points after caps, not before", () => {
    expect(winner([a, makeTerms({ offerId: "off_b", rateBp: 900, capPointsPerPurchase: 103 })]))
      .toBe("off_a/1");
  });
  it("compares points after what the user already used", () => {
    expect(
      winner(
        [a, makeTerms({ offerId: "off_b", rateBp: 900, capPointsPerUser: 500 })],
        makeUsage({ grants: [{ offerId: "off_b", on: "2026-02-02", points: 450 }] }),
      ),
    ).toBe("off_a/1");
  });
  it("breaks a tie by the lowest priority number", () => {
    expect(winner([a, makeTerms({ offerId: "off_b", priority: 99, offerCreatedAtMs: 9_000 })]))
      .toBe("off_b/1");
  });
  it("breaks an equal priority by the oldest offer", () => {
    expect(winner([a, makeTerms({ offerId: "off_b", offerCreatedAtMs: 1_999 })])).toBe("off_b/1");
  });
  it("breaks equal ages by the offer's id", () => {
    expect(winner([makeTerms({ offerId: "off_b", offerCreatedAtMs: 2_000 }), a])).toBe("off_a/1");
  });
  it("breaks a tie within one offer by the oldest version", () => {
    expect(winner([{ ...a, version: 2 }, a])).toBe("off_a/1");
  });
  it("passes over a version that refuses for one that earns less", () => {
    expect(winner([a, makeTerms({ offerId: "off_b", rateBp: 900, minCents: 5_000 })])).toBe(
      "off_a/1",
    );
  });
  it("takes the version in force on the purchase's day, not the present one", () => {
    const old = { ...a, version: 1, endsAtMs: at("2026-11-20T00:00:00+01:00") };
    const present = { ...a, version: 2, rateBp: 900, startsAtMs: at("2026-11-20T00:00:00+01:00") };
    expect(winner([present, old])).toBe("off_a/1");
  });
  it("gives the better of two versions on the day that one replaces the other", () => {
    const old = { ...a, version: 1, endsAtMs: at("2026-11-12T15:00:00+01:00") };
    const present = { ...a, version: 2, rateBp: 100, startsAtMs: at("2026-11-12T15:00:00+01:00") };
    expect(winner([present, old])).toBe("off_a/1");
  });
  it("ignores other brands' offers however much they give", () => {
    expect(winner([a, makeTerms({ offerId: "off_b", brandId: "brd_b", rateBp: 9_000 })])).toBe(
      "off_a/1",
    );
  });
  it("records the checks of every version in force and of no other", () => {
    const later = makeTerms({ offerId: "off_c", startsAtMs: at("2026-12-01T00:00:00Z") });
    const decision = decide(makeFacts(), [later, makeTerms({ offerId: "off_b" }), a]);
    const versions = decision.checks.flatMap((
      check,
    ) => (check.offerId === null ? [] : [check.offerId]));
    expect([...new Set(versions)]).toEqual(["off_a", "off_b"]);
  });
});

describe("decideEarning, budgets", () => {
  it("waits when the winning offer has a budget, with what it would grant", () => {
    const decision = decide(makeFacts(), [makeTerms({ budgetPoints: 10_000 })]);
    expect(decision).toMatchObject({
      outcome: "waiting",
      points: 104,
      reasons: ["budget_reserving"],
      calculation: { capped: 104 },
    });
  });
  it("waits for what the caps leave", () => {
    const decision = decide(makeFacts(), [
      makeTerms({ budgetPoints: 10_000, capPointsPerPurchase: 40 }),
    ]);
    expect(decision).toMatchObject({
      outcome: "waiting",
      points: 40,
      reasons: ["budget_reserving", "cap_reached"],
    });
  });
  it("does not wait when an offer without a budget gives more", () => {
    const decision = decide(makeFacts(), [
      makeTerms({ budgetPoints: 10_000 }),
      makeTerms({ offerId: "off_b", rateBp: 400 }),
    ]);
    expect(decision).toMatchObject({ outcome: "earned", points: 139 });
  });
});

describe("decideEarning, the most useful reason", () => {
  const refusing = (offerId: `off_${string}`, changes: Partial<OfferTerms>): OfferTerms =>
    makeTerms({ offerId, ...changes });
  const channel = refusing("off_z", { channel: "online" });
  const firstOnly = refusing("off_y", { firstPurchaseOnly: true });
  const maximum = refusing("off_x", { maxCents: 100 });
  const minimum = refusing("off_w", { minCents: 9_000 });
  const activation = refusing("off_v", { activation: "required" });
  const cap = refusing("off_u", { capPurchasesPerUser: 1 });
  const usage = makeUsage({
    earlierAt: [BRAND],
    grants: [{ offerId: "off_u", on: "2026-02-02", points: 5 }],
  });
  const ladder: readonly [ReasonCode, OfferTerms][] = [
    ["wrong_channel", channel],
    ["not_first_purchase", firstOnly],
    ["above_maximum", maximum],
    ["below_minimum", minimum],
    ["activation_missing", activation],
    ["cap_reached", cap],
  ];
  const steps = ladder.slice(1).map(([reason, terms], index) => ({
    reason,
    terms,
    below: ladder.slice(0, index + 1).map(([, each]) => each),
  }));

  it.each(steps)("prefers $reason to what is further from earning", ({ reason, terms, below }) => {
    const decision = decide(makeFacts(), [...below, terms], usage);
    expect(decision.reasons).toEqual([reason]);
    expect(decision.terms).toEqual(terms);
    expect(decide(makeFacts(), [terms, ...below], usage)).toEqual(decision);
  });

  it("prefers the version that fails fewer rules, even when its failure weighs more", () => {
    const both = refusing("off_b", { activation: "required", minCents: 9_000 });
    expect(decide(makeFacts(), [both, channel]).reasons).toEqual(["wrong_channel"]);
  });

  it("lists all failures of the closest version, the purchase's own before the user's", () => {
    const all = refusing("off_u", {
      channel: "online",
      firstPurchaseOnly: true,
      minCents: 9_000,
      activation: "required",
      capPurchasesPerUser: 1,
    });
    expect(decide(makeFacts(), [all], usage).reasons).toEqual([
      "wrong_channel",
      "not_first_purchase",
      "below_minimum",
      "activation_missing",
      "cap_reached",
    ]);
  });

  it("prefers the version that would have given more, all else equal", () => {
    const better = refusing("off_b", { activation: "required", rateBp: 500, priority: 999 });
    expect(decide(makeFacts(), [activation, better]).terms).toEqual(better);
  });

  it("prefers the rank by which versions win, all else equal", () => {
    const first = refusing("off_zz", { activation: "required", priority: 1 });
    expect(decide(makeFacts(), [activation, first]).terms).toEqual(first);
  });

  it("keeps what the formula gave beside a refusal, and grants nothing of it", () => {
    expect(decide(makeFacts(), [activation]).calculation).toMatchObject({
      uncapped: 104,
      capped: 0,
    });
  });

  it("names the currency before the brand", () => {
    const decision = decide(makeFacts({ currency: "USD", brandId: null }));
    expect(decision).toMatchObject({
      outcome: "not_earned",
      reasons: ["currency_unsupported", "brand_unknown"],
      calculation: null,
      terms: null,
    });
  });

  it("computes no amount in a currency that does not earn", () => {
    expect(decide(makeFacts({ currency: "USD" }))).toMatchObject({
      reasons: ["currency_unsupported"],
      calculation: null,
    });
  });

  it("tells a brand without any offer from one without an offer on the day", () => {
    expect(decide(makeFacts(), []).reasons).toEqual(["brand_without_offer"]);
    expect(decide(makeFacts(), [makeTerms({ startsAtMs: at("2026-12-01T00:00:00Z") })]).reasons)
      .toEqual(["offer_not_in_force"]);
  });

  it("shows the window nearest to the day when none is in force", () => {
    const past = makeTerms({
      offerId: "off_b",
      startsAtMs: at("2026-01-01T00:00:00Z"),
      endsAtMs: at("2026-11-10T00:00:00+01:00"),
    });
    const next = makeTerms({ offerId: "off_a", startsAtMs: at("2026-11-16T00:00:00+01:00") });
    const decision = decide(makeFacts(), [next, past]);
    expect(failed(decision)).toEqual([{
      rule: "offer_not_in_force",
      offerId: "off_b",
      version: 1,
      passed: false,
      needed: "2026-01-01/2026-11-09",
      found: "2026-11-12",
    }]);
    const twin = { ...past, offerId: "off_c" as const };
    expect([decide(makeFacts(), [twin, past]).checks, decide(makeFacts(), [past, twin]).checks])
      .toEqual([decision.checks, decision.checks]);
    expect(failed(decide(makeFacts({ purchasedOn: "2026-11-14" }), [next, past]))).toMatchObject([{
      offerId: "off_a",
      needed: "2026-11-16/..",
    }]);
  });
});
