// Verdicts in words: what users read under "why did this purchase earn nothing?". It decides
// nothing: it picks the sentence of the catalogue that fits what the earning rules and the engine
// recorded, and fills in the numbers.
import { DAY_MS } from "../../kernel/time.ts";
import type { Locale, Say } from "../../texts/catalogue.ts";
import {
  dateText,
  eurosText,
  integerText,
  percentText,
  pluralForm,
  pointsText,
} from "../../texts/formats.ts";
import type { REASONS_FR } from "../../texts/reasons.fr.ts";
import { REASONS } from "../../texts/texts.ts";
import type { Calculation, PurchaseView, ReasonCode, RuleCheck, Verdict } from "../ports.ts";
import { PENDING_DAYS_MAX, REFUND_WAIT_MS } from "../purchases/verdict-state.ts";
import {
  channelText,
  keptPointsSum,
  numberOf,
  periodText,
  stageCheck,
  troubleText,
  windowText,
} from "./formats.ts";

/** What a sentence may draw on: any row and its verdict will do. */
export type ReasonDetails =
  & Pick<
    Verdict,
    | "outcome"
    | "calculation"
    | "checks"
    | "offer"
    | "points"
    | "confirmationExpectedOn"
    | "confirmed"
  >
  & Pick<PurchaseView, "kind" | "state">;

type Context = {
  readonly details: ReasonDetails;
  /** The check that refused under the reason's code. */
  readonly check: RuleCheck | null;
  /** The sum, or null where no amount was computed. */
  readonly sum: string | null;
  readonly locale: Locale;
  readonly say: Say<typeof REASONS_FR>;
};

/** What the formula gave before caps: `3 % de 34,90 € = 104 points`. */
function formulaText(calculation: Calculation, locale: Locale): string {
  const { baseCents, rateBp, kind, offerPoints, pointsPerEuro } = calculation;
  const say = REASONS.in(locale);
  const points = pointsText(calculation.uncapped, locale);
  const amount = eurosText(baseCents, locale);
  if (rateBp !== null) {
    return say("sum_of_rate", {
      rate: percentText(rateBp, locale),
      amount,
      tier: kind === "tiered" ? say("sum_tier_reached") : "",
      // At 100 points per euro a point is a cent and the sum speaks for itself.
      programmeRate: pointsPerEuro === 100
        ? ""
        : say("sum_programme_rate", { points: pointsText(pointsPerEuro, locale) }),
      points,
    });
  }
  if (kind === "fixed") return say("sum_fixed", { points });
  if (kind === "points_per_euro" && offerPoints !== undefined) {
    return say("sum_of_points_per_euro", {
      offerPoints: pointsText(offerPoints, locale),
      amount,
      points,
    });
  }
  return say("sum_plain", { amount, points });
}

/**
 * The sum behind a verdict, with what a cap made of it: `3 % de 34,90 € = 104 points, ramenés à 50
 * points par le plafond`. A calculation of which nothing was granted says only what the formula
 * gave.
 */
export function arithmeticText(calculation: Calculation, locale: Locale): string {
  const sum = formulaText(calculation, locale);
  if (calculation.capped === 0 || calculation.capped === calculation.uncapped) return sum;
  return REASONS.in(locale)("sum_capped", { sum, points: pointsText(calculation.capped, locale) });
}

/** The sum in one of the ways in which a sentence shows it; nothing where there is none. */
function sumText(
  { sum, say }: Context,
  key: "sum_in_parentheses" | "sum_after_colon" | "sum_of_offer" | "sum_before_caps",
): string {
  return sum === null ? "" : say(key, { sum });
}

// ---- the offer ----------------------------------------------------------------------------------

function confirmationText({ details, locale, say }: Context): string {
  const { confirmationExpectedOn: on, confirmed = false, points } = details;
  if (confirmed) return say(`confirmed_${pluralForm(points, locale)}`);
  return on === null ? "" : say("confirmation_expected", { day: dateText(on, locale) });
}

