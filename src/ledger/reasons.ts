// Verdicts in words: what users read under "why did this purchase earn nothing?", in French and English. It decides nothing
// and only words what earning.ts and the engine recorded. No label, no name and no id may enter a sentence.
import type { Calculation, ReasonCode, RuleCheck, Verdict } from "./ports.ts";

export type Locale = "fr" | "en";

/** What a sentence may draw on: any verdict will do. */
export type ReasonDetails = Pick<Verdict, "calculation" | "checks" | "offer" | "points" | "confirmationExpectedOn">;

type Words<T> = Readonly<Record<Locale, (value: T) => string>>;

// Written out rather than taken from Intl: the separators that ICU gives differ from one runtime to the next.
const NO_BREAK_SPACE = "\u00a0";
const MONTHS: Readonly<Record<Locale, readonly string[]>> = {
  fr: ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"],
  en: ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"],
};

function integerText(value: number, locale: Locale): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, locale === "fr" ? NO_BREAK_SPACE : ",");
}

function hundredths(value: number): string {
  return String(Math.abs(value) % 100).padStart(2, "0");
}

/** Euro cents as the locale writes them: `34,90 €`, `€34.90`. */
export function eurosText(cents: number, locale: Locale): string {
  const sign = cents < 0 ? "-" : "";
  const whole = integerText(Math.floor(Math.abs(cents) / 100), locale);
  return locale === "fr" ? `${sign}${whole},${hundredths(cents)}${NO_BREAK_SPACE}€` : `${sign}€${whole}.${hundredths(cents)}`;
}

/** A rate in basis points as a percentage without idle zeros: `2,5 %`, `2.5%`. */
export function percentText(rateBp: number, locale: Locale): string {
  const fraction = hundredths(rateBp).replace(/0+$/, "");
  const number = integerText(Math.floor(rateBp / 100), locale) + (fraction === "" ? "" : (locale === "fr" ? "," : ".") + fraction);
  return locale === "fr" ? `${number}${NO_BREAK_SPACE}%` : `${number}%`;
}

/** A number of points with its noun; French counts zero in the singular. */
export function pointsText(points: number, locale: Locale): string {
  const singular = locale === "fr" ? Math.abs(points) < 2 : Math.abs(points) === 1;
  return `${integerText(points, locale)} ${singular ? "point" : "points"}`;
}

/** A calendar day: `12/11/2026`, `12 November 2026`. */
export function dateText(date: string, locale: Locale): string {
  const [year = "", month = "", day = ""] = date.split("-");
  return locale === "fr" ? `${day}/${month}/${year}` : `${Number(day)} ${MONTHS.en[Number(month) - 1] ?? month} ${year}`;
}

function periodText(period: string | undefined, locale: Locale): string {
  if (period === undefined || period === "offer") return locale === "fr" ? "pour toute la durée de l'offre" : "over the whole offer";
  if (period.startsWith("w")) {
    return locale === "fr" ? `pour la semaine du ${dateText(period.slice(1), locale)}` : `for the week of ${dateText(period.slice(1), locale)}`;
  }
  const [year = "", month = "", day] = period.split("-");
  if (day !== undefined) return locale === "fr" ? `pour le ${dateText(period, locale)}` : `for ${dateText(period, locale)}`;
  const name = MONTHS[locale][Number(month) - 1] ?? month;
  return locale === "fr" ? `pour ${name} ${year}` : `for ${name} ${year}`;
}

/** A window `first day/last day`, the last one `..` when open, as earning.ts records it. */
function windowText(window: string, locale: Locale): string {
  const [from = "", to = ".."] = window.split("/");
  const start = dateText(from, locale);
  if (to === "..") return locale === "fr" ? `à partir du ${start}` : `from ${start} on`;
  return locale === "fr" ? `du ${start} au ${dateText(to, locale)}` : `from ${start} to ${dateText(to, locale)}`;
}

const CHANNELS: Readonly<Record<string, Readonly<Record<Locale, string>>>> = {
  any: { fr: "en magasin ou en ligne", en: "in store or online" },
  in_store: { fr: "en magasin", en: "in store" },
  online: { fr: "en ligne", en: "online" },
};

function channelText(channel: RuleCheck["found"], locale: Locale): string {
  const known = CHANNELS[String(channel)];
  return known?.[locale] ?? (locale === "fr" ? "inconnu" : "unknown");
}

