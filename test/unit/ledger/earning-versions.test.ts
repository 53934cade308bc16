// Which of several offer versions decides: the one that gives most, and where none earns, the one
// whose reason is most useful.
import { describe, expect, it } from "vitest";
import type { OfferTerms, ReasonCode } from "../../../src/ledger/ports.ts";
import { at, BRAND, decide, failed, makeFacts, makeTerms, makeUsage } from "./earning-factories.ts";

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

  it("distinguishes a brand without any offer from one without an offer on the day", () => {
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
