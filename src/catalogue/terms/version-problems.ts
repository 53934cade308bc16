// What can be wrong with an offer version: a closed list of codes, each with its sentence in French
// and English.

const DETAILS = {
  kind_unknown: { fr: "Ce type d'offre n'existe pas", en: "There is no such kind of offer" },
  channel_unknown: { fr: "Ce canal n'existe pas", en: "There is no such channel" },
  activation_unknown: {
    fr: "Ce mode d'activation n'existe pas",
    en: "There is no such kind of activation",
  },
  period_unknown: { fr: "Cette période n'existe pas", en: "There is no such period" },
  missing_for_kind: {
    fr: "Ce type d'offre a besoin de ce champ",
    en: "This kind of offer needs this field",
  },
  not_for_kind: {
    fr: "Ce champ n'a pas de sens pour ce type d'offre",
    en: "This field means nothing for this kind of offer",
  },
  rate_out_of_range: {
    fr: "Le taux est un entier de 1 à 10 000 points de base ; un palier peut en donner 0",
    en: "The rate is an integer from 1 to 10,000 basis points; a tier may give 0",
  },
  points_out_of_range: {
    fr: "Les points sont un entier de 1 à 1 000 000, ou à 100 000 par euro",
    en: "The points are an integer from 1 to 1,000,000, or to 100,000 per euro",
  },
  rate_over_whole_amount: {
    fr: "Ces points par euro rendraient plus que le montant de l'achat",
    en: "These points per euro would give back more than the purchase",
  },
  tiers_too_many: { fr: "Une offre a 20 paliers au plus", en: "An offer has 20 tiers at most" },
  tiers_first_not_zero: { fr: "Le premier palier commence à 0", en: "The first tier starts at 0" },
  tiers_overlap: {
    fr: "Deux paliers commencent au même montant",
    en: "Two tiers start at the same amount",
  },
  tiers_not_ascending: {
    fr: "Les paliers vont du plus bas au plus haut",
    en: "The tiers go from the lowest to the highest",
  },
  tiers_give_nothing: {
    fr: "Aucun palier accessible ne donne de points",
    en: "No tier that can be reached gives any points",
  },
  tier_unreachable: {
    fr: "Ce palier commence au-dessus du montant maximum",
    en: "This tier starts above the maximum amount",
  },
  amount_out_of_range: {
    fr: "Le montant est un entier de centimes entre 0 et 1 000 000 000",
    en: "The amount is an integer of cents from 0 to 1,000,000,000",
  },
  maximum_not_positive: {
    fr: "Le montant maximum est d'au moins un centime",
    en: "The maximum amount is at least one cent",
  },
  minimum_over_maximum: {
    fr: "Le montant maximum est inférieur au montant minimum",
    en: "The maximum amount is below the minimum amount",
  },
  cap_out_of_range: {
    fr: "Un plafond est un entier de 1 à 1 000 000 000",
    en: "A cap is an integer from 1 to 1,000,000,000",
  },
  cap_below_fixed_points: {
    fr: "Le plafond est inférieur aux points fixes de l'offre",
    en: "The cap is below the offer's fixed points",
  },
  cap_per_user_below_per_purchase: {
    fr: "Le plafond par utilisateur est inférieur au plafond par achat",
    en: "The cap per user is below the cap per purchase",
  },
  period_without_cap: {
    fr: "Une période n'a de sens qu'avec un plafond par utilisateur",
    en: "A period means something only with a cap per user",
  },
  activation_days_without_activation: {
    fr: "Une durée d'activation demande une activation obligatoire",
    en: "Activation days need a required activation",
  },
  activation_days_out_of_range: {
    fr: "La durée d'activation est de 1 à 365 jours",
    en: "The activation lasts from 1 to 365 days",
  },
  instant_invalid: {
    fr: "Une date s'écrit AAAA-MM-JJ ou comme un instant RFC 3339, entre 2000 et 2100",
    en: "A date is YYYY-MM-DD or an RFC 3339 instant, between 2000 and 2100",
  },
  ends_before_start: {
    fr: "L'offre finit avant d'avoir commencé",
    en: "The offer ends before it starts",
  },
  confirmation_days_out_of_range: {
    fr: "Le délai de confirmation est de 0 à 365 jours",
    en: "The confirmation takes 0 to 365 days",
  },
  budget_out_of_range: {
    fr: "Un budget est un entier de 1 à 1 000 000 000",
    en: "A budget is an integer from 1 to 1,000,000,000",
  },
  budget_below_least_grant: {
    fr: "Le budget ne suffit pas à un seul achat",
    en: "The budget does not suffice for a single purchase",
  },
  priority_out_of_range: {
    fr: "La priorité est un entier de 0 à 1 000 000",
    en: "The priority is an integer from 0 to 1,000,000",
  },
} as const satisfies Record<string, Readonly<Record<"fr" | "en", string>>>;

/** Codes of what can be wrong with an offer version, closed; also the keys of their texts. */
export type OfferVersionCode = keyof typeof DETAILS;

/**
 * One bad field: a JSON pointer (RFC 6901) into the version; the route puts `/version` before it
 * where it is nested.
 */
export type OfferVersionProblem = {
  readonly pointer: string;
  readonly code: OfferVersionCode;
  readonly detail_key: OfferVersionCode;
};

/** What is wrong, in words: one sentence without a final period and without a value. */
export function offerVersionDetail(key: OfferVersionCode, locale: "fr" | "en"): string {
  return DETAILS[key][locale];
}
