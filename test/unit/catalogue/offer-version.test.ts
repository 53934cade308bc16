// Offer versions: each contradiction is refused with the pointer to its field, and each limit is
// tried on both sides.
import { describe, expect, it } from "vitest";
import { checkOfferVersion, instantOrDayToMs } from "../../../src/catalogue/terms/check-version.ts";
import { offerVersionDetail } from "../../../src/catalogue/terms/version-problems.ts";
import type { OfferVersionInput } from "../../../src/catalogue/terms/version-input.ts";
import type { OfferVersionCode } from "../../../src/catalogue/terms/version-problems.ts";
import { at } from "../ledger/earning-factories.ts";

function makeInput(changes: Partial<OfferVersionInput> = {}): OfferVersionInput {
  return {
    kind: "percent",
    rate_bp: 300,
    activation: "automatic",
    channel: "any",
    starts_at: "2026-11-01",
    ends_at: null,
    confirmation_days: 30,
    priority: 100,
    ...changes,
  };
}

const fixed = { kind: "fixed", rate_bp: null, points: 500 } as const;
const perEuro = { kind: "points_per_euro", rate_bp: undefined, points: 3 } as const;
const tiered = {
  kind: "tiered",
  rate_bp: null,
  tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5_000, rate_bp: 300 }],
} as const;

function problemsOf(input: OfferVersionInput, pointsPerEuro?: number): string[] {
  const checked = checkOfferVersion(input, pointsPerEuro === undefined ? {} : { pointsPerEuro });
  return checked.ok ? [] : checked.error.map((each) => `${each.pointer} ${each.code}`);
}

type Case = readonly [Partial<OfferVersionInput>, string, OfferVersionCode];

