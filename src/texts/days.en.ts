// What is wrong with a day of a query, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { DAYS_FR } from "./days.fr.ts";

export const DAYS_EN: TranslationOf<typeof DAYS_FR> = {
  date_invalid: "is not a day of the calendar, YYYY-MM-DD",
  date_in_future: "is after today",
  date_order: "is before from",
};
