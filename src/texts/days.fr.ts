// What is wrong with a day of a query, in French.

export const DAYS_FR = {
  date_invalid: "n'est pas un jour du calendrier, AAAA-MM-JJ",
  date_in_future: "est après aujourd'hui",
  date_order: "est avant from",
} as const;
