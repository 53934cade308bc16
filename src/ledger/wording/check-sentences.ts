// One line for each rule that was looked at, in French and English: what it needed and what it
// found. It decides nothing, and no label, no name and no id may enter a line.
import type { ReasonCode, RuleCheck } from "../ports.ts";
import { PENDING_DAYS_MAX } from "../purchases/verdict-state.ts";
import {
  agreeing,
  channelText,
  dateText,
  eurosText,
  integerText,
  keptPointsSum,
  numberOf,
  periodText,
  pointsText,
  troubleText,
  windowText,
} from "./formats.ts";
import type { Locale } from "./formats.ts";

/** `needed` and `found` of a check in the words of its measure. */
function limitText(check: RuleCheck, locale: Locale, limit: { readonly least: boolean }): string {
  const found = eurosText(numberOf(check.found), locale);
  if (check.needed === null) {
    return locale === "fr" ? `aucun (achat de ${found})` : `none (purchase of ${found})`;
  }
  const needed = eurosText(numberOf(check.needed), locale);
  if (locale === "fr") {
    return `${limit.least ? "au moins" : "au plus"} ${needed}, achat de ${found}`;
  }
  return `${limit.least ? "at least" : "at most"} ${needed}, purchase of ${found}`;
}

function minimumCheckText(check: RuleCheck, locale: Locale): string {
  if (check.measure === "least_points") {
    const points = integerText(numberOf(check.found), locale);
    return locale === "fr"
      ? `Points calculés : ${points}, il en faut au moins 1`
      : `Points computed: ${points}, at least 1 is needed`;
  }
  return `${locale === "fr" ? "Montant minimum : " : "Minimum amount: "}${
    limitText(check, locale, { least: true })
  }`;
}

function capCheckText(check: RuleCheck, locale: Locale): string {
  const isCount = check.measure === "purchases_per_period";
  const scope = check.measure === "points_per_purchase"
    ? (locale === "fr" ? "par achat" : "per purchase")
    : periodText(check.period, locale);
  const subject = locale === "fr"
    ? `Plafond ${isCount ? "d'achats" : "de points"} ${scope} : `
    : `Cap on ${isCount ? "purchases" : "points"} ${scope}: `;
  if (check.needed === null) return `${subject}${locale === "fr" ? "aucun" : "none"}`;
  const found = integerText(numberOf(check.found), locale);
  const needed = integerText(numberOf(check.needed), locale);
  return locale === "fr"
    ? `${subject}${needed} au plus, ${found} avec cet achat`
    : `${subject}${needed} at most, ${found} with this purchase`;
}

function windowCheckText(check: RuleCheck, locale: Locale): string {
  const window = typeof check.needed === "string" ? windowText(check.needed, locale) : null;
  const day = typeof check.found === "string" ? dateText(check.found, locale) : null;
  if (window === null || day === null) {
    return yesNo(
      { fr: "Offre en cours le jour de l'achat", en: "Offer in force on the day of the purchase" },
      check,
      locale,
    );
  }
  return locale === "fr"
    ? `Offre valable ${window}, achat du ${day}`
    : `Offer valid ${window}, purchase of ${day}`;
}

function activationCheckText(check: RuleCheck, locale: Locale): string {
  if (check.needed === "automatic") {
    return locale === "fr" ? "Activation : pas nécessaire" : "Activation: not needed";
  }
  const window = typeof check.found === "string" ? windowText(check.found, locale) : null;
  if (window === null) {
    return locale === "fr"
      ? "Activation : nécessaire, aucune le jour de l'achat"
      : "Activation: needed, none on the day of the purchase";
  }
  return locale === "fr"
    ? `Activation : nécessaire, valable ${window}`
    : `Activation: needed, valid ${window}`;
}

function firstPurchaseCheckText(check: RuleCheck, locale: Locale): string {
  if (check.needed === null) {
    return locale === "fr"
      ? "Premier achat chez la marque : pas nécessaire"
      : "First purchase at the brand: not needed";
  }
  if (check.passed) {
    return locale === "fr"
      ? "Premier achat chez la marque : nécessaire, c'est le premier"
      : "First purchase at the brand: needed, this is the first";
  }
  return locale === "fr"
    ? "Premier achat chez la marque : nécessaire, ce n'est pas le premier"
    : "First purchase at the brand: needed, this is not the first";
}

