// Seals rows of before there were seals, and renews seals made under another key than the active
// one, a page at a time. A row whose seal is wrong, or that should have one, is left as it is: what
// somebody else wrote must not become ours.
import { getTableColumns, getTableName, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { assert } from "../kernel/assert.ts";
import { guarded } from "./database.ts";
import type { Database } from "./database.ts";
import type { RowSeals, SealedTable } from "./row-seals.ts";
import { SEALED_TABLES } from "./sealed-tables.ts";

/** After which row to go on, by its table's key; an empty key is the table's beginning. */
export type SealPosition = {
  readonly table: string;
  readonly after: readonly (string | number)[];
};
export type SealedPage = {
  readonly table: string;
  /** Rows of before that have a seal now. */
  readonly sealed: number;
  readonly renewed: number;
  /** Rows that are not used, because somebody else than we wrote them. */
  readonly refused: number;
  /** Null when all tables are done. */
  readonly next: SealPosition | null;
};

type AnyTable = SealedTable<Readonly<Record<string, unknown>>>;
type Row = Readonly<Record<string, unknown>> & { readonly seal: string | null };

// Each row is a statement of the batch that writes the page.
const PAGE_ROWS = 50;
// The list's tables have different rows; the sweep reads of each only what its own seal covers.
const TABLES: readonly AnyTable[] = SEALED_TABLES;

/** Does the page at that position, from the first table on for null. Safe to repeat. */
export async function sealPage(
  db: Database,
  seals: RowSeals,
  position: SealPosition | null,
): Promise<SealedPage> {
  const names = TABLES.map(({ table }) => getTableName(table));
  const index = position === null ? 0 : names.indexOf(position.table);
  const table = TABLES[index];
  assert(table !== undefined, "sealed_table_unknown", "a position is in no sealed table");
  const rows = await readPage(db, table, position?.after ?? []);
  const judged = rows.map((row) => ({ row, verdict: seals.verdict(table, row) }));
  const due = judged.filter(({ verdict }) => verdict === "unsealed" || verdict === "renewable");
  const [first, ...rest] = due.map(({ row }) => writeSeal(db, seals, table, row));
  if (first !== undefined) await guarded(() => db.batch([first, ...rest]));
  const count = (wanted: string) => judged.filter(({ verdict }) => verdict === wanted).length;
  return {
    table: getTableName(table.table),
    sealed: count("unsealed"),
    renewed: count("renewable"),
    refused: count("refused"),
    next: nextPosition(table, rows, names[index + 1]),
  };
}

function nextPosition(
  table: AnyTable,
  rows: readonly Row[],
  nextTable: string | undefined,
): SealPosition | null {
  const last = rows.at(-1);
  if (last !== undefined && rows.length === PAGE_ROWS) {
    const after = table.key.map((column) => last[column] as string | number);
    return { table: getTableName(table.table), after };
  }
  return nextTable === undefined ? null : { table: nextTable, after: [] };
}

function columnOf({ table }: AnyTable, name: string): SQLiteColumn {
  const column = getTableColumns(table)[name];
  assert(column !== undefined, "sealed_column_unknown", "a sealed column is not in its table");
  return column as SQLiteColumn;
}

async function readPage(
  db: Database,
  table: AnyTable,
  after: readonly (string | number)[],
): Promise<readonly Row[]> {
  const columns = Object.fromEntries(table.columns.map((name) => [name, columnOf(table, name)]));
  const seal = sql<string | null>`${columnOf(table, "seal")}`;
  const key = sql.join(table.key.map((name) => sql`${columnOf(table, name)}`), sql`, `);
  const values = sql.join(after.map((value) => sql`${value}`), sql`, `);
  return db.select({ ...columns, seal }).from(table.table)
    .where(after.length === 0 ? undefined : sql`(${key}) > (${values})`)
    .orderBy(...table.key.map((name) => columnOf(table, name))).limit(PAGE_ROWS);
}

/** Only while the row is as it was read: a seal of other values would spoil it. */
function writeSeal(db: Database, seals: RowSeals, table: AnyTable, row: Row) {
  const isStill = [...table.columns, "seal"].map((name): SQL => {
    const column = columnOf(table, name);
    const value = row[name] ?? null;
    return sql`${column} IS ${value === null ? sql`NULL` : sql.param(value, column)}`;
  });
  return db.update(table.table).set({ seal: seals.of(table, row) })
    .where(sql.join(isStill, sql` AND `));
}
