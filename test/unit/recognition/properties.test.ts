// What holds for every label and every catalogue: the answer is the same on its own merchant,
// whatever the order of brands and aliases, and the work grows with the label, not with its square
// and not with the catalogue. Work is counted, not timed.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileTrie } from "../../../src/recognition/compile.ts";
import { newFrame, readFrame } from "../../../src/recognition/frame.ts";
import { newMatchContext } from "../../../src/recognition/match-context.ts";
import { matchField } from "../../../src/recognition/matcher.ts";
import type { BrandEntry } from "../../../src/recognition/ports.ts";
import { compileCatalogue } from "../../../src/recognition/recogniser.ts";
import { newScan, scan } from "../../../src/recognition/scan.ts";
import { acquirer, pick, seeded, SHAPES } from "../../support/label-forge.ts";

const NAMES = [
  "Monoprix",
  "Carrefour",
  "Paul",
  "Orange",
  "La Halle",
  "Super U",
  "H&M",
  "Canal+",
  "McDonald's",
  "Uber",
  "Uber Eats",
  "Galeries Lafayette",
  "Brioche Dorée",
  "BP",
  "Optic 2000",
  "L'Occitane",
  "orange.fr",
  "Ty Gwenn",
  "8 à Huit",
  "Intermarché",
];
const brandsOf = (names: readonly string[]): BrandEntry[] =>
  names.map((name) => ({
    id: name,
    name,
    category: "shop",
    aliases: [name],
    excluded: name === "Carrefour" ? ["Carrefour Drive"] : [],
  }));
const brands = brandsOf(NAMES);
const recogniser = compileCatalogue(brands);

const TOWNS = [
  "PARIS",
  "LYON",
  "ORANGE",
  "ST ETIENNE",
  "LE TOUQUET PARIS PLAGE",
  "PLOUGASNOU",
  "VILLENEUVE D ASCQ",
];
const MERCHANT_PARTS = [
  ...NAMES,
  "CHEZ",
  "BAR",
  "SC-",
  "PAYPAL *",
  "SUMUP *",
  "DAC",
  "STATION",
  "1234",
  "75",
  "COIFFURE",
  "DRIVE",
  "ET FILS",
  "LE",
  "LA",
  "FRANCE",
  "CARTE",
  "CB",
  "12/11",
  "F0605",
  "-",
  "&",
  "+",
  "?",
  "VAD",
];
const merchant = fc.array(fc.constantFrom(...MERCHANT_PARTS), { minLength: 1, maxLength: 4 }).map((
  parts,
) => parts.join(" "));
const forged = fc.tuple(
  fc.constantFrom(...SHAPES),
  merchant,
  fc.constantFrom(...TOWNS),
  fc.integer(),
).map(([shape, text, town, seed]) => shape.make(acquirer(seeded(seed), text), town, seeded(seed)));
const label = fc.oneof(
  forged,
  merchant,
  fc.string({ maxLength: 60 }),
  fc.string({ unit: "binary", maxLength: 40 }),
);

test("recognising its own merchant gives the same merchant and brand", () => {
  fc.assert(
    fc.property(label, (text) => {
      const first = recogniser.recognise(text);
      if (first.merchant === "") return;
      const second = recogniser.recognise(first.merchant, first.kind);
      expect(second.merchant).toBe(first.merchant);
      // A bare merchant's text has lost its column, which says where the town begins.
      const column = recogniser.explain(text).evidence.find((step) =>
        step.startsWith("merchant_column:")
      );
      const width = Number(column?.split(":")[1] ?? Number.POSITIVE_INFINITY);
      if (first.merchant.length <= width) expect(second.brandId).toBe(first.brandId);
    }),
    { numRuns: 5_000 },
  );
});

test("the order of brands and aliases does not matter", () => {
  const many = brands.map((brand, i) => ({
    ...brand,
    aliases: [brand.name, `${brand.name} Shop`, `Zo${String(i)}rix`],
  }));
  fc.assert(
    fc.property(
      fc.shuffledSubarray(many, { minLength: many.length }),
      fc.array(label, { minLength: 1, maxLength: 20 }),
      (shuffled, texts) => {
        const [a, b] = [
          compileCatalogue(many),
          compileCatalogue(
            shuffled.map((brand) => ({ ...brand, aliases: brand.aliases.toReversed() })),
          ),
        ];
        for (const text of texts) {
          expect(b.recognise(text).brandId).toBe(
            a.recognise(text).brandId,
          );
        }
      },
    ),
    { numRuns: 60 },
  );
});

test("any text gets an answer of the promised shape", () => {
  fc.assert(
    fc.property(label, (text) => {
      const got = recogniser.recognise(text);
      expect(got.confidence).toBeGreaterThanOrEqual(0);
      expect(got.confidence).toBeLessThanOrEqual(1);
      expect(got.brandId === null).toBe(got.confidence === 0);
      expect(got.brandId === null).toBe(got.matched === null);
      if (got.kind !== "card" && got.kind !== "refund") {
        expect(got).toMatchObject({ brandId: null, merchant: "" });
      }
      expect(recogniser.kindOf(text)).toBe(got.kind);
      expect(recogniser.explain(text)).toMatchObject({
        brandId: got.brandId,
        kind: got.kind,
        merchant: got.merchant,
      });
    }),
    { numRuns: 2_000 },
  );
});

