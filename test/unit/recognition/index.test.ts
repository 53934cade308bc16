// The importer of the public brand index, the merge with partners, and the command that everybody
// runs.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { brandsFromIndex, mergeCatalogues } from "../../../src/recognition/brand-index.ts";
import type { BrandEntry } from "../../../src/recognition/ports.ts";

const item = (
  brand: string,
  include: readonly unknown[],
  extra: Readonly<Record<string, unknown>> = {},
  wikidata?: string,
): unknown => ({
  displayName: brand,
  locationSet: {
    include,
    ...(extra["exclude"] === undefined ? {} : { exclude: extra["exclude"] }),
  },
  matchNames: extra["matchNames"] ?? [],
  tags: { brand, ...(wikidata === undefined ? {} : { "brand:wikidata": wikidata }) },
});
const index = (items: readonly unknown[], path = "brands/shop/supermarket"): unknown => ({
  nsi: { [path]: { items } },
});

describe("the index", () => {
  test("keeps what reaches metropolitan France: country, region of the world, or a point in it", () => {
    const items = [
      item("Ici", ["fr"]),
      item("Europe", ["150"]),
      item("World", ["001"]),
      item("Point", [[2.35, 48.85, 20]]),
      item("Germany", ["de"]),
      item("Far", [[-73, 45]]),
      item("Not here", ["001"], { exclude: ["fr"] }),
      item("Réunion", ["re"]),
    ];
    expect(brandsFromIndex(index(items)).map((brand) => brand.name)).toEqual([
      "Europe",
      "Ici",
      "Point",
      "World",
    ]);
    expect(brandsFromIndex(index(items), { explicitOnly: true }).map((brand) => brand.name))
      .toEqual(["Ici", "Point"]);
  });
  test("makes one brand of the rows of one Wikidata id or one name, without the index's remarks", () => {
    const parsed = {
      nsi: {
        "brands/shop/supermarket": {
          items: [
            item("Monoprix (France)", ["fr"], { matchNames: ["monop"] }, "Q1"),
            item("La Halle", ["fr"], {}, "Q2"),
          ],
        },
        "brands/shop/convenience": { items: [item("Monop'", ["fr"], {}, "Q1")] },
        "brands/shop/shoes": { items: [item("La Halle", ["fr"], {}, "Q3")] },
        "operators/amenity/bank": { items: [item("No brand", ["fr"])] },
      },
    };
    const brands = brandsFromIndex(parsed);
    expect(brands).toHaveLength(2);
    expect(brands.map((brand) => [brand.name, brand.wikidata])).toEqual([["La Halle", "Q2"], [
      "Monop'",
      "Q1",
    ]]);
    expect(brands[1]?.aliases).toEqual(expect.arrayContaining(["Monop'", "Monoprix", "monop"]));
  });
  test("an input of another shape gives no brand", () => {
    for (
      const parsed of [null, 1, "x", [], {}, { nsi: [] }, {
        nsi: { "brands/shop/x": { items: [1, null, {}] } },
      }]
    ) expect(brandsFromIndex(parsed)).toEqual([]);
  });
  test("rows that are a partner are merged into it, the others stay, and ids stay unique", () => {
    const partners: BrandEntry[] = [{
      id: "carrefour",
      name: "Carrefour",
      category: "supermarket",
      aliases: ["Carrefour"],
      wikidata: "Q9",
    }];
    const rows: BrandEntry[] = [
      { id: "hyper", name: "Hypermarché C", aliases: ["Hypermarché C"], wikidata: "Q9" },
      { id: "express", name: "Carrefour Express", aliases: ["Carrefour Express"] },
      { id: "carrefour", name: "Zolan", aliases: ["Zolan"] },
      { id: "voyages", name: "Carrefour Voyages", aliases: ["Carrefour Voyages"] },
    ];
    const merged = mergeCatalogues(partners, rows);
    expect(merged.map((brand) => brand.id)).toEqual(["carrefour", "index-carrefour", "voyages"]);
    expect(merged[0]?.aliases).toEqual(["Carrefour", "Hypermarché C", "Carrefour Express"]);
  });
});

describe("the command", () => {
  const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
  const run = (input: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, [path("../../../src/cli/recognise.ts"), ...args], {
      input,
      encoding: "utf8",
    });
  const brands = ["--brands", path("../../../src/local/data/brands.json")];

  test("answers every line in order, a broken one with an error, and sums up on standard error", () => {
    const lines = [
      '{"label":"CB MONOPRIX 75011 12/11"}',
      "{broken",
      '{"text":1}',
      "",
      '{"label":"Lidl","type":"order"}',
      '{"label":"CARTE 12/11/26 MONOPRIX 4 CB*1234","type":"transfer"}',
      "[]",
      '{"label":"Zolan"}',
    ];
    const result = run(lines.join("\n"), ...brands);
    expect(result.status).toBe(0);
    expect(result.stdout.trim().split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        label: "CB MONOPRIX 75011 12/11",
        kind: "card",
        brand: "monoprix",
        matched: "Monoprix",
        confidence: 0.99,
      },
      { error: "invalid_json", line: 2 },
      { error: "missing_label", line: 3 },
      { error: "invalid_json", line: 4 },
      { label: "Lidl", kind: "debit", brand: null, matched: null, confidence: 0 },
      {
        label: "CARTE 12/11/26 MONOPRIX 4 CB*1234",
        kind: "card",
        brand: "monoprix",
        matched: "Monoprix",
        confidence: 0.99,
      },
      { error: "missing_label", line: 7 },
      { label: "Zolan", kind: "card", brand: null, matched: null, confidence: 0 },
    ]);
    expect(result.stderr).toMatch(/8 lines .* brands compiled/);
    expect(result.stderr).not.toContain("MONOPRIX");
  });

  test("streams more than a pipe holds, characters cut between chunks included", () => {
    const line = '{"label":"CB PATHÉ 12/11"}\n';
    const count = 40_000;
    const result = spawnSync(process.execPath, [path("../../../src/cli/recognise.ts"), ...brands], {
      input: line.repeat(count),
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const out = result.stdout.trim().split("\n");
    expect(out).toHaveLength(count);
    expect(new Set(out).size).toBe(1);
    expect(JSON.parse(out[0] ?? "")).toMatchObject({ brand: "pathe" });
  });

  test("says how it is used, and refuses a brands file that is none", () => {
    expect(run("", "--brands", path("../../fixtures/labels/dev.jsonl")).status).not.toBe(0);
    const bare = run("");
    expect(bare.status).toBe(2);
    expect(bare.stderr).toContain("--brands");
  });

  test("takes operators' corrections", () => {
    const corrections = path("../../fixtures/labels/corrections.jsonl");
    const result = run('{"label":"CB PRODIREV 12/11"}\n', ...brands, "--corrections", corrections);
    expect(JSON.parse(result.stdout)).toMatchObject({ brand: "auchan", confidence: 1 });
    expect(readFileSync(corrections, "utf8")).toContain("Prodirev");
  });
});
