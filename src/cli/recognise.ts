// `npm run -s recognise -- --brands BRANDS.json < labels.jsonl > results.jsonl`: one JSON object a
// line in, one a line out in the same order, at full speed and in constant memory. A broken line
// gives an `error` line. It must not print a label anywhere but in the result: the summary on
// standard error holds counts only.
//
// With `--measure LABELLED.jsonl` it reads `{label, brand, kind, trap?}` lines instead and prints
// precision, recall and kind, alone and beside every brand of the public index that France has.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brandsFromIndex, mergeCatalogues } from "../recognition/brand-index.ts";
import { formatMeasured, measure, resolveBrands } from "../recognition/measure.ts";
import type { LabelledRow } from "../recognition/measure.ts";
import type {
  AggregatorHint,
  BrandEntry,
  Correction,
  Recogniser,
  RowKind,
} from "../recognition/ports.ts";
import { compileCatalogue } from "../recognition/recogniser.ts";

/** The aggregator's transaction types (and our own kinds) by the hint that they give. */
const HINTS: Readonly<Record<string, AggregatorHint>> = {
  card: "card",
  deferred_card: "card",
  refund: "refund",
  withdrawal: "withdrawal",
  transfer: "transfer",
  payout: "transfer",
  order: "debit",
  debit: "debit",
  check: "other",
  deposit: "other",
  payback: "refund",
  bank: "other",
  fee: "other",
  loan_repayment: "other",
  loan_payment: "other",
  summary_card: "other",
  card_summary: "other",
  market_order: "other",
  market_fee: "other",
  arbitrage: "other",
  profit: "other",
  other: "other",
};

type Summary = { lines: number; errors: number; branded: number; kinds: Record<string, number> };

class UsageError extends Error {}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Without the byte order mark that some exports begin with. */
function withoutMark(text: string): string {
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/**
 * Reads a file of ours. The parser's own message is left out: it quotes the text, which may be a
 * label.
 */
function readWith<T>(path: string, what: string, parse: (text: string) => T): T {
  let text: string;
  try {
    text = withoutMark(readFileSync(path, "utf8"));
  } catch {
    throw new UsageError(`cannot read the ${what} file ${path}`);
  }
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof UsageError
      ? error
      : new UsageError(`the ${what} file ${path} is no valid JSON`);
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
}

/** Reads a brands file: `[{id, name, category?, aliases[], excluded?[], wikidata?}]`. */
function parseBrands(text: string): BrandEntry[] {
  const parsed: unknown = JSON.parse(text);
  const rows = Array.isArray(parsed)
    ? parsed
    : isObject(parsed) && Array.isArray(parsed["brands"])
    ? parsed["brands"]
    : null;
  if (rows === null) throw new UsageError("the brands file is no JSON array");
  return rows.map((row: unknown, index) => {
    if (!isObject(row) || typeof row["id"] !== "string") {
      throw new UsageError(`brand ${String(index + 1)} has no id`);
    }
    const name = typeof row["name"] === "string" ? row["name"] : row["id"];
    return {
      id: row["id"],
      name,
      aliases: texts(row["aliases"]),
      excluded: texts(row["excluded"]),
      ...(typeof row["category"] === "string" ? { category: row["category"] } : {}),
      ...(typeof row["wikidata"] === "string" ? { wikidata: row["wikidata"] } : {}),
    };
  });
}

function parseCorrections(text: string): Correction[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const row: unknown = JSON.parse(line);
    if (!isObject(row) || typeof row["label"] !== "string") {
      throw new UsageError("a correction has no label");
    }
    return { label: row["label"], brandId: typeof row["brand"] === "string" ? row["brand"] : null };
  });
}

function resultLine(recogniser: Recogniser, line: string, summary: Summary): string {
  summary.lines += 1;
  let row: unknown;
  try {
    row = JSON.parse(summary.lines === 1 ? withoutMark(line) : line);
  } catch {
    summary.errors += 1;
    return `{"error":"invalid_json","line":${String(summary.lines)}}\n`;
  }
  if (!isObject(row) || typeof row["label"] !== "string") {
    summary.errors += 1;
    return `{"error":"missing_label","line":${String(summary.lines)}}\n`;
  }
  const label = row["label"];
  const type = row["type"];
  const hint = typeof type === "string" ? (HINTS[type] ?? "unknown") : "unknown";
  const result = recogniser.recognise(label, hint);
  if (result.brandId !== null) summary.branded += 1;
  summary.kinds[result.kind] = (summary.kinds[result.kind] ?? 0) + 1;
  return `${
    JSON.stringify({
      label,
      kind: result.kind,
      brand: result.brandId,
      matched: result.matched,
      confidence: result.confidence,
    })
  }\n`;
}

async function write(text: string): Promise<void> {
  if (text !== "" && !process.stdout.write(text)) await once(process.stdout, "drain");
}

