// The terms of an offer version: whether they make sense, whether one person may put them in force,
// and when they are. Pure. It refuses terms that contradict themselves and names the field; it
// stores nothing and knows no brand.
import type { BrandId, OfferId } from "../kernel/ids.ts";
import { AMOUNT_CENTS_MAX, mulDivFloor } from "../kernel/money.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { isDate, parisToMs } from "../kernel/time.ts";
import type { OfferTerms, Programme } from "../ledger/ports.ts";

export const OFFER_RATE_BP_MAX = 10_000;
/** Fixed points of one grant: 10 000 euros at 100 points per euro. */
export const OFFER_POINTS_MAX = 1_000_000;
/** Points per euro: the largest amount then gives no more than `POINTS_MAX`. */
export const OFFER_POINTS_PER_EURO_MAX = 100_000;
/** A cap or a budget; far above any programme, far below what sums could overflow. */
export const OFFER_LIMIT_MAX = 1_000_000_000;
export const OFFER_TIERS_MAX = 20;
export const OFFER_ACTIVATION_DAYS_MAX = 365;
export const OFFER_CONFIRMATION_DAYS_MAX = 365;
export const OFFER_PRIORITY_MAX = 1_000_000;
// No offer of ours is older or lasts longer: an instant outside is a slip of the pen.
const INSTANT_MS_MIN = Date.UTC(2000, 0, 1);
const INSTANT_MS_MAX = Date.UTC(2100, 0, 1);

/** Above these a second person must approve (API.md). */
export const SECOND_PERSON_RATE_BP = 1_500;
export const SECOND_PERSON_POINTS = 2_000;

type Optional<T> = T | null | undefined;

/** An offer version as API.md writes it, its JSON types already checked by the route's schema. */
export type OfferVersionInput = {
  readonly kind: string;
  readonly rate_bp?: Optional<number>;
  readonly points?: Optional<number>;
  readonly tiers?: Optional<readonly { readonly from_cents: number; readonly rate_bp: number }[]>;
  readonly min_cents?: Optional<number>;
  readonly max_cents?: Optional<number>;
  readonly cap_points_per_purchase?: Optional<number>;
  readonly cap_points_per_user?: Optional<number>;
  readonly cap_purchases_per_user?: Optional<number>;
  readonly period?: Optional<string>;
  readonly first_purchase_only?: Optional<boolean>;
  readonly activation: string;
  readonly activation_days?: Optional<number>;
  readonly channel: string;
  /**
   * RFC 3339 instant, or a day `YYYY-MM-DD` for the start of that day in Paris; `ends_at` is
   * excluded.
   */
  readonly starts_at: string;
  readonly ends_at?: Optional<string>;
  readonly confirmation_days: number;
  readonly budget_points?: Optional<number>;
  readonly priority: number;
};

/** Terms that hold together, before approval: the window is the one that was asked for. */
export type NormalisedVersion = Omit<
  OfferTerms,
  "offerId" | "version" | "brandId" | "offerCreatedAtMs"
>;