function offerApplied(context: Context): string {
  const sum = sumText(context, "sum_after_colon");
  // Granted and taken back later: the sum shows what was once granted.
  if (context.details.outcome === "reversed") {
    return context.say("offer_applied_before_reversal", { sum });
  }
  return context.say("offer_applies", { sum, confirmation: confirmationText(context) });
}

function brandUnknown({ details: { kind, state }, say }: Context): string {
  // Neither a refund nor a cancelled purchase can be claimed.
  return say(kind === "refund" || state === "deleted" ? "brand_unknown" : "brand_unknown_claim");
}

function notInForce({ check, locale, say }: Context): string {
  if (check === null || typeof check.needed !== "string" || typeof check.found !== "string") {
    return say("offer_not_in_force");
  }
  return say("offer_not_in_force_window", {
    window: windowText(check.needed, locale),
    day: dateText(check.found, locale),
  });
}

function activationMissing(context: Context): string {
  const { check, locale, say } = context;
  const sum = sumText(context, "sum_before_caps");
  return typeof check?.found === "string"
    ? say("activation_other_days", { window: windowText(check.found, locale), sum })
    : say("activation_missing", { sum });
}

function currencyUnsupported({ check, say }: Context): string {
  return typeof check?.found === "string"
    ? say("currency_unsupported_found", { currency: check.found })
    : say("currency_unsupported");
}

function wrongChannel({ check, locale, say }: Context): string {
  if (check === null) return say("wrong_channel");
  const needed = channelText(check.needed, locale);
  return check.found === "unknown"
    ? say("wrong_channel_unknown", { needed })
    : say("wrong_channel_found", { needed, found: channelText(check.found, locale) });
}

// ---- limits of the offer ------------------------------------------------------------------------

function belowMinimum(context: Context): string {
  const { check, locale, say } = context;
  if (check === null) return say("below_minimum");
  if (check.measure === "least_points") {
    return say("too_small_for_a_point", { sum: sumText(context, "sum_in_parentheses") });
  }
  return say("below_minimum_amounts", {
    needed: eurosText(numberOf(check.needed), locale),
    found: eurosText(numberOf(check.found), locale),
  });
}

function aboveMaximum({ check, locale, say }: Context): string {
  if (check === null) return say("above_maximum");
  return say("above_maximum_amounts", {
    needed: eurosText(numberOf(check.needed), locale),
    found: eurosText(numberOf(check.found), locale),
  });
}

function capText({ check, locale, say }: Context): string {
  if (check === null) return "";
  const limit = numberOf(check.needed);
  const points = pointsText(limit, locale);
  if (check.measure === "points_per_purchase") return say("cap_per_purchase", { points });
  const period = periodText(check.period, locale);
  return check.measure === "purchases_per_period"
    ? say(`cap_purchases_of_period_${pluralForm(limit, locale)}`, {
      count: integerText(limit, locale),
      period,
    })
    : say("cap_points_of_period", { points, period });
}

function capReached(context: Context): string {
  const { details: { calculation }, say } = context;
  const cap = capText(context);
  return calculation !== null && calculation.capped > 0
    ? say("cap_limited", { cap, sum: sumText(context, "sum_after_colon") })
    : say("cap_reached", { cap });
}

// ---- the offer's budget -------------------------------------------------------------------------

function budgetReserving(context: Context): string {
  const { details, check, locale, say } = context;
  if (details.outcome === "earned") {
    const kept = pointsText(details.points, locale);
    const more = numberOf(check?.needed ?? null) - details.points;
    return more > 0
      ? say("budget_reserving_more", { kept, more: integerText(more, locale) })
      : say("budget_reserving_others", { kept });
  }
  return say(details.outcome === "reversed" ? "budget_reserving_again" : "budget_reserving", {
    sum: sumText(context, "sum_in_parentheses"),
  });
}

