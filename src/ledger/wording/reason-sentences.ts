// Verdicts in words: what users read under "why did this purchase earn nothing?", in French and
// English. It decides nothing and only words what earning.ts and the engine recorded. No label, no
// name and no id may enter a sentence.
import { DAY_MS } from "../../kernel/time.ts";
import type { Calculation, PurchaseView, ReasonCode, RuleCheck, Verdict } from "../ports.ts";
import { PENDING_DAYS_MAX, REFUND_WAIT_MS } from "../purchases/verdict-state.ts";
import {
  agreeing,
  channelText,
  dateText,
  eurosText,
  integerText,
  keptPointsSum,
  numberOf,
  percentText,
  periodText,
  pointsText,
  stageCheck,
  troubleText,
  windowText,
} from "./formats.ts";
import type { Locale } from "./formats.ts";

/** What a sentence may draw on: any row and its verdict will do. */
export type ReasonDetails =
  & Pick<
    Verdict,
    | "outcome"
    | "calculation"
    | "checks"
    | "offer"
    | "points"
    | "confirmationExpectedOn"
    | "confirmed"
  >
  & Pick<PurchaseView, "kind" | "state">;

type Words<T> = Readonly<Record<Locale, (value: T) => string>>;

function programmeRateText(calculation: Calculation, locale: Locale): string {
  // At 100 points per euro a point is a cent and the sum speaks for itself.
  if (calculation.pointsPerEuro === 100) return "";
  const points = pointsText(calculation.pointsPerEuro, locale);
  return locale === "fr"
    ? `, à raison de ${points} pour un euro de récompense,`
    : `, at ${points} per euro of reward,`;
}

/** What the formula gave before caps: `3 % de 34,90 € = 104 points`. */
function formulaText(calculation: Calculation, locale: Locale): string {
  const { baseCents, rateBp, kind, offerPoints } = calculation;
  const points = pointsText(calculation.uncapped, locale);
  const base = eurosText(baseCents, locale);
  if (rateBp !== null) {
    const tier = kind !== "tiered" ? "" : locale === "fr" ? " (palier atteint)" : " (tier reached)";
    return `${percentText(rateBp, locale)} ${locale === "fr" ? "de" : "of"} ${base}${tier}${
      programmeRateText(calculation, locale)
    } = ${points}`;
  }
  if (kind === "fixed") {
    return locale === "fr" ? `forfait de ${points} par achat` : `a fixed ${points} per purchase`;
  }
  if (kind === "points_per_euro" && offerPoints !== undefined) {
    return `${pointsText(offerPoints, locale)} ${
      locale === "fr" ? "par euro" : "per euro"
    } × ${base} = ${points}`;
  }
  return `${base} = ${points}`;
}

/**
 * The sum behind a verdict, with what a cap made of it: `3 % de 34,90 € = 104 points, ramenés à 50
 * points par un plafond`. A calculation of which nothing was granted says only what the formula
 * gave.
 */
export function arithmeticText(calculation: Calculation, locale: Locale): string {
  const formula = formulaText(calculation, locale);
  if (calculation.capped === 0 || calculation.capped === calculation.uncapped) return formula;
  const capped = pointsText(calculation.capped, locale);
  return locale === "fr"
    ? `${formula}, ramenés à ${capped} par un plafond`
    : `${formula}, reduced to ${capped} by a cap`;
}

/**
 * The check that refused under this code: of the verdict's own offer version if it names one, else
 * the first.
 */
function failedCheck(code: ReasonCode, details: ReasonDetails): RuleCheck | null {
  const failed = details.checks.filter((check) => check.rule === code && !check.passed);
  const own = failed.find((check) =>
    check.offerId === details.offer?.id && check.version === details.offer?.version
  );
  return own ?? failed[0] ?? null;
}

type Context = {
  readonly details: ReasonDetails;
  readonly check: RuleCheck | null;
  /** The sum, or null where no amount was computed. */
  readonly sum: string | null;
};

const lead = (
  context: Context,
  colon: string,
): string => (context.sum === null ? "" : `${colon}${context.sum}`);

