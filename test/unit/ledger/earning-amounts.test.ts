// How many points a purchase earns: formulas, caps that leave something, and the Paris days on
// which offers and the periods of caps begin and end.
import { describe, expect, it } from "vitest";
import { pointsFor, termsInForce } from "../../../src/ledger/earning/rules.ts";
import type { OfferTerms } from "../../../src/ledger/ports.ts";
import {
  at,
  decide,
  granted,
  makeFacts,
  makeTerms,
  makeUsage,
  pointsOf,
  PROGRAMME,
} from "./earning-factories.ts";

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
