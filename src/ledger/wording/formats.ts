// The small phrases of which verdicts are written: periods, windows, places of purchase, what makes
// an operation unusual, and how refunds leave points. Pure.
import { mulDivFloor } from "../../kernel/money.ts";
import type { Locale } from "../../texts/catalogue.ts";
import { dateText, eurosText, integerText, monthAndYearText } from "../../texts/formats.ts";
import { REASONS } from "../../texts/texts.ts";
import type { ReasonCode, ReviewCode, RuleCheck, RuleMeasure } from "../ports.ts";

/** A cap's period: the whole offer, a week `w2026-11-09`, a day `2026-11-12`, a month `2026-11`. */
export function periodText(period: string | undefined, locale: Locale): string {
  const say = REASONS.in(locale);
  if (period === undefined || period === "offer") return say("period_offer");
  if (period.startsWith("w")) return say("period_week", { day: dateText(period.slice(1), locale) });
  return period.split("-").length === 3
    ? say("period_day", { day: dateText(period, locale) })
    : say("period_month", { month: monthAndYearText(period, locale) });
}

/** A window `first day/last day`, the last one `..` when open, as earning/rules.ts records it. */
export function windowText(window: string, locale: Locale): string {
  const say = REASONS.in(locale);
  const [start = "", end = ".."] = window.split("/");
  const from = dateText(start, locale);
  return end === ".."
    ? say("window_open", { from })
    : say("window_closed", { from, to: dateText(end, locale) });
}

const CHANNELS: ReadonlyMap<
  RuleCheck["found"],
  "channel_any" | "channel_in_store" | "channel_online"
> = new Map([
  ["any", "channel_any"],
  ["in_store", "channel_in_store"],
  ["online", "channel_online"],
]);

export function channelText(channel: RuleCheck["found"], locale: Locale): string {
  return REASONS.in(locale)(CHANNELS.get(channel) ?? "channel_unknown");
}

/** A number of a check; zero where it has none. */
export function numberOf(value: RuleCheck["needed"]): number {
  return typeof value === "number" ? value : 0;
}

/** The check of a stage (views/row-checks.ts), or null where that was not looked at. */
export function stageCheck(
  checks: readonly RuleCheck[],
  rule: ReasonCode,
  measure: RuleMeasure,
): RuleCheck | null {
  return checks.find((check) => check.rule === rule && check.measure === measure) ?? null;
}

/**
 * Why so many points are kept after refunds: `69 × 15,10 € / 23,10 €, arrondi à l'entier
 * inférieur`. Null where the points kept are not what that gives, because a cap or a budget had no
 * room to restore points.
 */
export function keptPointsSum(checks: readonly RuleCheck[], locale: Locale): string | null {
  const cents = stageCheck(checks, "refunded", "kept_cents");
  const points = stageCheck(checks, "refunded", "kept_points");
  if (cents === null || points === null) return null;
  const [whole, left, granted] = [
    numberOf(cents.needed),
    numberOf(cents.found),
    numberOf(points.needed),
  ];
  if (left === 0 || left === whole || mulDivFloor(granted, left, whole) !== points.found) {
    return null;
  }
  return REASONS.in(locale)("sum_of_kept_points", {
    granted: integerText(granted, locale),
    left: eurosText(left, locale),
    whole: eurosText(whole, locale),
  });
}

const TROUBLES = {
  amount_precision: "trouble_amount_precision",
  amount_out_of_bounds: "trouble_amount_out_of_bounds",
  amount_missing: "trouble_amount_missing",
  date_absurd: "trouble_date_absurd",
  currency_unknown: "trouble_currency_unknown",
  weak_account: "trouble_weak_account",
  large_reward: "trouble_large_reward",
  not_shown: "trouble_not_shown",
} as const satisfies Record<ReviewCode | "weak_account" | "large_reward" | "not_shown", string>;

function isTrouble(found: RuleCheck["found"]): found is keyof typeof TROUBLES {
  return Object.hasOwn(TROUBLES, String(found));
}

/** Why a person must look at a row, or null for a result that is no trouble. */
export function troubleText(found: RuleCheck["found"], locale: Locale): string | null {
  return isTrouble(found) ? REASONS.in(locale)(TROUBLES[found]) : null;
}