function yesNo(
  question: Readonly<Record<Locale, string>>,
  check: RuleCheck,
  locale: Locale,
): string {
  if (locale === "fr") return `${question.fr} : ${check.passed ? "oui" : "non"}`;
  return `${question.en}: ${check.passed ? "yes" : "no"}`;
}

/** Every question is put so that "yes" lets the purchase earn. */
const QUESTIONS = {
  offer_applied: { fr: "Offre appliquée", en: "Offer applied" },
  brand_unknown: { fr: "Marque partenaire reconnue", en: "Partner brand recognised" },
  brand_without_offer: { fr: "Offre existante pour la marque", en: "Brand has an offer" },
  budget_reserving: { fr: "Budget de l'offre réservé", en: "Offer's budget reserved" },
  budget_exhausted: { fr: "Budget de l'offre suffisant", en: "Offer's budget sufficient" },
  not_booked_yet: { fr: "Achat comptabilisé par la banque", en: "Purchase booked by the bank" },
  duplicate: { fr: "Opération nouvelle", en: "New operation" },
  refunded: { fr: "Achat non remboursé", en: "Purchase not refunded" },
  refund_applied: {
    fr: "Remboursement rattaché à son achat",
    en: "Refund set against its purchase",
  },
  refund_without_purchase: {
    fr: "Achat du remboursement retrouvé",
    en: "Purchase of the refund found",
  },
  account_shared: {
    fr: "Compte dont les points vous reviennent",
    en: "Account whose points are yours",
  },
  account_not_earning: {
    fr: "Compte réglé pour rapporter des points à l'arrivée de l'opération",
    en: "Account set to earn points when the operation came in",
  },
  held_for_review: { fr: "Opération ordinaire ou vérifiée", en: "Operation ordinary or reviewed" },
} as const satisfies Partial<Record<ReasonCode, Readonly<Record<Locale, string>>>>;

function bankStateLine({ found }: RuleCheck, locale: Locale): string {
  const subject = locale === "fr"
    ? "Comptabilisation par la banque : nécessaire, "
    : "Booking by the bank: needed, ";
  switch (found) {
    case "booked":
      return `${subject}${locale === "fr" ? "faite" : "done"}`;
    case "lapsed":
      return `${subject}${
        locale === "fr"
          ? `pas faite en ${PENDING_DAYS_MAX} jours`
          : `not done within ${PENDING_DAYS_MAX} days`
      }`;
    case "deleted":
      return `${subject}${locale === "fr" ? "mais opération annulée" : "but operation cancelled"}`;
    default:
      return `${subject}${locale === "fr" ? "pas encore faite" : "not done yet"}`;
  }
}

function reviewLine({ found }: RuleCheck, locale: Locale): string {
  const subject = locale === "fr" ? "Vérification par une personne : " : "Review by a person: ";
  switch (found) {
    case "ordinary":
      return `${subject}${locale === "fr" ? "pas nécessaire" : "not needed"}`;
    case "cleared":
      return `${subject}${
        locale === "fr" ? "nécessaire, opération acceptée" : "needed, operation accepted"
      }`;
    case "refused":
      return `${subject}${
        locale === "fr" ? "nécessaire, opération refusée" : "needed, operation refused"
      }`;
    default: {
      const why = troubleText(found, locale);
      return `${subject}${locale === "fr" ? "nécessaire" : "needed"}${
        why === null ? "" : ` (${why})`
      }, ${locale === "fr" ? "pas faite" : "not done"}`;
    }
  }
}

function budgetLine(check: RuleCheck, locale: Locale): string {
  const wanted = pointsText(numberOf(check.needed), locale);
  const subject = locale === "fr"
    ? `Budget de l'offre : ${wanted} à réserver, `
    : `Offer's budget: ${wanted} to reserve, `;
  if (check.found === null) {
    return `${subject}${
      check.rule === "budget_exhausted"
        ? (locale === "fr" ? "il n'en restait pas autant" : "not as many were left")
        : locale === "fr"
        ? "réservation en cours"
        : "under way"
    }`;
  }
  const found = integerText(numberOf(check.found), locale);
  const [fr, en] = check.rule === "budget_exhausted"
    ? ["disponible", "available"]
    : ["réservé", "reserved"];
  return `${subject}${found} ${locale === "fr" ? agreeing(fr, numberOf(check.found)) : en}`;
}

