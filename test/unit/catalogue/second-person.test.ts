// Which terms one person may put in force alone: by what they give, not by how they are entered.
import { describe, expect, it } from "vitest";
import { newVersion } from "../../../src/catalogue/offers/offer.ts";
import type { OfferAct } from "../../../src/catalogue/offers/offer.ts";
import { checkOfferVersion } from "../../../src/catalogue/terms/check-version.ts";
import { needsSecondPerson } from "../../../src/catalogue/terms/second-person.ts";
import type {
  NormalisedVersion,
  OfferVersionInput,
} from "../../../src/catalogue/terms/version-input.ts";

function termsOf(changes: Partial<OfferVersionInput>, pointsPerEuro = 100): NormalisedVersion {
  const checked = checkOfferVersion({
    kind: "percent",
    activation: "automatic",
    channel: "any",
    starts_at: "2026-11-01",
    confirmation_days: 30,
    priority: 100,
    ...changes,
  }, { pointsPerEuro });
  if (!checked.ok) throw new Error(`the terms of this test are invalid: ${checked.error[0]?.code}`);
  return checked.value;
}

function needed(
  changes: Partial<OfferVersionInput>,
  { pointsPerEuro = 100, replacedBudget }: {
    readonly pointsPerEuro?: number;
    readonly replacedBudget?: number | null;
  } = {},
): boolean {
  return needsSecondPerson(termsOf(changes, pointsPerEuro), { pointsPerEuro, replacedBudget });
}

const monthly = { cap_purchases_per_user: 1, period: "month" } as const;

describe("needsSecondPerson()", () => {
  it.each(
    [
      [{ rate_bp: 1_500 }, false],
      [{ rate_bp: 1_501 }, true],
      // A cap does not make up for the rate.
      [{ rate_bp: 1_501, cap_points_per_user: 1 }, true],
      [{
        kind: "tiered",
        tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 9, rate_bp: 1_500 }],
      }, false],
      [{
        kind: "tiered",
        tiers: [{ from_cents: 0, rate_bp: 1_501 }, { from_cents: 9, rate_bp: 1 }],
      }, true],
      [{
        kind: "tiered",
        tiers: [{ from_cents: 0, rate_bp: 1 }, { from_cents: 9, rate_bp: 1_501 }],
      }, true],
    ] as const,
  )("for the rate of %j: %s", (version, expected) => {
    expect(needed(version)).toBe(expected);
  });

  it.each(
    [
      [{ points: 2_000, ...monthly }, false],
      [{ points: 2_001, ...monthly }, true],
      // Three purchases of one cent paid 6 000 points on one person's word.
      [{ points: 2_000 }, true],
      [{ points: 1 }, true],
      [{ points: 1, min_cents: 100_000, budget_points: 1_000 }, true],
      [{ points: 100, cap_points_per_user: 5_000, period: "month" }, false],
      [{ points: 100, cap_points_per_user: 5_001, period: "month" }, true],
      [{ points: 100, cap_points_per_user: 1_000, period: "week" }, false],
      [{ points: 100, cap_points_per_user: 1_001, period: "week" }, true],
      [{ points: 100, cap_points_per_user: 161, period: "day" }, false],
      [{ points: 100, cap_points_per_user: 162, period: "day" }, true],
      [{ points: 100, cap_points_per_user: 5_000 }, false],
      [{ points: 100, cap_purchases_per_user: 50, period: "month" }, false],
      [{ points: 100, cap_purchases_per_user: 51, period: "month" }, true],
      [{ points: 162, cap_purchases_per_user: 1, period: "day" }, true],
      [{ points: 100, cap_purchases_per_user: 9_999, cap_points_per_user: 5_000 }, false],
      [{ points: 2_000, first_purchase_only: true }, false],
    ] as const,
  )("for fixed points %j: %s", (version, expected) => {
    expect(needed({ kind: "fixed", ...version })).toBe(expected);
  });

  it.each(
    [
      [{ points: 5 }, true],
      [{ points: 5, cap_points_per_purchase: 2_000 }, true],
      [{ points: 5, cap_points_per_user: 2_000, period: "month" }, false],
      [{ points: 5, cap_points_per_user: 5_000, period: "month" }, true],
      [{
        points: 5,
        cap_points_per_purchase: 2_000,
        cap_points_per_user: 5_000,
        period: "month",
      }, false],
      [{ points: 10, max_cents: 20_000, ...monthly }, false],
      [{ points: 10, max_cents: 20_010, ...monthly }, true],
      // Worth more than 15 % of the purchase.
      [{ points: 15, max_cents: 1_000, ...monthly }, false],
      [{ points: 16, max_cents: 1_000, ...monthly }, true],
    ] as const,
  )("for points per euro %j: %s", (version, expected) => {
    expect(needed({ kind: "points_per_euro", ...version })).toBe(expected);
  });

  it("knows what points per euro are worth at the programme's rate", () => {
    const version = { kind: "points_per_euro", points: 1, max_cents: 1_000, ...monthly } as const;
    expect(needed(version, { pointsPerEuro: 7 })).toBe(false);
    expect(needed(version, { pointsPerEuro: 6 })).toBe(true);
  });

  it.each(
    [
      ["a first version's", 500_000, undefined, false],
      ["a first version's", 500_001, undefined, true],
      ["no", null, undefined, false],
      ["a raised", 500_001, 400_000, true],
      ["a raised", 500_000, 400_000, false],
      ["a kept", 900_000, 900_000, false],
      ["a lowered", 800_000, 900_000, false],
      ["a lifted", null, 400_000, true],
      ["a new", 900_000, null, false],
      ["still no", null, null, false],
    ] as const,
  )("for %s budget of %s after %s: %s", (_name, budget_points, replacedBudget, expected) => {
    const context = replacedBudget === undefined ? {} : { replacedBudget };
    expect(needed({ rate_bp: 300, budget_points }, context)).toBe(expected);
  });
});

describe("newVersion()", () => {
  const act: OfferAct = {
    operator: "alice",
    listedPerson: true,
    nowMs: 1,
    requestKey: null,
    newId: () => {
      throw new Error("a version has no id of its own");
    },
    pointsPerEuro: 100,
  };
  const budget = (points: number) => termsOf({ rate_bp: 300, budget_points: points });
  const id = "off_0192f0c4-0000-7000-8000-000000000002" as const;

  it("measures a raised budget by the approved version, not by one that waits", () => {
    const first = newVersion({ id, versions: [] }, budget(400_000), act, null);
    const second = newVersion({ id, versions: [first] }, budget(9_000_000), act, null);
    const third = newVersion({ id, versions: [first, second] }, budget(8_000_000), act, null);
    expect([first, second, third].map(({ number, state }) => [number, state])).toEqual([
      [1, "approved"],
      [2, "waiting"],
      [3, "waiting"],
    ]);
  });
});
