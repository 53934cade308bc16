// What is wrong when the service is not ready, in French.

export const READINESS_FR = {
  database_unavailable: "La base de données ne répond pas",
  database_outside_eu: "La base de données n'est pas servie depuis l'Union européenne",
  ledger_unavailable: "Aucun registre n'est joignable",
  programme_rate_changed: "Le cours des points n'est pas celui du premier démarrage",
  aggregator_unanswered:
    "L'agrégateur n'a encore jamais répondu : vérifiez POWENS_API_URL et l'accès au réseau",
  row_seals_not_required:
    "Des lignes sans sceau sont acceptées depuis plus d'une semaine : lancez `npm run seals`, puis réglez ROW_SEALS sur required",
} as const;
