// Files that operators import: JSON, JSON lines (one object a line) or CSV (RFC 4180, comma or
// semicolon). It turns a file into numbered items and says which line is not one; what an item must
// be is the schema's business. Pure. Nothing here refuses a file: errors are gathered, so that one
// answer lists all of them, and whoever decides refuses.
import type { z } from "zod";
import { valueErrors } from "../../http/validation.ts";
import { fieldError, lineError } from "../errors.ts";
import type { CatalogueFieldError } from "../errors.ts";

export type ImportFormat = "json" | "ndjson" | "csv";

/**
 * One item of a file, its line (its position in a JSON array), and the pointer that
 * its errors start with.
 */
type RawLine = { readonly line: number; readonly pointer: string; readonly value: unknown };

/** A file as far as it could be read, and what is wrong with the rest. */
type RawFile = {
  readonly lines: readonly RawLine[];
  readonly errors: readonly CatalogueFieldError[];
};

/**
 * One item as its schema sees it. Members that are sound are there even when others are not, so
 * that they can be judged too.
 */
export type CheckedLine<T> = {
  readonly line: number;
  readonly pointer: string;
  /** Null when anything is wrong with the item. */
  readonly item: T | null;
  readonly sound: Partial<T>;
  /** Members that the schema refused. */
  readonly refused: ReadonlySet<string>;
};
export type CheckedFile<T> = {
  readonly lines: readonly CheckedLine<T>[];
  readonly errors: readonly CatalogueFieldError[];
};

/** How the columns of a CSV become an item; null for a column that does not exist. */
export type CsvColumns = Readonly<
  Record<string, (text: string, item: Record<string, unknown>) => void>
>;

export const IMPORT_LINES_MAX = 20_000;
// A file that is wrong throughout needs no million complaints.
const ERRORS_MAX = 1_000;

// A spreadsheet that saves Latin-1 would fill the catalogue with broken accents. The decoder has
// put this sign in their place.
const UNDECODABLE = "\uFFFD";

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readJson(text: string, member: string): RawFile {
  const parsed = parseJson(text);
  const file = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)
    ? (parsed as Record<string, unknown>)
    : {};
  const errors = Object.keys(file).filter((name) => name !== member).map((name) =>
    fieldError(`/${name.slice(0, 64)}`, "unknown_field")
  );
  const items = file[member];
  if (!Array.isArray(items)) {
    return { lines: [], errors: [...errors, fieldError(`/${member}`, "list_missing")] };
  }
  const lines = items.map((value: unknown, index) => ({
    line: index + 1,
    pointer: `/${member}/${index}`,
    value,
  }));
  if (text.includes(UNDECODABLE)) {
    errors.push(
      ...lines.filter(({ value }) => JSON.stringify(value).includes(UNDECODABLE)).map((at) =>
        lineError(at, "", "not_utf8")
      ),
    );
  }
  return { lines, errors };
}

function readJsonLines(text: string): RawFile {
  const lines: RawLine[] = [];
  const errors: CatalogueFieldError[] = [];
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    if (content.trim() === "") continue;
    const at = { line: index + 1, pointer: `#line/${index + 1}` };
    const value = parseJson(content);
    if (content.includes(UNDECODABLE)) errors.push(lineError(at, "", "not_utf8"));
    if (value === undefined) errors.push(lineError(at, "", "malformed_json"));
    else lines.push({ ...at, value });
  }
  return { lines, errors };
}

type CsvRecord = { readonly line: number; readonly cells: readonly string[] };

/**
 * The records of a CSV text, and the lines on which a quote is out of place; reading goes on at the
 * next line.
 */
export function csvRecords(
  text: string,
): { readonly records: readonly CsvRecord[]; readonly brokenLines: readonly number[] } {
  const separator = (text.split(/\r?\n/, 1)[0] ?? "").includes(";") ? ";" : ",";
  // A cell: quoted with doubled quotes inside, or plain; then what ends it. Anchored, so that it
  // never looks back.
  const cell = new RegExp(
    `(?:"((?:[^"]|"")*)"|([^"${separator}\\r\\n]*))(${separator}|\\r?\\n|$)`,
    "y",
  );
  const records: CsvRecord[] = [];
  const brokenLines: number[] = [];
  let cells: string[] = [];
  let line = 1;
  let startLine = 1;
  let position = 0;
  while (position < text.length || cells.length > 0) {
    cell.lastIndex = position;
    const match = cell.exec(text);
    if (match === null) {
      brokenLines.push(line);
      const lineEnd = text.indexOf("\n", position);
      position = lineEnd === -1 ? text.length : lineEnd + 1;
      line += 1;
      [cells, startLine] = [[], line];
      continue;
    }
    position = cell.lastIndex;
    const [whole, quoted, plain = "", end] = match;
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    line += whole.split("\n").length - 1;
    if (end === separator) continue;
    if (cells.some((value) => value !== "")) records.push({ line: startLine, cells });
    [cells, startLine] = [[], line];
  }
  return { records, brokenLines };
}

