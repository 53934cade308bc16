// Why the application is not ready, for the operator, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { READINESS_FR } from "./readiness.fr.ts";

export const READINESS_EN: TranslationOf<typeof READINESS_FR> = {
  database_unavailable: "The database does not answer",
  database_outside_eu: "The database is not served from the European Union",
  ledger_unavailable: "No ledger can be reached",
  programme_rate_changed: "The rate of points is not that of the first start",
};
