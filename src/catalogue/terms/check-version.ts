// Whether the terms of an offer version make sense. Pure. It refuses terms that contradict
// themselves and names the field; it stores nothing and knows no brand.
import { AMOUNT_CENTS_MAX, mulDivFloor } from "../../kernel/money.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { isDate, parisToMs } from "../../kernel/time.ts";
import type { OfferTerms } from "../../ledger/ports.ts";
import type { NormalisedVersion, OfferVersionInput } from "./version-input.ts";
import type { OfferVersionCode, OfferVersionProblem } from "./version-problems.ts";

const OFFER_RATE_BP_MAX = 10_000;
/** Fixed points of one grant: 10 000 euros at 100 points per euro. */
const OFFER_POINTS_MAX = 1_000_000;
/** Points per euro: the largest amount then gives no more than `POINTS_MAX`. */
const OFFER_POINTS_PER_EURO_MAX = 100_000;
/** A cap or a budget; far above any programme, far below what sums could overflow. */
const OFFER_LIMIT_MAX = 1_000_000_000;
const OFFER_TIERS_MAX = 20;
const OFFER_ACTIVATION_DAYS_MAX = 365;
const OFFER_CONFIRMATION_DAYS_MAX = 365;
const OFFER_PRIORITY_MAX = 1_000_000;
// No offer of ours is older or lasts longer: an instant outside is a slip of the pen.
const INSTANT_MS_MIN = Date.UTC(2000, 0, 1);
const INSTANT_MS_MAX = Date.UTC(2100, 0, 1);

type Refuse = (pointer: string, code: OfferVersionCode) => void;

function within(value: number, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && value >= min && value <= max;
}

function oneOf<const T extends string>(options: readonly T[], value: string): T | null {
  return options.find((option) => option === value) ?? null;
}

const KINDS = ["percent", "fixed", "points_per_euro", "tiered"] as const;
const CHANNELS = ["any", "in_store", "online"] as const;
const ACTIVATIONS = ["automatic", "required"] as const;
const PERIODS = ["day", "week", "month", "offer"] as const;

