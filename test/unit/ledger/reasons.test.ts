// Verdicts in words. The no-break space that French typography asks for is written as an ordinary
// one in what is expected here.
import { describe, expect, it } from "vitest";
import { decideEarning } from "../../../src/ledger/earning/rules.ts";
import type { EarningFacts, UsageView } from "../../../src/ledger/earning/types.ts";
import type {
  Calculation,
  OfferTerms,
  ReasonCode,
  RuleCheck,
  RuleMeasure,
} from "../../../src/ledger/ports.ts";
import { checkText } from "../../../src/ledger/wording/check-sentences.ts";
import { arithmeticText, reasonText } from "../../../src/ledger/wording/reason-sentences.ts";
import type { ReasonDetails } from "../../../src/ledger/wording/reason-sentences.ts";
import {
  dateText,
  eurosText,
  percentText,
  pointsText,
} from "../../../src/ledger/wording/formats.ts";
import type { Locale } from "../../../src/ledger/wording/formats.ts";
import { at, BRAND, makeFacts, makeTerms, makeUsage, PROGRAMME } from "./earning-factories.ts";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

/** The details that a verdict made of a decision would carry. */
function detailsOf(
  facts: Partial<EarningFacts>,
  terms: Partial<OfferTerms>,
  usage: UsageView = makeUsage(),
  changes: Partial<ReasonDetails> = {},
): ReasonDetails & { readonly reasons: readonly ReasonCode[] } {
  const decision = decideEarning(makeFacts(facts), [makeTerms(terms)], usage, PROGRAMME);
  return {
    kind: "purchase",
    state: "booked",
    outcome: decision.outcome,
    calculation: decision.calculation,
    checks: decision.checks,
    reasons: decision.reasons,
    confirmationExpectedOn: null,
    points: decision.outcome === "not_earned" ? 0 : decision.points,
    offer: decision.terms === null
      ? null
      : { id: decision.terms.offerId, version: decision.terms.version },
    ...changes,
  };
}

const EMPTY: ReasonDetails = {
  kind: "purchase",
  state: "booked",
  outcome: "waiting",
  calculation: null,
  checks: [],
  offer: null,
  points: 0,
  confirmationExpectedOn: null,
};

/** A check of a stage, as stages.ts makes them. */
function stage(
  rule: ReasonCode,
  measure: RuleMeasure,
  needed: RuleCheck["needed"],
  found: RuleCheck["found"],
  passed = false,
): RuleCheck {
  return { rule, offerId: null, version: null, passed, needed, found, measure };
}
const bank = (found: string): RuleCheck => stage("not_booked_yet", "bank_state", "booked", found);
const review = (found: string): RuleCheck =>
  stage("held_for_review", "review_result", "ordinary", found);
const refundOf = (
  whole: number,
  left: number,
  granted: number,
  points: number,
  outcome: ReasonDetails["outcome"] = "earned",
): ReasonDetails => ({
  ...EMPTY,
  outcome,
  points,
  checks: [
    stage("refunded", "kept_cents", whole, left),
    stage("refunded", "kept_points", granted, points),
  ],
});
const refundRow = (
  checks: readonly RuleCheck[],
  more: Partial<ReasonDetails> = {},
): ReasonDetails => ({ ...EMPTY, kind: "refund", outcome: "not_earned", checks, ...more });
const exhausted = (needed: number, left: number | null): RuleCheck => ({
  ...stage("budget_exhausted", "budget_points", needed, left),
  offerId: "off_a",
  version: 1,
});
/** A purchase of which the budget holds less than it is worth. */
const short = (
  check: RuleCheck,
  points: number,
  outcome: ReasonDetails["outcome"],
): ReasonDetails => ({
  ...EMPTY,
  outcome,
  points,
  offer: { id: "off_a", version: 1 },
  checks: [check],
});
const reserving = (needed: number): RuleCheck => ({
  ...stage("budget_reserving", "budget_points", needed, null),
  offerId: "off_a",
  version: 1,
});
const granted = (on: string, points: number): UsageView =>
  makeUsage({ grants: [{ offerId: "off_a", on, points }] });

describe("numbers in words", () => {
  it.each(
    [[3490, "34,90 €", "€34.90"], [0, "0,00 €", "€0.00"], [5, "0,05 €", "€0.05"], [
      100_000_000,
      "1 000 000,00 €",
      "€1,000,000.00",
    ], [-1205, "-12,05 €", "-€12.05"]] as const,
  )(
    "writes %i cents as %s and %s",
    (cents, fr, en) => {
      expect([plain(eurosText(cents, "fr")), eurosText(cents, "en")]).toEqual([fr, en]);
    },
  );
  it.each(
    [[300, "3 %", "3%"], [250, "2,5 %", "2.5%"], [25, "0,25 %", "0.25%"], [1, "0,01 %", "0.01%"], [
      10_000,
      "100 %",
      "100%",
    ], [1005, "10,05 %", "10.05%"]] as const,
  )(
    "writes %i basis points as %s and %s",
    (rateBp, fr, en) => {
      expect([plain(percentText(rateBp, "fr")), percentText(rateBp, "en")]).toEqual([fr, en]);
    },
  );
  it.each(
    [[0, "0 point", "0 points"], [1, "1 point", "1 point"], [2, "2 points", "2 points"], [
      -1,
      "-1 point",
      "-1 point",
    ], [12_345, "12 345 points", "12,345 points"]] as const,
  )(
    "writes %i points as %s and %s",
    (points, fr, en) => {
      expect([plain(pointsText(points, "fr")), pointsText(points, "en")]).toEqual([fr, en]);
    },
  );
  it("writes dates as each language does", () => {
    expect([dateText("2026-02-05", "fr"), dateText("2026-02-05", "en")]).toEqual([
      "05/02/2026",
      "5 February 2026",
    ]);
  });
});

