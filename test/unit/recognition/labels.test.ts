// Holds what recognition promises on the labelled lines: precision, recall and kind, by trap, alone
// and beside every brand that the public index knows in France; and operators' corrections, each a
// line that must stay true.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { brandsFromIndex, mergeCatalogues } from "../../../src/recognition/brand-index.ts";
import type { BrandEntry, Recogniser, RowKind } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

type Row = { label: string; brand: string | null; kind: RowKind; trap?: string };
type Corrected = { label: string; brand: string | null; also: string };

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const fixture = (name: string): string => read(`../../fixtures/labels/${name}`);
const lines = <T>(name: string): T[] =>
  fixture(name).trim().split("\n").map((line) => JSON.parse(line) as T);

const partners = JSON.parse(read("../../../src/local/data/brands.json")) as BrandEntry[];
const rows = lines<Row>("dev.jsonl");
const partnerIds = new Set(partners.map((brand) => brand.id));

type Score = {
  right: number;
  wrong: number;
  missed: number;
  kinds: number;
  rows: number;
  byTrap: Map<string, { right: number; wrong: number; missed: number; rows: number }>;
};

/** A prediction of a brand that is no partner counts as none: only partners pay rewards. */
function score(recogniser: Recogniser): Score {
  const total: Score = {
    right: 0,
    wrong: 0,
    missed: 0,
    kinds: 0,
    rows: rows.length,
    byTrap: new Map(),
  };
  for (const row of rows) {
    const got = recogniser.recognise(row.label);
    if (got.kind === row.kind) total.kinds += 1;
    const brand = got.brandId !== null && partnerIds.has(got.brandId) ? got.brandId : null;
    const cell = total.byTrap.get(row.trap ?? "none") ?? { right: 0, wrong: 0, missed: 0, rows: 0 };
    cell.rows += 1;
    const right = brand !== null && brand === row.brand;
    if (right) cell.right += 1;
    if (brand !== null && !right) cell.wrong += 1;
    if (row.brand !== null && !right) cell.missed += 1;
    total.byTrap.set(row.trap ?? "none", cell);
  }
  for (const cell of total.byTrap.values()) {
    total.right += cell.right;
    total.wrong += cell.wrong;
    total.missed += cell.missed;
  }
  return total;
}

const precision = (of: Score): number => of.right / (of.right + of.wrong);
const recall = (of: Score): number => of.right / (of.right + of.missed);

function report(title: string, of: Score): string {
  const traps = [...of.byTrap].sort(([a], [b]) => (a < b ? -1 : 1)).map(([trap, cell]) =>
    `  ${trap.padEnd(24)} rows ${String(cell.rows).padStart(3)}  right ${
      String(cell.right).padStart(3)
    }  wrong ${String(cell.wrong)}  missed ${String(cell.missed)}`
  );
  return [
    `${title}: precision ${precision(of).toFixed(4)}, recall ${recall(of).toFixed(4)}, kind ${
      (of.kinds / of.rows).toFixed(4)
    }`,
    ...traps,
  ].join("\n");
}

describe("the labelled lines", () => {
  const alone = score(compileCatalogue(partners));

  test("reach precision 0.98, recall 0.93 and kind 0.99 with the partners alone", () => {
    process.stdout.write(`${report("partners alone", alone)}\n`);
    expect(precision(alone)).toBeGreaterThanOrEqual(0.98);
    expect(recall(alone)).toBeGreaterThanOrEqual(0.93);
    expect(alone.kinds / alone.rows).toBeGreaterThanOrEqual(0.99);
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
      `${report(`beside ${String(all.length - partners.length)} brands of the index`, beside)}\n`,
    );
    expect(precision(beside)).toBeGreaterThanOrEqual(precision(alone) - 0.01);
    expect(recall(beside)).toBeGreaterThanOrEqual(0.93);
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
