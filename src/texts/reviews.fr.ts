// Why a review cannot be decided, for the operator, in French.

export const REVIEWS_FR = {
  decided: "Cette ligne a déjà été tranchée, ou n'attend plus",
  not_decidable: "Ce remboursement attend son achat ; il n'y a rien à trancher",
  not_countable: "Le montant de cette ligne est inconnu : elle ne peut qu'être refusée",
  second_person_required:
    "La ligne rapporterait à présent plus de points : relisez-la et décidez à nouveau",
} as const;