describe("arithmeticText()", () => {
  const sum = (calculation: Partial<Calculation>, locale: Locale): string =>
    plain(
      arithmeticText({
        baseCents: 3490,
        rateBp: 300,
        pointsPerEuro: 100,
        uncapped: 104,
        capped: 104,
        ...calculation,
      }, locale),
    );
  const cases: readonly [Partial<Calculation>, string, string][] = [
    [{}, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [{ kind: "percent" }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [
      { baseCents: 10, uncapped: 0, capped: 0 },
      "3 % de 0,10 € = 0 point",
      "3% of €0.10 = 0 points",
    ],
    [
      { capped: 50 },
      "3 % de 34,90 € = 104 points, ramenés à 50 points par un plafond",
      "3% of €34.90 = 104 points, reduced to 50 points by a cap",
    ],
    [{ capped: 0 }, "3 % de 34,90 € = 104 points", "3% of €34.90 = 104 points"],
    [
      { kind: "tiered" },
      "3 % de 34,90 € (palier atteint) = 104 points",
      "3% of €34.90 (tier reached) = 104 points",
    ],
    [
      { pointsPerEuro: 1000, uncapped: 1047, capped: 1047 },
      "3 % de 34,90 €, à raison de 1 000 points pour un euro de récompense, = 1 047 points",
      "3% of €34.90, at 1,000 points per euro of reward, = 1,047 points",
    ],
    [
      { kind: "fixed", rateBp: null, offerPoints: 104 },
      "forfait de 104 points par achat",
      "a fixed 104 points per purchase",
    ],
    [
      { kind: "points_per_euro", rateBp: null, offerPoints: 3 },
      "3 points par euro × 34,90 € = 104 points",
      "3 points per euro × €34.90 = 104 points",
    ],
    [{ rateBp: null }, "34,90 € = 104 points", "€34.90 = 104 points"],
  ];
  it.each(cases)("of %j is %s", (calculation, fr, en) => {
    expect([sum(calculation, "fr"), sum(calculation, "en")]).toEqual([fr, en]);
  });
});

type Sentence = readonly [ReasonCode, ReasonDetails, string, string];
const required = { activation: "required" } as const;

const SENTENCES: readonly Sentence[] = [
  [
    "offer_applied",
    detailsOf({}, {}),
    "L'offre s'applique : 3 % de 34,90 € = 104 points.",
    "The offer applies: 3% of €34.90 = 104 points.",
  ],
  [
    "offer_applied",
    detailsOf({}, {}, makeUsage(), { confirmationExpectedOn: "2026-12-12" }),
    "L'offre s'applique : 3 % de 34,90 € = 104 points, confirmation prévue le 12/12/2026.",
    "The offer applies: 3% of €34.90 = 104 points, to be confirmed on 12 December 2026.",
  ],
  [
    "offer_applied",
    detailsOf({}, { kind: "fixed", rateBp: null, points: 50 }),
    "L'offre s'applique : forfait de 50 points par achat.",
    "The offer applies: a fixed 50 points per purchase.",
  ],
  [
    "cap_reached",
    detailsOf({}, { capPointsPerPurchase: 40 }),
    "Le plafond de l'offre (40 points par achat) a limité les points : 3 % de 34,90 € = 104 points, ramenés à 40 points par un plafond.",
    "The offer's cap (40 points per purchase) limited the points: 3% of €34.90 = 104 points, reduced to 40 points by a cap.",
  ],
  [
    "cap_reached",
    detailsOf({}, { capPointsPerUser: 500, period: "month" }, granted("2026-11-02", 500)),
    "Le plafond de l'offre (500 points pour novembre 2026) est atteint : cet achat ne rapporte plus de points.",
    "The offer's cap (500 points for November 2026) is reached: this purchase earns no more points.",
  ],
  [
    "cap_reached",
    detailsOf({}, { capPointsPerUser: 500, period: "week" }, granted("2026-11-10", 500)),
    "Le plafond de l'offre (500 points pour la semaine du 09/11/2026) est atteint : cet achat ne rapporte plus de points.",
    "The offer's cap (500 points for the week of 9 November 2026) is reached: this purchase earns no more points.",
  ],
  [
    "cap_reached",
    detailsOf({}, { capPurchasesPerUser: 1, period: "day" }, granted("2026-11-12", 5)),
    "Le plafond de l'offre (1 achat récompensé pour le 12/11/2026) est atteint : cet achat ne rapporte plus de points.",
    "The offer's cap (1 rewarded purchase for 12 November 2026) is reached: this purchase earns no more points.",
  ],
  [
    "cap_reached",
    detailsOf(
      {},
      { capPurchasesPerUser: 2 },
      makeUsage({
        grants: [{ offerId: "off_a", on: "2026-02-02", points: 1 }, {
          offerId: "off_a",
          on: "2026-02-03",
          points: 1,
        }],
      }),
    ),
    "Le plafond de l'offre (2 achats récompensés pour toute la durée de l'offre) est atteint : cet achat ne rapporte plus de points.",
    "The offer's cap (2 rewarded purchases over the whole offer) is reached: this purchase earns no more points.",
  ],
  [
    "below_minimum",
    detailsOf({}, { minCents: 5_000 }),
    "L'achat de 34,90 € est inférieur au minimum de 50,00 € de l'offre.",
    "The purchase of €34.90 is below the offer's minimum of €50.00.",
  ],
  [
    "below_minimum",
    detailsOf({ baseCents: 10 }, {}),
    "Le montant de l'achat est trop petit pour donner un point entier (3 % de 0,10 € = 0 point).",
    "The purchase is too small to give a whole point (3% of €0.10 = 0 points).",
  ],
  [
    "above_maximum",
    detailsOf({}, { maxCents: 3_000 }),
    "L'achat de 34,90 € dépasse le maximum de 30,00 € de l'offre.",
    "The purchase of €34.90 is above the offer's maximum of €30.00.",
  ],
  [
    "wrong_channel",
    detailsOf({}, { channel: "online" }),
    "L'offre ne vaut que pour les achats en ligne, et celui-ci a été fait en magasin.",
    "The offer is only for purchases made online, and this one was made in store.",
  ],
  [
    "wrong_channel",
    detailsOf({ channel: "unknown" }, { channel: "in_store" }),
    "L'offre ne vaut que pour les achats en magasin, et le libellé de votre banque ne dit pas où celui-ci a été fait.",
    "The offer is only for purchases made in store, and your bank's label does not tell where this one was made.",
  ],
  [
    "activation_missing",
    detailsOf({}, required),
    "L'offre devait être activée avant l'achat, et elle ne l'était pas le jour de celui-ci (calcul de l'offre, hors plafonds : 3 % de 34,90 € = 104 points).",
    "The offer had to be activated before the purchase, and was not on that day (the offer's sum, before caps: 3% of €34.90 = 104 points).",
  ],
  [
    "activation_missing",
    detailsOf(
      {},
      required,
      makeUsage({
        activations: {
          off_a: {
            activatedAtMs: at("2026-11-01T10:00:00Z"),
            expiresAtMs: at("2026-11-08T00:00:00+01:00"),
          },
        },
      }),
    ),
    "Votre activation de l'offre, valable du 01/11/2026 au 07/11/2026, ne couvrait pas le jour de l'achat (calcul de l'offre, hors plafonds : 3 % de 34,90 € = 104 points).",
    "Your activation of the offer, valid from 1 November 2026 to 7 November 2026, did not cover the day of the purchase (the offer's sum, before caps: 3% of €34.90 = 104 points).",
  ],
  [
    "offer_not_in_force",
    detailsOf({}, { startsAtMs: at("2026-12-01T00:00:00+01:00") }),
    "L'offre de cette marque est valable à partir du 01/12/2026, et votre achat est du 12/11/2026.",
    "This brand's offer is valid from 1 December 2026 on, and your purchase is of 12 November 2026.",
  ],
  [
    "offer_not_in_force",
    detailsOf({}, { endsAtMs: at("2026-11-01T00:00:00+01:00") }),
    "L'offre de cette marque est valable du 01/01/2026 au 31/10/2026, et votre achat est du 12/11/2026.",
    "This brand's offer is valid from 1 January 2026 to 31 October 2026, and your purchase is of 12 November 2026.",
  ],
  [
    "currency_unsupported",
    detailsOf({ currency: "CHF" }, {}),
    "Seuls les achats débités en euros rapportent des points, et celui-ci l'a été en CHF.",
    "Only purchases debited in euros earn points, and this one was debited in CHF.",
  ],
  [
    "offer_applied",
    detailsOf({}, {}, makeUsage(), { confirmationExpectedOn: "2026-12-12", confirmed: true }),
    "L'offre s'applique : 3 % de 34,90 € = 104 points, déjà confirmés.",
    "The offer applies: 3% of €34.90 = 104 points, confirmed already.",
  ],
  [
    "offer_applied",
    detailsOf({}, {}, makeUsage(), { outcome: "reversed", points: 0 }),
    "L'offre s'était appliquée : 3 % de 34,90 € = 104 points.",
    "The offer had applied: 3% of €34.90 = 104 points.",
  ],
  [
    "budget_reserving",
    detailsOf({}, { budgetPoints: 900 }),
    "Nous réservons les points de cet achat sur le budget de l'offre (3 % de 34,90 € = 104 points), ce qui ne demande rien de votre part.",
    "We are reserving this purchase's points from the offer's budget (3% of €34.90 = 104 points), which asks nothing of you.",
  ],
  [
    "budget_reserving",
    short(reserving(104), 69, "earned"),
    "Cet achat garde 69 points ; nous en réservons 35 de plus sur le budget de l'offre, ce qui ne demande rien de votre part.",
    "This purchase keeps 69 points; we are reserving 35 more from the offer's budget, which asks nothing of you.",
  ],
  [
    "budget_reserving",
    short(reserving(104), 0, "reversed"),
    "Nous réservons de nouveau les points de cet achat sur le budget de l'offre, ce qui ne demande rien de votre part.",
    "We are reserving this purchase's points again from the offer's budget, which asks nothing of you.",
  ],
  [
    "budget_exhausted",
    short(exhausted(300, 0), 0, "not_earned"),
    "Le budget de l'offre était épuisé lorsque nous avons traité votre achat.",
    "The offer's budget was used up when we handled your purchase.",
  ],
  [
    "budget_exhausted",
    {
      ...short(exhausted(300, 200), 0, "not_earned"),
      calculation: { baseCents: 3000, rateBp: 1000, pointsPerEuro: 100, uncapped: 300, capped: 0 },
    },
    "Le budget de l'offre ne suffisait plus pour votre achat : il y restait 200 points, et il en fallait 300 (calcul de l'offre : 10 % de 30,00 € = 300 points).",
    "The offer's budget was no longer enough for your purchase: it had 200 points left, and 300 were needed (the offer's sum: 10% of €30.00 = 300 points).",
  ],
  [
    "budget_exhausted",
    short(exhausted(300, null), 0, "not_earned"),
    "Le budget de l'offre ne suffisait plus pour votre achat.",
    "The offer's budget was no longer enough for your purchase.",
  ],
  [
    "budget_exhausted",
    short(exhausted(104, 80), 69, "earned"),
    "Le budget de l'offre ne suffisait pas pour davantage de points (104 points demandés, 80 disponibles) : cet achat garde 69 points.",
    "The offer's budget was not enough for more points (104 points asked for, 80 available): this purchase keeps 69 points.",
  ],
  [
    "budget_exhausted",
    short(exhausted(104, 1), 0, "reversed"),
    "Le budget de l'offre ne suffisait plus pour rendre ses points à cet achat (104 points demandés, 1 disponible).",
    "The offer's budget was no longer enough to give this purchase its points back (104 points asked for, 1 available).",
  ],
  [
    "refunded",
    refundOf(2310, 0, 69, 0, "reversed"),
    "Cet achat a été entièrement remboursé : il ne rapporte pas de points.",
    "This purchase was refunded in full: it earns no points.",
  ],
  [
    "refunded",
    refundOf(2310, 1510, 69, 45),
    "Cet achat a été remboursé en partie (8,00 € sur 23,10 €) : il lui reste 45 points, en proportion du montant conservé (69 × 15,10 € / 23,10 €, arrondi à l'entier inférieur).",
    "Part of this purchase was refunded (€8.00 of €23.10): it keeps 45 points, in proportion to the amount kept (69 × €15.10 / €23.10, rounded down).",
  ],
  [
    "refunded",
    refundOf(2310, 1510, 69, 20),
    "Cet achat a été remboursé en partie (8,00 € sur 23,10 €) : il lui reste 20 points.",
    "Part of this purchase was refunded (€8.00 of €23.10): it keeps 20 points.",
  ],
  [
    "refunded",
    refundOf(1000, 500, 1, 0, "reversed"),
    "Cet achat a été remboursé en partie (5,00 € sur 10,00 €) : il ne rapporte plus de points.",
    "Part of this purchase was refunded (€5.00 of €10.00): it earns no points any more.",
  ],
  [
    "refunded",
    {
      ...EMPTY,
      outcome: "reversed",
      state: "deleted",
      checks: [stage("refunded", "taken_back_points", 104, 104)],
    },
    "Votre banque a annulé cet achat : il ne rapporte pas de points, et 104 points ont été repris.",
    "Your bank cancelled this purchase: it earns no points, and 104 points were taken back.",
  ],
  [
    "refunded",
    {
      ...EMPTY,
      outcome: "reversed",
      state: "deleted",
      checks: [stage("refunded", "taken_back_points", 104, 0)],
    },
    "Votre banque a annulé cet achat : il ne rapporte pas de points.",
    "Your bank cancelled this purchase: it earns no points.",
  ],
  [
    "refund_applied",
    refundRow([stage("refund_applied", "taken_back_points", 69, 24, true)]),
    "Ce remboursement a été rattaché à son achat : 24 points ont été repris, en proportion du montant remboursé.",
    "This refund was set against its purchase: 24 points were taken back, in proportion to the amount refunded.",
  ],
  [
    "refund_applied",
    refundRow([stage("refund_applied", "taken_back_points", 69, 1, true)]),
    "Ce remboursement a été rattaché à son achat : 1 point a été repris, en proportion du montant remboursé.",
    "This refund was set against its purchase: 1 point was taken back, in proportion to the amount refunded.",
  ],
  [
    "refund_applied",
    refundRow([stage("refund_applied", "taken_back_points_together", 69, 33, true)]),
    "Ce remboursement a été rattaché à son achat : 33 points ont été repris en tout pour les remboursements de cet achat, en proportion du montant remboursé.",
    "This refund was set against its purchase: 33 points were taken back in all for the refunds of that purchase, in proportion to the amount refunded.",
  ],
  [
    "refund_applied",
    refundRow([stage("refund_applied", "taken_back_points", 0, 0, true)]),
    "Ce remboursement a été rattaché à son achat, qui n'avait pas rapporté de points : aucun point ne vous est repris.",
    "This refund was set against its purchase, which had earned no points: no points are taken from you.",
  ],
  [
    "refund_applied",
    refundRow([stage("refund_applied", "taken_back_points", null, 0, true)]),
    "Ce remboursement a été rattaché à son achat : aucun point ne vous est repris.",
    "This refund was set against its purchase: no points are taken from you.",
  ],
  [
    "refund_applied",
    refundRow([bank("deleted")], { state: "deleted" }),
    "Votre banque a annulé ce remboursement : il ne change plus vos points.",
    "Your bank cancelled this refund: it no longer changes your points.",
  ],
  [
    "refund_without_purchase",
    refundRow([], { outcome: "waiting" }),
    "Nous n'avons pas encore trouvé l'achat de ce remboursement ; d'ici là, aucun point ne vous est repris.",
    "We have not found the purchase of this refund yet; until then no points are taken from you.",
  ],
  [
    "refund_without_purchase",
    refundRow([]),
    "Nous n'avons pas trouvé l'achat de ce remboursement en 90 jours ; aucun point ne vous est repris.",
    "We have not found the purchase of this refund within 90 days; no points are taken from you.",
  ],
  [
    "refund_without_purchase",
    refundRow([{ ...stage("brand_unknown", "purchase_id", null, null), passed: false }]),
    "Nous ne cherchons pas l'achat de ce remboursement, faute d'en connaître la marque ; aucun point ne vous est repris.",
    "We do not look for this refund's purchase, since we do not know its brand; no points are taken from you.",
  ],
  [
    "refund_without_purchase",
    refundRow([bank("deleted")], { state: "deleted" }),
    "Votre banque a annulé ce remboursement : il ne change pas vos points.",
    "Your bank cancelled this refund: it does not change your points.",
  ],
  [
    "brand_unknown",
    detailsOf({ brandId: null }, {}),
    "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque ; si vous pensez que c'en est une, faites une réclamation sur cet achat.",
    "We recognised no partner brand in your bank's label; if you think it is one, file a claim on this purchase.",
  ],
  [
    "brand_unknown",
    refundRow([]),
    "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque.",
    "We recognised no partner brand in your bank's label.",
  ],
  [
    "brand_unknown",
    detailsOf({ brandId: null }, {}, makeUsage(), { state: "deleted" }),
    "Nous n'avons reconnu aucune marque partenaire dans le libellé de votre banque.",
    "We recognised no partner brand in your bank's label.",
  ],
  [
    "not_booked_yet",
    { ...EMPTY, state: "pending", checks: [bank("pending")] },
    "Votre banque n'a pas encore comptabilisé cet achat ; nous calculerons ses points dès que ce sera fait.",
    "Your bank has not booked this purchase yet; we will work out its points as soon as it has.",
  ],
  [
    "not_booked_yet",
    refundRow([bank("pending")], { outcome: "waiting", state: "pending" }),
    "Votre banque n'a pas encore comptabilisé ce remboursement ; nous chercherons l'achat remboursé dès que ce sera fait.",
    "Your bank has not booked this refund yet; we will look for its purchase as soon as it has.",
  ],
  [
    "not_booked_yet",
    { ...EMPTY, outcome: "not_earned", state: "deleted", checks: [bank("lapsed")] },
    "Votre banque n'a pas comptabilisé cet achat en 14 jours, et nous le tenons pour annulé ; s'il est comptabilisé plus tard, il comptera.",
    "Your bank has not booked this purchase within 14 days, and we take it for cancelled; should it be booked later, it will count.",
  ],
  [
    "not_booked_yet",
    { ...EMPTY, outcome: "not_earned", state: "deleted", checks: [bank("deleted")] },
    "Votre banque a annulé cet achat : il ne rapporte pas de points.",
    "Your bank cancelled this purchase: it earns no points.",
  ],
  [
    "not_booked_yet",
    refundRow([bank("deleted")], { state: "deleted" }),
    "Votre banque a annulé ce remboursement : il ne change pas vos points.",
    "Your bank cancelled this refund: it does not change your points.",
  ],
  [
    "held_for_review",
    { ...EMPTY, checks: [review("amount_out_of_bounds")] },
    "Cette opération est inhabituelle (montant hors limites) : une personne de notre équipe la vérifie avant que nous décidions.",
    "This operation is unusual (an amount out of bounds): somebody on our team looks at it before we decide.",
  ],
  [
    "held_for_review",
    { ...EMPTY, outcome: "not_earned", checks: [review("refused")] },
    "Une personne de notre équipe a vérifié cette opération et ne l'a pas retenue : elle ne compte pas.",
    "Somebody on our team looked at this operation and did not accept it: it does not count.",
  ],
  [
    "held_for_review",
    {
      ...EMPTY,
      outcome: "not_earned",
      state: "deleted",
      checks: [bank("deleted"), review("date_absurd")],
    },
    "Votre banque a annulé cette opération avant que nous l'ayons vérifiée : elle ne compte pas.",
    "Your bank cancelled this operation before we had looked at it: it does not count.",
  ],
  [
    "held_for_review",
    {
      ...EMPTY,
      outcome: "not_earned",
      state: "deleted",
      checks: [bank("deleted"), review("refused")],
    },
    "Une personne de notre équipe a vérifié cette opération et ne l'a pas retenue : elle ne compte pas.",
    "Somebody on our team looked at this operation and did not accept it: it does not count.",
  ],
  [
    "held_for_review",
    {
      ...EMPTY,
      outcome: "not_earned",
      state: "deleted",
      checks: [bank("lapsed"), review("date_absurd")],
    },
    "Votre banque n'a pas comptabilisé cette opération en 14 jours : elle ne compte pas.",
    "Your bank has not booked this operation within 14 days: it does not count.",
  ],
  [
    "not_first_purchase",
    detailsOf({}, { firstPurchaseOnly: true }, makeUsage({ earlierAt: [BRAND] })),
    "L'offre ne vaut que pour votre premier achat chez cette marque parmi ceux que nous avons enregistrés, et celui-ci n'est pas le premier.",
    "The offer is only for your first purchase at this brand among those that we recorded, and this is not the first.",
  ],
  [
    "brand_without_offer",
    detailsOf({}, { brandId: "brd_b" }),
    "Cette marque n'avait pas d'offre le jour de votre achat.",
    "This brand had no offer on the day of your purchase.",
  ],
];

const CODES: readonly ReasonCode[] = Object.keys(
  {
    offer_applied: 0,
    brand_unknown: 0,
    brand_without_offer: 0,
    offer_not_in_force: 0,
    activation_missing: 0,
    below_minimum: 0,
    above_maximum: 0,
    cap_reached: 0,
    budget_reserving: 0,
    budget_exhausted: 0,
    not_first_purchase: 0,
    wrong_channel: 0,
    not_booked_yet: 0,
    duplicate: 0,
    refunded: 0,
    refund_applied: 0,
    refund_without_purchase: 0,
    account_shared: 0,
    account_not_earning: 0,
    currency_unsupported: 0,
    held_for_review: 0,
  } satisfies Record<ReasonCode, number>,
) as ReasonCode[];

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
    for (const locale of ["fr", "en"] as const) {
      expect(new Set(CODES.map((code) => reasonText(code, locale, EMPTY))).size).toBe(CODES.length);
    }
  });

  it("says 'vous' and never 'tu'", () => {
    for (const code of CODES) {
      expect(reasonText(code, "fr", EMPTY)).not.toMatch(/\b(tu|ton|ta|tes|toi)\b/i);
    }
  });

  it("takes the numbers of the verdict's own version, not of another one that refused too", () => {
    const decision = decideEarning(
      makeFacts(),
      [
        makeTerms({ offerId: "off_a", minCents: 9_000, channel: "online" }),
        makeTerms({ offerId: "off_b", minCents: 5_000 }),
      ],
      makeUsage(),
      PROGRAMME,
    );
    const details: ReasonDetails = {
      ...EMPTY,
      checks: decision.checks,
      offer: { id: "off_b", version: 1 },
    };
    expect(reasonText("below_minimum", "en", details)).toContain("€50.00");
    expect(reasonText("below_minimum", "en", { ...details, offer: null })).toContain("€90.00");
  });

  it("names neither offer nor brand ids in any sentence or line", () => {
    for (const [code, details] of SENTENCES) {
      const lines = details.checks.flatMap((
        check,
      ) => [checkText(check, "fr"), checkText(check, "en")]);
      expect(
        [reasonText(code, "fr", details), reasonText(code, "en", details), ...lines].join("\n"),
      ).not.toMatch(/off_|brd_|undefined|null|NaN/);
    }
  });
});