const REFUSED: readonly Case[] = [
  [{ kind: "double" }, "/kind", "kind_unknown"],
  [{ rate_bp: null }, "/rate_bp", "missing_for_kind"],
  [{ rate_bp: undefined }, "/rate_bp", "missing_for_kind"],
  [{ rate_bp: 0 }, "/rate_bp", "rate_out_of_range"],
  [{ rate_bp: -1 }, "/rate_bp", "rate_out_of_range"],
  [{ rate_bp: 10_001 }, "/rate_bp", "rate_out_of_range"],
  [{ rate_bp: 2.5 }, "/rate_bp", "rate_out_of_range"],
  [{ rate_bp: Number.NaN }, "/rate_bp", "rate_out_of_range"],
  [{ points: 5 }, "/points", "not_for_kind"],
  [{ tiers: tiered.tiers }, "/tiers", "not_for_kind"],
  [{ tiers: [] }, "/tiers", "not_for_kind"],
  [{ ...fixed, points: null }, "/points", "missing_for_kind"],
  [{ ...fixed, points: 0 }, "/points", "points_out_of_range"],
  [{ ...fixed, points: 1_000_001 }, "/points", "points_out_of_range"],
  [{ ...fixed, points: 1.5 }, "/points", "points_out_of_range"],
  [{ ...fixed, rate_bp: 300 }, "/rate_bp", "not_for_kind"],
  [{ ...fixed, tiers: tiered.tiers }, "/tiers", "not_for_kind"],
  [{ ...perEuro, points: undefined }, "/points", "missing_for_kind"],
  [{ ...perEuro, points: -3 }, "/points", "points_out_of_range"],
  [{ ...perEuro, points: 100_001 }, "/points", "points_out_of_range"],
  [{ ...perEuro, rate_bp: 300 }, "/rate_bp", "not_for_kind"],
  [{ ...perEuro, tiers: tiered.tiers }, "/tiers", "not_for_kind"],
  [{ ...tiered, tiers: null }, "/tiers", "missing_for_kind"],
  [{ ...tiered, tiers: [] }, "/tiers", "missing_for_kind"],
  [{ ...tiered, rate_bp: 300 }, "/rate_bp", "not_for_kind"],
  [{ ...tiered, points: 300 }, "/points", "not_for_kind"],
  [
    { ...tiered, tiers: [{ from_cents: 1, rate_bp: 100 }] },
    "/tiers/0/from_cents",
    "tiers_first_not_zero",
  ],
  [
    { ...tiered, tiers: [...tiered.tiers, { from_cents: 5_000, rate_bp: 500 }] },
    "/tiers/2/from_cents",
    "tiers_overlap",
  ],
  [
    { ...tiered, tiers: [...tiered.tiers, { from_cents: 4_999, rate_bp: 500 }] },
    "/tiers/2/from_cents",
    "tiers_not_ascending",
  ],
  [
    { ...tiered, tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 0, rate_bp: 200 }] },
    "/tiers/1/from_cents",
    "tiers_overlap",
  ],
  [
    { ...tiered, tiers: [{ from_cents: -1, rate_bp: 100 }] },
    "/tiers/0/from_cents",
    "amount_out_of_range",
  ],
  [
    {
      ...tiered,
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 1_000_000_001, rate_bp: 100 }],
    },
    "/tiers/1/from_cents",
    "amount_out_of_range",
  ],
  [{ ...tiered, tiers: [{ from_cents: 0, rate_bp: -1 }] }, "/tiers/0/rate_bp", "rate_out_of_range"],
  [{ ...tiered, tiers: [{ from_cents: 0, rate_bp: 0 }] }, "/tiers", "tiers_give_nothing"],
  [
    { ...tiered, tiers: [{ from_cents: 0, rate_bp: 0 }, { from_cents: 5_000, rate_bp: 0 }] },
    "/tiers",
    "tiers_give_nothing",
  ],
  [
    {
      ...tiered,
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5_000, rate_bp: 0 }],
      min_cents: 5_000,
    },
    "/tiers",
    "tiers_give_nothing",
  ],
  [
    { ...tiered, tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 100, rate_bp: 10_001 }] },
    "/tiers/1/rate_bp",
    "rate_out_of_range",
  ],
  [{ ...tiered, max_cents: 4_999 }, "/tiers/1/from_cents", "tier_unreachable"],
  [
    {
      ...tiered,
      tiers: Array.from({ length: 21 }, (_, index) => ({ from_cents: index, rate_bp: 100 })),
    },
    "/tiers",
    "tiers_too_many",
  ],
  [{ min_cents: -1 }, "/min_cents", "amount_out_of_range"],
  [{ min_cents: 0.5 }, "/min_cents", "amount_out_of_range"],
  [{ min_cents: 1_000_000_001 }, "/min_cents", "amount_out_of_range"],
  [{ max_cents: 0 }, "/max_cents", "maximum_not_positive"],
  [{ max_cents: -5 }, "/max_cents", "maximum_not_positive"],
  [{ max_cents: 1_000_000_001 }, "/max_cents", "amount_out_of_range"],
  [{ max_cents: 99.5 }, "/max_cents", "amount_out_of_range"],
  [{ min_cents: 2_001, max_cents: 2_000 }, "/max_cents", "minimum_over_maximum"],
  [{ cap_points_per_purchase: 0 }, "/cap_points_per_purchase", "cap_out_of_range"],
  [{ cap_points_per_purchase: -1 }, "/cap_points_per_purchase", "cap_out_of_range"],
  [{ cap_points_per_user: 0 }, "/cap_points_per_user", "cap_out_of_range"],
  [{ cap_points_per_user: 1_000_000_001 }, "/cap_points_per_user", "cap_out_of_range"],
  [{ cap_purchases_per_user: 0 }, "/cap_purchases_per_user", "cap_out_of_range"],
  [{ cap_purchases_per_user: 1.5 }, "/cap_purchases_per_user", "cap_out_of_range"],
  [
    { ...fixed, cap_points_per_purchase: 499 },
    "/cap_points_per_purchase",
    "cap_below_fixed_points",
  ],
  [{ ...fixed, cap_points_per_user: 499 }, "/cap_points_per_user", "cap_below_fixed_points"],
  [{ period: "year", cap_points_per_user: 9 }, "/period", "period_unknown"],
  [{ period: "month" }, "/period", "period_without_cap"],
  [{ period: "day" }, "/period", "period_without_cap"],
  [{ cap_points_per_purchase: 500, period: "month" }, "/period", "period_without_cap"],
  [
    { cap_points_per_purchase: 501, cap_points_per_user: 500 },
    "/cap_points_per_user",
    "cap_per_user_below_per_purchase",
  ],
  [
    { ...fixed, cap_points_per_purchase: 900, cap_points_per_user: 899, period: "month" },
    "/cap_points_per_user",
    "cap_per_user_below_per_purchase",
  ],
  [{ activation: "manual" }, "/activation", "activation_unknown"],
  [{ activation_days: 7 }, "/activation_days", "activation_days_without_activation"],
  [
    { activation: "required", activation_days: 0 },
    "/activation_days",
    "activation_days_out_of_range",
  ],
  [
    { activation: "required", activation_days: 366 },
    "/activation_days",
    "activation_days_out_of_range",
  ],
  [
    { activation: "required", activation_days: 1.5 },
    "/activation_days",
    "activation_days_out_of_range",
  ],
  [{ channel: "phone" }, "/channel", "channel_unknown"],
  [{ channel: "unknown" }, "/channel", "channel_unknown"],
  [{ starts_at: "tomorrow" }, "/starts_at", "instant_invalid"],
  [{ starts_at: "2026-02-30" }, "/starts_at", "instant_invalid"],
  [{ ends_at: "2026-13-01" }, "/ends_at", "instant_invalid"],
  [{ ends_at: "" }, "/ends_at", "instant_invalid"],
  [{ starts_at: "2026-12-02", ends_at: "2026-12-01" }, "/ends_at", "ends_before_start"],
  [{ starts_at: "2026-12-01", ends_at: "2026-12-01" }, "/ends_at", "ends_before_start"],
  [
    { starts_at: "2026-12-01T00:00:00+01:00", ends_at: "2026-12-01T00:00:00+02:00" },
    "/ends_at",
    "ends_before_start",
  ],
  [{ confirmation_days: -1 }, "/confirmation_days", "confirmation_days_out_of_range"],
  [{ confirmation_days: 366 }, "/confirmation_days", "confirmation_days_out_of_range"],
  [{ confirmation_days: 0.5 }, "/confirmation_days", "confirmation_days_out_of_range"],
  [{ budget_points: 0 }, "/budget_points", "budget_out_of_range"],
  [{ budget_points: 1_000_000_001 }, "/budget_points", "budget_out_of_range"],
  [{ ...fixed, budget_points: 499 }, "/budget_points", "budget_below_least_grant"],
  [
    { ...perEuro, min_cents: 10_000, budget_points: 299 },
    "/budget_points",
    "budget_below_least_grant",
  ],
  [{ priority: -1 }, "/priority", "priority_out_of_range"],
  [{ priority: 1_000_001 }, "/priority", "priority_out_of_range"],
  [{ priority: 0.1 }, "/priority", "priority_out_of_range"],
];