function budgetExhausted(context: Context): string {
  const { details, check, locale, say } = context;
  if (details.outcome !== "not_earned") return budgetShort(context);
  const sum = sumText(context, "sum_of_offer");
  if (typeof check?.found !== "number") return say("budget_too_small", { sum });
  if (check.found === 0) return say("budget_used_up", { sum });
  return say("budget_too_small_left", {
    left: pointsText(check.found, locale),
    needed: integerText(numberOf(check.needed), locale),
    sum,
  });
}

/** The budget had no room for more or for restored points: those that were reserved remain. */
function budgetShort({ details, check, locale, say }: Context): string {
  const wanted = check === null || typeof check.found !== "number" ? "" : say("budget_wanted", {
    requested: say(`budget_requested_${pluralForm(numberOf(check.needed), locale)}`, {
      points: pointsText(numberOf(check.needed), locale),
    }),
    available: say(`budget_available_${pluralForm(check.found, locale)}`, {
      count: integerText(check.found, locale),
    }),
  });
  return details.points === 0
    ? say("budget_cannot_restore", { wanted })
    : say("budget_cannot_add", { wanted, kept: pointsText(details.points, locale) });
}

// ---- the bank -----------------------------------------------------------------------------------

/** Never booked, and closed by us after some days. */
const neverBooked = ({ details }: Context): boolean =>
  stageCheck(details.checks, "not_booked_yet", "bank_state")?.found === "lapsed";

function notBookedYet(context: Context): string {
  const { details, locale, say } = context;
  const { kind, state } = details;
  const row = kind === "refund" ? "refund" : "purchase";
  const ahead = stageCheck(details.checks, "not_booked_yet", "purchase_day")?.needed;
  if (typeof ahead === "string") return say("purchase_ahead", { day: dateText(ahead, locale) });
  if (neverBooked(context)) return say(`${row}_never_booked`, { days: String(PENDING_DAYS_MAX) });
  return say(state === "deleted" ? `${row}_cancelled` : `${row}_not_booked_yet`);
}

function heldForReview(context: Context): string {
  const { details, locale, say } = context;
  const found = stageCheck(details.checks, "held_for_review", "review_result")?.found ?? null;
  if (found === "refused") return say("review_refused");
  if (neverBooked(context)) return say("review_never_booked", { days: String(PENDING_DAYS_MAX) });
  if (details.state === "deleted") return say("review_cancelled");
  const trouble = troubleText(found, locale);
  return say("held_for_review", {
    trouble: trouble === null ? "" : say("held_trouble", { trouble }),
  });
}

// ---- refunds ------------------------------------------------------------------------------------

function cancelledAfterEarning({ details, locale, say }: Context): string {
  const check = stageCheck(details.checks, "refunded", "taken_back_points");
  const taken = numberOf(check?.found ?? null);
  return taken === 0
    ? say("purchase_cancelled")
    : say(`purchase_cancelled_taken_back_${pluralForm(taken, locale)}`, {
      points: pointsText(taken, locale),
    });
}

function refunded(context: Context): string {
  const { details, locale, say } = context;
  if (details.state === "deleted") return cancelledAfterEarning(context);
  const cents = stageCheck(details.checks, "refunded", "kept_cents");
  const [whole, left] = [numberOf(cents?.needed ?? null), numberOf(cents?.found ?? null)];
  const part = left === 0 ? "" : say("refunded_part", {
    back: eurosText(whole - left, locale),
    whole: eurosText(whole, locale),
  });
  if (details.points === 0) {
    return left === 0 ? say("refunded_in_full") : say("refunded_in_part_nothing_left", { part });
  }
  const points = pointsText(details.points, locale);
  const sum = keptPointsSum(details.checks, locale);
  return sum === null
    ? say("refunded_in_part", { part, points })
    : say("refunded_in_part_in_proportion", { part, points, sum });
}