const DETAILS = {
  kind_unknown: { fr: "Ce type d'offre n'existe pas", en: "There is no such kind of offer" },
  channel_unknown: { fr: "Ce canal n'existe pas", en: "There is no such channel" },
  activation_unknown: {
    fr: "Ce mode d'activation n'existe pas",
    en: "There is no such kind of activation",
  },
  period_unknown: { fr: "Cette période n'existe pas", en: "There is no such period" },
  missing_for_kind: {
    fr: "Ce type d'offre a besoin de ce champ",
    en: "This kind of offer needs this field",
  },
  not_for_kind: {
    fr: "Ce champ n'a pas de sens pour ce type d'offre",
    en: "This field means nothing for this kind of offer",
  },
  rate_out_of_range: {
    fr: "Le taux est un entier de 1 à 10 000 points de base ; un palier peut en donner 0",
    en: "The rate is an integer from 1 to 10,000 basis points; a tier may give 0",
  },
  points_out_of_range: {
    fr: "Les points sont un entier de 1 à 1 000 000, ou à 100 000 par euro",
    en: "The points are an integer from 1 to 1,000,000, or to 100,000 per euro",
  },
  rate_over_whole_amount: {
    fr: "Ces points par euro rendraient plus que le montant de l'achat",
    en: "These points per euro would give back more than the purchase",
  },
  tiers_too_many: { fr: "Une offre a 20 paliers au plus", en: "An offer has 20 tiers at most" },
  tiers_first_not_zero: { fr: "Le premier palier commence à 0", en: "The first tier starts at 0" },
  tiers_overlap: {
    fr: "Deux paliers commencent au même montant",
    en: "Two tiers start at the same amount",
  },
  tiers_not_ascending: {
    fr: "Les paliers vont du plus bas au plus haut",
    en: "The tiers go from the lowest to the highest",
  },
  tiers_give_nothing: {
    fr: "Aucun palier accessible ne donne de points",
    en: "No tier that can be reached gives any points",
  },
  tier_unreachable: {
    fr: "Ce palier commence au-dessus du montant maximum",
    en: "This tier starts above the maximum amount",
  },
  amount_out_of_range: {
    fr: "Le montant est un entier de centimes entre 0 et 1 000 000 000",
    en: "The amount is an integer of cents from 0 to 1,000,000,000",
  },
  maximum_not_positive: {
    fr: "Le montant maximum est d'au moins un centime",
    en: "The maximum amount is at least one cent",
  },
  minimum_over_maximum: {
    fr: "Le montant maximum est inférieur au montant minimum",
    en: "The maximum amount is below the minimum amount",
  },
  cap_out_of_range: {
    fr: "Un plafond est un entier de 1 à 1 000 000 000",
    en: "A cap is an integer from 1 to 1,000,000,000",
  },
  cap_below_fixed_points: {
    fr: "Le plafond est inférieur aux points fixes de l'offre",
    en: "The cap is below the offer's fixed points",
  },
  cap_per_user_below_per_purchase: {
    fr: "Le plafond par utilisateur est inférieur au plafond par achat",
    en: "The cap per user is below the cap per purchase",
  },
  period_without_cap: {
    fr: "Une période n'a de sens qu'avec un plafond par utilisateur",
    en: "A period means something only with a cap per user",
  },
  activation_days_without_activation: {
    fr: "Une durée d'activation demande une activation obligatoire",
    en: "Activation days need a required activation",
  },
  activation_days_out_of_range: {
    fr: "La durée d'activation est de 1 à 365 jours",
    en: "The activation lasts from 1 to 365 days",
  },
  instant_invalid: {
    fr: "Une date s'écrit AAAA-MM-JJ ou comme un instant RFC 3339, entre 2000 et 2100",
    en: "A date is YYYY-MM-DD or an RFC 3339 instant, between 2000 and 2100",
  },
  ends_before_start: {
    fr: "L'offre finit avant d'avoir commencé",
    en: "The offer ends before it starts",
  },
  confirmation_days_out_of_range: {
    fr: "Le délai de confirmation est de 0 à 365 jours",
    en: "The confirmation takes 0 to 365 days",
  },
  budget_out_of_range: {
    fr: "Un budget est un entier de 1 à 1 000 000 000",
    en: "A budget is an integer from 1 to 1,000,000,000",
  },
  budget_below_least_grant: {
    fr: "Le budget ne suffit pas à un seul achat",
    en: "The budget does not suffice for a single purchase",
  },
  priority_out_of_range: {
    fr: "La priorité est un entier de 0 à 1 000 000",
    en: "The priority is an integer from 0 to 1,000,000",
  },
} as const satisfies Record<string, Readonly<Record<"fr" | "en", string>>>;

/** Codes of what can be wrong with an offer version, closed; also the keys of their texts. */
export type OfferVersionCode = keyof typeof DETAILS;

/**
 * One bad field: a JSON pointer (RFC 6901) into the version; the route puts `/version` before it
 * where it is nested.
 */
export type OfferVersionProblem = {
  readonly pointer: string;
  readonly code: OfferVersionCode;
  readonly detail_key: OfferVersionCode;
};

/** What is wrong, in words: one sentence without a final period and without a value. */
export function offerVersionDetail(key: OfferVersionCode, locale: "fr" | "en"): string {
  return DETAILS[key][locale];
}

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
  const refuse: Refuse = (pointer, code) => void problems.push({ pointer, code, detail_key: code });
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

/**
 * True when a second person must approve the version before it is in force: a rate over 1 500 bp in
 * any tier, more than 2 000 points at once, or points per euro worth more than 1 500 bp at the
 * programme's rate.
 */