const ACCEPTED: readonly Partial<OfferVersionInput>[] = [
  {},
  { rate_bp: 1 },
  { rate_bp: 10_000 },
  fixed,
  { ...fixed, points: 1 },
  { ...fixed, points: 1_000_000 },
  perEuro,
  { ...perEuro, points: 100_000 },
  { ...perEuro, cap_points_per_purchase: 2, cap_points_per_user: 2 },
  tiered,
  { ...tiered, tiers: [{ from_cents: 0, rate_bp: 1 }] },
  { ...tiered, tiers: [{ from_cents: 0, rate_bp: 0 }, { from_cents: 5_000, rate_bp: 300 }] },
  {
    ...tiered,
    tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5_000, rate_bp: 0 }],
    min_cents: 4_999,
  },
  { ...tiered, max_cents: 5_000 },
  { ...tiered, min_cents: 6_000 },
  {
    ...tiered,
    tiers: Array.from({ length: 20 }, (_, index) => ({ from_cents: index, rate_bp: 100 })),
  },
  { ...tiered, tiers: [{ from_cents: 0, rate_bp: 500 }, { from_cents: 100, rate_bp: 100 }] },
  { min_cents: 0 },
  { min_cents: 1_000_000_000 },
  { max_cents: 1 },
  { min_cents: 2_000, max_cents: 2_000 },
  { cap_points_per_purchase: 1 },
  { cap_points_per_user: 1_000_000_000 },
  { cap_purchases_per_user: 1, period: "week" },
  { cap_points_per_user: 500, period: "day" },
  { cap_points_per_purchase: 500, period: "offer" },
  { cap_points_per_purchase: 500, cap_points_per_user: 500, period: "month" },
  { cap_points_per_purchase: 500, cap_purchases_per_user: 2, period: "month" },
  { period: "offer" },
  { period: null },
  { ...fixed, cap_points_per_purchase: 500, cap_points_per_user: 500 },
  { ...fixed, cap_purchases_per_user: 1 },
  { activation: "required" },
  { activation: "required", activation_days: 1 },
  { activation: "required", activation_days: 365 },
  { channel: "online" },
  { channel: "in_store" },
  { first_purchase_only: true },
  { first_purchase_only: null },
  { ends_at: "2026-11-13" },
  { starts_at: "2020-01-01" },
  { starts_at: "2020-01-01", ends_at: "2020-01-02" },
  { ends_at: undefined },
  { confirmation_days: 0 },
  { confirmation_days: 365 },
  { priority: 0 },
  { priority: 1_000_000 },
  { budget_points: 1 },
  { ...fixed, budget_points: 500 },
  { ...perEuro, min_cents: 10_000, budget_points: 300 },
  { ...perEuro, min_cents: 10_000, cap_points_per_purchase: 50, budget_points: 50 },
  { ...perEuro, min_cents: 10_000, cap_points_per_user: 50, budget_points: 50 },
  { ...perEuro, budget_points: 1 },
];