function refundApplied(context: Context): string {
  const { details, locale, say } = context;
  if (details.state === "deleted") return say("refund_cancelled_later");
  const together = stageCheck(details.checks, "refund_applied", "taken_back_points_together");
  const check = together ?? stageCheck(details.checks, "refund_applied", "taken_back_points");
  const taken = numberOf(check?.found ?? null);
  const purchases =
    details.checks.filter(({ rule, passed }) => rule === "refund_without_purchase" && passed)
      .length;
  const form = purchases > 1 ? "many" : "one";
  const words = {
    purchases: say(`refund_purchases_${form}`, { count: integerText(purchases, locale) }),
    rest: refundRest(context),
  };
  if (taken === 0) {
    return check?.needed === 0
      ? say(`refund_applied_nothing_earned_${form}`, words)
      : say("refund_applied_nothing_taken", words);
  }
  const all = { ...words, points: pointsText(taken, locale) };
  return together === null
    ? say(`refund_applied_${pluralForm(taken, locale)}`, all)
    : say(`refunds_applied_together_${pluralForm(taken, locale)}`, {
      ...all,
      these: say(`refund_these_purchases_${form}`),
    });
}

/** What of the refund is ignored; a foreign amount paid back gives back more than its euros. */
function refundRest({ details, locale, say }: Context): string {
  const cents = stageCheck(details.checks, "refund_applied", "refund_cents");
  if (cents === null) return "";
  const rest = numberOf(cents.needed) - numberOf(cents.found);
  return rest > 0
    ? say("refund_rest_ignored", { rest: eurosText(rest, locale) })
    : say("refund_foreign_amount");
}

function refundWithoutPurchase({ details, say }: Context): string {
  if (details.state === "deleted") return say("refund_cancelled");
  if (details.checks.some(({ rule, passed }) => rule === "brand_unknown" && !passed)) {
    return say("refund_brand_unknown");
  }
  return details.outcome === "waiting"
    ? say("refund_purchase_not_found_yet")
    : say("refund_purchase_not_found", { days: String(REFUND_WAIT_MS / DAY_MS) });
}

// -------------------------------------------------------------------------------------------------

const SENTENCES: Readonly<Record<ReasonCode, (context: Context) => string>> = {
  offer_applied: offerApplied,
  brand_unknown: brandUnknown,
  brand_without_offer: ({ say }) => say("brand_without_offer"),
  offer_not_in_force: notInForce,
  activation_missing: activationMissing,
  below_minimum: belowMinimum,
  above_maximum: aboveMaximum,
  cap_reached: capReached,
  budget_reserving: budgetReserving,
  budget_exhausted: budgetExhausted,
  not_first_purchase: ({ say }) => say("not_first_purchase"),
  wrong_channel: wrongChannel,
  not_booked_yet: notBookedYet,
  duplicate: ({ say }) => say("duplicate"),
  refunded,
  refund_applied: refundApplied,
  refund_without_purchase: refundWithoutPurchase,
  account_shared: ({ say }) => say("account_shared"),
  account_not_earning: ({ say }) => say("account_not_earning"),
  currency_unsupported: currencyUnsupported,
  held_for_review: heldForReview,
  programme_paused: ({ say }) => say("programme_paused"),
};

/**
 * The check that refused under this code: of the verdict's own offer version if it names one, else
 * the first.
 */
function failedCheck(code: ReasonCode, details: ReasonDetails): RuleCheck | null {
  const failed = details.checks.filter((check) => check.rule === code && !check.passed);
  const own = failed.find((check) =>
    check.offerId === details.offer?.id && check.version === details.offer?.version
  );
  return own ?? failed[0] ?? null;
}

/**
 * One sentence that answers "why?" for a reason code of a verdict, with its numbers where the
 * verdict has them. Holds no personal data: only amounts, days, rates and the offer's limits.
 */
export function reasonText(code: ReasonCode, locale: Locale, details: ReasonDetails): string {
  return SENTENCES[code]({
    details,
    check: failedCheck(code, details),
    sum: details.calculation === null ? null : arithmeticText(details.calculation, locale),
    locale,
    say: REASONS.in(locale),
  });
}
