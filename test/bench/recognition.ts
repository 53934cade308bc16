// Recognition side by side with what one would otherwise take, in one run, on the same raw labels
// and the same 10,000-alias catalogue: fuse.js, minisearch, flexsearch, one big alternation and two
// Aho-Corasick packages. Normalisation counts for everybody, and everybody gets the same gate on
// the bank's head, so that only the matching differs. Runs alone: `node test/bench/recognition.ts`,
// or from the bench that exports it.

import { readFileSync } from "node:fs";
import process from "node:process";
import { AhoCorasick as PlainAhoCorasick } from "@monyone/aho-corasick";
import { Index as FlexIndex } from "flexsearch";
import Fuse from "fuse.js";
import MiniSearch from "minisearch";
import ModernAhoCorasick from "modern-ahocorasick";
import { brandsFromIndex, mergeCatalogues } from "../../src/recognition/brand-index.ts";
import type { BrandEntry } from "../../src/recognition/ports.ts";
import { compileCatalogue } from "../../src/recognition/recogniser.ts";
import { acquirer, pick, seeded, SHAPES } from "../support/label-forge.ts";

export type RecognitionRow = {
  readonly name: string;
  readonly labelsPerSecond: number;
  readonly ratio: number;
  readonly precision: number;
  readonly recall: number;
};
export type RecognitionBench = {
  readonly rows: readonly RecognitionRow[];
  readonly aliases: number;
  readonly smallAliases: number;
  readonly flatness: number;
  readonly compileMs: number;
  readonly recompileMs: number;
  readonly catalogueBytes: number;
};

type Labelled = { label: string; brand: string | null; kind: string };
type Contender = {
  readonly name: string;
  readonly find: (label: string) => string | null;
  readonly share: number;
};

const ALIASES = 10_000;
const ROUNDS = 5;
const LABELS = 40_000;

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

function aliasCount(brands: readonly BrandEntry[]): number {
  return brands.reduce((count, brand) => count + brand.aliases.length, 0);
}

/** Partners, the index, and invented brands up to the wanted number of aliases. */
function catalogueOf(partners: readonly BrandEntry[], size: number, seed: number): BrandEntry[] {
  const nsi: unknown = JSON.parse(
    read("../../node_modules/name-suggestion-index/dist/json/nsi.json"),
  );
  const brands = [...mergeCatalogues(partners, brandsFromIndex(nsi))];
  const random = seeded(seed);
  const syllables = [
    "bra",
    "co",
    "di",
    "fu",
    "gra",
    "len",
    "mo",
    "ni",
    "pra",
    "to",
    "vel",
    "zu",
    "cha",
    "ren",
    "qui",
    "lo",
  ];
  const word = (): string =>
    Array.from({ length: 2 + Math.floor(random() * 3) }, () => pick(random, syllables)).join("");
  for (let missing = size - aliasCount(brands); missing > 0; missing -= 2) {
    const name = `${word()} ${word()}`;
    brands.push({
      id: `invented-${String(missing)}`,
      name,
      category: "shop",
      aliases: missing === 1 ? [name] : [name, `${word()}${word()}`],
    });
  }
  return brands;
}

/** What a careful reader would write first: no accents, upper case, one blank between words. */
function normalise(label: string): string {
  return label.normalize("NFD").replace(/\p{M}/gu, "").toUpperCase().replace(/[^A-Z0-9]+/g, " ")
    .trim();
}

const NO_CARD_ROW =
  /^(?:RET |RETRAIT|DAB|VIR|EVI|E VIR|PRLV|PREL|PE SEPA|TIP SEPA|OPERATION|FRAIS|COMMISSION|F COTISATION|CHEQUE|RELEVE|REG |REGLEMENT|DEPENSES|DEBIT MENSUEL|CARTE FACTURETTES|CARTE X\d+ RETRAIT)/;

