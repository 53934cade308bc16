// What each rule needed and found, in words.
import { describe, expect, it } from "vitest";
import type { RuleCheck } from "../../../../src/ledger/ports.ts";
import { checkText } from "../../../../src/ledger/wording/check-sentences.ts";
import { bank, CODES, exhausted, plain, refundOf, reserving, review, stage } from "./factories.ts";

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
      "Offre valable du 1er novembre 2026 au 30 novembre 2026, achat du 12 novembre 2026",
      "Offer valid from 1 November 2026 to 30 November 2026, purchase of 12 November 2026",
    ],
    [
      check({ rule: "offer_not_in_force", needed: "2026-11-01/..", found: "2026-11-12" }),
      "Offre valable à partir du 1er novembre 2026, achat du 12 novembre 2026",
      "Offer valid from 1 November 2026 onwards, purchase of 12 November 2026",
    ],
    [
      check({ rule: "offer_not_in_force" }),
      "Offre en cours le jour de l'achat : oui",
      "Offer running on the day of the purchase: yes",
    ],
    [
      check({ rule: "wrong_channel", needed: "any", found: "unknown" }),
      "Lieu de l'achat : en magasin ou en ligne, constaté : inconnu",
      "Place of purchase: in store or online, found: unknown",
    ],
    [
      check({ rule: "wrong_channel", needed: "online", found: "in_store", passed: false }),
      "Lieu de l'achat : en ligne, constaté : en magasin",
      "Place of purchase: online, found: in store",
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
      "Points calculated: 0, at least 1 is needed",
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
      "Activation : nécessaire, valable à partir du 1er novembre 2026",
      "Activation: needed, valid from 1 November 2026 onwards",
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
      "Plafond d'achats pour la semaine du 9 novembre 2026 : 2 au plus, 3 avec cet achat",
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
      "Booking by the bank: needed, but transaction cancelled",
    ],
    [
      review("ordinary"),
      "Vérification par une personne : pas nécessaire",
      "Review by a person: not needed",
    ],
    [
      review("cleared"),
      "Vérification par une personne : nécessaire, opération acceptée",
      "Review by a person: needed, transaction accepted",
    ],
    [
      review("refused"),
      "Vérification par une personne : nécessaire, opération refusée",
      "Review by a person: needed, transaction refused",
    ],
    [
      review("amount_precision"),
      "Vérification par une personne : nécessaire (montant plus précis que le centime), pas encore faite",
      "Review by a person: needed (an amount with fractions of a cent), not done yet",
    ],
    [
      review("amount_out_of_bounds"),
      "Vérification par une personne : nécessaire (montant hors limites), pas encore faite",
      "Review by a person: needed (an amount outside the limits), not done yet",
    ],
    [
      review("amount_missing"),
      "Vérification par une personne : nécessaire (montant manquant), pas encore faite",
      "Review by a person: needed (no amount), not done yet",
    ],
    [
      review("date_absurd"),
      "Vérification par une personne : nécessaire (date invraisemblable), pas encore faite",
      "Review by a person: needed (an implausible date), not done yet",
    ],
    [
      review("currency_unknown"),
      "Vérification par une personne : nécessaire (devise inconnue), pas encore faite",
      "Review by a person: needed (an unknown currency), not done yet",
    ],
    [
      review("weak_account"),
      "Vérification par une personne : nécessaire (peut-être déjà enregistrée depuis un autre compte), pas encore faite",
      "Review by a person: needed (it may already be recorded from another account), not done yet",
    ],
    [
      review("of_another_day"),
      "Vérification par une personne : nécessaire, pas encore faite",
      "Review by a person: needed, not done yet",
    ],
    [
      stage("budget_reserving", "budget_points", 300, 300, true),
      "Budget de l'offre : 300 points à réserver, 300 réservés",
      "Offer's budget: 300 points to reserve, 300 reserved",
    ],
    [
      reserving(300),
      "Budget de l'offre : 300 points à réserver, réservation en cours",
      "Offer's budget: 300 points to reserve, reservation under way",
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
      "Budget de l'offre : 300 points à réserver, budget insuffisant",
      "Offer's budget: 300 points to reserve, not enough left",
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
      "Points repris sur l'achat : 24 sur 104",
      "Points taken back from the purchase: 24 of 104",
    ],
    [
      stage("refund_applied", "taken_back_points_together", 104, 24, true),
      "Points repris sur l'achat pour tous ses remboursements : 24 sur 104",
      "Points taken back from the purchase for all its refunds: 24 of 104",
    ],
    [
      stage("refund_applied", "taken_back_points", 0, 0, true),
      "Points repris sur l'achat : aucun, cet achat n'en avait pas rapporté",
      "Points taken back from the purchase: none, this purchase had earned none",
    ],
    [
      stage("refund_applied", "taken_back_points", null, 0, true),
      "Points repris sur l'achat : 0",
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