function programmeRateText(calculation: Calculation, locale: Locale): string {
  // At 100 points per euro a point is a cent and the sum speaks for itself.
  if (calculation.pointsPerEuro === 100) return "";
  const points = pointsText(calculation.pointsPerEuro, locale);
  return locale === "fr" ? `, à raison de ${points} pour un euro de récompense,` : `, at ${points} per euro of reward,`;
}

/** What the formula gave before caps: `3 % de 34,90 € = 104 points`. */
function formulaText(calculation: Calculation, locale: Locale): string {
  const { baseCents, rateBp, kind, offerPoints } = calculation;
  const points = pointsText(calculation.uncapped, locale);
  const base = eurosText(baseCents, locale);
  if (rateBp !== null) {
    const tier = kind !== "tiered" ? "" : locale === "fr" ? " (palier atteint)" : " (tier reached)";
    return `${percentText(rateBp, locale)} ${locale === "fr" ? "de" : "of"} ${base}${tier}${programmeRateText(calculation, locale)} = ${points}`;
  }
  if (kind === "fixed") return locale === "fr" ? `forfait de ${points} par achat` : `a fixed ${points} per purchase`;
  if (kind === "points_per_euro" && offerPoints !== undefined) {
    return `${pointsText(offerPoints, locale)} ${locale === "fr" ? "par euro" : "per euro"} × ${base} = ${points}`;
  }
  return `${base} = ${points}`;
}

/**
 * The sum behind a verdict, with what a cap made of it: `3 % de 34,90 € = 104 points, ramenés à 50 points par un plafond`.
 * A calculation of which nothing was granted says only what the formula gave.
 */
export function arithmeticText(calculation: Calculation, locale: Locale): string {
  const formula = formulaText(calculation, locale);
  if (calculation.capped === 0 || calculation.capped === calculation.uncapped) return formula;
  const capped = pointsText(calculation.capped, locale);
  return locale === "fr" ? `${formula}, ramenés à ${capped} par un plafond` : `${formula}, reduced to ${capped} by a cap`;
}

/** The check that refused under this code: of the verdict's own offer version if it names one, else the first. */
function failedCheck(code: ReasonCode, details: ReasonDetails): RuleCheck | null {
  const failed = details.checks.filter((check) => check.rule === code && !check.passed);
  const own = failed.find((check) => check.offerId === details.offer?.id && check.version === details.offer?.version);
  return own ?? failed[0] ?? null;
}

type Context = {
  readonly details: ReasonDetails;
  readonly check: RuleCheck | null;
  /** The sum, or null where no amount was computed. */
  readonly sum: string | null;
};

const lead = (context: Context, colon: string): string => (context.sum === null ? "" : `${colon}${context.sum}`);
const numberOf = (value: RuleCheck["needed"]): number => (typeof value === "number" ? value : 0);

function confirmation(context: Context, before: string, locale: Locale): string {
  const on = context.details.confirmationExpectedOn;
  return on === null ? "" : `${before}${dateText(on, locale)}`;
}

function belowMinimum({ check, sum }: Context, locale: Locale): string {
  if (check?.measure === "least_points") {
    const reason = sum === null ? "" : ` (${sum})`;
    return locale === "fr"
      ? `Le montant de l'achat est trop petit pour donner un point entier${reason}.`
      : `The purchase is too small to give a whole point${reason}.`;
  }
  if (check === null) {
    return locale === "fr" ? "Le montant de l'achat est inférieur au minimum de l'offre." : "The purchase is below the offer's minimum.";
  }
  const [needed, found] = [eurosText(numberOf(check.needed), locale), eurosText(numberOf(check.found), locale)];
  return locale === "fr"
    ? `L'achat de ${found} est inférieur au minimum de ${needed} de l'offre.`
    : `The purchase of ${found} is below the offer's minimum of ${needed}.`;
}

function aboveMaximum({ check }: Context, locale: Locale): string {
  if (check === null) {
    return locale === "fr" ? "Le montant de l'achat dépasse le maximum de l'offre." : "The purchase is above the offer's maximum.";
  }
  const [needed, found] = [eurosText(numberOf(check.needed), locale), eurosText(numberOf(check.found), locale)];
  return locale === "fr"
    ? `L'achat de ${found} dépasse le maximum de ${needed} de l'offre.`
    : `The purchase of ${found} is above the offer's maximum of ${needed}.`;
}