const RFC_3339 =
  /^(\d{4}-\d{2}-\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Milliseconds of an RFC 3339 instant, or of the start of a day in Paris; null when the text is
 * neither.
 */
export function instantOrDayToMs(text: string): number | null {
  const day = RFC_3339.exec(text)?.[1];
  const ms = day === undefined
    ? (isDate(text) ? parisToMs(text) : null)
    : isDate(day)
    ? Date.parse(text.toUpperCase())
    : null;
  if (ms === null || !Number.isSafeInteger(ms) || ms < INSTANT_MS_MIN || ms >= INSTANT_MS_MAX) {
    return null;
  }
  return ms;
}

/**
 * What the kind needs and what it must not bring: a number that no formula reads would promise what
 * nobody gets.
 */
function checkFormula(
  input: OfferVersionInput,
  kind: OfferTerms["kind"],
  pointsPerEuro: number | null,
  refuse: Refuse,
): void {
  const rate = input.rate_bp ?? null;
  const points = input.points ?? null;
  const tiers = input.tiers ?? null;
  const takesPoints = kind === "fixed" || kind === "points_per_euro";
  if (kind !== "percent") {
    if (rate !== null) refuse("/rate_bp", "not_for_kind");
  } else if (rate === null) refuse("/rate_bp", "missing_for_kind");
  else if (!within(rate, 1, OFFER_RATE_BP_MAX)) refuse("/rate_bp", "rate_out_of_range");

  if (!takesPoints) {
    if (points !== null) refuse("/points", "not_for_kind");
  } else if (points === null) refuse("/points", "missing_for_kind");
  else if (!within(points, 1, kind === "fixed" ? OFFER_POINTS_MAX : OFFER_POINTS_PER_EURO_MAX)) {
    refuse("/points", "points_out_of_range");
  } else if (kind === "points_per_euro" && pointsPerEuro !== null && points > pointsPerEuro) {
    refuse("/points", "rate_over_whole_amount");
  }

  if (kind !== "tiered") {
    if (tiers !== null) refuse("/tiers", "not_for_kind");
  } else if (tiers === null || tiers.length === 0) refuse("/tiers", "missing_for_kind");
  else {checkTiers(
      tiers,
      { minCents: input.min_cents ?? 0, maxCents: input.max_cents ?? null },
      refuse,
    );}
}

type TierInput = { readonly from_cents: number; readonly rate_bp: number };

/**
 * A tier without a rate says "nothing below 50 euros", which is an offer as long as some purchase
 * earns.
 */
function checkTiers(
  tiers: readonly TierInput[],
  { minCents, maxCents }: { readonly minCents: number; readonly maxCents: number | null },
  refuse: Refuse,
): void {
  if (tiers.length > OFFER_TIERS_MAX) return refuse("/tiers", "tiers_too_many");
  const reachable = tiers.filter((_, index) =>
    (tiers[index + 1]?.from_cents ?? Infinity) > minCents
  );
  if (reachable.every((tier) => tier.rate_bp === 0)) refuse("/tiers", "tiers_give_nothing");
  let previousCents: number | null = null;
  for (const [index, tier] of tiers.entries()) {
    const pointer = `/tiers/${index}/from_cents`;
    const fromCents = tier.from_cents;
    if (!within(fromCents, 0, AMOUNT_CENTS_MAX)) refuse(pointer, "amount_out_of_range");
    else if (previousCents === null && fromCents !== 0) refuse(pointer, "tiers_first_not_zero");
    else if (previousCents !== null && fromCents === previousCents) {
      refuse(pointer, "tiers_overlap");
    } else if (previousCents !== null && fromCents < previousCents) {
      refuse(pointer, "tiers_not_ascending");
    } else if (maxCents !== null && maxCents >= 1 && fromCents > maxCents) {
      refuse(pointer, "tier_unreachable");
    }
    if (!within(tier.rate_bp, 0, OFFER_RATE_BP_MAX)) {
      refuse(`/tiers/${index}/rate_bp`, "rate_out_of_range");
    }
    previousCents = fromCents;
  }
}

function checkAmounts(input: OfferVersionInput, refuse: Refuse): void {
  const min = input.min_cents ?? null;
  const max = input.max_cents ?? null;
  if (min !== null && !within(min, 0, AMOUNT_CENTS_MAX)) {
    refuse("/min_cents", "amount_out_of_range");
  }
  if (max === null) return;
  if (Number.isSafeInteger(max) && max < 1) refuse("/max_cents", "maximum_not_positive");
  else if (!within(max, 1, AMOUNT_CENTS_MAX)) refuse("/max_cents", "amount_out_of_range");
  else if (min !== null && min > max) refuse("/max_cents", "minimum_over_maximum");
}

function checkCaps(input: OfferVersionInput, refuse: Refuse): void {
  const caps = [
    "cap_points_per_purchase",
    "cap_points_per_user",
    "cap_purchases_per_user",
  ] as const;
  for (const name of caps) {
    const cap = input[name] ?? null;
    if (cap === null) continue;
    if (!within(cap, 1, OFFER_LIMIT_MAX)) refuse(`/${name}`, "cap_out_of_range");
    else if (
      name !== "cap_purchases_per_user" && input.kind === "fixed" && cap < (input.points ?? 0)
    ) refuse(`/${name}`, "cap_below_fixed_points");
  }
  const {
    cap_points_per_purchase: perPurchase,
    cap_points_per_user: perUser,
    cap_purchases_per_user: purchases,
  } = input;
  // No purchase could ever give what the first promises.
  if (
    typeof perPurchase === "number" && typeof perUser === "number" &&
    within(perUser, 1, OFFER_LIMIT_MAX) && perPurchase > perUser
  ) {
    refuse("/cap_points_per_user", "cap_per_user_below_per_purchase");
  }
  const period = input.period ?? null;
  if (period === null) return;
  if (oneOf(PERIODS, period) === null) refuse("/period", "period_unknown");
  // "offer" is what an absent period means and what we answer, so it may come back with any
  // version.
  else if (period !== "offer" && (perUser ?? purchases ?? null) === null) {
    refuse("/period", "period_without_cap");
  }
}

function checkActivation(input: OfferVersionInput, refuse: Refuse): void {
  if (oneOf(ACTIVATIONS, input.activation) === null) refuse("/activation", "activation_unknown");
  const days = input.activation_days ?? null;
  if (days === null) return;
  if (input.activation !== "required") {
    refuse("/activation_days", "activation_days_without_activation");
  } else if (!within(days, 1, OFFER_ACTIVATION_DAYS_MAX)) {
    refuse("/activation_days", "activation_days_out_of_range");
  }
}

function checkWindow(
  input: OfferVersionInput,
  refuse: Refuse,
): { readonly startsAtMs: number; readonly endsAtMs: number | null } {
  const startsAtMs = instantOrDayToMs(input.starts_at);
  const endsAt = input.ends_at ?? null;
  const endsAtMs = endsAt === null ? null : instantOrDayToMs(endsAt);
  if (startsAtMs === null) refuse("/starts_at", "instant_invalid");
  if (endsAt !== null) {
    if (endsAtMs === null) refuse("/ends_at", "instant_invalid");
    // An end in the past is none: purchases of that time may still arrive.
    else if (startsAtMs !== null && endsAtMs <= startsAtMs) refuse("/ends_at", "ends_before_start");
  }
  return { startsAtMs: startsAtMs ?? 0, endsAtMs };
}

/**
 * The least that the formula and the caps can give one eligible purchase; 1 where the programme's
 * rate is not given.
 */
function leastGrant(version: NormalisedVersion, pointsPerEuro: number | null): number {
  const minCents = version.minCents ?? 0;
  const ofRate = (
    cents: number,
    rateBp: number,
  ): number => (pointsPerEuro === null ? 1 : mulDivFloor(cents, rateBp * pointsPerEuro, 1_000_000));
  const grants: number[] = [];
  switch (version.kind) {
    case "fixed":
      grants.push(version.points ?? 1);
      break;
    case "points_per_euro":
      grants.push(mulDivFloor(minCents, version.points ?? 0, 100));
      break;
    case "percent":
      grants.push(ofRate(minCents, version.rateBp ?? 0));
      break;
    case "tiered":
      // A higher tier may have a lower rate, so each counts from the least amount that reaches it.
      for (const [index, tier] of (version.tiers ?? []).entries()) {
        const next = version.tiers?.[index + 1];
        const reachable = next === undefined || next.fromCents > minCents;
        if (reachable && tier.rateBp > 0) {
          grants.push(ofRate(Math.max(tier.fromCents, minCents), tier.rateBp));
        }
      }
  }
  return Math.min(
    ...grants,
    version.capPointsPerPurchase ?? Number.MAX_SAFE_INTEGER,
    version.capPointsPerUser ?? Number.MAX_SAFE_INTEGER,
  );
}

/**
 * Checks an offer version and puts it in our form. Every contradiction is reported, each with the
 * pointer to one field: of two fields that disagree, the one that API.md names later. With
 * `pointsPerEuro` (the programme's) also those that need the rate: points per euro that give back
 * more than the purchase, a budget below the least grant of a rate.
 */
export function checkOfferVersion(
  input: OfferVersionInput,
  context: { readonly pointsPerEuro?: number } = {},
): Result<NormalisedVersion, readonly OfferVersionProblem[]> {
  const problems: OfferVersionProblem[] = [];
  const refuse: Refuse = (pointer, code) => void problems.push({ pointer, code });
  const pointsPerEuro = context.pointsPerEuro ?? null;
  const kind = oneOf(KINDS, input.kind);
  const channel = oneOf(CHANNELS, input.channel);
  if (kind === null) refuse("/kind", "kind_unknown");
  else checkFormula(input, kind, pointsPerEuro, refuse);
  checkAmounts(input, refuse);
  checkCaps(input, refuse);
  checkActivation(input, refuse);
  if (channel === null) refuse("/channel", "channel_unknown");
  const window = checkWindow(input, refuse);
  if (!within(input.confirmation_days, 0, OFFER_CONFIRMATION_DAYS_MAX)) {
    refuse("/confirmation_days", "confirmation_days_out_of_range");
  }
  const budgetPoints = input.budget_points ?? null;
  if (budgetPoints !== null && !within(budgetPoints, 1, OFFER_LIMIT_MAX)) {
    refuse("/budget_points", "budget_out_of_range");
  }
  if (!within(input.priority, 0, OFFER_PRIORITY_MAX)) refuse("/priority", "priority_out_of_range");
  if (problems.length > 0 || kind === null || channel === null) return err(problems);

  const version = normalise(input, kind, channel, window);
  if (budgetPoints !== null && budgetPoints < leastGrant(version, pointsPerEuro)) {
    refuse("/budget_points", "budget_below_least_grant");
    return err(problems);
  }
  return ok(version);
}

function normalise(
  input: OfferVersionInput,
  kind: OfferTerms["kind"],
  channel: OfferTerms["channel"],
  window: { readonly startsAtMs: number; readonly endsAtMs: number | null },
): NormalisedVersion {
  return {
    kind,
    rateBp: input.rate_bp ?? null,
    points: input.points ?? null,
    tiers: input.tiers?.map((tier) => ({ fromCents: tier.from_cents, rateBp: tier.rate_bp })) ??
      null,
    minCents: input.min_cents ?? null,
    maxCents: input.max_cents ?? null,
    capPointsPerPurchase: input.cap_points_per_purchase ?? null,
    capPointsPerUser: input.cap_points_per_user ?? null,
    capPurchasesPerUser: input.cap_purchases_per_user ?? null,
    period: oneOf(PERIODS, input.period ?? "offer") ?? "offer",
    firstPurchaseOnly: input.first_purchase_only ?? false,
    activation: oneOf(ACTIVATIONS, input.activation) ?? "required",
    activationDays: input.activation_days ?? null,
    channel,
    startsAtMs: window.startsAtMs,
    endsAtMs: window.endsAtMs,
    confirmationDays: input.confirmation_days,
    budgetPoints: input.budget_points ?? null,
    priority: input.priority,
  };
}