const hostilePart = fc.constantFrom(
  ...MERCHANT_PARTS,
  " ".repeat(50),
  "\u0000",
  "\u{1f6d2}",
  "\ud83d",
  "\u202e\u0627\u0644",
  "E\u0301",
  "\ufffd",
  "PAIEMENT CB 1412",
  "CARTE X1234",
  "|",
);

test("a label of 5,000 characters of anything is answered, with the same answer each time", () => {
  fc.assert(
    fc.property(
      fc.array(hostilePart, { minLength: 1, maxLength: 40 }),
      fc.constantFrom("", " "),
      (parts, between) => {
        const once = parts.join(between);
        const text = `${once}${between}`.repeat(Math.ceil(5_000 / (once.length + 1))).slice(
          0,
          5_000,
        );
        const first = recogniser.recognise(text);
        expect(recogniser.kindOf(text)).toBe(first.kind);
        // What a long label leaves behind must not show in the next one.
        expect(recogniser.recognise("CB MONOPRIX 12/11").brandId).toBe("Monoprix");
        expect(recogniser.recognise(text)).toEqual(first);
      },
    ),
    { numRuns: 200 },
  );
});

/** Steps of one recognition: tokens read and steps of matching. */
function work(catalogue: ReturnType<typeof compileTrie>, text: string): number {
  const [tokens, frame] = [newScan(), newFrame()];
  scan(text, tokens);
  readFrame(tokens, frame, "unknown");
  const context = newMatchContext(tokens, catalogue);
  matchField(context, frame);
  return tokens.count + context.match.work;
}

/** Repeated phrases do not fill 200 characters exactly. */
const ROUNDING = 200;

describe("work", () => {
  const catalogue = compileTrie(brands);
  const hostile: readonly (readonly [string, (length: number) => string])[] = [
    ["one word", (n) => "A".repeat(n)],
    ["one brand's letters", (n) => `MONOPRIX${"X".repeat(n)}`],
    ["the same brand again", (n) => "CARREFOUR ".repeat(n / 10)],
    ["neutral words", (n) => `ORANGE ${"FRANCE ".repeat(n / 7)}`],
    ["heads", (n) => "CARTE 12/11 ".repeat(n / 12)],
    ["towns first", (n) => `PAIEMENT CB 1412 ${"ST ".repeat(n / 3)}`],
    ["single letters", (n) => "A B ".repeat(n / 4)],
    ["openers", (n) => "DAC STATION ".repeat(n / 12)],
    ["facilitators", (n) => "PAYPAL *".repeat(n / 8)],
    ["an excluded phrase begun", (n) => `CARREFOUR ${"CARREFOUR DRIV ".repeat(n / 15)}`],
    ["accents", (n) => "É".repeat(n)],
    ["blanks", (n) => " ".repeat(n)],
    ["blanks inside a name", (n) => `CB SUPER${" ".repeat(n)}U 12/11`],
    ["emoji", (n) => "CB \u{1f6d2} ".repeat(n / 6)],
    ["right to left", (n) => "\u0627\u0644\u0633\u0648\u0642 ".repeat(n / 6)],
    ["NUL", (n) => "CB\u0000MONOPRIX ".repeat(n / 12)],
    ["communes", (n) => `CB ${"ABAINVILLE ST ".repeat(n / 14)}`],
    ["questions for accents", (n) => "NOCIB? ".repeat(n / 7)],
    ["instalments without an end", (n) => "1ER TIERS SUR ".repeat(n / 14)],
    ["refunds", (n) => "ANN DE PAIEMENT PAR ".repeat(n / 20)],
  ];
  test.each(hostile)("grows at most with the length: %s", (_name, make) => {
    expect(work(catalogue, make(10_000))).toBeLessThanOrEqual(
      50 * work(catalogue, make(200)) + ROUNDING,
    );
  });

  test("does not grow with the catalogue", () => {
    const random = seeded(11);
    const syllables = [
      "BA",
      "CO",
      "DI",
      "FU",
      "GRA",
      "LEN",
      "MO",
      "NI",
      "PRA",
      "TO",
      "VEL",
      "ZU",
      "CHA",
      "REN",
    ];
    const invented = (): string =>
      Array.from({ length: 4 }, () => pick(random, syllables)).join("");
    const large = compileTrie([...brands, ...brandsOf(Array.from({ length: 10_000 }, invented))]);
    let [small, big] = [0, 0];
    for (let i = 0; i < 500; i += 1) {
      const text = pick(random, SHAPES).make(
        acquirer(random, pick(random, NAMES)),
        pick(random, TOWNS),
        random,
      );
      small += work(catalogue, text);
      big += work(large, text);
    }
    expect(big).toBeLessThanOrEqual(1.5 * small);
  });
});