describe("checkText()", () => {
  const check = (changes: Partial<RuleCheck> & Pick<RuleCheck, "rule">): RuleCheck => ({
    offerId: "off_a",
    version: 1,
    passed: true,
    needed: null,
    found: null,
    ...changes,
  });
  const cases: readonly [RuleCheck, string, string][] = [
    [
      check({ rule: "currency_unsupported", needed: "EUR", found: "USD", passed: false }),
      "Devise : EUR, achat en USD",
      "Currency: EUR, purchase in USD",
    ],
    [
      check({ rule: "brand_unknown", found: "brd_a" }),
      "Marque partenaire reconnue : oui",
      "Partner brand recognised: yes",
    ],
    [
      check({ rule: "brand_unknown", passed: false }),
      "Marque partenaire reconnue : non",
      "Partner brand recognised: no",
    ],
    [
      check({ rule: "offer_not_in_force", needed: "2026-11-01/2026-11-30", found: "2026-11-12" }),
      "Offre valable du 01/11/2026 au 30/11/2026, achat du 12/11/2026",
      "Offer valid from 1 November 2026 to 30 November 2026, purchase of 12 November 2026",
    ],
    [
      check({ rule: "offer_not_in_force", needed: "2026-11-01/..", found: "2026-11-12" }),
      "Offre valable à partir du 01/11/2026, achat du 12/11/2026",
      "Offer valid from 1 November 2026 on, purchase of 12 November 2026",
    ],
    [
      check({ rule: "offer_not_in_force" }),
      "Offre en cours le jour de l'achat : oui",
      "Offer in force on the day of the purchase: yes",
    ],
    [
      check({ rule: "wrong_channel", needed: "any", found: "unknown" }),
      "Lieu de l'achat : en magasin ou en ligne, constaté : inconnu",
      "Where it was bought: in store or online, found: unknown",
    ],
    [
      check({ rule: "wrong_channel", needed: "online", found: "in_store", passed: false }),
      "Lieu de l'achat : en ligne, constaté : en magasin",
      "Where it was bought: online, found: in store",
    ],
    [
      check({ rule: "not_first_purchase" }),
      "Premier achat chez la marque : pas nécessaire",
      "First purchase at the brand: not needed",
    ],
    [
      check({ rule: "not_first_purchase", needed: "first", found: "first" }),
      "Premier achat chez la marque : nécessaire, c'est le premier",
      "First purchase at the brand: needed, this is the first",
    ],
    [
      check({ rule: "not_first_purchase", needed: "first", found: "later", passed: false }),
      "Premier achat chez la marque : nécessaire, ce n'est pas le premier",
      "First purchase at the brand: needed, this is not the first",
    ],
    [
      check({ rule: "above_maximum", needed: 5000, found: 3490, measure: "purchase_cents" }),
      "Montant maximum : au plus 50,00 €, achat de 34,90 €",
      "Maximum amount: at most €50.00, purchase of €34.90",
    ],
    [
      check({ rule: "above_maximum", found: 3490, measure: "purchase_cents" }),
      "Montant maximum : aucun (achat de 34,90 €)",
      "Maximum amount: none (purchase of €34.90)",
    ],
    [
      check({ rule: "below_minimum", needed: 1000, found: 3490, measure: "purchase_cents" }),
      "Montant minimum : au moins 10,00 €, achat de 34,90 €",
      "Minimum amount: at least €10.00, purchase of €34.90",
    ],
    [
      check({ rule: "below_minimum", needed: 1, found: 0, measure: "least_points", passed: false }),
      "Points calculés : 0, il en faut au moins 1",
      "Points computed: 0, at least 1 is needed",
    ],
    [
      check({ rule: "activation_missing", needed: "automatic" }),
      "Activation : pas nécessaire",
      "Activation: not needed",
    ],
    [
      check({ rule: "activation_missing", needed: "required", passed: false }),
      "Activation : nécessaire, aucune le jour de l'achat",
      "Activation: needed, none on the day of the purchase",
    ],
    [
      check({ rule: "activation_missing", needed: "required", found: "2026-11-01/.." }),
      "Activation : nécessaire, valable à partir du 01/11/2026",
      "Activation: needed, valid from 1 November 2026 on",
    ],
    [
      check({ rule: "cap_reached", needed: 200, found: 104, measure: "points_per_purchase" }),
      "Plafond de points par achat : 200 au plus, 104 avec cet achat",
      "Cap on points per purchase: 200 at most, 104 with this purchase",
    ],
    [
      check({ rule: "cap_reached", measure: "points_per_period", period: "offer" }),
      "Plafond de points pour toute la durée de l'offre : aucun",
      "Cap on points over the whole offer: none",
    ],
    [
      check({
        rule: "cap_reached",
        needed: 500,
        found: 1500,
        measure: "points_per_period",
        period: "2026-08",
        passed: false,
      }),
      "Plafond de points pour août 2026 : 500 au plus, 1 500 avec cet achat",
      "Cap on points for August 2026: 500 at most, 1,500 with this purchase",
    ],
    [
      check({
        rule: "cap_reached",
        needed: 2,
        found: 3,
        measure: "purchases_per_period",
        period: "w2026-11-09",
        passed: false,
      }),
      "Plafond d'achats pour la semaine du 09/11/2026 : 2 au plus, 3 avec cet achat",
      "Cap on purchases for the week of 9 November 2026: 2 at most, 3 with this purchase",
    ],
    [
      check({ rule: "not_booked_yet", passed: false }),
      "Achat comptabilisé par la banque : non",
      "Purchase booked by the bank: no",
    ],
    [
      bank("booked"),
      "Comptabilisation par la banque : nécessaire, faite",
      "Booking by the bank: needed, done",
    ],
    [
      bank("pending"),
      "Comptabilisation par la banque : nécessaire, pas encore faite",
      "Booking by the bank: needed, not done yet",
    ],
    [
      bank("lapsed"),
      "Comptabilisation par la banque : nécessaire, pas faite en 14 jours",
      "Booking by the bank: needed, not done within 14 days",
    ],
    [
      bank("deleted"),
      "Comptabilisation par la banque : nécessaire, mais opération annulée",
      "Booking by the bank: needed, but operation cancelled",
    ],
    [
      review("ordinary"),
      "Vérification par une personne : pas nécessaire",
      "Review by a person: not needed",
    ],
    [
      review("cleared"),
      "Vérification par une personne : nécessaire, opération acceptée",
      "Review by a person: needed, operation accepted",
    ],
    [
      review("refused"),
      "Vérification par une personne : nécessaire, opération refusée",
      "Review by a person: needed, operation refused",
    ],
    [
      review("amount_precision"),
      "Vérification par une personne : nécessaire (montant plus précis que le centime), pas faite",
      "Review by a person: needed (an amount finer than a cent), not done",
    ],
    [
      review("amount_out_of_bounds"),
      "Vérification par une personne : nécessaire (montant hors limites), pas faite",
      "Review by a person: needed (an amount out of bounds), not done",
    ],
    [
      review("amount_missing"),
      "Vérification par une personne : nécessaire (montant manquant), pas faite",
      "Review by a person: needed (no amount), not done",
    ],
    [
      review("date_absurd"),
      "Vérification par une personne : nécessaire (date invraisemblable), pas faite",
      "Review by a person: needed (an implausible date), not done",
    ],
    [
      review("currency_unknown"),
      "Vérification par une personne : nécessaire (devise inconnue), pas faite",
      "Review by a person: needed (an unknown currency), not done",
    ],
    [
      review("weak_account"),
      "Vérification par une personne : nécessaire (peut-être déjà enregistrée depuis un autre compte), pas faite",
      "Review by a person: needed (perhaps recorded already from another account), not done",
    ],
    [
      review("of_another_day"),
      "Vérification par une personne : nécessaire, pas faite",
      "Review by a person: needed, not done",
    ],
    [
      stage("budget_reserving", "budget_points", 300, 300, true),
      "Budget de l'offre : 300 points à réserver, 300 réservés",
      "Offer's budget: 300 points to reserve, 300 reserved",
    ],
    [
      reserving(300),
      "Budget de l'offre : 300 points à réserver, réservation en cours",
      "Offer's budget: 300 points to reserve, under way",
    ],
    [
      exhausted(300, 200),
      "Budget de l'offre : 300 points à réserver, 200 disponibles",
      "Offer's budget: 300 points to reserve, 200 available",
    ],
    [
      exhausted(300, 0),
      "Budget de l'offre : 300 points à réserver, 0 disponible",
      "Offer's budget: 300 points to reserve, 0 available",
    ],
    [
      exhausted(300, null),
      "Budget de l'offre : 300 points à réserver, il n'en restait pas autant",
      "Offer's budget: 300 points to reserve, not as many were left",
    ],
    [stage("refunded", "kept_cents", 2310, 2310, true), "Remboursement : aucun", "Refund: none"],
    [
      stage("refunded", "kept_cents", 2310, 1510),
      "Remboursement : 8,00 € sur 23,10 €",
      "Refund: €8.00 of €23.10",
    ],
    [
      stage("refunded", "kept_points", 69, 45),
      "Points conservés : 45 sur 69",
      "Points kept: 45 of 69",
    ],
    [
      stage("refunded", "taken_back_points", 104, 84),
      "Points repris : 84 sur 104",
      "Points taken back: 84 of 104",
    ],
    [
      stage("refund_applied", "taken_back_points", 104, 24, true),
      "Points repris à l'achat : 24 sur 104",
      "Points taken back from the purchase: 24 of 104",
    ],
    [
      stage("refund_applied", "taken_back_points_together", 104, 24, true),
      "Points repris à l'achat par tous ses remboursements : 24 sur 104",
      "Points taken back from the purchase by all its refunds: 24 of 104",
    ],
    [
      stage("refund_applied", "taken_back_points", 0, 0, true),
      "Points repris à l'achat : aucun, il n'en avait pas rapporté",
      "Points taken back from the purchase: none, it had earned none",
    ],
    [
      stage("refund_applied", "taken_back_points", null, 0, true),
      "Points repris à l'achat : 0",
      "Points taken back from the purchase: 0",
    ],
    [
      check({ rule: "budget_exhausted" }),
      "Budget de l'offre suffisant : oui",
      "Offer's budget sufficient: yes",
    ],
  ];
  it.each(cases)("of %j", (each, fr, en) => {
    expect([plain(checkText(each, "fr")), checkText(each, "en")]).toEqual([fr, en]);
  });

  it("shows the sum of the points kept beside what it needs, and none that does not come out", () => {
    for (
      const [points, fr, en] of [[
        45,
        "Points conservés : 45 sur 69 (69 × 15,10 € / 23,10 €, arrondi à l'entier inférieur)",
        "Points kept: 45 of 69 (69 × €15.10 / €23.10, rounded down)",
      ], [44, "Points conservés : 44 sur 69", "Points kept: 44 of 69"]] as const
    ) {
      const { checks } = refundOf(2310, 1510, 69, points);
      const kept = checks.find(({ measure }) => measure === "kept_points");
      if (kept === undefined) throw new Error("no check of the points kept");
      expect([plain(checkText(kept, "fr", checks)), checkText(kept, "en", checks)]).toEqual([
        fr,
        en,
      ]);
    }
  });

  it.each(CODES)(
    "has a line for %s in two languages, passed or not, without any number",
    (rule) => {
      for (const passed of [true, false]) {
        const [fr, en] = [
          plain(checkText(check({ rule, passed }), "fr")),
          checkText(check({ rule, passed }), "en"),
        ];
        expect(fr).not.toBe(en);
        expect(`${fr}${en}`).not.toMatch(/null|undefined|NaN|_/);
      }
    },
  );
});
