// The matching rules one by one, each with what it must accept and what it must refuse: a false
// match is a reward paid for nothing. Brands here are ordinary words, first names, towns and short
// names on purpose.

import { describe, expect, test } from "vitest";
import { aliasWarnings } from "../../../src/recognition/aliases.ts";
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

const brands: readonly BrandEntry[] = [
  brand("monoprix", "supermarket", ["Monoprix"]),
  brand("carrefour", "supermarket", ["Carrefour", "Carrefour City"]),
  brand("leclerc", "supermarket", ["E.Leclerc", "Leclerc"]),
  brand("superu", "supermarket", ["Super U", "Hyper U"]),
  brand("casino", "supermarket", ["Casino"]),
  brand("intermarche", "supermarket", ["Intermarché"]),
  brand("paul", "bakery", ["Paul"]),
  brand("nicolas", "wine", ["Nicolas", "Nicolas Vins"]),
  brand("orange", "telecom", ["Orange", "orange.fr"]),
  brand("laposte", "post", ["La Poste"]),
  brand("total", "fuel", ["Total", "TotalEnergies"]),
  brand("quick", "fast food", ["Quick"]),
  brand("maje", "fashion", ["Maje"]),
  brand("sandro", "fashion", ["Sandro"]),
  brand("but", "furniture", ["BUT"]),
  brand("uber", "transport", ["Uber"]),
  brand("ubereats", "delivery", ["Uber Eats"]),
  brand("amazon", "marketplace", ["Amazon"]),
  brand("galeries", "department store", ["Galeries Lafayette"]),
  brand("brioche", "bakery", ["Brioche Dorée"]),
  brand("leboncoin", "marketplace", ["Leboncoin"]),
  brand("mcdonalds", "fast food", ["McDonald's"]),
  brand("hm", "fashion", ["H&M"]),
  brand("canal", "streaming", ["Canal+"]),
  brand("redoute", "fashion", ["La Redoute"]),
  brand("airbnb", "travel", ["Airbnb"]),
  brand("paypal", "wallet", ["PayPal"]),
  brand("heetch", "transport", ["Heetch"]),
  brand("mercure", "hotel", ["Mercure"]),
  brand("relay", "press", ["Relay"]),
  brand("cdiscount", "marketplace", ["Cdiscount"]),
  brand("petitbateau", "fashion", ["Petit Bateau"]),
  brand("decathlon", "sport", ["Decathlon"]),
];
const recogniser = compileCatalogue(brands);

function found(label: string): string | null {
  return recogniser.recognise(label).brandId;
}

