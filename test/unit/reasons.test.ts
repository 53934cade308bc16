// Verdicts in words. The no-break space that French typography asks for is written as an ordinary one in what is expected here.
import { describe, expect, it } from "vitest";
import { decideEarning } from "../../src/ledger/earning.ts";
import type { EarningFacts, UsageView } from "../../src/ledger/earning-types.ts";
import type { Calculation, OfferTerms, ReasonCode, RuleCheck } from "../../src/ledger/ports.ts";
import { arithmeticText, checkText, dateText, eurosText, percentText, pointsText, reasonText } from "../../src/ledger/reasons.ts";
import type { Locale, ReasonDetails } from "../../src/ledger/reasons.ts";
import { BRAND, PROGRAMME, at, makeFacts, makeTerms, makeUsage } from "./earning-factories.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

/** The details that a verdict made of a decision would carry. */
function detailsOf(facts: Partial<EarningFacts>, terms: Partial<OfferTerms>, usage: UsageView = makeUsage(), changes: Partial<ReasonDetails> = {}): ReasonDetails & { readonly reasons: readonly ReasonCode[] } {
  const decision = decideEarning(makeFacts(facts), [makeTerms(terms)], usage, PROGRAMME);
  return {
    calculation: decision.calculation, checks: decision.checks, reasons: decision.reasons, confirmationExpectedOn: null,
    points: decision.outcome === "not_earned" ? 0 : decision.points,
    offer: decision.terms === null ? null : { id: decision.terms.offerId, version: decision.terms.version }, ...changes,
  };
}

const EMPTY: ReasonDetails = { calculation: null, checks: [], offer: null, points: 0, confirmationExpectedOn: null };
const granted = (on: string, points: number): UsageView => makeUsage({ grants: [{ offerId: "off_a", on, points }] });

describe("numbers in words", () => {
  it.each([[3490, "34,90 €", "€34.90"], [0, "0,00 €", "€0.00"], [5, "0,05 €", "€0.05"], [100_000_000, "1 000 000,00 €", "€1,000,000.00"], [-1205, "-12,05 €", "-€12.05"]] as const)(
    "writes %i cents as %s and %s", (cents, fr, en) => {
      expect([plain(eurosText(cents, "fr")), eurosText(cents, "en")]).toEqual([fr, en]);
    });
  it.each([[300, "3 %", "3%"], [250, "2,5 %", "2.5%"], [25, "0,25 %", "0.25%"], [1, "0,01 %", "0.01%"], [10_000, "100 %", "100%"], [1005, "10,05 %", "10.05%"]] as const)(
    "writes %i basis points as %s and %s", (rateBp, fr, en) => {
      expect([plain(percentText(rateBp, "fr")), percentText(rateBp, "en")]).toEqual([fr, en]);
    });
  it.each([[0, "0 point", "0 points"], [1, "1 point", "1 point"], [2, "2 points", "2 points"], [-1, "-1 point", "-1 point"], [12_345, "12 345 points", "12,345 points"]] as const)(
    "writes %i points as %s and %s", (points, fr, en) => {
      expect([plain(pointsText(points, "fr")), pointsText(points, "en")]).toEqual([fr, en]);
    });
  it("writes dates as each language does", () => {
    expect([dateText("2026-02-05", "fr"), dateText("2026-02-05", "en")]).toEqual(["05/02/2026", "5 February 2026"]);
  });
});