function confirmation(
  { details: { confirmationExpectedOn: on, confirmed = false, points } }: Context,
  locale: Locale,
): string {
  if (confirmed) {
    return locale === "fr" ? `, déjà ${agreeing("confirmé", points)}` : ", confirmed already";
  }
  if (on === null) return "";
  return `${locale === "fr" ? ", confirmation prévue le " : ", to be confirmed on "}${
    dateText(on, locale)
  }`;
}

function belowMinimum({ check, sum }: Context, locale: Locale): string {
  if (check?.measure === "least_points") {
    const reason = sum === null ? "" : ` (${sum})`;
    return locale === "fr"
      ? `Le montant de l'achat est trop petit pour donner un point entier${reason}.`
      : `The purchase is too small to give a whole point${reason}.`;
  }
  if (check === null) {
    return locale === "fr"
      ? "Le montant de l'achat est inférieur au minimum de l'offre."
      : "The purchase is below the offer's minimum.";
  }
  const [needed, found] = [
    eurosText(numberOf(check.needed), locale),
    eurosText(numberOf(check.found), locale),
  ];
  return locale === "fr"
    ? `L'achat de ${found} est inférieur au minimum de ${needed} de l'offre.`
    : `The purchase of ${found} is below the offer's minimum of ${needed}.`;
}

function aboveMaximum({ check }: Context, locale: Locale): string {
  if (check === null) {
    return locale === "fr"
      ? "Le montant de l'achat dépasse le maximum de l'offre."
      : "The purchase is above the offer's maximum.";
  }
  const [needed, found] = [
    eurosText(numberOf(check.needed), locale),
    eurosText(numberOf(check.found), locale),
  ];
  return locale === "fr"
    ? `L'achat de ${found} dépasse le maximum de ${needed} de l'offre.`
    : `The purchase of ${found} is above the offer's maximum of ${needed}.`;
}

function capText(check: RuleCheck, locale: Locale): string {
  const cap = numberOf(check.needed);
  const points = pointsText(cap, locale);
  const period = periodText(check.period, locale);
  if (check.measure === "points_per_purchase") {
    return locale === "fr" ? `${points} par achat` : `${points} per purchase`;
  }
  if (check.measure === "purchases_per_period") {
    const count = integerText(cap, locale);
    return locale === "fr"
      ? `${count} ${cap < 2 ? "achat récompensé" : "achats récompensés"} ${period}`
      : `${count} rewarded ${cap === 1 ? "purchase" : "purchases"} ${period}`;
  }
  return `${points} ${period}`;
}

function capReached({ details, check, sum }: Context, locale: Locale): string {
  const which = check === null ? "" : ` (${capText(check, locale)})`;
  const granted = details.calculation === null ? 0 : details.calculation.capped;
  if (granted > 0) {
    return locale === "fr"
      ? `Le plafond de l'offre${which} a limité les points${sum === null ? "" : ` : ${sum}`}.`
      : `The offer's cap${which} limited the points${sum === null ? "" : `: ${sum}`}.`;
  }
  return locale === "fr"
    ? `Le plafond de l'offre${which} est atteint : cet achat ne rapporte plus de points.`
    : `The offer's cap${which} is reached: this purchase earns no more points.`;
}

function notInForce({ check }: Context, locale: Locale): string {
  if (check === null || typeof check.needed !== "string" || typeof check.found !== "string") {
    return locale === "fr"
      ? "Aucune offre de cette marque n'était en cours le jour de l'achat."
      : "No offer of this brand was in force on the day of the purchase.";
  }
  const [window, day] = [windowText(check.needed, locale), dateText(check.found, locale)];
  return locale === "fr"
    ? `L'offre de cette marque est valable ${window}, et votre achat est du ${day}.`
    : `This brand's offer is valid ${window}, and your purchase is of ${day}.`;
}

