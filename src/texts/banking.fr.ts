// What users and operators are answered about bank connections, in French.

export const BANKING_FR = {
  account_shared: "Un autre titulaire gagne déjà avec ce compte",
  account_label: "Compte {ordinal}",
  nothing_to_ask: "L'agrégateur n'a rien à ce sujet",
  still_failing: "Redemandé, mais le problème persiste : {reason}",
} as const;
