// Each frame reads its own example, the most specific frame wins, and a frame or descriptor file
// that contradicts itself is refused.

import { describe, expect, test } from "vitest";
import { checkDescriptors, checkFrames } from "../../../src/recognition/check.ts";
import { DESCRIPTORS } from "../../../src/recognition/data/descriptors.ts";
import { newFrame, readFrame } from "../../../src/recognition/frame.ts";
import { FRAMES, HEADS } from "../../../src/recognition/frames/index.ts";
import { compileHeads } from "../../../src/recognition/frames/pattern.ts";
import type { HeadFrame } from "../../../src/recognition/frames/types.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";
import { newScan, scan } from "../../../src/recognition/scan.ts";

const bare = compileCatalogue([]);

function frameIdOf(label: string): string {
  const tokens = newScan();
  const frame = newFrame();
  scan(label, tokens);
  readFrame(tokens, frame, "unknown");
  return frame.id;
}

describe("frames", () => {
  test.each(FRAMES.map((frame) => [frame.id, frame] as const))(
    "%s reads its example",
    (id, frame) => {
      expect(frameIdOf(frame.example)).toBe(id);
      expect(bare.recognise(frame.example)).toMatchObject({
        kind: frame.kind,
        merchant: frame.merchant,
      });
    },
  );

  test.each([
    ["CARTE X1234 REMBT 12/11 KORDALIE", "refund"],
    ["CARTE X1234 12/11 REMBT KORDALIE", "refund"],
    ["PAIEMENT PAR CARTE X1234 RETRAIT DAB LYON", "withdrawal"],
    ["CARTE MASTERCA 02/08/24 A 09H59", "withdrawal"],
    ["CARTE 4974XXXXXXXX1234 12/11/24 A 11H39 RETRAIT DAB", "withdrawal"],
    ["RET ECLAIR 12/11 18H31", "withdrawal"],
    ["CARTE XXXXXXXXXXXXXXXX RETRAIT DAB    22/08/24 08H50 KORDALIE", "withdrawal"],
    ["CARTE KORDALIE", "card"],
    ["CARTE FACTURETTES", "other"],
    ["CB DEBIT IMMEDIAT KORDALIE", "card"],
    ["DEBIT DIFFERE CARTE 1234", "other"],
    ["FACTURES CARTE 4974XXXXXXXX1234 DU 120324", "other"],
    ["PRELEVEMENT CARTE DEPENSES CARTE X1234", "other"],
    ["PRELEVEMENT KORDALIE", "debit"],
    ["MINIMUM FORFAITAIRE TRIMESTRIEL", "other"],
    ["AVANTAGE TARIFAIRE", "other"],
    ["AVANTAGE OPTIQUE LYON", "card"],
    ["REMISE EXCEPTIONNELLE", "other"],
  ])("%s: the head that reads the most decides, %s", (label, kind) => {
    expect(bare.kindOf(label)).toBe(kind);
  });

  test("share what follows their words: a tree of every spelling once took 126 MB", () => {
    expect(HEADS.frames.length).toBeLessThan(1_000);
  });

  test("are free of contradictions", () => {
    expect(checkFrames(FRAMES)).toEqual([]);
  });

  test("that read a head alike may share it, or one yields to the other", () => {
    const [first] = FRAMES;
    if (first === undefined) throw new Error("no frame");
    const other = { ...first, id: "other" };
    const yielding: HeadFrame = { ...other, kind: "other", yieldsTo: [first.id] };
    expect(checkFrames([first, other])).toEqual([]);
    expect(checkFrames([first, yielding])).toEqual([]);
  });
});

describe("a frame file is refused", () => {
  const good: HeadFrame = {
    id: "a",
    kind: "card",
    heads: ["CARTE <date>"],
    source: "test",
    certainty: "reasoned",
    example: "CARTE 12/11 KORDALIE",
    merchant: "KORDALIE",
  };

  test.each<[string, readonly HeadFrame[], string]>([
    ["without a head", [{ ...good, heads: [] }], "a: no head"],
    ["with an unknown piece", [{ ...good, heads: ["<moon>"] }], "a: unknown piece"],
    ["with an unknown word", [{ ...good, heads: ["QWXZ"] }], "a: not in the lexicon"],
    ["with an open bracket", [{ ...good, heads: ["CARTE [CB"] }], "a: head pattern"],
    ["with one id twice", [good, good], "a: id used twice"],
    ["with a head of two kinds", [good, { ...good, id: "b", kind: "refund" }], "b: shares a head"],
    [
      "with one head and two columns",
      [{ ...good, columns: { merchant: 15 } }, { ...good, id: "b", columns: { merchant: 20 } }],
      "b: shares a head with a, as card (20,0",
    ],
    [
      "with one head, written in two ways, on which two frames differ",
      [
        { ...good, heads: ["CARTE|CB [BANCAIRE] <date>"] },
        { ...good, id: "b", heads: ["[PAIEMENT] CB <date>"], remote: true },
      ],
      "b: shares a head with a",
    ],
    ["with a frame that yields to none", [{ ...good, yieldsTo: ["b"] }], "a: yields to b in vain"],
    ["with a column of no width", [{ ...good, columns: { merchant: 0 } }], "a: column width"],
    ["with a merchant in a transfer", [{ ...good, kind: "transfer" }], "a: example merchant"],
    ["without a source", [{ ...good, source: "" }], "a: no source"],
  ])("%s", (_, frames, problem) => {
    expect(checkFrames(frames).some((found) => found.startsWith(problem))).toBe(true);
  });

  test("a head that would read nothing does not compile", () => {
    expect(() => compileHeads([["[CARTE]"]])).toThrow("a head that reads nothing");
  });
});

