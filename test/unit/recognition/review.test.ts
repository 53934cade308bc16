// Holds recognition to two sets of labelled lines that were written apart from it, before its tests
// were read: the partners in every bank's shape with near misses and movements of every kind, and
// 60 brands that a manager may type in. Alone and beside every brand that the public index knows in
// France.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { brandsFromIndex, mergeCatalogues } from "../../../src/recognition/brand-index.ts";
import { formatMeasured, measure } from "../../../src/recognition/measure.ts";
import type { LabelledRow } from "../../../src/recognition/measure.ts";
import type { BrandEntry } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const nsi: unknown = JSON.parse(
  read("../../../node_modules/name-suggestion-index/dist/json/nsi.json"),
);

describe.each([
  { set: "review.jsonl", file: "brands.json", least: 1_000 },
  { set: "review-new.jsonl", file: "review-brands.json", least: 350 },
])("$set with $file", ({ set, file, least }) => {
  const rows = read(`../../fixtures/labels/${set}`).trim().split("\n").map((line) =>
    JSON.parse(line) as LabelledRow
  );
  const brands = JSON.parse(
    read(
      file === "brands.json"
        ? "../../../src/local/data/brands.json"
        : `../../fixtures/labels/${file}`,
    ),
  ) as BrandEntry[];
  const ids = new Set(brands.map((brand) => brand.id));
  const alone = measure(compileCatalogue(brands), rows, ids);

  test("every line names a brand of the catalogue or none, and none where it is no purchase", () => {
    expect(rows.length).toBeGreaterThanOrEqual(least);
    for (const { brand, kind } of rows) {
      expect(brand === null || (ids.has(brand) && (kind === "card" || kind === "refund"))).toBe(
        true,
      );
    }
  });

  test("precision 0.99, recall 0.97, kind 0.99", () => {
    process.stdout.write(`${formatMeasured(`${set} alone`, alone)}\n`);
    expect(alone.precision).toBeGreaterThanOrEqual(
      0.99,
    );
    expect(alone.recall).toBeGreaterThanOrEqual(
      0.97,
    );
    expect(alone.kind).toBeGreaterThanOrEqual(0.99);
  });

  test("beside the index, precision falls by at most 0.01 and recall stays", () => {
    const beside = measure(
      compileCatalogue(mergeCatalogues(brands, brandsFromIndex(nsi))),
      rows,
      ids,
    );
    expect(beside.precision).toBeGreaterThanOrEqual(alone.precision - 0.01);
    expect(beside.recall).toBeGreaterThanOrEqual(
      0.97,
    );
  });
});

describe("rules that the review added", () => {
  const recogniser = compileCatalogue(
    JSON.parse(read("../../../src/local/data/brands.json")) as BrandEntry[],
  );

  test.each([
    ["CB NOCIB? 12/11", "nocibe"],
    ["Oka?di", "okaidi"],
    ["NocibÃ©", "nocibe"],
    ["CB N?MES SPL 12/11", null],
    ["CB HOTEL AT BOOKING.COM 12/11", "booking"],
    ["CB SHOP.MANGO.COM 12/11", "mango"],
    ["CB LE MANGO 12/11", null],
    ["CB BOOKING PADEL 12/11", null],
    ["CB STE INTERMARCHE 12/11", "intermarche"],
    ["CB SARL NICOLAS 12/11", null],
    ["CB LES CINEMAS PATHE 12/11", "pathe"],
    ["CB LA STATION NICOLAS 12/11", null],
    ["CB BK BURGER KING 12/11", "burgerking"],
    ["CB BX BURGER KING 12/11", null],
    ["CB RELAY SNCF 12/11", "relay"],
    ["CB JULES DARTY 12/11", null],
    ["CB UBR* UBER EATS 12/11", "ubereats"],
    ["CB CANAL + 12/11", "canalplus"],
    ["CB QUICK SERVICE 12/11", null],
    ["REMBT CB 1203 LESQUIN BOULANGER CARTE 1234", "boulanger"],
  ])("%s: %s", (label, brand) => {
    expect(recogniser.recognise(label).brandId).toBe(brand);
  });

  test.each([
    ["Pr?l?vement SFR", "debit"],
    ["REJET PRLV SEPA FREE", "debit"],
    ["AVIS DE PRELEVEMENT SFR", "debit"],
    ["AVIS LOCATION 12/11", "card"],
    ["SEPA DIRECT DEBIT NETFLIX", "debit"],
    ["000001 VIR EUROPEEN EMIS", "transfer"],
    ["RETOUR VIR SEPA", "transfer"],
    ["RETOUR CB OKAIDI 12/03", "refund"],
    ["TIP DARTY ET FILS", "debit"],
    ["TIP TOP COIFFURE", "card"],
    ["TOTAL ACHATS CARTE NOVEMBRE", "other"],
    ["TOTAL ACCESS LORMONT", "card"],
    ["COTIS VISA PREMIER", "other"],
    ["PRIME ASSURANCE HABITATION", "other"],
    ["ASSURANCE MOYENS DE PAIEMENT", "other"],
  ])("%s is a %s row", (label, kind) => {
    expect(recogniser.recognise(label).kind).toBe(kind);
    expect(recogniser.kindOf(label)).toBe(kind);
  });

  test("an excluded phrase refuses where the acquirer cut it, and not where only the alias itself is left", () => {
    const shop = compileCatalogue([{
      id: "amazon",
      name: "Amazon",
      category: "marketplace",
      aliases: ["Amazon"],
      excluded: ["Amazon Web Services"],
    }]);
    expect(shop.recognise("CB AMAZON WEB SERVIC 12/11")).toMatchObject({
      brandId: null,
      evidence: ["kind:head", "rule:excluded"],
    });
    expect(shop.recognise("CB AMAZON WEB 12/11").brandId).toBe("amazon");
    expect(recogniser.recognise("CB HYPER CARREFOUR 12/11").brandId).toBe("carrefour");
  });

  test("a descriptor goes to the brand that it names first, beside a brand that shares a later key", () => {
    const both = compileCatalogue([{ id: "connect", name: "SNCF Connect", aliases: [] }, {
      id: "sncf",
      name: "SNCF",
      aliases: [],
    }]);
    expect(both.recognise("CB WEBSNCF 12/11").brandId).toBe("sncf");
    expect(
      compileCatalogue([{ id: "connect", name: "SNCF Connect", aliases: [] }]).recognise(
        "CB WEBSNCF 12/11",
      ).brandId,
    ).toBe("connect");
  });
});
