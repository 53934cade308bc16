// Holds what recognition promises on the labelled lines: precision, recall and kind, by trap, alone
// and beside every brand that the public index knows in France; and operators' corrections, each a
// line that must stay true.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { brandsFromIndex, mergeCatalogues } from "../../../src/recognition/brand-index.ts";
import { formatMeasured, measure } from "../../../src/recognition/measure.ts";
import type { LabelledRow, Measured } from "../../../src/recognition/measure.ts";
import type { BrandEntry, Recogniser } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

type Corrected = { label: string; brand: string | null; also: string };

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const fixture = (name: string): string => read(`../../fixtures/labels/${name}`);
const lines = <T>(name: string): T[] =>
  fixture(name).trim().split("\n").map((line) => JSON.parse(line) as T);

const partners = JSON.parse(read("../../../src/local/data/brands.json")) as BrandEntry[];
const rows = lines<LabelledRow>("dev.jsonl");
const partnerIds = new Set(partners.map((brand) => brand.id));

const score = (recogniser: Recogniser): Measured => measure(recogniser, rows, partnerIds);

describe("the labelled lines", () => {
  const alone = score(compileCatalogue(partners));

  test("reach precision 0.98, recall 0.93 and kind 0.99 with the partners alone", () => {
    process.stdout.write(`${formatMeasured("partners alone", alone)}\n`);
    expect(alone.precision).toBeGreaterThanOrEqual(0.98);
    expect(alone.recall).toBeGreaterThanOrEqual(0.93);
    expect(alone.kind).toBeGreaterThanOrEqual(0.99);
  });

  test("no row that is no purchase and no refund carries a brand", () => {
    const recogniser = compileCatalogue(partners);
    for (const row of rows) {
      if (row.kind !== "card" && row.kind !== "refund") {
        expect(recogniser.recognise(row.label)).toMatchObject({ brandId: null, merchant: "" });
      }
    }
  });

  test("lose at most 0.01 of precision beside every brand of the index", () => {
    const nsi: unknown = JSON.parse(
      readFileSync(
        new URL("../../../node_modules/name-suggestion-index/dist/json/nsi.json", import.meta.url),
        "utf8",
      ),
    );
    const all = mergeCatalogues(partners, brandsFromIndex(nsi));
    expect(all.length).toBeGreaterThan(1_900);
    const beside = score(compileCatalogue(all));
    process.stdout.write(
      `${
        formatMeasured(`beside ${String(all.length - partners.length)} brands of the index`, beside)
      }\n`,
    );
    expect(beside.precision).toBeGreaterThanOrEqual(alone.precision - 0.01);
    expect(beside.recall).toBeGreaterThanOrEqual(0.93);
  });
});

describe("operators' corrections", () => {
  const corrected = lines<Corrected>("corrections.jsonl");
  const corrections = corrected.map(({ label, brand }) => ({ label, brandId: brand }));

  test.each(corrected)("$label stays corrected", ({ label, brand, also }) => {
    const recogniser = compileCatalogue(partners, { corrections });
    expect(recogniser.recognise(label).brandId).toBe(brand);
    expect(recogniser.recognise(also).brandId).toBe(brand);
    expect(recogniser.recognise(label).evidence).toContain("rule:correction");
    // The line proves something: without it the answer is another.
    expect(compileCatalogue(partners).recognise(label).brandId).not.toBe(brand);
  });

  test("change nothing else, and never make a purchase of a row that is none", () => {
    const recogniser = compileCatalogue(partners, { corrections });
    expect(recogniser.recognise("CB BARBEDIS COIFFURE 12/11").brandId).toBeNull();
    expect(recogniser.recognise("PRLV SEPA BARBEDIS").brandId).toBeNull();
    const before = compileCatalogue(partners);
    for (const row of rows) {
      expect(recogniser.recognise(row.label).brandId).toBe(before.recognise(row.label).brandId);
    }
  });

  test("the last correction of a merchant wins; one to a brand that is gone says nothing", () => {
    const label = "CB BARBEDIS 12/11";
    const twice = compileCatalogue(partners, {
      corrections: [{ label, brandId: "leclerc" }, { label, brandId: "auchan" }],
    });
    expect(twice.recognise(label).brandId).toBe("auchan");
    const gone = compileCatalogue(partners, {
      corrections: [{ label: "CB MONOPRIX 12/11", brandId: "no-such-brand" }],
    });
    expect(gone.recognise("CB MONOPRIX 12/11").brandId).toBe("monoprix");
  });
});
