// Why a purchase or a refund earned what it earned: one sentence for each reason of a verdict, in
// French. No label, no name and no id may enter a sentence.

export const REASONS_FR = {
  // The sum behind a verdict.
  sum_of_rate: "{rate} de {amount}{tier}{programmeRate} = {points}",
  sum_tier_reached: " (palier atteint)",
  sum_programme_rate: " × {points} par euro",
  sum_fixed: "forfait de {points} par achat",
  sum_of_points_per_euro: "{offerPoints} par euro × {amount} = {points}",
  sum_plain: "{amount} = {points}",
  sum_capped: "{sum}, ramenés à {points} par le plafond",
  sum_of_kept_points: "{granted} × {left} / {whole}, arrondi à l'entier inférieur",
  sum_in_parentheses: " ({sum})",
  sum_after_colon: " : {sum}",
  sum_of_offer: " (calcul de l'offre : {sum})",
  sum_before_caps: " (calcul de l'offre, hors plafonds : {sum})",

  // Periods, windows and places of purchase.
  period_offer: "pour toute la durée de l'offre",
  period_week: "pour la semaine du {day}",
  period_day: "pour le {day}",
  period_month: "pour {month}",
  window_open: "à partir du {from}",
  window_closed: "du {from} au {to}",
  channel_any: "en magasin ou en ligne",
  channel_in_store: "en magasin",
  channel_online: "en ligne",
  channel_unknown: "inconnu",

  // Why a person must look at an operation.
  trouble_amount_precision: "montant plus précis que le centime",
  trouble_amount_out_of_bounds: "montant hors limites",
  trouble_amount_missing: "montant manquant",
  trouble_date_absurd: "date invraisemblable",
  trouble_currency_unknown: "devise inconnue",
  trouble_weak_account: "peut-être déjà enregistrée depuis un autre compte",
  trouble_not_shown:
    "l’agrégateur de votre banque ne l’affiche pas ; après 60 jours, elle ne rapporte rien",
  trouble_large_reward: "gain élevé ; sans objection, elle compte au bout de deux jours",

  // The offer.
  offer_applies: "L'offre s'applique{sum}{confirmation}.",
  offer_applied_before_reversal: "L'offre s'est d'abord appliquée{sum}.",
  confirmed_one: ", déjà confirmé",
  confirmed_many: ", déjà confirmés",
  confirmation_expected: ", confirmation prévue le {day}",
  brand_unknown: "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque.",
  brand_unknown_claim:
    "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque ; si c'est une erreur, écrivez-nous.",
  brand_without_offer: "Cette marque ne proposait pas d'offre le jour de votre achat.",
  offer_not_in_force: "Aucune offre de cette marque n'était en cours le jour de votre achat.",
  offer_not_in_force_window:
    "L'offre de cette marque est valable {window}, et votre achat date du {day}.",
  activation_missing:
    "L'offre devait être activée avant l'achat, et elle ne l'était pas ce jour-là{sum}.",
  activation_other_days:
    "Votre activation de l'offre, valable {window}, ne couvrait pas le jour de l'achat{sum}.",
  currency_unsupported: "Seuls les achats débités en euros rapportent des points.",
  currency_unsupported_found:
    "Seuls les achats débités en euros rapportent des points, et celui-ci a été débité en {currency}.",
  wrong_channel: "L'offre ne s'applique pas à ce type d'achat.",
  wrong_channel_unknown:
    "L'offre est réservée aux achats {needed}, et le libellé de votre banque ne précise pas où vous avez fait celui-ci.",
  wrong_channel_found:
    "L'offre est réservée aux achats {needed}, et vous avez fait celui-ci {found}.",
  not_first_purchase:
    "L'offre est réservée à votre premier achat chez cette marque parmi ceux que nous avons enregistrés, et celui-ci n'est pas le premier.",

  // Limits of the offer.
  too_small_for_a_point:
    "Le montant de votre achat est trop faible pour donner un point entier{sum}.",
  below_minimum: "Le montant de votre achat est inférieur au minimum prévu par l'offre.",
  below_minimum_amounts:
    "Votre achat de {found} est inférieur au minimum de {needed} prévu par l'offre.",
  above_maximum: "Le montant de votre achat dépasse le maximum prévu par l'offre.",
  above_maximum_amounts: "Votre achat de {found} dépasse le maximum de {needed} prévu par l'offre.",
  cap_per_purchase: " ({points} par achat)",
  cap_points_of_period: " ({points} {period})",
  cap_purchases_of_period_one: " ({count} achat récompensé {period})",
  cap_purchases_of_period_many: " ({count} achats récompensés {period})",
  cap_limited: "Le plafond de l'offre{cap} a limité vos points{sum}.",
  cap_reached: "Le plafond de l'offre{cap} est atteint : cet achat ne rapporte pas de points.",

  programme_paused:
    "Les offres sont arrêtées pour un moment : cet achat sera examiné à la reprise, selon l'offre de son jour. Vous n'avez rien à faire.",

  // The offer's budget.
  budget_reserving:
    "Nous réservons les points de cet achat sur le budget de l'offre{sum} : vous n'avez rien à faire.",
  budget_reserving_again:
    "Nous réservons de nouveau les points de cet achat sur le budget de l'offre{sum} : vous n'avez rien à faire.",
  budget_reserving_more:
    "Cet achat garde {kept} ; nous en réservons {more} de plus sur le budget de l'offre : vous n'avez rien à faire.",
  budget_reserving_others:
    "Cet achat garde {kept} ; nous réservons les autres sur le budget de l'offre : vous n'avez rien à faire.",
  budget_used_up: "Le budget de l'offre était épuisé lorsque nous avons traité votre achat{sum}.",
  budget_too_small: "Le budget de l'offre ne suffisait plus pour votre achat{sum}.",
  budget_too_small_left:
    "Le budget de l'offre ne suffisait plus pour votre achat : il restait {left}, et il en fallait {needed}{sum}.",
  budget_cannot_restore:
    "Le budget de l'offre ne suffisait plus pour rendre à cet achat ses points{wanted}.",
  budget_cannot_add:
    "Le budget de l'offre ne suffisait pas pour ajouter des points{wanted} : cet achat garde {kept}.",
  budget_wanted: " ({requested}, {available})",
  budget_requested_one: "{points} demandé",
  budget_requested_many: "{points} demandés",
  budget_available_one: "{count} disponible",
  budget_available_many: "{count} disponibles",

  // The bank.
  purchase_not_booked_yet:
    "Votre banque n'a pas encore comptabilisé cet achat ; nous calculerons ses points dès que ce sera fait.",
  purchase_ahead:
    "Votre banque a daté cet achat du {day} ; nous calculerons ses points ce jour-là.",
  refund_not_booked_yet:
    "Votre banque n'a pas encore comptabilisé ce remboursement ; nous chercherons l'achat remboursé dès que ce sera fait.",
  purchase_never_booked:
    "Votre banque n'a pas comptabilisé cet achat au bout de {days} jours : nous le considérons comme annulé ; s'il est comptabilisé plus tard, il sera pris en compte.",
  refund_never_booked:
    "Votre banque n'a pas comptabilisé ce remboursement au bout de {days} jours : nous le considérons comme annulé ; s'il est comptabilisé plus tard, il sera pris en compte.",
  purchase_cancelled: "Votre banque a annulé cet achat : il ne rapporte pas de points.",
  purchase_cancelled_taken_back_one:
    "Votre banque a annulé cet achat : il ne rapporte pas de points, et {points} a été repris.",
  purchase_cancelled_taken_back_many:
    "Votre banque a annulé cet achat : il ne rapporte pas de points, et {points} ont été repris.",
  refund_cancelled: "Votre banque a annulé ce remboursement : il ne change pas vos points.",
  refund_cancelled_later: "Votre banque a annulé ce remboursement : il ne change plus vos points.",

  // Refunds.
  refunded_in_full: "Cet achat a été entièrement remboursé : il ne rapporte pas de points.",
  refunded_part: " ({back} sur {whole})",
  refunded_in_part_nothing_left:
    "Cet achat a été remboursé en partie{part} : il ne rapporte plus de points.",
  refunded_in_part: "Cet achat a été remboursé en partie{part} : il garde {points}.",
  refunded_in_part_in_proportion:
    "Cet achat a été remboursé en partie{part} : il garde {points}, en proportion du montant conservé ({sum}).",
  refund_purchases_one: "l'achat d'origine",
  refund_purchases_many: "{count} achats",
  refund_these_purchases_one: "cet achat",
  refund_these_purchases_many: "ces achats",
  refund_rest_ignored:
    " Le reste du remboursement ({rest}), par exemple des frais de port ou un écart de change, n'est pas pris en compte.",
  refund_foreign_amount:
    " Le montant payé en devise a été rendu en entier : c'est le montant de l'achat qui est pris en compte.",
  refund_applied_one:
    "Nous avons rattaché ce remboursement à {purchases} : {points} a été repris, en proportion du montant remboursé.{rest}",
  refund_applied_many:
    "Nous avons rattaché ce remboursement à {purchases} : {points} ont été repris, en proportion du montant remboursé.{rest}",
  refunds_applied_together_one:
    "Nous avons rattaché ce remboursement à {purchases} : {points} a été repris en tout pour les remboursements de {these}, en proportion du montant remboursé.{rest}",
  refunds_applied_together_many:
    "Nous avons rattaché ce remboursement à {purchases} : {points} ont été repris en tout pour les remboursements de {these}, en proportion du montant remboursé.{rest}",
  refund_applied_nothing_taken:
    "Nous avons rattaché ce remboursement à {purchases} : aucun point ne vous est repris.{rest}",
  refund_applied_nothing_earned_one:
    "Nous avons rattaché ce remboursement à {purchases}, qui n'avait pas rapporté de points : aucun point ne vous est repris.{rest}",
  refund_applied_nothing_earned_many:
    "Nous avons rattaché ce remboursement à {purchases}, qui n'avaient pas rapporté de points : aucun point ne vous est repris.{rest}",
  refund_brand_unknown:
    "Nous ne reconnaissons pas la marque de ce remboursement et ne cherchons donc pas l'achat correspondant ; aucun point ne vous est repris.",
  refund_purchase_not_found_yet:
    "Nous n'avons pas encore retrouvé l'achat correspondant à ce remboursement ; en attendant, aucun point ne vous est repris.",
  refund_purchase_not_found:
    "Nous n'avons pas retrouvé l'achat correspondant à ce remboursement en {days} jours ; aucun point ne vous est repris.",

  // The operation and its account.
  duplicate: "Cette opération est déjà enregistrée et ne compte qu'une fois.",
  account_shared:
    "Ce compte est aussi relié par un autre titulaire, et un achat ne rapporte des points qu'à une seule personne ; vous pouvez demander que ce soit vous.",
  account_not_earning:
    "Ce compte est réglé pour ne pas rapporter de points ; vous pouvez modifier ce réglage.",
  held_for_review:
    "Cette opération est inhabituelle{trouble} : une personne de notre équipe la vérifie avant toute décision.",
  held_trouble: " ({trouble})",
  review_refused:
    "Une personne de notre équipe a vérifié cette opération et ne l'a pas acceptée : elle ne compte pas.",
  review_never_booked:
    "Votre banque n'a pas comptabilisé cette opération au bout de {days} jours : elle ne compte pas.",
  review_cancelled:
    "Votre banque a annulé cette opération avant que nous l'ayons vérifiée : elle ne compte pas.",
} as const;