describe("checkOfferVersion()", () => {
  it.each(REFUSED)("refuses %j at %s with %s, and with nothing else", (changes, pointer, code) => {
    expect(problemsOf(makeInput(changes))).toEqual([`${pointer} ${code}`]);
  });

  it.each(ACCEPTED)("accepts %j", (changes) => {
    expect(problemsOf(makeInput(changes))).toEqual([]);
  });

  it("reports every contradiction at once", () => {
    expect(
      problemsOf(
        makeInput({ rate_bp: 0, min_cents: 9, max_cents: 8, channel: "fax", priority: -1 }),
      ),
    ).toEqual([
      "/rate_bp rate_out_of_range",
      "/max_cents minimum_over_maximum",
      "/channel channel_unknown",
      "/priority priority_out_of_range",
    ]);
  });

  it("reports each bad tier", () => {
    const tiers = [{ from_cents: 5, rate_bp: -1 }, { from_cents: 5, rate_bp: 1 }, {
      from_cents: 2,
      rate_bp: 20_000,
    }];
    expect(problemsOf(makeInput({ ...tiered, tiers }))).toEqual([
      "/tiers/0/from_cents tiers_first_not_zero",
      "/tiers/0/rate_bp rate_out_of_range",
      "/tiers/1/from_cents tiers_overlap",
      "/tiers/2/from_cents tiers_not_ascending",
      "/tiers/2/rate_bp rate_out_of_range",
    ]);
  });

  it("with the programme's rate, refuses points per euro that give back more than the purchase", () => {
    expect(problemsOf(makeInput({ ...perEuro, points: 100 }), 100)).toEqual([]);
    expect(problemsOf(makeInput({ ...perEuro, points: 101 }), 100)).toEqual([
      "/points rate_over_whole_amount",
    ]);
    expect(problemsOf(makeInput({ ...fixed, points: 101 }), 100)).toEqual([]);
  });

  it("with the programme's rate, refuses a budget below the least grant of a rate", () => {
    expect(problemsOf(makeInput({ min_cents: 10_000, budget_points: 300 }), 100)).toEqual([]);
    expect(problemsOf(makeInput({ min_cents: 10_000, budget_points: 299 }), 100)).toEqual([
      "/budget_points budget_below_least_grant",
    ]);
    expect(problemsOf(makeInput({ min_cents: 10_000, budget_points: 299 }))).toEqual([]);
  });

  it("takes the least grant of the tiers that the minimum leaves reachable", () => {
    const falling = {
      kind: "tiered",
      rate_bp: null,
      tiers: [{ from_cents: 0, rate_bp: 1_000 }, { from_cents: 5_000, rate_bp: 200 }],
    };
    // 4 000 cents at 10 % are 400 points; 5 000 cents at 2 % are 100.
    expect(problemsOf(makeInput({ ...falling, min_cents: 4_000, budget_points: 100 }), 100))
      .toEqual([]);
    expect(problemsOf(makeInput({ ...falling, min_cents: 4_000, budget_points: 99 }), 100)).toEqual(
      ["/budget_points budget_below_least_grant"],
    );
    const rising = {
      kind: "tiered",
      rate_bp: null,
      tiers: [{ from_cents: 0, rate_bp: 100 }, { from_cents: 5_000, rate_bp: 200 }],
    };
    expect(problemsOf(makeInput({ ...rising, min_cents: 5_000, budget_points: 100 }), 100)).toEqual(
      [],
    );
    expect(problemsOf(makeInput({ ...rising, min_cents: 5_000, budget_points: 99 }), 100)).toEqual([
      "/budget_points budget_below_least_grant",
    ]);
  });

  it("takes the least grant of the tiers that give something", () => {
    const nothingBelow = {
      kind: "tiered",
      rate_bp: null,
      tiers: [{ from_cents: 0, rate_bp: 0 }, { from_cents: 5_000, rate_bp: 200 }],
    };
    expect(problemsOf(makeInput({ ...nothingBelow, budget_points: 100 }), 100)).toEqual([]);
    expect(problemsOf(makeInput({ ...nothingBelow, budget_points: 99 }), 100)).toEqual([
      "/budget_points budget_below_least_grant",
    ]);
  });

  it("normalises everything, absent fields as null and the period as the whole offer", () => {
    expect(checkOfferVersion(makeInput({ ends_at: "2026-12-01T00:00:00+01:00" }))).toEqual({
      ok: true,
      value: {
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
        startsAtMs: at("2026-11-01T00:00:00+01:00"),
        endsAtMs: at("2026-12-01T00:00:00+01:00"),
        confirmationDays: 30,
        budgetPoints: null,
        priority: 100,
      },
    });
  });

  it("normalises every field that is given", () => {
    const full = makeInput({
      ...tiered,
      min_cents: 100,
      max_cents: 90_000,
      cap_points_per_purchase: 200,
      cap_points_per_user: 900,
      cap_purchases_per_user: 4,
      period: "week",
      first_purchase_only: true,
      activation: "required",
      activation_days: 14,
      channel: "online",
      confirmation_days: 45,
      budget_points: 70_000,
      priority: 3,
    });
    expect(checkOfferVersion(full)).toMatchObject({
      ok: true,
      value: {
        kind: "tiered",
        rateBp: null,
        tiers: [{ fromCents: 0, rateBp: 100 }, { fromCents: 5_000, rateBp: 300 }],
        minCents: 100,
        maxCents: 90_000,
        capPointsPerPurchase: 200,
        capPointsPerUser: 900,
        capPurchasesPerUser: 4,
        period: "week",
        firstPurchaseOnly: true,
        activation: "required",
        activationDays: 14,
        channel: "online",
        confirmationDays: 45,
        budgetPoints: 70_000,
        priority: 3,
      },
    });
  });

  it("has two different texts for each code, without a final period", () => {
    for (const code of new Set(REFUSED.map(([, , each]) => each))) {
      const { fr, en } = offerVersionDetail(code);
      expect(fr).not.toBe(en);
      expect(`${fr}${en}`).not.toMatch(/\.$/);
    }
  });
});

