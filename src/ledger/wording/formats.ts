// Amounts, points, rates, days and the other small words of which verdicts are written, in French
// and English. Pure.
import { mulDivFloor } from "../../kernel/money.ts";
import type { ReasonCode, ReviewCode, RuleCheck, RuleMeasure } from "../ports.ts";

export type Locale = "fr" | "en";

// Written out rather than taken from Intl: the separators that ICU gives differ from one runtime to
// the next.
const NO_BREAK_SPACE = "\u00a0";
const MONTHS: Readonly<Record<Locale, readonly string[]>> = {
  fr: [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
  ],
  en: [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
  ],
};

export function integerText(value: number, locale: Locale): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, locale === "fr" ? NO_BREAK_SPACE : ",");
}

function hundredths(value: number): string {
  return String(Math.abs(value) % 100).padStart(2, "0");
}

/** Euro cents as the locale writes them: `34,90 €`, `€34.90`. */
export function eurosText(cents: number, locale: Locale): string {
  const sign = cents < 0 ? "-" : "";
  const whole = integerText(Math.floor(Math.abs(cents) / 100), locale);
  return locale === "fr"
    ? `${sign}${whole},${hundredths(cents)}${NO_BREAK_SPACE}€`
    : `${sign}€${whole}.${hundredths(cents)}`;
}

/** A rate in basis points as a percentage without idle zeros: `2,5 %`, `2.5%`. */
export function percentText(rateBp: number, locale: Locale): string {
  const fraction = hundredths(rateBp).replace(/0+$/, "");
  const number = integerText(Math.floor(rateBp / 100), locale) +
    (fraction === "" ? "" : (locale === "fr" ? "," : ".") + fraction);
  return locale === "fr" ? `${number}${NO_BREAK_SPACE}%` : `${number}%`;
}

/** A number of points with its noun; French counts zero in the singular. */
export function pointsText(points: number, locale: Locale): string {
  const singular = locale === "fr" ? Math.abs(points) < 2 : Math.abs(points) === 1;
  return `${integerText(points, locale)} ${singular ? "point" : "points"}`;
}

/** A French participle or adjective beside a number of points. */
export function agreeing(word: string, count: number): string {
  return Math.abs(count) < 2 ? word : `${word}s`;
}

/** A calendar day: `12/11/2026`, `12 November 2026`. */
export function dateText(date: string, locale: Locale): string {
  const [year = "", month = "", day = ""] = date.split("-");
  return locale === "fr"
    ? `${day}/${month}/${year}`
    : `${Number(day)} ${MONTHS.en[Number(month) - 1] ?? month} ${year}`;
}

export function periodText(period: string | undefined, locale: Locale): string {
  if (period === undefined || period === "offer") {
    return locale === "fr" ? "pour toute la durée de l'offre" : "over the whole offer";
  }
  if (period.startsWith("w")) {
    return locale === "fr"
      ? `pour la semaine du ${dateText(period.slice(1), locale)}`
      : `for the week of ${dateText(period.slice(1), locale)}`;
  }
  const [year = "", month = "", day] = period.split("-");
  if (day !== undefined) {
    return locale === "fr"
      ? `pour le ${dateText(period, locale)}`
      : `for ${dateText(period, locale)}`;
  }
  const name = MONTHS[locale][Number(month) - 1] ?? month;
  return locale === "fr" ? `pour ${name} ${year}` : `for ${name} ${year}`;
}

/** A window `first day/last day`, the last one `..` when open, as earning.ts records it. */
export function windowText(window: string, locale: Locale): string {
  const [from = "", to = ".."] = window.split("/");
  const start = dateText(from, locale);
  if (to === "..") return locale === "fr" ? `à partir du ${start}` : `from ${start} on`;
  return locale === "fr"
    ? `du ${start} au ${dateText(to, locale)}`
    : `from ${start} to ${dateText(to, locale)}`;
}

const CHANNELS: Readonly<Record<string, Readonly<Record<Locale, string>>>> = {
  any: { fr: "en magasin ou en ligne", en: "in store or online" },
  in_store: { fr: "en magasin", en: "in store" },
  online: { fr: "en ligne", en: "online" },
};

export function channelText(channel: RuleCheck["found"], locale: Locale): string {
  const known = CHANNELS[String(channel)];
  return known?.[locale] ?? (locale === "fr" ? "inconnu" : "unknown");
}

/** A number of a check; zero where it has none. */
export function numberOf(value: RuleCheck["needed"]): number {
  return typeof value === "number" ? value : 0;
}

/** The check of a stage (stages.ts), or null where that was not looked at. */
export function stageCheck(
  checks: readonly RuleCheck[],
  rule: ReasonCode,
  measure: RuleMeasure,
): RuleCheck | null {
  return checks.find((check) => check.rule === rule && check.measure === measure) ?? null;
}

/**
 * Why so many points are kept after refunds: `69 × 15,10 € / 23,10 €, arrondi à l'entier
 * inférieur`. Null where they are not what that gives, because a cap or a budget left no room for
 * points to stand again.
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
  return `${integerText(granted, locale)} × ${eurosText(left, locale)} / ${
    eurosText(whole, locale)
  }, ${locale === "fr" ? "arrondi à l'entier inférieur" : "rounded down"}`;
}

const TROUBLES: Readonly<Record<ReviewCode | "weak_account", Readonly<Record<Locale, string>>>> = {
  amount_precision: { fr: "montant plus précis que le centime", en: "an amount finer than a cent" },
  amount_out_of_bounds: { fr: "montant hors limites", en: "an amount out of bounds" },
  amount_missing: { fr: "montant manquant", en: "no amount" },
  date_absurd: { fr: "date invraisemblable", en: "an implausible date" },
  currency_unknown: { fr: "devise inconnue", en: "an unknown currency" },
  weak_account: {
    fr: "peut-être déjà enregistrée depuis un autre compte",
    en: "perhaps recorded already from another account",
  },
};

/** Why a person must look at a row, or null for a result that is no trouble. */
export function troubleText(found: RuleCheck["found"], locale: Locale): string | null {
  const known: Readonly<Record<string, Readonly<Record<Locale, string>> | undefined>> = TROUBLES;
  return known[String(found)]?.[locale] ?? null;
}
