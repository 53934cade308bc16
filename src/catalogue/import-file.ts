// Files that operators import: JSON, JSON lines (one object a line) or CSV (RFC 4180, comma or semicolon). It turns a file into
// numbered items and says which line is not one; what an item must be is the schema's business. Pure.
import type { z } from "zod";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { fieldError } from "./errors.ts";
import type { CatalogueFieldError } from "./errors.ts";

export type ImportFormat = "json" | "ndjson" | "csv";

/** One item of a file, the line it stands on (its position in a JSON array), and the pointer that its errors start with. */
export type RawLine = { readonly line: number; readonly pointer: string; readonly value: unknown };
export type CheckedLine<T> = { readonly line: number; readonly pointer: string; readonly input: T };

/** How the columns of a CSV become an item; null for a column that does not exist. */
export type CsvColumns = Readonly<Record<string, (text: string, item: Record<string, unknown>) => void>>;

export const IMPORT_LINES_MAX = 20_000;
// A file that is wrong throughout needs no million complaints.
const ERRORS_MAX = 1_000;

type Lines = Result<readonly RawLine[], readonly CatalogueFieldError[]>;

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readJson(text: string, member: string): Lines {
  const parsed = parseJson(text);
  const items = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>)[member] : undefined;
  if (!Array.isArray(items)) return err([fieldError(`/${member}`, "field_invalid")]);
  return ok(items.map((value: unknown, index) => ({ line: index + 1, pointer: `/${member}/${index}`, value })));
}

function readJsonLines(text: string): Lines {
  const lines: RawLine[] = [];
  const errors: CatalogueFieldError[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === "") continue;
    const value = parseJson(content);
    const pointer = `#line/${index + 1}`;
    if (value === undefined) errors.push(fieldError(pointer, "malformed_json"));
    else lines.push({ line: index + 1, pointer, value });
  }
  return errors.length > 0 ? err(errors) : ok(lines);
}

type CsvRecord = { readonly line: number; readonly cells: readonly string[] };

/** The records of a CSV text, or the line on which a quote is out of place. */
export function csvRecords(text: string): Result<readonly CsvRecord[], number> {
  const separator = (text.split(/\r?\n/, 1)[0] ?? "").includes(";") ? ";" : ",";
  // A cell: quoted with doubled quotes inside, or plain; then what ends it. Anchored, so that it never looks back.
  const cell = new RegExp(`(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|$)`, "y");
  const records: CsvRecord[] = [];
  let cells: string[] = [];
  let line = 1;
  let startLine = 1;
  while (cell.lastIndex < text.length || cells.length > 0) {
    const match = cell.exec(text);
    if (match === null) return err(line);
    const [whole, quoted, plain = "", end] = match;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === separator) continue;
    if (cells.some((value) => value !== "")) records.push({ line: startLine, cells });
    [cells, startLine] = [[], line];
  }
  return ok(records);
}

function readCsv(text: string, columns: CsvColumns): Lines {
  const records = csvRecords(text.replace(/^\uFEFF/, ""));
  if (!records.ok) return err([fieldError(`#line/${records.error}`, "malformed_csv")]);
  const [header, ...rows] = records.value;
  const names = (header?.cells ?? []).map((name) => name.trim().toLowerCase());
  const unknown = names.filter((name) => !Object.hasOwn(columns, name));
  if (unknown.length > 0) return err(unknown.map((name) => fieldError(`#line/1/${name.slice(0, 40)}`, "column_unknown")));
  const errors = rows.filter((row) => row.cells.length > names.length).map((row) => fieldError(`#line/${row.line}`, "malformed_csv"));
  if (errors.length > 0) return err(errors);
  return ok(rows.map(({ line, cells }) => {
    const item: Record<string, unknown> = {};
    for (const [index, name] of names.entries()) {
      const value = (cells[index] ?? "").trim();
      if (value !== "") columns[name]?.(value, item);
    }
    return { line, pointer: `#line/${line}`, value: item };
  }));
}

// A spreadsheet that saves Latin-1 would fill the catalogue with broken accents. The decoder has put this sign in their place.
const UNDECODABLE = "\uFFFD";

