// What operators and users read of brands and offers, in French: what is wrong with a brand, an
// offer or a line of a file, and whether an offer applies. Refusals of a field have no final period
// and no value.

export const OFFERS_FR = {
  // What is wrong with the terms of an offer.
  kind_unknown: "Ce type d'offre n'existe pas",
  channel_unknown: "Ce canal n'existe pas",
  activation_unknown: "Ce mode d'activation n'existe pas",
  period_unknown: "Cette période n'existe pas",
  missing_for_kind: "Ce type d'offre a besoin de ce champ",
  not_for_kind: "Ce champ n'a pas de sens pour ce type d'offre",
  rate_out_of_range:
    "Le taux est un entier de 1 à 10 000 points de base ; un palier peut en donner 0",
  points_out_of_range: "Les points sont un entier de 1 à 1 000 000, ou à 100 000 par euro",
  rate_over_whole_amount: "Ces points par euro rendraient plus que le montant de l'achat",
  tiers_too_many: "Une offre a 20 paliers au plus",
  tiers_first_not_zero: "Le premier palier commence à 0",
  tiers_overlap: "Deux paliers commencent au même montant",
  tiers_not_ascending: "Les paliers vont du plus bas au plus haut",
  tiers_give_nothing: "Aucun palier accessible ne donne de points",
  tier_unreachable: "Ce palier commence au-dessus du montant maximum",
  amount_out_of_range: "Le montant est un entier de centimes entre 0 et 1 000 000 000",
  maximum_not_positive: "Le montant maximum est d'au moins un centime",
  minimum_over_maximum: "Le montant maximum est inférieur au montant minimum",
  cap_out_of_range: "Un plafond est un entier de 1 à 1 000 000 000",
  cap_below_fixed_points: "Le plafond est inférieur aux points fixes de l'offre",
  cap_per_user_below_per_purchase: "Le plafond par utilisateur est inférieur au plafond par achat",
  period_without_cap: "Une période n'a de sens qu'avec un plafond par utilisateur",
  activation_days_without_activation: "Une durée d'activation demande une activation obligatoire",
  activation_days_out_of_range: "La durée d'activation est de 1 à 365 jours",
  instant_invalid: "Une date s'écrit AAAA-MM-JJ ou comme un instant RFC 3339, entre 2000 et 2100",
  ends_before_start: "L'offre finit avant d'avoir commencé",
  confirmation_days_out_of_range: "Le délai de confirmation est de 0 à 365 jours",
  budget_out_of_range: "Un budget est un entier de 1 à 1 000 000 000",
  budget_below_least_grant: "Le budget ne suffit pas à un seul achat",
  priority_out_of_range: "La priorité est un entier de 0 à 1 000 000",

  // What is wrong with a brand, an offer, a correction or a line of a file.
  name_taken: "Une marque porte déjà ce nom",
  brand_unknown: "Cette marque n'existe pas",
  brand_missing: "La marque est à nommer par brand_id ou par brand",
  duplicate_in_file: "Cette marque est déjà dans le fichier",
  malformed_json: "Cette ligne n'est pas un objet JSON",
  malformed_csv: "Cette ligne n'est pas du CSV valable",
  not_utf8: "Cette ligne n'est pas en UTF-8",
  column_unknown: "Cette colonne n'existe pas",
  list_missing: "Il faut ici la liste à importer",
  unknown_field: "Ce champ n'existe pas",
  too_many_lines: "Le fichier a trop de lignes",
  file_empty: "Le fichier est vide",
  legal_name_repeated: "Cette raison sociale est déjà dans le fichier",
  label_not_card: "Ce libellé n'est pas celui d'un paiement par carte",
  merchant_missing: "Ce libellé ne nomme aucun commerçant",
  name_unreadable: "Ce nom n'a ni lettre ni signe lisible",
  duplicate_offer_in_file:
    "Cette offre (même marque, même titre français) est déjà dans le fichier",
  brand_archived: "Cette marque est archivée",
  reason_missing: "Un arrêt immédiat demande un motif",
  offer_is_stopped: "Cette offre est arrêtée",

  // Why an act of an operator is refused.
  not_waiting: "Rien n'attend plus cette approbation.",
  name_taken_sentence: "Une marque porte déjà ce nom ; modifiez celle-là.",
  programme_paused:
    "Les offres sont arrêtées : aucune offre, aucun nom de marque ni aucun arrêt ne prend effet avant la reprise.",
  catalogue_busy: "Le catalogue change sans cesse ; réessayez.",
  offer_stopped: "Cette offre est arrêtée ; créez-en une autre.",
  offer_over: "Cette offre est déjà terminée.",
  brand_has_offer: "Une offre de cette marque est en cours ou à venir ; arrêtez-la d'abord.",
  activation_not_needed: "Cette offre s'applique sans activation.",

  // Whether an offer applies to the next purchase of its reader.
  eligible_activation_missing: "Activez cette offre avant votre achat.",
  eligible_not_in_force: "Cette offre n'est pas en cours.",
  eligible_cap_reached: "Vous avez atteint le plafond de cette offre.",
  eligible_cap_reached_until:
    "Vous avez atteint le plafond de cette offre ; il repart de zéro le {day}.",
  eligible_not_first_purchase:
    "Cette offre est réservée à un premier achat, et nous en avons déjà enregistré un chez cette marque.",
  eligible_budget_exhausted: "Le budget de cette offre est épuisé.",
} as const;