function capText(check: RuleCheck, locale: Locale): string {
  const cap = numberOf(check.needed);
  const points = pointsText(cap, locale);
  const period = periodText(check.period, locale);
  if (check.measure === "points_per_purchase") return locale === "fr" ? `${points} par achat` : `${points} per purchase`;
  if (check.measure === "purchases_per_period") {
    const count = integerText(cap, locale);
    return locale === "fr" ? `${count} ${cap < 2 ? "achat récompensé" : "achats récompensés"} ${period}` : `${count} rewarded ${cap === 1 ? "purchase" : "purchases"} ${period}`;
  }
  return `${points} ${period}`;
}

function capReached({ details, check, sum }: Context, locale: Locale): string {
  const which = check === null ? "" : ` (${capText(check, locale)})`;
  const granted = details.calculation === null ? 0 : details.calculation.capped;
  if (granted > 0) {
    return locale === "fr" ? `Le plafond de l'offre${which} a limité les points${sum === null ? "" : ` : ${sum}`}.` : `The offer's cap${which} limited the points${sum === null ? "" : `: ${sum}`}.`;
  }
  return locale === "fr"
    ? `Le plafond de l'offre${which} est atteint : cet achat ne rapporte plus de points.`
    : `The offer's cap${which} is reached: this purchase earns no more points.`;
}