describe("ordinary words count alone or beside what names no one", () => {
  test.each([
    ["PAUL", "paul"],
    ["PAUL 1123", "paul"],
    ["FACTURE CARTE DU 120324 PAUL LYON CARTE 4974XXXXXXXX1234", "paul"],
    ["ORANGE VAD 73", "orange"],
    ["BOUTIQUE ORANGE", "orange"],
    ["PAUL 39LONS LE SAUNIER", "paul"],
    ["QUICK RESTAURANT", "quick"],
    ["NICOLAS CAVES", "nicolas"],
    ["LA POSTE L75622", "laposte"],
    ["total 4382876", "total"],
    ["STATION TOTAL", "total"],
    ["HOTEL MERCURE LYON", "mercure"],
    ["SANDRO PARIS", "sandro"],
    ["BUT INTERNATIONAL", "but"],
    ["CASINO SUPERMARCHE", "casino"],
    ["PAUL GARE DE LYON", "paul"],
    ["H&M 014", "hm"],
    ["H & M", "hm"],
    ["HM LILLE", "hm"],
    ["PAIEMENT PSC 1103 PARIS ORANGE CARTE 1234", "orange"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));

  test.each([
    "CHEZ PAUL",
    "PAUL DUPONT",
    "PAUL ET VIRGINIE",
    "CAFE PAUL",
    "BOULANGERIE PAUL",
    "DR NICOLAS",
    "NICOLAS COIFFURE",
    "PHARMACIE NICOLAS",
    "patiss nicolas",
    "ORANGE AMERE",
    "ORANGE MECANIQUE BAR",
    "CAFE DE LA POSTE",
    "LA POSTE RESTAURANT",
    "LE RELAY",
    "QUICK PARKING",
    "TOTAL RENOV 33",
    "LE BUT DU JEU",
    "BUTTE",
    "CASINO DE PARIS",
    "CASINO BARRIERE",
    "GRAND CASINO",
    "MERCURE ET FILS",
    "FREE2MOVE",
    "PAIEMENT PSC 1103 ORANGE BOULANGERIE PATIN CARTE 1234",
    "PAUL & JACQUES",
    "RUE TOTAL",
    "HOTEL TOTAL",
  ])("%s is nobody", (label) => expect(found(label)).toBeNull());
});

describe("a brand is whole at the start of the merchant", () => {
  test.each([
    "MAJESTIC",
    "MAJEUR 12",
    "NESPRESSO",
    "AUBERVILLIERS",
    "MONOPOLE",
    "COCO LAFAYETTE",
    "SELECTA FR MONOPRIX",
    "PHARM CC MONOPRIX",
    "MONDIAL RELAY",
    "CARREFOURS DES ARTS",
    "LE BON COIN RESTO",
    "LE BON COIN",
  ])("%s is nobody", (label) => {
    expect(found(label)).toBeNull();
  });
  test("of two brands the first wins", () => {
    expect(found("MONOPRIX CARREFOUR PLEYEL")).toBe("monoprix");
    expect(found("CARREFOUR CITY  ORANGE  FR")).toBe("carrefour");
  });
  test("a trade, a sister company or a partner's name behind it makes it another", () => {
    for (
      const label of [
        "MONOPRIX COIFFURE",
        "CARREFOUR BANQUE",
        "CARREFOUR VOYAGES",
        "ORANGE BANK MONTREUIL",
        "LA POSTE MOBILE",
        "TOTAL DIRECT ENERGIE",
        "LECLERC ET FILS",
        "LECLERC & FRERES",
        "LECLERC ANNE",
        "LECLERC NOTAIRE",
        "MAJE AUTO ECOLE",
      ]
    ) expect(found(label), label).toBeNull();
  });
  test("an article is passed over before a long phrase only", () => {
    expect(found("LA BRIOCHE DOREE")).toBe("brioche");
    expect(found("LE PETIT BATEAU")).toBeNull();
    expect(found("LE MONOPRIX DU COIN")).toBeNull();
  });
});

describe("what acquirers do to a name", () => {
  test.each([
    ["SC-MONOPRIX", "monoprix"],
    ["SC.CASINO SHOP", "casino"],
    ["MC DONALD S SC", "mcdonalds"],
    ["RELAY362160SC", "relay"],
    ["ECGPAUL3017500", "paul"],
    ["ECP00000MCDO", "mcdonalds"],
    ["CARREFOURMARKET", "carrefour"],
    ["CASINOSHOP 31 AIX EN", "casino"],
    ["MONOP4744", "monoprix"],
    ["GALERIESLAFAYETTE", "galeries"],
    ["GALERIES LAFAYE", "galeries"],
    ["373985PX RELAY NICE", "relay"],
    ["432-MONOPRIX", "monoprix"],
    ["MCDONALDS", "mcdonalds"],
    ["MC DONALD'S", "mcdonalds"],
    ["MC DONALDS 1042", "mcdonalds"],
    ["CANAL+", "canal"],
    ["CANAL PLUS", "canal"],
    ["REDOUTE VAD", "redoute"],
    ["INTER MARCHE", "intermarche"],
    ["INTERMARCHÉ", "intermarche"],
    ["Intermarche\u0301", "intermarche"],
    ["MONOPRIX.FR", "monoprix"],
    ["E LECLERC", "leclerc"],
    ["DAC SUPER U", "superu"],
    ["SUPER U DAC", "superu"],
    ["DECAT 1975", "decathlon"],
    ["AMZN Mktp FR*526O", "amazon"],
  ])("%s is %s", (label, id) => expect(found(label)).toBe(id));
  test("a cut alias counts only where a label is cut and one brand is left", () => {
    expect(found("CARTE 12/11/24 PAYPAL *CDISCOU CB*1234")).toBe("cdiscount");
    expect(found("CDISCOU")).toBeNull();
    const twins = compileCatalogue([
      brand("a", "fashion", ["Galeries Lafayette"]),
      brand("b", "fashion", ["Galeries Lafontaine"]),
    ]);
    expect(twins.explain("GALERIES LAF SA").brandId).toBeNull();
    expect(twins.explain("SC-GALERIES LAF").evidence).toContain("rule:ambiguous");
    expect(twins.recognise("GALERIES LAFAYE").brandId).toBe("a");
  });
  test("a town before the merchant is passed over, known or not", () => {
    expect(found("PAIEMENT CB 1412 PARIS CEDEX 0 MONOPRIX CARTE 1234")).toBe("monoprix");
    expect(found("PAIEMENT CB 1412 LYON 3 MONOPRIX CARTE 1234")).toBe("monoprix");
    expect(found("PAIEMENT CB 1412 KERZUGLOUX MONOPRIX CARTE 1234")).toBe("monoprix");
    expect(found("PAIEMENT CB 1412 KERZUGLOUX ORANGE CARTE 1234")).toBeNull();
    expect(found("PAIEMENT CB 1412 KERZU COIFFURE MONOPRIX CARTE 1234")).toBeNull();
    expect(found("PAIEMENT CB 1412 ORANGE MONOPRIX CARTE 1234")).toBe("monoprix");
  });
});

describe("facilitators", () => {
  test.each([
    ["PAYPAL *AIRBNB", "airbnb"],
    ["LW*MONOPRIX", "monoprix"],
    ["MP*CARREFOUR DAC", "carrefour"],
    ["MGP*MONOPRIX", "monoprix"],
    ["HEETCH*RIDE", "heetch"],
    ["PAYPAL", "paypal"],
    ["UBER * EATS PEN", "ubereats"],
    ["UBER *ONE MEM", "uber"],
  ])("%s is %s", (label, id) => {
    expect(found(label)).toBe(id);
  });
  test("what is behind a wallet is not the wallet, and a small trader is never a chain", () => {
    for (
      const label of [
        "PAYPAL *UNKNOWN SHOP",
        "SUMUP *CARREFOUR",
        "SUMUP  *CHEZ PAUL",
        "SQ *LE CARREFOUR",
        "IZ *MONOPRIX",
        "ZETTLE_*MONOPRIX",
        "NYX*MONOPRIX",
      ]
    ) expect(found(label), label).toBeNull();
  });
});

describe("operators decide", () => {
  test("an excluded phrase refuses the brand wherever it is, but not a longer alias that holds it", () => {
    const own = compileCatalogue([
      brand("c", "supermarket", ["Carrefour", "Carrefour Drive Plus"], ["DAC", "Carrefour Drive"]),
    ]);
    expect(own.recognise("CARREFOUR 12").brandId).toBe("c");
    expect(own.explain("CARREFOUR DAC").evidence).toContain("rule:excluded");
    expect(own.recognise("MP*CARREFOUR DAC").brandId).toBeNull();
    expect(own.recognise("CARREFOUR DRIVE 12").brandId).toBeNull();
    expect(own.recognise("CARREFOUR DRIVE PLUS").brandId).toBe("c");
  });
  test("an own alias wins over the curated refusal", () => {
    expect(
      compileCatalogue([brand("o", "telecom", ["Orange", "Orange Bank"])]).recognise("ORANGE BANK")
        .brandId,
    ).toBe("o");
  });
  test("descriptors count only when their brand is there, and never against an operator's alias", () => {
    expect(compileCatalogue([brand("x", "sport", ["Xylo"])]).recognise("DECAT 1975").brandId)
      .toBeNull();
    expect(
      compileCatalogue([brand("d", "sport", ["Decathlon"]), brand("x", "food", ["Decat"])])
        .recognise("DECAT 1975").brandId,
    ).toBe("x");
  });
  test("a spelling that two brands share is nobody's", () => {
    const twins = compileCatalogue([brand("a", "shoes", ["Zolan"]), brand("b", "food", ["ZOLAN"])]);
    expect(twins.recognise("ZOLAN").brandId).toBeNull();
    expect(twins.explain("ZOLAN").evidence).toContain("rule:ambiguous");
  });
});

test("explain shows what was removed, what matched and why", () => {
  const got = recogniser.explain(
    "FACTURE CARTE DU 120324 SC-GALERIES LAF PARIS CARTE 4974XXXXXXXX1234",
  );
  expect(got).toMatchObject({
    kind: "card",
    brandId: "galeries",
    matched: "Galeries Lafayette",
    merchant: "GALERIES LAF PARIS",
  });
  expect(got.evidence).toEqual(
    expect.arrayContaining([
      "kind:card",
      "kind:head",
      "rule:truncated",
      "removed_head:FACTURE CARTE DU 120324",
      "removed_before_merchant:SC",
      "removed_tail:CARTE 4974XXXXXXXX1234",
      "text_that_matched:GALERIES LAF",
    ]),
  );
});

test.each(
  [
    ["CARTE X1234 12/11 MONOPRIX COMMERCE ELECTRONIQUE 123456789012345IOPD", "online"],
    ["MONOPRIX.FR", "online"],
    ["MONOPRIX VAD", "online"],
    ["PAYPAL *MONOPRIX", "online"],
    ["PAIEMENT PSC 1103 PARIS MONOPRIX CARTE 1234", "in_store"],
    ["SC-MONOPRIX", "in_store"],
    ["MONOPRIX", "unknown"],
  ] as const,
)("%s was %s", (label, channel) => expect(recogniser.recognise(label).channel).toBe(channel));

describe("alias warnings", () => {
  const draft = (aliases: readonly string[]): BrandEntry => ({
    id: "new",
    name: aliases[0] ?? "",
    aliases,
  });
  test("short, ordinary and colliding aliases are named, others are not", () => {
    expect(aliasWarnings(brands, draft(["BP"]))).toEqual([{
      code: "alias_too_short",
      alias: "BP",
    }]);
    expect(aliasWarnings(brands, draft(["Printemps"]))).toEqual([{
      code: "alias_ordinary_word",
      alias: "Printemps",
    }]);
    expect(aliasWarnings(brands, draft(["Bordeaux"]))).toEqual([{
      code: "alias_ordinary_word",
      alias: "Bordeaux",
    }]);
    expect(aliasWarnings(brands, draft(["MONO-PRIX"]))).toEqual([{
      code: "alias_collides",
      alias: "MONO-PRIX",
      with: "monoprix",
    }]);
    expect(aliasWarnings(brands, draft(["Kordalie"]))).toEqual([]);
  });
  test("a brand does not collide with its older self", () => {
    expect(aliasWarnings(brands, { ...brand("monoprix", "supermarket", ["Monoprix"]) })).toEqual(
      [],
    );
  });
});