function contenders(brands: readonly BrandEntry[]): Contender[] {
  const byAlias = new Map<string, string>();
  for (const brand of brands) {
    for (const alias of brand.aliases) {
      const key = normalise(alias);
      if (key.length > 1 && !byAlias.has(key)) byAlias.set(key, brand.id);
    }
  }
  const keys = [...byAlias.keys()];
  const docs = keys.map((alias, id) => ({ id, alias }));
  const gated = (find: (text: string) => string | null) => (label: string): string | null => {
    const text = normalise(label);
    return NO_CARD_ROW.test(text) ? null : find(text);
  };
  const whole = (text: string, begin: number, end: number): boolean =>
    (begin === 0 || text[begin - 1] === " ") && (end === text.length || text[end] === " ");
  const longest = (text: string, hits: Iterable<readonly [number, number]>): string | null => {
    let best = "";
    for (const [begin, end] of hits) {
      if (end - begin > best.length && whole(text, begin, end)) best = text.slice(begin, end);
    }
    return byAlias.get(best) ?? null;
  };
  const alternation = new RegExp(
    `\\b(?:${keys.toSorted((a, b) => b.length - a.length).join("|")})\\b`,
  );
  const modern = new ModernAhoCorasick(keys);
  const plain = new PlainAhoCorasick(keys);
  const fuse = new Fuse(docs, {
    keys: ["alias"],
    includeScore: true,
    threshold: 0.2,
    ignoreLocation: true,
  });
  const mini = new MiniSearch<{ id: number; alias: string }>({
    fields: ["alias"],
    storeFields: ["alias"],
  });
  mini.addAll(docs);
  const flex = new FlexIndex({ tokenize: "strict" });
  for (const { id, alias } of docs) flex.add(id, alias);
  const flexFind = (text: string): string | null => {
    for (const word of text.split(" ")) {
      const [first] = flex.search(word, { limit: 1 });
      const alias = first === undefined ? undefined : keys[Number(first)];
      if (alias !== undefined && ` ${text} `.includes(` ${alias} `)) {
        return byAlias.get(alias) ?? null;
      }
    }
    return null;
  };
  const ours = compileCatalogue(brands);
  return [
    { name: "cagnotte", find: (label) => ours.recognise(label).brandId, share: 1 },
    {
      name: "alternation regex",
      find: gated((text) => byAlias.get(alternation.exec(text)?.[0] ?? "") ?? null),
      share: 1,
    },
    {
      name: "modern-ahocorasick",
      find: gated((text) =>
        longest(text, modern.search(text).map(({ start, end }) => [start, end] as const))
      ),
      share: 1,
    },
    {
      name: "@monyone/aho-corasick",
      find: gated((text) =>
        longest(text, plain.matchInText(text).map(({ begin, end }) => [begin, end] as const))
      ),
      share: 1,
    },
    { name: "flexsearch", find: gated(flexFind), share: 0.1 },
    {
      name: "minisearch",
      find: gated((text) => {
        const [hit] = mini.search(text);
        const alias = hit === undefined ? undefined : keys[Number(hit.id)];
        return alias !== undefined && ` ${text} `.includes(` ${alias} `)
          ? (byAlias.get(alias) ?? null)
          : null;
      }),
      share: 0.1,
    },
    {
      name: "fuse.js",
      find: gated((text) => {
        const [hit] = fuse.search(text);
        return hit === undefined ? null : (byAlias.get(hit.item.alias) ?? null);
      }),
      share: 0.001,
    },
  ];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function rate(find: (label: string) => string | null, labels: readonly string[]): number {
  let found = 0;
  const start = performance.now();
  for (const label of labels) if (find(label) !== null) found += 1;
  const seconds = (performance.now() - start) / 1000;
  return found < 0 ? 0 : labels.length / seconds;
}

function accuracy(
  find: (label: string) => string | null,
  rows: readonly Labelled[],
  partners: ReadonlySet<string>,
): { precision: number; recall: number } {
  let [right, wrong, missed] = [0, 0, 0];
  for (const row of rows) {
    if (row.kind !== "card" && row.kind !== "refund") continue;
    const got = find(row.label);
    const brand = got !== null && partners.has(got) ? got : null;
    if (brand !== null && brand === row.brand) right += 1;
    else {
      if (brand !== null) wrong += 1;
      if (row.brand !== null) missed += 1;
    }
  }
  return {
    precision: right / Math.max(1, right + wrong),
    recall: right / Math.max(1, right + missed),
  };
}

/** Labelled lines and forged ones, mixed; as flat strings, as they come out of a parsed body. */
function labelsOf(rows: readonly Labelled[], brands: readonly BrandEntry[]): string[] {
  const random = seeded(3);
  const towns = [
    "PARIS",
    "LYON",
    "MARSEILLE",
    "ST ETIENNE",
    "LE TOUQUET PARIS PLAGE",
    "PLOUGASNOU",
    "VILLENEUVE D ASCQ",
  ];
  const labels = Array.from(
    { length: LABELS },
    (_, i) => (i % 2 === 0 ? pick(random, rows).label : pick(random, SHAPES).make(
      acquirer(random, pick(random, brands).name),
      pick(random, towns),
      random,
    )),
  );
  return JSON.parse(JSON.stringify(labels)) as string[];
}

/** Each compilation gets aliases that this process has not seen, since spellings are kept. */
function compileCost(
  partners: readonly BrandEntry[],
): { compileMs: number; recompileMs: number; catalogueBytes: number } {
  const first: number[] = [];
  const again: number[] = [];
  const bytes: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const brands = catalogueOf(partners, ALIASES, 100 + round);
    globalThis.gc?.();
    const before = process.memoryUsage();
    let start = performance.now();
    const kept = compileCatalogue(brands);
    first.push(performance.now() - start);
    globalThis.gc?.();
    const after = process.memoryUsage();
    bytes.push(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers);
    start = performance.now();
    compileCatalogue(brands);
    again.push(performance.now() - start);
    kept.kindOf("");
  }
  return {
    compileMs: median(first),
    recompileMs: median(again),
    catalogueBytes: globalThis.gc === undefined ? Number.NaN : median(bytes),
  };
}