describe("a descriptor file", () => {
  test("is free of contradictions", () => {
    expect(checkDescriptors(DESCRIPTORS)).toEqual([]);
  });

  test.each([
    [
      [{ brand: ["A"], include: ["X"], source: "s" }, {
        brand: ["B"],
        include: ["x"],
        source: "s",
      }],
      "x: of A and B",
    ],
    [[{ brand: ["A"], include: ["X"], exclude: ["x"], source: "s" }], "A: X included and excluded"],
    [
      [{ brand: ["A", "C"], include: ["X"], source: "s" }, {
        brand: ["B", "C"],
        include: ["Y"],
        source: "s",
      }],
      "C: names A and B",
    ],
    [
      [{ brand: ["A"], wikidata: "Q1", include: ["X"], source: "s" }, {
        brand: ["B"],
        wikidata: "Q1",
        include: ["Y"],
        source: "s",
      }],
      "Q1: names A and B",
    ],
    [[{ brand: ["A"], include: ["X"], source: "" }], "A: no source"],
    [[{ brand: ["A"], source: "s" }], "A: says nothing"],
    [[{ brand: ["a b"], include: ["X"], source: "s" }], "a b: brand a b is not compact"],
    [[{ brand: ["A"], include: ["!"], source: "s" }], "A: include without a letter"],
  ])("that contradicts itself is refused: %#", (descriptors, problem) => {
    expect(checkDescriptors(descriptors)).toContain(problem);
  });
});

describe("bad input is bounded work and no throw", () => {
  test.each([
    ["5,000 characters", "CARTE X1234 12/11 ".repeat(280)],
    ["blanks", " ".repeat(5_000)],
    ["emoji", "\u{1f6d2}".repeat(2_000)],
    ["right to left", "\u0627\u0644\u0633\u0648\u0642 ".repeat(500)],
    ["NUL", "CB \u0000 12/11\u0000"],
    ["a lone surrogate", "CB \ud83d KORDALIE"],
    ["instalments without an end", "1ER TIERS SUR ".repeat(350)],
  ])("%s", (_, label) => {
    const start = performance.now();
    for (let i = 0; i < 20; i += 1) expect(bare.explain(label).brandId).toBeNull();
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("ordinary words and cuts in context", () => {
  const recogniser = compileCatalogue([
    { id: "boulpaul", name: "Boulangerie Paul", category: "bakery", aliases: [] },
    { id: "nicolas", name: "Nicolas", category: "wine", aliases: [] },
    { id: "total", name: "Total", category: "fuel", aliases: [] },
    { id: "picard", name: "Picard", category: "frozen food", aliases: [] },
    { id: "u", name: "Système U", category: "supermarket", aliases: [] },
    { id: "avia", name: "Avia", aliases: [] },
    { id: "kordalienne", name: "Kordalienne", aliases: [] },
    { id: "lydia", name: "Lydia", aliases: [] },
  ]);

  test.each([
    ["CB LA BOULANGERIE NANTES 12/11", null],
    ["CB BOULANGERIE PAU 12/11", "boulpaul"],
    ["CB ETS NICOLAS LYON 12/11", "nicolas"],
    ["CB SARL NICOLAS LYON 12/11", null],
    ["CB SAS 12/11", null],
    ["CB MAG SUPER U 39DOLE", "u"],
    ["CB STATION U 9240101 12/11", "u"],
    ["CB STATION AVIA BALBIGNY 12/11", "avia"],
    // A commune of some hundred people, and none at all.
    ["CB TOTAL ABAINVILLE 12/11", "total"],
    ["CB TOTAL ABRACADABRA 12/11", null],
    ["PICARD TOULOUSE31TOULOUSE", "picard"],
    ["CB KORDALIENNEIDFX 12/11", "kordalienne"],
    ["CB KORDALIENNEX 12/11", null],
    ["CARTE 12/11/24 LYDIA*APP CB*1234", "lydia"],
    ["CARTE 12/11/24 LYDIA*CHEZ JO CB*1234", null],
  ])("%s: %s", (label, brand) => {
    expect(recogniser.recognise(label).brandId).toBe(brand);
  });
});
