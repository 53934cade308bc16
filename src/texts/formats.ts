// Numbers, amounts, points and days as each language writes them. Written out rather than taken
// from Intl: the separators that ICU gives differ from one runtime to the next. Pure.
import { catalogue } from "./catalogue.ts";
import type { Locale } from "./catalogue.ts";
import { FORMATS_EN } from "./formats.en.ts";
import { FORMATS_FR } from "./formats.fr.ts";

export const FORMATS = catalogue(FORMATS_FR, FORMATS_EN);

/** Which form a word takes beside a number. French counts zero in the singular. */
export function pluralForm(count: number, locale: Locale): "one" | "many" {
  const singular = locale === "fr" ? Math.abs(count) < 2 : Math.abs(count) === 1;
  return singular ? "one" : "many";
}

export function integerText(value: number, locale: Locale): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, FORMATS.in(locale)("thousands_separator"));
}

function hundredths(value: number): string {
  return String(Math.abs(value) % 100).padStart(2, "0");
}

/** Euro cents as the locale writes them: `34,90 €`, `€34.90`. */
export function eurosText(cents: number, locale: Locale): string {
  const say = FORMATS.in(locale);
  const whole = integerText(Math.floor(Math.abs(cents) / 100), locale);
  return say("euros", {
    sign: cents < 0 ? "-" : "",
    amount: `${whole}${say("decimal_separator")}${hundredths(cents)}`,
  });
}

/** A rate in basis points as a percentage without idle zeros: `2,5 %`, `2.5%`. */
export function percentText(rateBp: number, locale: Locale): string {
  const say = FORMATS.in(locale);
  const fraction = hundredths(rateBp).replace(/0+$/, "");
  const whole = integerText(Math.floor(rateBp / 100), locale);
  return say("percent", {
    number: fraction === "" ? whole : `${whole}${say("decimal_separator")}${fraction}`,
  });
}

/** A number of points with its noun. */
export function pointsText(points: number, locale: Locale): string {
  const count = integerText(points, locale);
  return FORMATS.in(locale)(`points_${pluralForm(points, locale)}`, { count });
}

function monthText(month: string, locale: Locale): string {
  const names: Readonly<Record<string, string>> = FORMATS[locale];
  return names[`month_${month}`] ?? month;
}

/** A calendar day: `1er novembre 2026`, `1 November 2026`. */
export function dateText(date: string, locale: Locale): string {
  const say = FORMATS.in(locale);
  const [year = "", month = "", day = ""] = date.split("-");
  return say("date", {
    day: day === "01" ? say("first_day_of_month") : String(Number(day)),
    month: monthText(month, locale),
    year,
  });
}

/** A month such as `2026-08`: `août 2026`, `August 2026`. */
export function monthAndYearText(month: string, locale: Locale): string {
  const [year = "", number = ""] = month.split("-");
  return FORMATS.in(locale)("month_and_year", { month: monthText(number, locale), year });
}