/**
 * Compares all contenders; medians of five rounds, taken in turn so that a busy machine hurts
 * everybody alike.
 */
export function benchRecognition(): RecognitionBench {
  const partners = JSON.parse(read("../../src/local/data/brands.json")) as BrandEntry[];
  const rows = read("../fixtures/labels/dev.jsonl").trim().split("\n").map((line) =>
    JSON.parse(line) as Labelled
  );
  const ids = new Set(partners.map((brand) => brand.id));
  const brands = catalogueOf(partners, ALIASES, 1);
  const labels = labelsOf(rows, brands);
  const all = contenders(brands);
  const rates = new Map<string, number[]>();
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const { name, find, share } of all) {
      const measured = rate(find, labels.slice(0, Math.max(20, Math.round(labels.length * share))));
      // The first round warms up.
      if (round > 0) rates.set(name, [...(rates.get(name) ?? []), measured]);
    }
  }
  const ours = median(rates.get("cagnotte") ?? []);
  const small = compileCatalogue(partners);
  const large = compileCatalogue(brands);
  // Labels that both catalogues know: a label that only the large one recognises costs its match,
  // not its aliases.
  const random = seeded(5);
  const shared = Array.from({ length: LABELS }, () => pick(random, rows).label);
  const flat: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const ratio = rate((label) => small.recognise(label).brandId, shared) /
      rate((label) => large.recognise(label).brandId, shared);
    if (round > 0) flat.push(ratio);
  }
  return {
    rows: all.map(({ name, find }) => {
      const labelsPerSecond = median(rates.get(name) ?? []);
      return { name, labelsPerSecond, ratio: labelsPerSecond / ours, ...accuracy(find, rows, ids) };
    }),
    aliases: aliasCount(brands),
    smallAliases: aliasCount(partners),
    flatness: median(flat),
    ...compileCost(partners),
  };
}

/** The report as lines of text. */
export function formatRecognition(bench: RecognitionBench): string {
  const rows = bench.rows.map((row) =>
    `${row.name.padEnd(24)} ${
      Math.round(row.labelsPerSecond).toLocaleString("en").padStart(12)
    } labels/s  x${row.ratio.toFixed(3).padEnd(7)} precision ${row.precision.toFixed(3)}  recall ${
      row.recall.toFixed(3)
    }`
  );
  return [
    `recognition, ${String(bench.aliases)} aliases, raw labels, one core`,
    ...rows,
    `${String(bench.smallAliases)} aliases against ${String(bench.aliases)}: x${
      bench.flatness.toFixed(2)
    }`,
    `compile ${bench.compileMs.toFixed(0)} ms (again, one version later: ${
      bench.recompileMs.toFixed(0)
    } ms), ${
      Number.isNaN(bench.catalogueBytes)
        ? "memory needs --expose-gc"
        : `${(bench.catalogueBytes / 1e6).toFixed(1)} MB`
    }`,
  ].join("\n");
}

if (
  process.argv[1] !== undefined && import.meta.url.endsWith("/test/bench/recognition.ts") &&
  process.argv[1].endsWith("recognition.ts")
) console.log(formatRecognition(benchRecognition()));
