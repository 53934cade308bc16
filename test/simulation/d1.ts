// The D1 of a world: the real tables (migrations/) on SQLite, and a way to it that may fail before
// or after the database did what it was asked. Worlds of one process take turns with one database,
// because running the migrations is dearer than a whole world.
import { fileURLToPath } from "node:url";
import { migrateSqliteD1, openSqliteD1 } from "../../src/platform/deno/d1.ts";
import type { SqlDatabase, SqlResult, SqlStatement } from "../../src/db/d1.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));
/** What ledgers write. */
const TABLES = ["counters", "closed_counters", "ledger_heads", "reviews", "offer_budgets"] as const;
const idle: SqlDatabase[] = [];
let opened = 0;

type Row = Record<string, string | number | null>;
export type Snapshot = ReadonlyMap<string, readonly Row[]>;

/** An empty database; give it back with `release`. */
export async function openDatabase(): Promise<SqlDatabase> {
  let database = idle.pop();
  if (database === undefined) {
    const path = `file:simulation-${opened++}?mode=memory&cache=shared`;
    database = openSqliteD1(path);
    migrateSqliteD1(path, MIGRATIONS);
  }
  await wipe(database);
  return database;
}

export function release(database: SqlDatabase): void {
  idle.push(database);
}

export async function readTable<T = Row>(
  database: SqlDatabase,
  table: (typeof TABLES)[number],
): Promise<T[]> {
  return (await database.prepare(`SELECT * FROM ${table}`).all<T>()).results;
}

async function wipe(database: SqlDatabase): Promise<void> {
  await database.batch(TABLES.map((table) => database.prepare(`DELETE FROM ${table}`)));
}

/** A backup of what ledgers wrote. */
export async function snapshot(database: SqlDatabase): Promise<Snapshot> {
  const tables = new Map<string, Row[]>();
  for (const table of TABLES) tables.set(table, await readTable(database, table));
  return tables;
}

export async function restore(database: SqlDatabase, backup: Snapshot): Promise<void> {
  await wipe(database);
  const inserts = [...backup].flatMap(([table, rows]) =>
    rows.map((row) => {
      const columns = Object.keys(row);
      return database.prepare(
        `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${
          columns.map(() => "?").join(", ")
        })`,
      ).bind(...Object.values(row));
    })
  );
  if (inserts.length > 0) await database.batch(inserts);
}

/** Before a rebuild: everything is forgotten but what erased books had added up to. */
export async function forgetOpenLedgers(database: SqlDatabase): Promise<void> {
  await database.batch([
    database.prepare("DELETE FROM counters"),
    database.prepare("DELETE FROM ledger_heads WHERE closed = 0"),
    database.prepare("INSERT INTO counters SELECT * FROM closed_counters"),
  ]);
}

/**
 * The same database over a network: `pause` is asked before and after each call, and may throw or
 * never come back.
 */
export function overNetwork(database: SqlDatabase, pause: () => Promise<void>): SqlDatabase {
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    await pause();
    const answer = await run();
    await pause();
    return answer;
  };
  const inner = new WeakMap<SqlStatement, SqlStatement>();
  const wrap = (statement: SqlStatement): SqlStatement => {
    const outer: SqlStatement = {
      bind: (...values) => wrap(statement.bind(...values)),
      all: () => call(() => statement.all()),
      run: () => call(() => statement.run()),
      first: () => call(() => statement.first()),
      raw: () => call(() => statement.raw()),
    };
    inner.set(outer, statement);
    return outer;
  };
  return {
    prepare: (sql) => wrap(database.prepare(sql)),
    batch: <T>(statements: SqlStatement[]): Promise<SqlResult<T>[]> =>
      call(() =>
        database.batch<T>(statements.map((statement) => inner.get(statement) ?? statement))
      ),
  };
}
