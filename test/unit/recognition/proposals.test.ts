// What people's decisions propose, and the effect that is shown before anybody approves it.

import { describe, expect, test } from "vitest";
import type { BrandEntry } from "../../../src/recognition/ports.ts";
import { effectOf, knownLabels, proposalsOf } from "../../../src/recognition/proposals.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";

const brands: readonly BrandEntry[] = [
  { id: "kordalie", name: "Kordalie", category: "supermarket", aliases: ["Kordalie"] },
  { id: "vandrel", name: "Vandrel", category: "fashion", aliases: ["Vandrel"] },
  { id: "zemir", name: "Zemir", category: "home", aliases: ["Zemir Shop"] },
];

describe("a decision proposes", () => {
  test.each([
    ["KORDALIX PLUS 12 LYON", "kordalie", "alias", "KORDALIX"],
    ["BARVEDIS 39LONS", "kordalie", "descriptor", "BARVEDIS"],
    ["VANDREL QUARTZ", null, "exclusion", "VANDREL QUARTZ"],
  ])("%s is %s: %s %s", (merchant, brandId, kind, text) => {
    expect(proposalsOf(brands, [{ merchant, brandId }])).toEqual([
      { kind, brandId: brandId ?? "vandrel", text, decisions: 1 },
    ]);
  });

  test("nothing where the catalogue answers as decided, or for a brand that is gone", () => {
    expect(proposalsOf(brands, [
      { merchant: "KORDALIE 12", brandId: "kordalie" },
      { merchant: "CHEZ PERSONNE", brandId: null },
      { merchant: "BARVEDIS", brandId: "gone" },
    ])).toEqual([]);
  });

  test("no exclusion of a brand's own name, which would end the brand", () => {
    expect(proposalsOf(brands, [{ merchant: "VANDREL", brandId: null }])).toEqual([]);
  });

  test("a frame where the same words come before two brands", () => {
    expect(proposalsOf(brands, [
      { merchant: "QWERTAL PAY KORDALIE", brandId: "kordalie" },
      { merchant: "QWERTAL PAY VANDREL LYON", brandId: "vandrel" },
    ])).toEqual([{ kind: "frame", brandId: null, text: "QWERTAL PAY", decisions: 2 }]);
  });

  test("one proposal for several decisions, the most decisions first", () => {
    const found = proposalsOf(brands, [
      { merchant: "DISTRIVAL LYON", brandId: "vandrel" },
      { merchant: "BARVEDIS LYON", brandId: "kordalie" },
      { merchant: "BARVEDIS 12", brandId: "kordalie" },
    ]);
    expect(found.map(({ text, decisions }) => [text, decisions])).toEqual([
      ["BARVEDIS", 2],
      ["DISTRIVAL", 1],
    ]);
  });
});

describe("the effect", () => {
  const decisions = [
    { merchant: "BARVEDIS LYON", brandId: "kordalie" },
    { merchant: "BARVEDIS 12", brandId: "vandrel" },
    { merchant: "QWERTAL PAY KORDALIE", brandId: "kordalie" },
  ];
  const known = knownLabels(brands, decisions);

  test("is measured on all decisions and on every name and alias that is recognised", () => {
    expect(known).toHaveLength(decisions.length + 4);
  });

  test("counts what becomes right and what becomes wrong", () => {
    const effect = effectOf(brands, known, {
      kind: "descriptor",
      brandId: "kordalie",
      text: "BARVEDIS",
      decisions: 1,
    });
    expect(effect).toMatchObject({ labels: known.length, gained: 1, lost: 0 });
    expect(effect.changes).toContainEqual({
      label: "BARVEDIS 12",
      before: null,
      after: "kordalie",
    });
  });

  test("shows what an exclusion would cost", () => {
    const effect = effectOf(brands, known, {
      kind: "exclusion",
      brandId: "zemir",
      text: "Zemir",
      decisions: 1,
    });
    expect(effect.lost).toBeGreaterThan(0);
  });

  test("reads the labels without the head of a frame", () => {
    expect(effectOf(brands, known, {
      kind: "frame",
      brandId: null,
      text: "QWERTAL PAY",
      decisions: 1,
    })).toMatchObject({ gained: 1, lost: 0 });
  });
});

describe("a correction that is nothing but a name", () => {
  const recogniser = compileCatalogue(brands, {
    corrections: [
      { label: "BARVEDIS", brandId: "kordalie" },
      { label: "MOLINE LYON", brandId: "vandrel" },
    ],
  });
  test.each([
    ["CB BARVEDIS 12/11", "kordalie"],
    ["CB BARVEDIS LYON 12/11", "kordalie"],
    ["CB BARVEDIS 1234 LYON 12/11", "kordalie"],
    ["CB BARVEDIS MARTINE 12/11", null],
    ["CB VANDREL LYON 12/11", "vandrel"],
    // This text holds a town: it is one shop's, and no other's.
    ["CB MOLINE LYON 12/11", "vandrel"],
    ["CB MOLINE PARIS 12/11", null],
  ])("%s is %s", (label, brandId) => {
    expect(recogniser.recognise(label).brandId).toBe(brandId);
  });
});
