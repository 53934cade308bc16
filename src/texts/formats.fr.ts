// How French writes numbers, amounts and days. The spaces before "€" and "%" and between thousands
// are no-break spaces.

export const FORMATS_FR = {
  thousands_separator: "\u00a0",
  decimal_separator: ",",
  euros: "{sign}{amount}\u00a0€",
  percent: "{number}\u00a0%",
  points_one: "{count} point",
  points_many: "{count} points",
  date: "{day} {month} {year}",
  first_day_of_month: "1er",
  month_and_year: "{month} {year}",
  month_01: "janvier",
  month_02: "février",
  month_03: "mars",
  month_04: "avril",
  month_05: "mai",
  month_06: "juin",
  month_07: "juillet",
  month_08: "août",
  month_09: "septembre",
  month_10: "octobre",
  month_11: "novembre",
  month_12: "décembre",
} as const;
