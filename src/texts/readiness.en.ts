// What is wrong when the service is not ready, in English.
import type { TranslationOf } from "./catalogue.ts";
import type { READINESS_FR } from "./readiness.fr.ts";

export const READINESS_EN: TranslationOf<typeof READINESS_FR> = {
  database_unavailable: "The database does not answer",
  database_outside_eu: "The database is not served from the European Union",
  ledger_unavailable: "No ledger can be reached",
  programme_rate_changed: "The rate of points is not that of the first start",
  aggregator_unanswered:
    "The aggregator has never answered: check POWENS_API_URL and the access to the network",
  row_seals_not_required:
    "Rows without seals have been accepted for more than a week: run `npm run seals`, then set ROW_SEALS to required",
};