/** The items of a file. `member` is the array's name in a JSON file. Any line that is not an item refuses the file. */
export function readImport(text: string, format: ImportFormat, member: string, columns: CsvColumns): Lines {
  const broken = text.indexOf(UNDECODABLE);
  if (broken !== -1) return err([fieldError(`#line/${text.slice(0, broken).split("\n").length}`, "not_utf8")]);
  const lines = format === "json" ? readJson(text, member) : format === "ndjson" ? readJsonLines(text) : readCsv(text, columns);
  if (!lines.ok) return err(lines.error.slice(0, ERRORS_MAX));
  if (lines.value.length === 0) return err([fieldError(format === "json" ? `/${member}` : "#line/1", "file_empty")]);
  if (lines.value.length > IMPORT_LINES_MAX) return err([fieldError(format === "json" ? `/${member}` : `#line/${IMPORT_LINES_MAX + 1}`, "too_many_lines")]);
  return lines;
}

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Checks each item against the schema; every bad field of every line is reported. */
export function checkLines<T>(lines: readonly RawLine[], schema: z.ZodType<T>): Result<readonly CheckedLine<T>[], readonly CatalogueFieldError[]> {
  const checked: CheckedLine<T>[] = [];
  const errors: CatalogueFieldError[] = [];
  for (const { line, pointer, value } of lines) {
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      checked.push({ line, pointer, input: parsed.data });
      continue;
    }
    for (const issue of parsed.error.issues) {
      const at = `${pointer}${pointerOf(issue.path)}`;
      if (issue.code === "unrecognized_keys") errors.push(...issue.keys.map((name) => fieldError(`${at}/${name.slice(0, 40)}`, "unknown_field")));
      else errors.push(fieldError(at, "field_invalid"));
    }
  }
  return errors.length > 0 ? err(errors.slice(0, ERRORS_MAX)) : ok(checked);
}

type Setter = CsvColumns[string];

const asText = (name: string): Setter => (text, item) => void (item[name] = text);
const asList = (name: string): Setter => (text, item) => void (item[name] = text.split("|").map((part) => part.trim()).filter((part) => part !== ""));

/** Several aliases stand in one cell with `|` between them. */
export const BRAND_COLUMNS: CsvColumns = {
  id: asText("id"), name: asText("name"), category: asText("category"), aliases: asList("aliases"), excluded: asList("excluded"),
  website: asText("website"), logo_url: asText("logo_url"), wikidata: asText("wikidata"),
};

function child(item: Record<string, unknown>, name: string): Record<string, unknown> {
  const existing = item[name];
  if (typeof existing === "object" && existing !== null) return existing as Record<string, unknown>;
  const made: Record<string, unknown> = {};
  item[name] = made;
  return made;
}

// Not a number stays text, which the schema then refuses at that column.
const numberOf = (text: string): unknown => (/^-?\d{1,15}$/.test(text) ? Number(text) : text);
const inTitle = (name: string): Setter => (text, item) => void (child(item, "title")[name] = text);
const termText = (name: string): Setter => (text, item) => void (child(item, "version")[name] = text);
const termNumber = (name: string): Setter => (text, item) => void (child(item, "version")[name] = numberOf(text));
const termFlag = (name: string): Setter => (text, item) => void (child(item, "version")[name] = text === "true" ? true : text === "false" ? false : text);

/** `0:200|5000:400`: 200 basis points from 0 cents on, 400 from 5000. */
const termTiers: Setter = (text, item) => {
  child(item, "version")["tiers"] = text.split("|").map((part) => {
    const [from = "", rate = ""] = part.split(":");
    return { from_cents: numberOf(from.trim()), rate_bp: numberOf(rate.trim()) };
  });
};

const TERM_NUMBERS = [
  "rate_bp", "points", "min_cents", "max_cents", "cap_points_per_purchase", "cap_points_per_user", "cap_purchases_per_user", "activation_days",
  "confirmation_days", "budget_points", "priority",
] as const;
const TERM_TEXTS = ["kind", "period", "activation", "channel", "starts_at", "ends_at"] as const;

export const OFFER_COLUMNS: CsvColumns = {
  brand_id: asText("brand_id"), brand: asText("brand"), title_fr: inTitle("fr"), title_en: inTitle("en"), tiers: termTiers, first_purchase_only: termFlag("first_purchase_only"),
  ...Object.fromEntries(TERM_NUMBERS.map((name) => [name, termNumber(name)])),
  ...Object.fromEntries(TERM_TEXTS.map((name) => [name, termText(name)])),
};
