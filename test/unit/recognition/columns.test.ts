// What a column, an acquirer's cut or a glued code leaves of a merchant's name, each rule with what
// it must accept and what it must refuse. Every label is invented.

import { describe, expect, test } from "vitest";
import type { BrandEntry } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

function brand(
  id: string,
  category: string,
  aliases: readonly string[],
  excluded: readonly string[] = [],
): BrandEntry {
  const [name = id] = aliases;
  return { id, name, category, aliases, excluded };
}

const recogniser = compileCatalogue([
  brand("carrefour", "supermarket", ["Carrefour"]),
  brand("casino", "supermarket", ["Casino", "Le Petit Casino"]),
  brand("leclerc", "supermarket", ["E.Leclerc", "Leclerc"]),
  brand("superu", "supermarket", ["Super U"]),
  brand("intermarche", "supermarket", ["Intermarché"]),
  brand("biocbon", "supermarket", ["Bio c' Bon"]),
  brand("monop", "supermarket", ["Monop"]),
  brand("paul", "bakery", ["Paul"]),
  brand("quick", "fast food", ["Quick"]),
  brand("laposte", "post", ["La Poste"]),
  brand("afflelou", "optician", ["Alain Afflelou"]),
  brand("booking", "travel", ["Booking.com"]),
  brand("jetbrains", "software", ["JetBrains"]),
  brand("canal", "streaming", ["Canal Plus"]),
  brand("area", "toll", ["AREA"]),
  brand("esso", "fuel", ["Esso"]),
  brand("eni", "fuel", ["Eni"]),
  brand("bp", "fuel", ["BP"]),
  brand("ea", "video games", ["EA"]),
  brand("paypal", "wallet", ["PayPal"]),
  brand("planity", "beauty", ["Planity"]),
  brand("uber", "transport", ["Uber"]),
  brand("deliveroo", "delivery", ["Deliveroo"]),
  brand("zalando", "fashion", ["Zalando"]),
  brand("lounge", "fashion", ["Zalando Lounge"]),
]);

function found(label: string): string | null {
  return recogniser.recognise(label).brandId;
}

describe("a merchant field ends where its column ends", () => {
  test.each([
    // 15 characters of merchant, then the town's column.
    ["FACTURE CARTE DU 120324 LA POSTE L75000 PARIS LOUIS B CARTE 4974XXXXXXXX1234", "laposte"],
    ["FACTURE(S) CARTE 4974XXXXXXXX1234 DU 120324 LECLERC 1234567 MARTINE SUR LAC", "leclerc"],
    ["PAIEMENT PAR CARTE X1234 LE PETIT CASINO ANNE 12/11", "casino"],
    ["PAIEMENT CB 1203 ISSY LES CANAL PLUS FR CARTE 1234", "canal"],
    ["QUICK RUE NEUVE 1000 BRUX", "quick"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));

  test.each([
    // No column is known, and the field is too short for a cut.
    "CARTE 12/11 LECLERC ANNE",
    // Inside the column a person is a person.
    "FACTURE CARTE DU 120324 PAUL DURAND PARIS CARTE 4974XXXXXXXX1234",
  ])("%s is nobody", (label) => expect(found(label)).toBeNull());
});

describe("what is left of a name", () => {
  test.each([
    ["CB A.AFFLELOU 12/11", "afflelou"],
    ["CB A.R.E.A. 69RHONE ALPES", "area"],
    ["CB A R E A NPV 12/11", "area"],
    ["INTERMARCH", "intermarche"],
    ["BIOCBONIDFGRANDE", "biocbon"],
    ["ECG12345MONOPXY", "monop"],
    ["ECGPAUL", "paul"],
    ["CB ESSOF200 LYON 12/11", "esso"],
    ["CB ENIDAC1234 LYON 12/11", "eni"],
    ["RN 12 SUPER U 39MONTMOROT", "superu"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));

  test.each([
    // Two letters are anybody's initials, and a surname with letters behind it is a person.
    "CB B P RIVES DE FRANCE DURAND",
    "CARTE 12/11/23 PAYPAL *LECLERCJE CB*7173",
    "CB ESSOUFLEE LYON 12/11",
    "CB ENIGMA LYON 12/11",
    "INTERMAR",
  ])("%s is nobody", (label) => expect(found(label)).toBeNull());
});

describe("facilitators and stars", () => {
  test.each([
    ["CARTE X1234 PAYPAL *BOOKING BOOK 12/11", "booking"],
    ["CARTE X1234 PAYPAL *JETBRAINSSR 12/11", "jetbrains"],
    ["FACTURE CARTE DU 020424 PAYPAL *PAIEMEN LU LUXEMBOURG CARTE 4974XXXXXXXX1234", "paypal"],
    ["EA *ORIGIN", "ea"],
    ["CB MP CARREFOUR DAC VL 12/11", "carrefour"],
    ["CB WWW PLANITY COM 12/11", "planity"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));

  test("what follows the star of a facilitator is the merchant, known or not", () => {
    expect(found("CARTE X1234 PAYPAL *KORDALIE 12/11")).toBeNull();
  });
});

describe("a cut that fits a sibling brand is refused", () => {
  test.each([
    "CARTE 12/11 UBER EAT",
    "CARTE 12/11 UBER EATS",
    "CARTE 12/11 ZALANDO LOU",
    "FACTURE CARTE DU 120324 ZALANDO LOUN",
  ])("%s is not the shorter name", (label) => {
    expect(found(label)).not.toBe("uber");
    expect(found(label)).not.toBe("zalando");
  });

  test.each([
    ["CARTE 12/11 UBER", "uber"],
    ["CARTE 12/11 UBER TRIP", "uber"],
    ["CARTE 12/11 ZALANDO", "zalando"],
    ["CARTE 12/11 ZALANDO LYON", "zalando"],
    ["CARTE 12/11 ZALANDO LOUNGE", "lounge"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));
});

describe("heads of cards that carry more than the verb", () => {
  test.each([
    ["FACTURE(S) CARTE 4974XXXXXXXX1234 DU 090224 DELIVEROO FRA 3,68EUR", "deliveroo"],
    ["FAC.FRANCE XXXXXXXXXXXXXXXX 20/04/24 STATION BP CARTE XXXXXXXXXXXXXXXX", "bp"],
    ["2,80 NZD / 1 euro = 1,818181818 CARTE 03/02/25 DELIVEROO CB*1234", "deliveroo"],
    ["FACTURE CARTE DU ddMMyy DELIVEROO PARIS CARTE 4974X", "deliveroo"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));

  test.each(["VRST ESPECES", "RETRO F COMMISSION", "FRANCHISE INTERETS", "FACTURE(S) CARTE"])(
    "%s is no purchase",
    (label) => expect(recogniser.kindOf(label)).toBe("other"),
  );
});