/** Streams standard input to standard output chunk by chunk; waits when the reader is slower. */
async function stream(recogniser: Recogniser, summary: Summary): Promise<void> {
  let rest = "";
  process.stdin.setEncoding("utf8");
  for await (const chunk of process.stdin) {
    const text = String(chunk);
    // A line of many chunks is joined once, at its end, not searched again with each.
    if (!text.includes("\n")) {
      rest += text;
      continue;
    }
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    let out = "";
    for (const line of lines) out += resultLine(recogniser, line, summary);
    await write(out);
  }
  if (rest.trim() !== "") await write(resultLine(recogniser, rest, summary));
}

const KINDS: ReadonlySet<string> = new Set<RowKind>([
  "card",
  "refund",
  "withdrawal",
  "transfer",
  "debit",
  "other",
]);

function isKind(value: unknown): value is RowKind {
  return typeof value === "string" && KINDS.has(value);
}

function parseLabelled(text: string): LabelledRow[] {
  return text.split("\n").filter((line) => line.trim() !== "").map((line, index) => {
    const row: unknown = JSON.parse(line);
    if (!isObject(row) || typeof row["label"] !== "string" || !isKind(row["kind"])) {
      throw new UsageError(`labelled line ${String(index + 1)} has no label or kind`);
    }
    return {
      label: row["label"],
      kind: row["kind"],
      brand: typeof row["brand"] === "string" ? row["brand"] : null,
      ...(typeof row["trap"] === "string" ? { trap: row["trap"] } : {}),
    };
  });
}

/**
 * Prints the measurement alone and beside the index; with `mistakes`, each mistaken line before.
 */
function printMeasured(
  file: string,
  brands: readonly BrandEntry[],
  choices: { readonly named: boolean; readonly mistakes: boolean; readonly index?: string },
): void {
  const labelled = resolveBrands(
    readWith(file, "labelled", parseLabelled),
    brands,
    choices.named,
  );
  const ids = new Set(labelled.brands.map((brand) => brand.id));
  const alone = measure(
    compileCatalogue(labelled.brands),
    labelled.rows,
    ids,
    choices.mistakes
      ? ({ row, brandId, kind }) =>
        console.log(JSON.stringify({ ...row, got: brandId, gotKind: kind }))
      : undefined,
  );
  const index = choices.index ?? fileURLToPath(
    new URL("../../node_modules/name-suggestion-index/dist/json/nsi.json", import.meta.url),
  );
  const distractors = readWith(index, "index", (text) => brandsFromIndex(JSON.parse(text)));
  const all = mergeCatalogues(labelled.brands, distractors);
  console.log(formatMeasured(`${String(ids.size)} brands alone`, alone));
  console.log(
    formatMeasured(
      `beside ${String(all.length - ids.size)} brands of the index`,
      measure(compileCatalogue(all), labelled.rows, ids),
    ),
  );
}

const OPTIONS = {
  brands: { type: "string" },
  corrections: { type: "string" },
  measure: { type: "string" },
  index: { type: "string" },
  named: { type: "boolean", default: false },
  mistakes: { type: "boolean", default: false },
} as const;

function options() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : "unknown option");
  }
}

async function main(): Promise<number> {
  const values = options();
  if (values.brands === undefined) {
    throw new UsageError(
      "usage: npm run -s recognise -- --brands BRANDS.json [--corrections CORRECTIONS.jsonl] < labels.jsonl > results.jsonl\n" +
        "       npm run -s recognise -- --brands BRANDS.json --measure LABELLED.jsonl [--named] [--mistakes] [--index nsi.json]",
    );
  }
  const compileStart = performance.now();
  const brands = readWith(values.brands, "brands", parseBrands);
  if (values.measure !== undefined) {
    printMeasured(values.measure, brands, values);
    return 0;
  }
  const corrections = values.corrections === undefined
    ? []
    : readWith(values.corrections, "corrections", parseCorrections);
  const recogniser = compileCatalogue(brands, { corrections });
  const compiledMs = performance.now() - compileStart;
  const summary: Summary = { lines: 0, errors: 0, branded: 0, kinds: {} };
  const start = performance.now();
  await stream(recogniser, summary);
  const ms = performance.now() - start;
  const kinds = Object.entries(summary.kinds).sort(([a], [b]) => (a < b ? -1 : 1)).map((
    [kind, count],
  ) => `${kind} ${String(count)}`).join(", ");
  console.error(
    `${String(summary.lines)} lines in ${ms.toFixed(0)} ms (${
      Math.round(summary.lines / Math.max(ms, 0.001) * 1000).toLocaleString("en")
    } a second), ${String(brands.length)} brands compiled in ${compiledMs.toFixed(0)} ms`,
  );
  console.error(`branded ${String(summary.branded)}, errors ${String(summary.errors)}; ${kinds}`);
  return 0;
}

// A reader that closes early (head) is no error.
process.stdout.on(
  "error",
  (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1),
);

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : "failed");
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