function wrongChannel({ check }: Context, locale: Locale): string {
  const needed = channelText(check?.needed ?? null, locale);
  if (check !== null && check.found === "unknown") {
    return locale === "fr"
      ? `L'offre ne vaut que pour les achats ${needed}, et le libellé de votre banque ne dit pas où celui-ci a été fait.`
      : `The offer is only for purchases made ${needed}, and your bank's label does not tell where this one was made.`;
  }
  if (check === null) {
    return locale === "fr"
      ? "L'offre ne vaut pas pour ce type d'achat."
      : "The offer is not for this way of buying.";
  }
  const found = channelText(check.found, locale);
  return locale === "fr"
    ? `L'offre ne vaut que pour les achats ${needed}, et celui-ci a été fait ${found}.`
    : `The offer is only for purchases made ${needed}, and this one was made ${found}.`;
}

function activationMissing({ check, sum }: Context, locale: Locale): string {
  const window = typeof check?.found === "string" ? windowText(check.found, locale) : null;
  const would = sum === null
    ? ""
    : locale === "fr"
    ? ` (calcul de l'offre, hors plafonds : ${sum})`
    : ` (the offer's sum, before caps: ${sum})`;
  if (window !== null) {
    return locale === "fr"
      ? `Votre activation de l'offre, valable ${window}, ne couvrait pas le jour de l'achat${would}.`
      : `Your activation of the offer, valid ${window}, did not cover the day of the purchase${would}.`;
  }
  return locale === "fr"
    ? `L'offre devait être activée avant l'achat, et elle ne l'était pas le jour de celui-ci${would}.`
    : `The offer had to be activated before the purchase, and was not on that day${would}.`;
}

function currencyUnsupported({ check }: Context, locale: Locale): string {
  const found = typeof check?.found === "string" ? check.found : null;
  if (locale === "fr") {
    return `Seuls les achats débités en euros rapportent des points${
      found === null ? "" : `, et celui-ci l'a été en ${found}`
    }.`;
  }
  return `Only purchases debited in euros earn points${
    found === null ? "" : `, and this one was debited in ${found}`
  }.`;
}

function offerApplied(context: Context, locale: Locale): string {
  const colon = locale === "fr" ? " : " : ": ";
  // What was granted and then taken back is told in the past: the sum shows what stood once.
  if (context.details.outcome === "reversed") {
    return locale === "fr"
      ? `L'offre s'était appliquée${lead(context, colon)}.`
      : `The offer had applied${lead(context, colon)}.`;
  }
  return locale === "fr"
    ? `L'offre s'applique${lead(context, colon)}${confirmation(context, locale)}.`
    : `The offer applies${lead(context, colon)}${confirmation(context, locale)}.`;
}

function brandUnknown({ details: { kind, state } }: Context, locale: Locale): string {
  const said = locale === "fr"
    ? "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque"
    : "We recognised no partner brand in your bank's label";
  if (kind === "refund" || state === "deleted") return `${said}.`;
  return locale === "fr"
    ? `${said} ; si vous pensez que c'en est une, faites une réclamation sur cet achat.`
    : `${said}; if you think it is one, file a claim on this purchase.`;
}

function budgetReserving({ details, check, sum }: Context, locale: Locale): string {
  if (details.outcome === "earned") {
    const more = numberOf(check?.needed ?? null) - details.points;
    const kept = pointsText(details.points, locale);
    if (locale === "fr") {
      return `Cet achat garde ${kept} ; nous ${
        more > 0 ? `en réservons ${integerText(more, locale)} de plus` : "réservons les autres"
      } sur le budget de l'offre, ce qui ne demande rien de votre part.`;
    }
    return `This purchase keeps ${kept}; we are reserving ${
      more > 0 ? `${integerText(more, locale)} more` : "the others"
    } from the offer's budget, which asks nothing of you.`;
  }
  const again = details.outcome === "reversed";
  const shown = sum === null ? "" : ` (${sum})`;
  return locale === "fr"
    ? `Nous réservons ${
      again ? "de nouveau " : ""
    }les points de cet achat sur le budget de l'offre${shown}, ce qui ne demande rien de votre part.`
    : `We are reserving this purchase's points ${
      again ? "again " : ""
    }from the offer's budget${shown}, which asks nothing of you.`;
}

