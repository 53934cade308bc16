// D1's interface over node:sqlite, so that the same stores run on one server of the operator's own.
// One file, one connection, one writer: a batch is a transaction that nothing of ours can
// interleave with, because node:sqlite is synchronous.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlMeta, SqlResult, SqlStatement } from "../../db/d1.ts";
import { checkpoint, inTransaction, openDurable, statementCache } from "./sqlite.ts";

export type LocalDatabase = SqlDatabase & {
  /** Empties the write-ahead log into the file and closes it. */
  readonly close: () => void;
};

// What D1 refuses must be refused here too, or a defect would show only in production.
const PARAMETERS_MAX = 100;

type Bound = string | number | null | Uint8Array;

function checked(values: readonly unknown[]): Bound[] {
  if (values.length > PARAMETERS_MAX) {
    throw new TypeError(`more than ${PARAMETERS_MAX} values cannot be bound`);
  }
  return values.map((value): Bound => {
    if (typeof value === "boolean") return value ? 1 : 0;
    if (value === null || typeof value === "string" || typeof value === "number") return value;
    if (value instanceof Uint8Array) return value;
    if (value instanceof ArrayBuffer) return new Uint8Array(value);
    throw new TypeError(`a ${typeof value} cannot be bound`);
  });
}

type Connection = { readonly get: (sql: string) => StatementSync; readonly region: string | null };

class PreparedStatement implements SqlStatement {
  readonly #connection: Connection;
  readonly #sql: string;
  readonly #values: readonly Bound[];

  constructor(connection: Connection, sql: string, values: readonly Bound[] = []) {
    this.#connection = connection;
    this.#sql = sql;
    this.#values = values;
  }

  bind(...values: unknown[]): PreparedStatement {
    return new PreparedStatement(this.#connection, this.#sql, checked(values));
  }

  belongsTo(connection: Connection): boolean {
    return this.#connection === connection;
  }

  #meta(changes: number): SqlMeta {
    const { region } = this.#connection;
    return region === null ? { changes } : { changes, served_by_region: region };
  }

  #rows(asArrays: boolean): unknown[] {
    const statement = this.#connection.get(this.#sql);
    // By position where it is asked for, not by name: two columns of one name (a join of two ids)
    // must not fall into one.
    statement.setReturnArrays(asArrays);
    return statement.all(...this.#values);
  }

  /** Runs now, synchronously: what `batch` needs inside its transaction. */
  execute<T>(): SqlResult<T> {
    const statement = this.#connection.get(this.#sql);
    if (statement.columns().length === 0) {
      const { changes } = statement.run(...this.#values);
      return { results: [], success: true, meta: this.#meta(Number(changes)) };
    }
    const results = this.#rows(false).map((row) => ({ ...(row as object) }) as T);
    if (/^\s*(?:select|explain|pragma)\b/i.test(this.#sql)) {
      return { results, success: true, meta: this.#meta(0) };
    }
    const counter = this.#connection.get("SELECT changes() AS changes");
    counter.setReturnArrays(false);
    return { results, success: true, meta: this.#meta(Number(counter.get()?.["changes"] ?? 0)) };
  }

  async all<T>(): Promise<SqlResult<T>> {
    return this.execute<T>();
  }

  async run<T>(): Promise<SqlResult<T>> {
    return this.execute<T>();
  }

  async first<T>(): Promise<T | null> {
    return this.execute<T>().results[0] ?? null;
  }

  async raw<T>(): Promise<T[]> {
    return this.#rows(true) as T[];
  }
}

/**
 * Opens (and creates) the database file. Statements fail with node:sqlite's errors;
 * `db/database.ts` strips what they say. `region` is what answers say of the place they come from,
 * or null.
 */
export function openSqliteD1(path: string, region: string | null = null): LocalDatabase {
  const database = openDurable(path);
  const connection: Connection = { get: statementCache(database).get, region };
  return {
    prepare: (sql) => new PreparedStatement(connection, sql),
    batch: async <T>(statements: SqlStatement[]) =>
      inTransaction(database, () =>
        statements.map((statement) => {
          if (
            !(statement instanceof PreparedStatement) || !statement.belongsTo(connection)
          ) throw new TypeError("a statement of another database");
          return statement.execute<T>();
        })),
    close: () => {
      checkpoint(database);
      database.close();
    },
  };
}

const MIGRATIONS_TABLE =
  "CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)";

/**
 * Applies the migrations that the file does not have yet, each whole or not at all, in the table
 * that wrangler keeps too. Throws when the file has run one that the folder does not know: code
 * older than the data.
 */
export function migrateSqliteD1(path: string, folder: string): void {
  const database = openDurable(path);
  try {
    database.exec(MIGRATIONS_TABLE);
    const applied = new Set(
      database.prepare("SELECT name FROM d1_migrations").all().map((row) => String(row["name"])),
    );
    const known = readdirSync(folder).filter((file) => file.endsWith(".sql")).sort();
    if ([...applied].some((name) => !known.includes(name))) {
      throw new Error("the database has run a migration that this version does not know");
    }
    for (const name of known) {
      if (applied.has(name)) continue;
      inTransaction(database, () => {
        database.exec(readFileSync(join(folder, name), "utf8"));
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(name);
      });
    }
  } finally {
    database.close();
  }
}
