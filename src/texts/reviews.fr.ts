// What operators read of rows that wait for a person, in French: why each waits, and why a decision
// is refused.

export const REVIEWS_FR = {
  why_amount_precision:
    "Le montant de la banque est plus précis que le centime ; il a été arrondi.",
  why_amount_out_of_bounds: "Le montant est hors limites ; celui qui est montré ne compte pas.",
  why_amount_missing: "La banque n'a pas donné de montant ; celui qui est montré ne compte pas.",
  why_date_absurd: "Le jour donné par la banque est invraisemblable.",
  why_currency_unknown: "La devise du compte est inconnue.",
  why_weak_account:
    "L'opération est peut-être déjà enregistrée depuis un autre compte : comparez le jour et le montant avec les autres achats de l'utilisateur.",
  why_large_reward:
    "L'achat gagnerait plus de points que REVIEW_POINTS : vérifiez le montant, la marque et l'offre. Sans décision, il compte au bout de deux jours.",
  why_not_shown:
    "Un webhook a annoncé cette opération, et les lectures chez l’agrégateur ne la donnent pas. Elle ne compte que si vous en décidez ainsi, ou dès qu’une lecture la montre ; après 60 jours au plus tard, elle ne rapporte rien.",
  why_refund_without_purchase:
    "Ce remboursement attend son achat ; il n'y a rien à décider, il est rattaché dès que l'achat arrive.",
  why_other: "Cette opération attend une décision.",

  decided: "Cette opération a déjà été tranchée, ou n'attend plus.",
  not_decidable: "Ce remboursement attend son achat ; il n'y a rien à trancher.",
  not_countable: "Le montant de cette opération est inconnu : elle ne peut qu'être refusée.",
  earns_more:
    "L'opération rapporterait à présent plus de points : relisez-la et décidez à nouveau.",
} as const;