function notInForce({ check }: Context, locale: Locale): string {
  if (check === null || typeof check.needed !== "string" || typeof check.found !== "string") {
    return locale === "fr" ? "Aucune offre de cette marque n'était en cours le jour de l'achat." : "No offer of this brand was in force on the day of the purchase.";
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
  if (check === null) return locale === "fr" ? "L'offre ne vaut pas pour ce type d'achat." : "The offer is not for this way of buying.";
  const found = channelText(check.found, locale);
  return locale === "fr"
    ? `L'offre ne vaut que pour les achats ${needed}, et celui-ci a été fait ${found}.`
    : `The offer is only for purchases made ${needed}, and this one was made ${found}.`;
}

function activationMissing({ check, sum }: Context, locale: Locale): string {
  const window = typeof check?.found === "string" ? windowText(check.found, locale) : null;
  const would = sum === null ? "" : locale === "fr" ? ` (calcul de l'offre, hors plafonds : ${sum})` : ` (the offer's sum, before caps: ${sum})`;
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
  if (locale === "fr") return `Seuls les achats débités en euros rapportent des points${found === null ? "" : `, et celui-ci l'a été en ${found}`}.`;
  return `Only purchases debited in euros earn points${found === null ? "" : `, and this one was debited in ${found}`}.`;
}

function refunded({ details }: Context, locale: Locale): string {
  if (details.points > 0) {
    const points = pointsText(details.points, locale);
    return locale === "fr"
      ? `Cet achat a été remboursé en partie : il en reste ${points}, en proportion du montant conservé.`
      : `Part of this purchase was refunded: ${points} of it remain, in proportion to the amount kept.`;
  }
  return locale === "fr" ? "Cet achat a été remboursé : il ne rapporte pas de points." : "This purchase was refunded: it earns no points.";
}

const REASONS: Readonly<Record<ReasonCode, Words<Context>>> = {
  offer_applied: {
    fr: (context) => `L'offre s'applique${lead(context, " : ")}${confirmation(context, ", confirmation prévue le ", "fr")}.`,
    en: (context) => `The offer applies${lead(context, ": ")}${confirmation(context, ", to be confirmed on ", "en")}.`,
  },
  brand_unknown: {
    fr: () => "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque ; si vous pensez que c'en est une, faites une réclamation sur cet achat.",
    en: () => "We recognised no partner brand in your bank's label; if you think it is one, file a claim on this purchase.",
  },
  brand_without_offer: {
    fr: () => "Cette marque n'a pas d'offre pour le moment.",
    en: () => "This brand has no offer for the moment.",
  },
  offer_not_in_force: { fr: (context) => notInForce(context, "fr"), en: (context) => notInForce(context, "en") },
  activation_missing: { fr: (context) => activationMissing(context, "fr"), en: (context) => activationMissing(context, "en") },
  below_minimum: { fr: (context) => belowMinimum(context, "fr"), en: (context) => belowMinimum(context, "en") },
  above_maximum: { fr: (context) => aboveMaximum(context, "fr"), en: (context) => aboveMaximum(context, "en") },
  cap_reached: { fr: (context) => capReached(context, "fr"), en: (context) => capReached(context, "en") },
  budget_reserving: {
    fr: (context) => `Nous réservons les points sur le budget de l'offre, ce qui ne demande rien de votre part${lead(context, " : ")}.`,
    en: (context) => `We are reserving the points from the offer's budget, which asks nothing of you${lead(context, ": ")}.`,
  },
  budget_exhausted: {
    fr: (context) => `Le budget de l'offre était épuisé lorsque nous avons reçu votre achat${lead(context, " : ")}.`,
    en: (context) => `The offer's budget was used up when we received your purchase${lead(context, ": ")}.`,
  },
  not_first_purchase: {
    fr: () => "L'offre ne vaut que pour votre premier achat dans cette marque parmi ceux que nous avons enregistrés, et celui-ci n'est pas le premier.",
    en: () => "The offer is only for your first purchase at this brand among those that we recorded, and this is not the first.",
  },
  wrong_channel: { fr: (context) => wrongChannel(context, "fr"), en: (context) => wrongChannel(context, "en") },
  not_booked_yet: {
    fr: () => "Votre banque n'a pas encore comptabilisé cet achat ; nous calculerons ses points dès que ce sera fait.",
    en: () => "Your bank has not booked this purchase yet; we will work out its points as soon as it has.",
  },
  duplicate: {
    fr: () => "Cette opération est déjà enregistrée et ne compte qu'une fois.",
    en: () => "This operation is already recorded and counts only once.",
  },
  refunded: { fr: (context) => refunded(context, "fr"), en: (context) => refunded(context, "en") },
  refund_applied: {
    fr: () => "Ce remboursement a été rattaché à son achat, dont les points ont été repris en proportion.",
    en: () => "This refund was set against its purchase, whose points were taken back in proportion.",
  },
  refund_without_purchase: {
    fr: () => "Nous n'avons pas trouvé l'achat de ce remboursement ; aucun point ne vous est repris tant qu'il ne l'est pas.",
    en: () => "We have not found the purchase of this refund; no point is taken from you until we do.",
  },
  account_shared: {
    fr: () => "Ce compte est aussi relié par un autre titulaire, et un achat ne rapporte des points qu'à un seul ; vous pouvez demander que ce soit vous.",
    en: () => "This account is also linked by another holder, and a purchase earns points for one only; you can ask that it be you.",
  },
  account_not_earning: {
    fr: () => "Ce compte est réglé pour ne pas rapporter de points ; vous pouvez changer ce réglage.",
    en: () => "This account is set not to earn points; you can change this setting.",
  },
  currency_unsupported: { fr: (context) => currencyUnsupported(context, "fr"), en: (context) => currencyUnsupported(context, "en") },
  held_for_review: {
    fr: () => "Cette opération est inhabituelle : une personne de notre équipe la vérifie avant que nous décidions.",
    en: () => "This operation is unusual: somebody of our team looks at it before we decide.",
  },
};

/**
 * One sentence that answers "why?" for a reason code of a verdict, with its numbers where the verdict has them.
 * Holds no personal data: only amounts, days, rates and the offer's limits.
 */
export function reasonText(code: ReasonCode, locale: Locale, details: ReasonDetails): string {
  const sum = details.calculation === null ? null : arithmeticText(details.calculation, locale);
  return REASONS[code][locale]({ details, check: failedCheck(code, details), sum });
}

/** `needed` and `found` of a check in the words of its measure. */
function limitText(check: RuleCheck, locale: Locale, limit: { readonly least: boolean }): string {
  const found = eurosText(numberOf(check.found), locale);
  if (check.needed === null) return locale === "fr" ? `aucun (achat de ${found})` : `none (purchase of ${found})`;
  const needed = eurosText(numberOf(check.needed), locale);
  if (locale === "fr") return `${limit.least ? "au moins" : "au plus"} ${needed}, achat de ${found}`;
  return `${limit.least ? "at least" : "at most"} ${needed}, purchase of ${found}`;
}

function minimumCheckText(check: RuleCheck, locale: Locale): string {
  if (check.measure === "least_points") {
    const points = pointsText(numberOf(check.found), locale);
    return locale === "fr" ? `Points calculés : au moins 1 point, ${points}` : `Points computed: at least 1 point, ${points}`;
  }
  return `${locale === "fr" ? "Montant minimum : " : "Minimum amount: "}${limitText(check, locale, { least: true })}`;
}

function capCheckText(check: RuleCheck, locale: Locale): string {
  const isCount = check.measure === "purchases_per_period";
  const scope = check.measure === "points_per_purchase" ? (locale === "fr" ? "par achat" : "per purchase") : periodText(check.period, locale);
  const subject = locale === "fr" ? `Plafond ${isCount ? "d'achats" : "de points"} ${scope} : ` : `Cap on ${isCount ? "purchases" : "points"} ${scope}: `;
  if (check.needed === null) return `${subject}${locale === "fr" ? "aucun" : "none"}`;
  const found = integerText(numberOf(check.found), locale);
  const needed = integerText(numberOf(check.needed), locale);
  return locale === "fr" ? `${subject}${needed}, ${found} avec cet achat` : `${subject}${needed}, ${found} with this purchase`;
}

function windowCheckText(check: RuleCheck, locale: Locale): string {
  const window = typeof check.needed === "string" ? windowText(check.needed, locale) : null;
  const day = typeof check.found === "string" ? dateText(check.found, locale) : null;
  if (window === null || day === null) return yesNo({ fr: "Offre en cours le jour de l'achat", en: "Offer in force on the day of the purchase" }, check, locale);
  return locale === "fr" ? `Offre valable ${window}, achat du ${day}` : `Offer valid ${window}, purchase of ${day}`;
}

function activationCheckText(check: RuleCheck, locale: Locale): string {
  if (check.needed === "automatic") return locale === "fr" ? "Activation : pas nécessaire" : "Activation: not needed";
  const window = typeof check.found === "string" ? windowText(check.found, locale) : null;
  if (window === null) return locale === "fr" ? "Activation : nécessaire, aucune le jour de l'achat" : "Activation: needed, none on the day of the purchase";
  return locale === "fr" ? `Activation : nécessaire, valable ${window}` : `Activation: needed, valid ${window}`;
}

function firstPurchaseCheckText(check: RuleCheck, locale: Locale): string {
  if (check.needed === null) return locale === "fr" ? "Premier achat dans la marque : pas nécessaire" : "First purchase at the brand: not needed";
  if (check.passed) return locale === "fr" ? "Premier achat dans la marque : nécessaire, c'est le premier" : "First purchase at the brand: needed, this is the first";
  return locale === "fr" ? "Premier achat dans la marque : nécessaire, ce n'est pas le premier" : "First purchase at the brand: needed, this is not the first";
}

function yesNo(question: Readonly<Record<Locale, string>>, check: RuleCheck, locale: Locale): string {
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
  refund_applied: { fr: "Remboursement rattaché à son achat", en: "Refund set against its purchase" },
  refund_without_purchase: { fr: "Achat du remboursement retrouvé", en: "Purchase of the refund found" },
  account_shared: { fr: "Compte dont les points vous reviennent", en: "Account whose points are yours" },
  account_not_earning: { fr: "Compte réglé pour rapporter des points", en: "Account set to earn points" },
  held_for_review: { fr: "Opération ordinaire ou vérifiée", en: "Operation ordinary or reviewed" },
} as const satisfies Partial<Record<ReasonCode, Readonly<Record<Locale, string>>>>;

/** One line for a rule that was looked at: what it needed and what it found. No personal data. */
export function checkText(check: RuleCheck, locale: Locale): string {
  const { rule } = check;
  switch (rule) {
    case "currency_unsupported":
      return locale === "fr" ? `Devise : ${check.needed ?? "EUR"}, achat en ${check.found ?? "?"}` : `Currency: ${check.needed ?? "EUR"}, purchase in ${check.found ?? "?"}`;
    case "offer_not_in_force":
      return windowCheckText(check, locale);
    case "wrong_channel": {
      const [needed, found] = [channelText(check.needed, locale), channelText(check.found, locale)];
      return locale === "fr" ? `Lieu de l'achat : ${needed}, constaté : ${found}` : `Where it was bought: ${needed}, found: ${found}`;
    }
    case "not_first_purchase":
      return firstPurchaseCheckText(check, locale);
    case "above_maximum":
      return `${locale === "fr" ? "Montant maximum : " : "Maximum amount: "}${limitText(check, locale, { least: false })}`;
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