describe("instantOrDayToMs()", () => {
  const cases: readonly [string, string | null][] = [
    ["2026-11-12", "2026-11-11T23:00:00.000Z"],
    ["2026-07-14", "2026-07-13T22:00:00.000Z"],
    ["2026-03-29", "2026-03-28T23:00:00.000Z"],
    ["2026-03-30", "2026-03-29T22:00:00.000Z"],
    ["2026-10-25", "2026-10-24T22:00:00.000Z"],
    ["2026-10-26", "2026-10-25T23:00:00.000Z"],
    ["2026-11-12T10:00:00Z", "2026-11-12T10:00:00.000Z"],
    ["2026-11-12t10:00:00z", "2026-11-12T10:00:00.000Z"],
    ["2026-11-12T10:00:00.25+01:00", "2026-11-12T09:00:00.250Z"],
    ["2026-11-12T10:00:00-03:30", "2026-11-12T13:30:00.000Z"],
    ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00.000Z"],
    ["1999-12-31T23:59:59Z", null],
    ["2099-12-31T23:59:59Z", "2099-12-31T23:59:59.000Z"],
    ["2100-01-01T00:00:00Z", null],
    ["2026-02-29", null],
    ["2026-02-29T10:00:00Z", null],
    ["2026-11-12T24:00:00Z", null],
    ["2026-11-12T10:60:00Z", null],
    ["2026-11-12T10:00:60Z", null],
    ["2026-11-12T10:00:00", null],
    ["2026-11-12 10:00:00Z", null],
    ["2026-11-12T10:00Z", null],
    ["2026-11-12T10:00:00+25:00", null],
    ["12/11/2026", null],
    ["2026-11", null],
    ["", null],
    [" 2026-11-12", null],
    ["2026-11-12\n", null],
  ];
  it.each(cases)("reads %j as %s", (text, instant) => {
    const ms = instantOrDayToMs(text);
    expect(ms === null ? null : new Date(ms).toISOString()).toBe(instant);
  });
});