function readCsv(text: string, columns: CsvColumns): RawFile {
  const { records, brokenLines } = csvRecords(text.replace(/^\uFEFF/, ""));
  const atLine = (line: number) => ({ line, pointer: `#line/${line}` });
  const errors = brokenLines.map((line) => lineError(atLine(line), "", "malformed_csv"));
  // Without the first line nobody knows what the others mean.
  if (brokenLines.includes(1)) return { lines: [], errors };
  const [header, ...rows] = records;
  const names = (header?.cells ?? []).map((name) => name.trim().toLowerCase());
  for (const name of names) {
    if (!Object.hasOwn(columns, name)) {
      errors.push(lineError(atLine(1), `/${name.slice(0, 40)}`, "column_unknown"));
    }
  }
  const lines: RawLine[] = [];
  for (const { line, cells } of rows) {
    if (cells.some((value) => value.includes(UNDECODABLE))) {
      errors.push(lineError(atLine(line), "", "not_utf8"));
    }
    if (cells.length > names.length) {
      errors.push(lineError(atLine(line), "", "malformed_csv"));
      continue;
    }
    const item: Record<string, unknown> = {};
    for (const [index, name] of names.entries()) {
      const value = (cells[index] ?? "").trim();
      if (value !== "" && Object.hasOwn(columns, name)) columns[name]?.(value, item);
    }
    lines.push({ ...atLine(line), value: item });
  }
  return { lines, errors };
}

/** The items of a file. `member` is the array's name in a JSON file. */
export function readImport(
  text: string,
  format: ImportFormat,
  member: string,
  columns: CsvColumns,
): RawFile {
  const file = format === "json"
    ? readJson(text, member)
    : format === "ndjson"
    ? readJsonLines(text)
    : readCsv(text, columns);
  const whole = format === "json" ? `/${member}` : null;
  if (file.lines.length === 0 && file.errors.length === 0) {
    return { lines: [], errors: [fieldError(whole ?? "#line/1", "file_empty")] };
  }
  if (file.lines.length > IMPORT_LINES_MAX) {
    return {
      lines: [],
      errors: [fieldError(whole ?? `#line/${IMPORT_LINES_MAX + 1}`, "too_many_lines")],
    };
  }
  return file;
}

/** The members of an object that pass their part of its schema. */
function soundMembers<S extends z.ZodRawShape>(
  schema: z.ZodObject<S>,
  value: unknown,
): Record<string, unknown> {
  const sound: Record<string, unknown> = {};
  if (typeof value !== "object" || value === null) return sound;
  for (const [name, member] of Object.entries(schema.shape)) {
    const parsed = Object.hasOwn(value, name)
      ? (member as z.ZodType).safeParse((value as Record<string, unknown>)[name])
      : null;
    if (parsed?.success === true) sound[name] = parsed.data;
  }
  return sound;
}

/**
 * Checks each item against the schema; every bad field of every line is reported beside what was
 * wrong before.
 */
export function checkLines<S extends z.ZodRawShape>(
  file: RawFile,
  schema: z.ZodObject<S>,
): CheckedFile<z.output<z.ZodObject<S>>> {
  type Item = z.output<z.ZodObject<S>>;
  const lines: CheckedLine<Item>[] = [];
  const errors = [...file.errors];
  for (const { line, pointer, value } of file.lines) {
    const parsed = schema.safeParse(value);
    if (parsed.success) {
      lines.push({ line, pointer, item: parsed.data, sound: parsed.data, refused: new Set() });
      continue;
    }
    const found = valueErrors(parsed.error.issues, value);
    errors.push(
      ...found.map((error) => ({ ...error, pointer: `${pointer}${error.pointer}`, line })),
    );
    const sound = soundMembers(schema, value) as Partial<Item>;
    const isObject = typeof value === "object" && value !== null;
    const refused = Object.keys(schema.shape).filter((name) =>
      !isObject || (Object.hasOwn(value, name) && !Object.hasOwn(sound, name))
    );
    lines.push({ line, pointer, item: null, sound, refused: new Set(refused) });
  }
  return { lines, errors };
}

/**
 * Errors as a report gives them: by line, those of the file as a whole first, and no more than
 * anybody reads.
 */
export function inLineOrder(
  errors: readonly CatalogueFieldError[],
): readonly CatalogueFieldError[] {
  return [...errors].sort((a, b) => (a.line ?? 0) - (b.line ?? 0)).slice(0, ERRORS_MAX);
}