function budgetExhausted(context: Context, locale: Locale): string {
  const { details, check, sum } = context;
  const left = typeof check?.found === "number" ? check.found : null;
  if (details.outcome !== "not_earned") return budgetKept(details.points, left, check, locale);
  const would = sum === null
    ? ""
    : locale === "fr"
    ? ` (calcul de l'offre : ${sum})`
    : ` (the offer's sum: ${sum})`;
  if (left === 0) {
    return locale === "fr"
      ? `Le budget de l'offre était épuisé lorsque nous avons traité votre achat${would}.`
      : `The offer's budget was used up when we handled your purchase${would}.`;
  }
  const needed = integerText(numberOf(check?.needed ?? null), locale);
  if (locale === "fr") {
    const rest = left === null
      ? ""
      : ` : il y restait ${pointsText(left, locale)}, et il en fallait ${needed}`;
    return `Le budget de l'offre ne suffisait plus pour votre achat${rest}${would}.`;
  }
  const rest = left === null
    ? ""
    : `: it had ${pointsText(left, locale)} left, and ${needed} were needed`;
  return `The offer's budget was no longer enough for your purchase${rest}${would}.`;
}

/** Points that should have stood (again) and that the budget could not hold: what stands stays. */
function budgetKept(
  points: number,
  left: number | null,
  check: RuleCheck | null,
  locale: Locale,
): string {
  const wanted = check === null || left === null
    ? ""
    : locale === "fr"
    ? ` (${pointsText(numberOf(check.needed), locale)} ${
      agreeing("demandé", numberOf(check.needed))
    }, ${integerText(left, locale)} ${agreeing("disponible", left)})`
    : ` (${pointsText(numberOf(check.needed), locale)} asked for, ${
      integerText(left, locale)
    } available)`;
  if (points === 0) {
    return locale === "fr"
      ? `Le budget de l'offre ne suffisait plus pour rendre ses points à cet achat${wanted}.`
      : `The offer's budget was no longer enough to give this purchase its points back${wanted}.`;
  }
  const kept = pointsText(points, locale);
  return locale === "fr"
    ? `Le budget de l'offre ne suffisait pas pour davantage de points${wanted} : cet achat garde ${kept}.`
    : `The offer's budget was not enough for more points${wanted}: this purchase keeps ${kept}.`;
}

const lapsed = ({ details }: Context): boolean =>
  stageCheck(details.checks, "not_booked_yet", "bank_state")?.found === "lapsed";

function notBookedYet(context: Context, locale: Locale): string {
  const { kind, state } = context.details;
  const isRefund = kind === "refund";
  const row = locale === "fr"
    ? (isRefund ? "ce remboursement" : "cet achat")
    : isRefund
    ? "this refund"
    : "this purchase";
  if (lapsed(context)) {
    return locale === "fr"
      ? `Votre banque n'a pas comptabilisé ${row} en ${PENDING_DAYS_MAX} jours, et nous le tenons pour annulé ; s'il est comptabilisé plus tard, il comptera.`
      : `Your bank has not booked ${row} within ${PENDING_DAYS_MAX} days, and we take it for cancelled; should it be booked later, it will count.`;
  }
  if (state === "deleted") {
    if (isRefund) {
      return locale === "fr"
        ? `Votre banque a annulé ${row} : il ne change pas vos points.`
        : `Your bank cancelled ${row}: it does not change your points.`;
    }
    return locale === "fr"
      ? `Votre banque a annulé ${row} : il ne rapporte pas de points.`
      : `Your bank cancelled ${row}: it earns no points.`;
  }
  if (locale === "fr") {
    return `Votre banque n'a pas encore comptabilisé ${row} ; nous ${
      isRefund ? "chercherons l'achat remboursé" : "calculerons ses points"
    } dès que ce sera fait.`;
  }
  return `Your bank has not booked ${row} yet; we will ${
    isRefund ? "look for its purchase" : "work out its points"
  } as soon as it has.`;
}

function takenBackText(points: number, locale: Locale): string {
  if (locale === "fr") {
    return `${pointsText(points, locale)} ${points < 2 ? "a été repris" : "ont été repris"}`;
  }
  return `${pointsText(points, locale)} ${points === 1 ? "was" : "were"} taken back`;
}