function keptCentsLine(check: RuleCheck, locale: Locale): string {
  if (check.passed) return locale === "fr" ? "Remboursement : aucun" : "Refund: none";
  const [whole, left] = [numberOf(check.needed), numberOf(check.found)];
  const [back, all] = [eurosText(whole - left, locale), eurosText(whole, locale)];
  return locale === "fr" ? `Remboursement : ${back} sur ${all}` : `Refund: ${back} of ${all}`;
}

function keptPointsLine(check: RuleCheck, checks: readonly RuleCheck[], locale: Locale): string {
  const [granted, kept] = [
    integerText(numberOf(check.needed), locale),
    integerText(numberOf(check.found), locale),
  ];
  const sum = keptPointsSum(checks, locale);
  const why = sum === null ? "" : ` (${sum})`;
  return locale === "fr"
    ? `Points conservés : ${kept} sur ${granted}${why}`
    : `Points kept: ${kept} of ${granted}${why}`;
}

function takenBackLine(check: RuleCheck, locale: Locale): string {
  const together = check.measure === "taken_back_points_together";
  const own = check.rule === "refunded";
  const subject = locale === "fr"
    ? `Points repris${
      own ? "" : together ? " à l'achat par tous ses remboursements" : " à l'achat"
    } : `
    : `Points taken back${
      own ? "" : together ? " from the purchase by all its refunds" : " from the purchase"
    }: `;
  if (check.needed === 0) {
    return `${subject}${
      locale === "fr" ? "aucun, il n'en avait pas rapporté" : "none, it had earned none"
    }`;
  }
  const taken = integerText(numberOf(check.found), locale);
  return check.needed === null
    ? `${subject}${taken}`
    : `${subject}${taken} ${locale === "fr" ? "sur" : "of"} ${
      integerText(numberOf(check.needed), locale)
    }`;
}

/** The line of a stage (stages.ts); null for any other check. */
function stageLine(check: RuleCheck, checks: readonly RuleCheck[], locale: Locale): string | null {
  switch (check.measure) {
    case "bank_state":
      return bankStateLine(check, locale);
    case "review_result":
      return reviewLine(check, locale);
    case "budget_points":
      return budgetLine(check, locale);
    case "kept_cents":
      return keptCentsLine(check, locale);
    case "kept_points":
      return keptPointsLine(check, checks, locale);
    case "taken_back_points":
    case "taken_back_points_together":
      return takenBackLine(check, locale);
    default:
      return null;
  }
}

/**
 * One line for a rule that was looked at: what it needed and what it found. `checks` are all those
 * of the row: a sum needs several.
 */
export function checkText(
  check: RuleCheck,
  locale: Locale,
  checks: readonly RuleCheck[] = [check],
): string {
  const stage = stageLine(check, checks, locale);
  return stage ?? ruleLine(check, locale);
}

function ruleLine(check: RuleCheck, locale: Locale): string {
  const { rule } = check;
  switch (rule) {
    case "currency_unsupported":
      return locale === "fr"
        ? `Devise : ${check.needed ?? "EUR"}, achat en ${check.found ?? "?"}`
        : `Currency: ${check.needed ?? "EUR"}, purchase in ${check.found ?? "?"}`;
    case "offer_not_in_force":
      return windowCheckText(check, locale);
    case "wrong_channel": {
      const [needed, found] = [channelText(check.needed, locale), channelText(check.found, locale)];
      return locale === "fr"
        ? `Lieu de l'achat : ${needed}, constaté : ${found}`
        : `Where it was bought: ${needed}, found: ${found}`;
    }
    case "not_first_purchase":
      return firstPurchaseCheckText(check, locale);
    case "above_maximum":
      return `${locale === "fr" ? "Montant maximum : " : "Maximum amount: "}${
        limitText(check, locale, { least: false })
      }`;
    case "below_minimum":
      return minimumCheckText(check, locale);
    case "activation_missing":
      return activationCheckText(check, locale);
    case "cap_reached":
      return capCheckText(check, locale);
    default:
      return yesNo(QUESTIONS[rule], check, locale);
  }
}
