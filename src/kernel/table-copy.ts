// The SQL that copies rows of any table as they are, page by page in the order of the primary key.
// It knows no table: names come from our own lists and from the schema, never from a request. A
// page travels as one JSON array, so it is one bound value.

export type RawValue = string | number | null;
export type RawRow = readonly RawValue[];
/**
 * Column names in the table's order, and which of them make the primary key, in the key's order.
 */
export type TableShape = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly keys: readonly string[];
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const list = (names: readonly string[]): string => names.map(quoted).join(", ");
const cell = (shape: TableShape, column: string): string =>
  `json_extract(j.value, '$[${shape.columns.indexOf(column)}]')`;

/**
 * The query that lists the columns of a table: rows of `name` and `pk` (0, or the place in the
 * key).
 */
export const SHAPE_SQL = "SELECT name, pk FROM pragma_table_info(?) ORDER BY cid";

/** Makes the shape from what `SHAPE_SQL` answers. */
export function shapeOf(
  table: string,
  rows: readonly { readonly name?: unknown; readonly pk?: unknown }[],
): TableShape {
  const named = rows.map((row) => ({ name: String(row.name), pk: Number(row.pk) }));
  return {
    table,
    columns: named.map(({ name }) => name),
    keys: named.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk).map(({ name }) => name),
  };
}

/**
 * Reads rows after a key, in the key's order. Bindings: the key's values when `after`, then the
 * limit.
 */
export function readPageSql(shape: TableShape, after: boolean, only = "1"): string {
  const marks = shape.keys.map(() => "?").join(", ");
  return `SELECT ${list(shape.columns)} FROM ${quoted(shape.table)} WHERE ${only}${
    after ? ` AND (${list(shape.keys)}) > (${marks})` : ""
  } ORDER BY ${list(shape.keys)} LIMIT ?`;
}

/**
 * Inserts the rows whose key is not there. Not `OR IGNORE`: that would also swallow rows that break
 * a check. Binding: the JSON page.
 */
export function insertPageSql(shape: TableShape): string {
  const same = shape.keys.map((key) => `t.${quoted(key)} = ${cell(shape, key)}`).join(" AND ");
  return `INSERT INTO ${quoted(shape.table)} (${list(shape.columns)}) SELECT ${
    shape.columns.map((column) => cell(shape, column)).join(", ")
  } FROM json_each(?) AS j
    WHERE NOT EXISTS (SELECT 1 FROM ${quoted(shape.table)} AS t WHERE ${same})`;
}

/**
 * Counts the rows of a JSON page that are there with these values (all columns, or only those
 * named). Binding: the JSON page.
 */
export function countPresentSql(
  shape: TableShape,
  compared: readonly string[] = shape.columns,
): string {
  const same = [
    ...shape.keys.map((key) => `t.${quoted(key)} = ${cell(shape, key)}`),
    ...compared.map((column) => `t.${quoted(column)} IS ${cell(shape, column)}`),
  ].join(" AND ");
  return `SELECT COUNT(*) FROM json_each(?) AS j WHERE EXISTS (SELECT 1 FROM ${
    quoted(shape.table)
  } AS t WHERE ${same})`;
}

/** The key of a row, to go on after it. */
export function keyOfRow(shape: TableShape, row: RawRow): RawValue[] {
  return shape.keys.map((key) => row[shape.columns.indexOf(key)] ?? null);
}
