// Why the application is not ready, for the operator, in French.

export const READINESS_FR = {
  database_unavailable: "La base de données ne répond pas",
  database_outside_eu: "La base de données n'est pas servie depuis l'Union européenne",
  ledger_unavailable: "Aucun registre n'est joignable",
  programme_rate_changed: "Le cours des points n'est pas celui du premier démarrage",
} as const;
