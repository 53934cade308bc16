// How English writes numbers, amounts and days.
import type { TranslationOf } from "./catalogue.ts";
import type { FORMATS_FR } from "./formats.fr.ts";

export const FORMATS_EN: TranslationOf<typeof FORMATS_FR> = {
  thousands_separator: ",",
  decimal_separator: ".",
  euros: "{sign}€{amount}",
  percent: "{number}%",
  points_one: "{count} point",
  points_many: "{count} points",
  date: "{day} {month} {year}",
  first_day_of_month: "1",
  month_and_year: "{month} {year}",
  month_01: "January",
  month_02: "February",
  month_03: "March",
  month_04: "April",
  month_05: "May",
  month_06: "June",
  month_07: "July",
  month_08: "August",
  month_09: "September",
  month_10: "October",
  month_11: "November",
  month_12: "December",
};
