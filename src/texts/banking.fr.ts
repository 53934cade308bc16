// What users and operators are answered about bank connections, in French.

export const BANKING_FR = {
  account_label: "Compte {ordinal}",
  nothing_to_ask: "L'agrégateur n'a rien à ce sujet",
  still_failing: "Redemandé, mais le problème persiste : {reason}",
} as const;