export function needsSecondPerson(
  version: Pick<NormalisedVersion, "kind" | "rateBp" | "points" | "tiers">,
  programme: Pick<Programme, "pointsPerEuro">,
): boolean {
  const points = version.points ?? 0;
  if (points > SECOND_PERSON_POINTS) return true;
  if ((version.rateBp ?? 0) > SECOND_PERSON_RATE_BP) return true;
  if ((version.tiers ?? []).some((tier) => tier.rateBp > SECOND_PERSON_RATE_BP)) return true;
  // points / pointsPerEuro is the share given back; compared without a division, so without
  // rounding.
  return version.kind === "points_per_euro" &&
    points * 10_000 > SECOND_PERSON_RATE_BP * programme.pointsPerEuro;
}

/**
 * A stored version: its number within the offer (ascending, unique) and the instant it was
 * approved, if it was.
 */
export type StoredVersion = NormalisedVersion & {
  readonly number: number;
  readonly approvedAtMs: number | null;
};

/** Field by field: a stored row may carry who approved it, which must not reach the ledgers. */
function termsOf(version: StoredVersion): Omit<NormalisedVersion, "startsAtMs" | "endsAtMs"> {
  return {
    kind: version.kind,
    rateBp: version.rateBp,
    points: version.points,
    tiers: version.tiers,
    minCents: version.minCents,
    maxCents: version.maxCents,
    capPointsPerPurchase: version.capPointsPerPurchase,
    capPointsPerUser: version.capPointsPerUser,
    capPurchasesPerUser: version.capPurchasesPerUser,
    period: version.period,
    firstPurchaseOnly: version.firstPurchaseOnly,
    activation: version.activation,
    activationDays: version.activationDays,
    channel: version.channel,
    confirmationDays: version.confirmationDays,
    budgetPoints: version.budgetPoints,
    priority: version.priority,
  };
}

type Window = { readonly version: StoredVersion; readonly startsAtMs: number };

/**
 * The approved version 1, unless another one was approved before it. It takes nothing from anybody,
 * so it holds from `starts_at` as given, also in the past: purchases of that time may arrive weeks
 * later. A second person changes nothing of that, for they approve the start with the rest. Any
 * other version may give less than the one that it replaces, and what was promised for a day must
 * still be true of that day's purchases: it never begins before it was made, or approved where that
 * is needed.
 */
function isFirst(version: StoredVersion, approved: readonly StoredVersion[]): boolean {
  return version.number === 1 &&
    approved.every((other) => (other.approvedAtMs ?? 0) >= (version.approvedAtMs ?? 0));
}

/**
 * The versions of one offer with the windows in which they are really in force, by ascending start:
 * the first version from its `starts_at`, a later one from its approval at the earliest (see
 * `isFirst`). Each ends at its `ends_at` or where the one that starts next begins, and does not
 * come back after that; of two that start together the newer one holds. So a short version leaves
 * one that is planned for later in its place. Versions without approval, and those that end before
 * they would start, are left out and replace nothing.
 */
export function toTerms(
  offer: { readonly id: OfferId; readonly brandId: BrandId; readonly createdAtMs: number },
  versions: readonly StoredVersion[],
): OfferTerms[] {
  const approved = versions.filter((version) => version.approvedAtMs !== null);
  const windows = approved
    .map((version): Window => ({
      version,
      startsAtMs: isFirst(version, approved)
        ? version.startsAtMs
        : Math.max(version.startsAtMs, version.approvedAtMs ?? 0),
    }))
    .filter(({ version, startsAtMs }) => version.endsAtMs === null || version.endsAtMs > startsAtMs)
    .sort((a, b) => a.startsAtMs - b.startsAtMs || a.version.number - b.version.number);
  return windows.flatMap(({ version, startsAtMs }, index): OfferTerms[] => {
    const nextAtMs = windows[index + 1]?.startsAtMs ?? Infinity;
    if (nextAtMs === startsAtMs) return [];
    const endsAtMs = Math.min(version.endsAtMs ?? Infinity, nextAtMs);
    return [{
      ...termsOf(version),
      offerId: offer.id,
      version: version.number,
      brandId: offer.brandId,
      offerCreatedAtMs: offer.createdAtMs,
      startsAtMs,
      endsAtMs: endsAtMs === Infinity ? null : endsAtMs,
    }];
  });
}