function refunded(context: Context, locale: Locale): string {
  const { details } = context;
  if (details.state === "deleted") {
    const taken = numberOf(
      stageCheck(details.checks, "refunded", "taken_back_points")?.found ?? null,
    );
    const tail = taken === 0
      ? ""
      : `, ${locale === "fr" ? "et" : "and"} ${takenBackText(taken, locale)}`;
    return locale === "fr"
      ? `Votre banque a annulé cet achat : il ne rapporte pas de points${tail}.`
      : `Your bank cancelled this purchase: it earns no points${tail}.`;
  }
  const cents = stageCheck(details.checks, "refunded", "kept_cents");
  const [whole, left] = [numberOf(cents?.needed ?? null), numberOf(cents?.found ?? null)];
  const part = left === 0
    ? ""
    : locale === "fr"
    ? ` (${eurosText(whole - left, locale)} sur ${eurosText(whole, locale)})`
    : ` (${eurosText(whole - left, locale)} of ${eurosText(whole, locale)})`;
  if (details.points === 0) {
    if (left === 0) {
      return locale === "fr"
        ? "Cet achat a été entièrement remboursé : il ne rapporte pas de points."
        : "This purchase was refunded in full: it earns no points.";
    }
    return locale === "fr"
      ? `Cet achat a été remboursé en partie${part} : il ne rapporte plus de points.`
      : `Part of this purchase was refunded${part}: it earns no points any more.`;
  }
  const sum = keptPointsSum(details.checks, locale);
  const points = pointsText(details.points, locale);
  if (locale === "fr") {
    return `Cet achat a été remboursé en partie${part} : il lui reste ${points}${
      sum === null ? "" : `, en proportion du montant conservé (${sum})`
    }.`;
  }
  return `Part of this purchase was refunded${part}: it keeps ${points}${
    sum === null ? "" : `, in proportion to the amount kept (${sum})`
  }.`;
}

function refundApplied({ details }: Context, locale: Locale): string {
  if (details.state === "deleted") {
    return locale === "fr"
      ? "Votre banque a annulé ce remboursement : il ne change plus vos points."
      : "Your bank cancelled this refund: it no longer changes your points.";
  }
  const together = stageCheck(details.checks, "refund_applied", "taken_back_points_together");
  const check = together ?? stageCheck(details.checks, "refund_applied", "taken_back_points");
  const taken = numberOf(check?.found ?? null);
  if (taken === 0) {
    const none = check !== null && check.needed === 0;
    if (locale === "fr") {
      return `Ce remboursement a été rattaché à son achat${
        none ? ", qui n'avait pas rapporté de points" : ""
      } : aucun point ne vous est repris.`;
    }
    return `This refund was set against its purchase${
      none ? ", which had earned no points" : ""
    }: no points are taken from you.`;
  }
  const all = together === null
    ? ""
    : locale === "fr"
    ? " en tout pour les remboursements de cet achat"
    : " in all for the refunds of that purchase";
  if (locale === "fr") {
    return `Ce remboursement a été rattaché à son achat : ${
      takenBackText(taken, locale)
    }${all}, en proportion du montant remboursé.`;
  }
  return `This refund was set against its purchase: ${
    takenBackText(taken, locale)
  }${all}, in proportion to the amount refunded.`;
}

function refundWithoutPurchase({ details }: Context, locale: Locale): string {
  if (details.state === "deleted") {
    return locale === "fr"
      ? "Votre banque a annulé ce remboursement : il ne change pas vos points."
      : "Your bank cancelled this refund: it does not change your points.";
  }
  if (details.checks.some(({ rule, passed }) => rule === "brand_unknown" && !passed)) {
    return locale === "fr"
      ? "Nous ne cherchons pas l'achat de ce remboursement, faute d'en connaître la marque ; aucun point ne vous est repris."
      : "We do not look for this refund's purchase, since we do not know its brand; no points are taken from you.";
  }
  if (details.outcome === "waiting") {
    return locale === "fr"
      ? "Nous n'avons pas encore trouvé l'achat de ce remboursement ; d'ici là, aucun point ne vous est repris."
      : "We have not found the purchase of this refund yet; until then no points are taken from you.";
  }
  const days = REFUND_WAIT_MS / DAY_MS;
  return locale === "fr"
    ? `Nous n'avons pas trouvé l'achat de ce remboursement en ${days} jours ; aucun point ne vous est repris.`
    : `We have not found the purchase of this refund within ${days} days; no points are taken from you.`;
}