describe("arithmeticText()", () => {
  const sum = (calculation: Partial<Calculation>, locale: Locale): string =>
    plain(arithmeticText({ baseCents: 3490, rateBp: 300, pointsPerEuro: 100, uncapped: 104, capped: 104, ...calculation }, locale));
  const cases: readonly [Partial<Calculation>, string, string][] = [
    [{}, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [{ kind: "percent" }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [{ baseCents: 10, uncapped: 0, capped: 0 }, "3 % de 0,10 € = 0 point", "3% of €0.10 = 0 points"],
    [{ capped: 50 }, "3 % de 34,90 € = 104 points, ramenés à 50 points par un plafond", "3% of €34.90 = 104 points, reduced to 50 points by a cap"],
    [{ capped: 0 }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [{ kind: "tiered" }, "3 % de 34,90 € (palier atteint) = 104 points", "3% of €34.90 (tier reached) = 104 points"],
    [{ pointsPerEuro: 1000, uncapped: 1047, capped: 1047 }, "3 % de 34,90 €, à raison de 1 000 points pour un euro de récompense, = 1 047 points", "3% of €34.90, at 1,000 points per euro of reward, = 1,047 points"],
    [{ kind: "fixed", rateBp: null, offerPoints: 104 }, "forfait de 104 points par achat", "a fixed 104 points per purchase"],
    [{ kind: "points_per_euro", rateBp: null, offerPoints: 3 }, "3 points par euro × 34,90 € = 104 points", "3 points per euro × €34.90 = 104 points"],
    [{ rateBp: null }, "34,90 € = 104 points", "€34.90 = 104 points"],
  ];
  it.each(cases)("of %j is %s", (calculation, fr, en) => {
    expect([sum(calculation, "fr"), sum(calculation, "en")]).toEqual([fr, en]);
  });
});

type Sentence = readonly [ReasonCode, ReasonDetails, string, string];
const required = { activation: "required" } as const;

const SENTENCES: readonly Sentence[] = [
  ["offer_applied", detailsOf({}, {}), "L'offre s'applique : 3 % de 34,90 € = 104 points.", "The offer applies: 3% of €34.90 = 104 points."],
  ["offer_applied", detailsOf({}, {}, makeUsage(), { confirmationExpectedOn: "2026-12-12" }), "L'offre s'applique : 3 % de 34,90 € = 104 points, confirmation prévue le 12/12/2026.", "The offer applies: 3% of €34.90 = 104 points, to be confirmed on 12 December 2026."],
  ["offer_applied", detailsOf({}, { kind: "fixed", rateBp: null, points: 50 }), "L'offre s'applique : forfait de 50 points par achat.", "The offer applies: a fixed 50 points per purchase."],
  ["cap_reached", detailsOf({}, { capPointsPerPurchase: 40 }), "Le plafond de l'offre (40 points par achat) a limité les points : 3 % de 34,90 € = 104 points, ramenés à 40 points par un plafond.", "The offer's cap (40 points per purchase) limited the points: 3% of €34.90 = 104 points, reduced to 40 points by a cap."],
  ["cap_reached", detailsOf({}, { capPointsPerUser: 500, period: "month" }, granted("2026-11-02", 500)), "Le plafond de l'offre (500 points pour novembre 2026) est atteint : cet achat ne rapporte plus de points.", "The offer's cap (500 points for November 2026) is reached: this purchase earns no more points."],
  ["cap_reached", detailsOf({}, { capPointsPerUser: 500, period: "week" }, granted("2026-11-10", 500)), "Le plafond de l'offre (500 points pour la semaine du 09/11/2026) est atteint : cet achat ne rapporte plus de points.", "The offer's cap (500 points for the week of 9 November 2026) is reached: this purchase earns no more points."],
  ["cap_reached", detailsOf({}, { capPurchasesPerUser: 1, period: "day" }, granted("2026-11-12", 5)), "Le plafond de l'offre (1 achat récompensé pour le 12/11/2026) est atteint : cet achat ne rapporte plus de points.", "The offer's cap (1 rewarded purchase for 12 November 2026) is reached: this purchase earns no more points."],
  ["cap_reached", detailsOf({}, { capPurchasesPerUser: 2 }, makeUsage({ grants: [{ offerId: "off_a", on: "2026-02-02", points: 1 }, { offerId: "off_a", on: "2026-02-03", points: 1 }] })), "Le plafond de l'offre (2 achats récompensés pour toute la durée de l'offre) est atteint : cet achat ne rapporte plus de points.", "The offer's cap (2 rewarded purchases over the whole offer) is reached: this purchase earns no more points."],
  ["below_minimum", detailsOf({}, { minCents: 5_000 }), "L'achat de 34,90 € est inférieur au minimum de 50,00 € de l'offre.", "The purchase of €34.90 is below the offer's minimum of €50.00."],
  ["below_minimum", detailsOf({ baseCents: 10 }, {}), "Le montant de l'achat est trop petit pour donner un point entier (3 % de 0,10 € = 0 point).", "The purchase is too small to give a whole point (3% of €0.10 = 0 points)."],
  ["above_maximum", detailsOf({}, { maxCents: 3_000 }), "L'achat de 34,90 € dépasse le maximum de 30,00 € de l'offre.", "The purchase of €34.90 is above the offer's maximum of €30.00."],
  ["wrong_channel", detailsOf({}, { channel: "online" }), "L'offre ne vaut que pour les achats en ligne, et celui-ci a été fait en magasin.", "The offer is only for purchases made online, and this one was made in store."],
  ["wrong_channel", detailsOf({ channel: "unknown" }, { channel: "in_store" }), "L'offre ne vaut que pour les achats en magasin, et le libellé de votre banque ne dit pas où celui-ci a été fait.", "The offer is only for purchases made in store, and your bank's label does not tell where this one was made."],
  ["activation_missing", detailsOf({}, required), "L'offre devait être activée avant l'achat, et elle ne l'était pas le jour de celui-ci (calcul de l'offre, hors plafonds : 3 % de 34,90 € = 104 points).", "The offer had to be activated before the purchase, and was not on that day (the offer's sum, before caps: 3% of €34.90 = 104 points)."],
  ["activation_missing", detailsOf({}, required, makeUsage({ activations: { off_a: { activatedAtMs: at("2026-11-01T10:00:00Z"), expiresAtMs: at("2026-11-08T00:00:00+01:00") } } })), "Votre activation de l'offre, valable du 01/11/2026 au 07/11/2026, ne couvrait pas le jour de l'achat (calcul de l'offre, hors plafonds : 3 % de 34,90 € = 104 points).", "Your activation of the offer, valid from 1 November 2026 to 7 November 2026, did not cover the day of the purchase (the offer's sum, before caps: 3% of €34.90 = 104 points)."],
  ["offer_not_in_force", detailsOf({}, { startsAtMs: at("2026-12-01T00:00:00+01:00") }), "L'offre de cette marque est valable à partir du 01/12/2026, et votre achat est du 12/11/2026.", "This brand's offer is valid from 1 December 2026 on, and your purchase is of 12 November 2026."],
  ["offer_not_in_force", detailsOf({}, { endsAtMs: at("2026-11-01T00:00:00+01:00") }), "L'offre de cette marque est valable du 01/01/2026 au 31/10/2026, et votre achat est du 12/11/2026.", "This brand's offer is valid from 1 January 2026 to 31 October 2026, and your purchase is of 12 November 2026."],
  ["currency_unsupported", detailsOf({ currency: "CHF" }, {}), "Seuls les achats débités en euros rapportent des points, et celui-ci l'a été en CHF.", "Only purchases debited in euros earn points, and this one was debited in CHF."],
  ["budget_reserving", detailsOf({}, { budgetPoints: 900 }), "Nous réservons les points sur le budget de l'offre, ce qui ne demande rien de votre part : 3 % de 34,90 € = 104 points.", "We are reserving the points from the offer's budget, which asks nothing of you: 3% of €34.90 = 104 points."],
  ["budget_exhausted", detailsOf({}, { budgetPoints: 900 }), "Le budget de l'offre était épuisé lorsque nous avons reçu votre achat : 3 % de 34,90 € = 104 points.", "The offer's budget was used up when we received your purchase: 3% of €34.90 = 104 points."],
  ["refunded", { ...EMPTY, points: 0 }, "Cet achat a été remboursé : il ne rapporte pas de points.", "This purchase was refunded: it earns no points."],
  ["refunded", { ...EMPTY, points: 52 }, "Cet achat a été remboursé en partie : il en reste 52 points, en proportion du montant conservé.", "Part of this purchase was refunded: 52 points of it remain, in proportion to the amount kept."],
  ["not_first_purchase", detailsOf({}, { firstPurchaseOnly: true }, makeUsage({ earlierAt: [BRAND] })), "L'offre ne vaut que pour votre premier achat dans cette marque parmi ceux que nous avons enregistrés, et celui-ci n'est pas le premier.", "The offer is only for your first purchase at this brand among those that we recorded, and this is not the first."],
  ["brand_without_offer", detailsOf({}, { brandId: "brd_b" }), "Cette marque n'a pas d'offre pour le moment.", "This brand has no offer for the moment."],
];

const CODES: readonly ReasonCode[] = Object.keys({
  offer_applied: 0, brand_unknown: 0, brand_without_offer: 0, offer_not_in_force: 0, activation_missing: 0, below_minimum: 0, above_maximum: 0,
  cap_reached: 0, budget_reserving: 0, budget_exhausted: 0, not_first_purchase: 0, wrong_channel: 0, not_booked_yet: 0, duplicate: 0, refunded: 0,
  refund_applied: 0, refund_without_purchase: 0, account_shared: 0, account_not_earning: 0, currency_unsupported: 0, held_for_review: 0,
} satisfies Record<ReasonCode, number>) as ReasonCode[];

describe("reasonText()", () => {
  it.each(SENTENCES)("for %s", (code, details, fr, en) => {
    expect(plain(reasonText(code, "fr", details))).toBe(fr);
    expect(reasonText(code, "en", details)).toBe(en);
  });

  it.each(CODES)("words %s in two languages when the verdict has no details", (code) => {
    const [fr, en] = [plain(reasonText(code, "fr", EMPTY)), reasonText(code, "en", EMPTY)];
    expect(fr).not.toBe(en);
    for (const text of [fr, en]) {
      expect(text).toMatch(/^\p{Lu}.*\.$/u);
      expect(text).not.toMatch(/null|undefined|NaN|\d| {2}|_/);
    }
  });

  it("gives each code its own sentence", () => {
    for (const locale of ["fr", "en"] as const) expect(new Set(CODES.map((code) => reasonText(code, locale, EMPTY))).size).toBe(CODES.length);
  });

  it("says 'vous' and never 'tu'", () => {
    for (const code of CODES) expect(reasonText(code, "fr", EMPTY)).not.toMatch(/\b(tu|ton|ta|tes|toi)\b/i);
  });

  it("takes the numbers of the verdict's own version, not of another one that refused too", () => {
    const decision = decideEarning(makeFacts(), [makeTerms({ offerId: "off_a", minCents: 9_000, channel: "online" }), makeTerms({ offerId: "off_b", minCents: 5_000 })], makeUsage(), PROGRAMME);
    const details: ReasonDetails = { ...EMPTY, checks: decision.checks, offer: { id: "off_b", version: 1 } };
    expect(reasonText("below_minimum", "en", details)).toContain("€50.00");
    expect(reasonText("below_minimum", "en", { ...details, offer: null })).toContain("€90.00");
  });

  it("names neither offer nor brand ids in any sentence or line", () => {
    for (const [code, details] of SENTENCES) {
      const lines = details.checks.flatMap((check) => [checkText(check, "fr"), checkText(check, "en")]);
      expect([reasonText(code, "fr", details), reasonText(code, "en", details), ...lines].join("\n")).not.toMatch(/off_|brd_|undefined|null|NaN/);
    }
  });
});

describe("checkText()", () => {
  const check = (changes: Partial<RuleCheck> & Pick<RuleCheck, "rule">): RuleCheck => ({ offerId: "off_a", version: 1, passed: true, needed: null, found: null, ...changes });
  const cases: readonly [RuleCheck, string, string][] = [
    [check({ rule: "currency_unsupported", needed: "EUR", found: "USD", passed: false }), "Devise : EUR, achat en USD", "Currency: EUR, purchase in USD"],
    [check({ rule: "brand_unknown", found: "brd_a" }), "Marque partenaire reconnue : oui", "Partner brand recognised: yes"],
    [check({ rule: "brand_unknown", passed: false }), "Marque partenaire reconnue : non", "Partner brand recognised: no"],
    [check({ rule: "offer_not_in_force", needed: "2026-11-01/2026-11-30", found: "2026-11-12" }), "Offre valable du 01/11/2026 au 30/11/2026, achat du 12/11/2026", "Offer valid from 1 November 2026 to 30 November 2026, purchase of 12 November 2026"],
    [check({ rule: "offer_not_in_force", needed: "2026-11-01/..", found: "2026-11-12" }), "Offre valable à partir du 01/11/2026, achat du 12/11/2026", "Offer valid from 1 November 2026 on, purchase of 12 November 2026"],
    [check({ rule: "offer_not_in_force" }), "Offre en cours le jour de l'achat : oui", "Offer in force on the day of the purchase: yes"],
    [check({ rule: "wrong_channel", needed: "any", found: "unknown" }), "Lieu de l'achat : en magasin ou en ligne, constaté : inconnu", "Where it was bought: in store or online, found: unknown"],
    [check({ rule: "wrong_channel", needed: "online", found: "in_store", passed: false }), "Lieu de l'achat : en ligne, constaté : en magasin", "Where it was bought: online, found: in store"],
    [check({ rule: "not_first_purchase" }), "Premier achat dans la marque : pas nécessaire", "First purchase at the brand: not needed"],
    [check({ rule: "not_first_purchase", needed: "first", found: "first" }), "Premier achat dans la marque : nécessaire, c'est le premier", "First purchase at the brand: needed, this is the first"],
    [check({ rule: "not_first_purchase", needed: "first", found: "later", passed: false }), "Premier achat dans la marque : nécessaire, ce n'est pas le premier", "First purchase at the brand: needed, this is not the first"],
    [check({ rule: "above_maximum", needed: 5000, found: 3490, measure: "purchase_cents" }), "Montant maximum : au plus 50,00 €, achat de 34,90 €", "Maximum amount: at most €50.00, purchase of €34.90"],
    [check({ rule: "above_maximum", found: 3490, measure: "purchase_cents" }), "Montant maximum : aucun (achat de 34,90 €)", "Maximum amount: none (purchase of €34.90)"],
    [check({ rule: "below_minimum", needed: 1000, found: 3490, measure: "purchase_cents" }), "Montant minimum : au moins 10,00 €, achat de 34,90 €", "Minimum amount: at least €10.00, purchase of €34.90"],
    [check({ rule: "below_minimum", needed: 1, found: 0, measure: "least_points", passed: false }), "Points calculés : au moins 1 point, 0 point", "Points computed: at least 1 point, 0 points"],
    [check({ rule: "activation_missing", needed: "automatic" }), "Activation : pas nécessaire", "Activation: not needed"],
    [check({ rule: "activation_missing", needed: "required", passed: false }), "Activation : nécessaire, aucune le jour de l'achat", "Activation: needed, none on the day of the purchase"],
    [check({ rule: "activation_missing", needed: "required", found: "2026-11-01/.." }), "Activation : nécessaire, valable à partir du 01/11/2026", "Activation: needed, valid from 1 November 2026 on"],
    [check({ rule: "cap_reached", needed: 200, found: 104, measure: "points_per_purchase" }), "Plafond de points par achat : 200, 104 avec cet achat", "Cap on points per purchase: 200, 104 with this purchase"],
    [check({ rule: "cap_reached", measure: "points_per_period", period: "offer" }), "Plafond de points pour toute la durée de l'offre : aucun", "Cap on points over the whole offer: none"],
    [check({ rule: "cap_reached", needed: 500, found: 1500, measure: "points_per_period", period: "2026-08", passed: false }), "Plafond de points pour août 2026 : 500, 1 500 avec cet achat", "Cap on points for August 2026: 500, 1,500 with this purchase"],
    [check({ rule: "cap_reached", needed: 2, found: 3, measure: "purchases_per_period", period: "w2026-11-09", passed: false }), "Plafond d'achats pour la semaine du 09/11/2026 : 2, 3 avec cet achat", "Cap on purchases for the week of 9 November 2026: 2, 3 with this purchase"],
    [check({ rule: "not_booked_yet", passed: false }), "Achat comptabilisé par la banque : non", "Purchase booked by the bank: no"],
    [check({ rule: "budget_exhausted" }), "Budget de l'offre suffisant : oui", "Offer's budget sufficient: yes"],
  ];
  it.each(cases)("of %j", (each, fr, en) => {
    expect([plain(checkText(each, "fr")), checkText(each, "en")]).toEqual([fr, en]);
  });

  it.each(CODES)("has a line for %s in two languages, passed or not, without any number", (rule) => {
    for (const passed of [true, false]) {
      const [fr, en] = [plain(checkText(check({ rule, passed }), "fr")), checkText(check({ rule, passed }), "en")];
      expect(fr).not.toBe(en);
      expect(`${fr}${en}`).not.toMatch(/null|undefined|NaN|_/);
    }
  });
});