function heldForReview(context: Context, locale: Locale): string {
  const { details } = context;
  const found = stageCheck(details.checks, "held_for_review", "review_result")?.found ?? null;
  if (found === "refused") {
    return locale === "fr"
      ? "Une personne de notre équipe a vérifié cette opération et ne l'a pas retenue : elle ne compte pas."
      : "Somebody on our team looked at this operation and did not accept it: it does not count.";
  }
  if (lapsed(context)) {
    return locale === "fr"
      ? `Votre banque n'a pas comptabilisé cette opération en ${PENDING_DAYS_MAX} jours : elle ne compte pas.`
      : `Your bank has not booked this operation within ${PENDING_DAYS_MAX} days: it does not count.`;
  }
  if (details.state === "deleted") {
    return locale === "fr"
      ? "Votre banque a annulé cette opération avant que nous l'ayons vérifiée : elle ne compte pas."
      : "Your bank cancelled this operation before we had looked at it: it does not count.";
  }
  const trouble = troubleText(found, locale);
  const why = trouble === null ? "" : ` (${trouble})`;
  return locale === "fr"
    ? `Cette opération est inhabituelle${why} : une personne de notre équipe la vérifie avant que nous décidions.`
    : `This operation is unusual${why}: somebody on our team looks at it before we decide.`;
}

const both = (text: (context: Context, locale: Locale) => string): Words<Context> => ({
  fr: (context) => text(context, "fr"),
  en: (context) => text(context, "en"),
});

const REASONS: Readonly<Record<ReasonCode, Words<Context>>> = {
  offer_applied: both(offerApplied),
  brand_unknown: both(brandUnknown),
  brand_without_offer: {
    fr: () => "Cette marque n'avait pas d'offre le jour de votre achat.",
    en: () => "This brand had no offer on the day of your purchase.",
  },
  offer_not_in_force: both(notInForce),
  activation_missing: both(activationMissing),
  below_minimum: both(belowMinimum),
  above_maximum: both(aboveMaximum),
  cap_reached: both(capReached),
  budget_reserving: both(budgetReserving),
  budget_exhausted: both(budgetExhausted),
  not_first_purchase: {
    fr: () =>
      "L'offre ne vaut que pour votre premier achat chez cette marque parmi ceux que nous avons enregistrés, et celui-ci n'est pas le premier.",
    en: () =>
      "The offer is only for your first purchase at this brand among those that we recorded, and this is not the first.",
  },
  wrong_channel: both(wrongChannel),
  not_booked_yet: both(notBookedYet),
  duplicate: {
    fr: () => "Cette opération est déjà enregistrée et ne compte qu'une fois.",
    en: () => "This operation is already recorded and counts only once.",
  },
  refunded: both(refunded),
  refund_applied: both(refundApplied),
  refund_without_purchase: both(refundWithoutPurchase),
  account_shared: {
    fr: () =>
      "Ce compte est aussi relié par un autre titulaire, et un achat ne rapporte des points qu'à un seul ; vous pouvez demander que ce soit vous.",
    en: () =>
      "This account is also linked by another holder, and a purchase earns points for one only; you can ask that it be you.",
  },
  account_not_earning: {
    fr: () =>
      "Ce compte est réglé pour ne pas rapporter de points ; vous pouvez changer ce réglage.",
    en: () => "This account is set not to earn points; you can change this setting.",
  },
  currency_unsupported: both(currencyUnsupported),
  held_for_review: both(heldForReview),
};

/**
 * One sentence that answers "why?" for a reason code of a verdict, with its numbers where the
 * verdict has them. Holds no personal data: only amounts, days, rates and the offer's limits.
 */
export function reasonText(code: ReasonCode, locale: Locale, details: ReasonDetails): string {
  const sum = details.calculation === null ? null : arithmeticText(details.calculation, locale);
  return REASONS[code][locale]({ details, check: failedCheck(code, details), sum });
}
