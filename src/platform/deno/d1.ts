// D1's interface over node:sqlite, so that the same stores run on one server of the operator's own. One file, one connection, one
// writer: a batch is a transaction that nothing of ours can interleave with, because node:sqlite is synchronous.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { SqlDatabase, SqlResult, SqlStatement, SqlValue } from "../../db/d1.ts";

export type LocalDatabase = SqlDatabase & { readonly close: () => void };

// Bound values that D1 refuses must be refused here too, or a defect would show only in production.
function checked(values: readonly unknown[]): SqlValue[] {
  return values.map((value): SqlValue => {
    if (typeof value === "boolean") return value ? 1 : 0;
    if (value === null || typeof value === "string" || typeof value === "number") return value;
    if (value instanceof Uint8Array || value instanceof ArrayBuffer) return value;
    throw new TypeError(`a ${typeof value} cannot be bound`);
  });
}

class PreparedStatement implements SqlStatement {
  readonly #database: DatabaseSync;
  readonly #sql: string;
  readonly #values: SqlValue[];

  constructor(database: DatabaseSync, sql: string, values: SqlValue[] = []) {
    this.#database = database;
    this.#sql = sql;
    this.#values = values;
  }

  bind(...values: unknown[]): PreparedStatement {
    return new PreparedStatement(this.#database, this.#sql, checked(values));
  }

  #prepare(): { statement: StatementSync; values: (string | number | null | Uint8Array)[] } {
    const values = this.#values.map((value) => (value instanceof ArrayBuffer ? new Uint8Array(value) : value));
    return { statement: this.#database.prepare(this.#sql), values };
  }

  /** Runs now, synchronously: what `batch` needs inside its transaction. */
  execute<T>(): SqlResult<T> {
    const { statement, values } = this.#prepare();
    if (statement.columns().length === 0) {
      const { changes } = statement.run(...values);
      return { results: [], success: true, meta: { changes: Number(changes) } };
    }
    const results = statement.all(...values) as T[];
    const { changes } = this.#database.prepare("SELECT changes() AS changes").get() as { changes: number };
    return { results, success: true, meta: { changes } };
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

  // By position, not by name: two columns of one name (a join of two ids) must not fall into one.
  async raw<T>(): Promise<T[]> {
    const { statement, values } = this.#prepare();
    statement.setReturnArrays(true);
    return statement.all(...values) as T[];
  }
}

/** Opens (and creates) the database file. `synchronous=FULL`: what was answered survives a power cut. */
export function openSqliteD1(path: string): LocalDatabase {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000");
  return {
    prepare: (sql) => new PreparedStatement(database, sql),
    batch: async <T>(statements: SqlStatement[]) => {
      database.exec("BEGIN IMMEDIATE");
      try {
        const results = statements.map((statement) => {
          if (!(statement instanceof PreparedStatement)) throw new TypeError("a statement of another database");
          return statement.execute<T>();
        });
        database.exec("COMMIT");
        return results;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    close: () => database.close(),
  };
}

/** Applies the migrations that the file does not have yet, each whole or not at all, in the table that wrangler keeps too. */
export function migrateSqliteD1(path: string, folder: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS d1_migrations (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL)");
    const applied = new Set((database.prepare("SELECT name FROM d1_migrations").all() as { name: string }[]).map((row) => row.name));
    for (const name of readdirSync(folder).filter((file) => file.endsWith(".sql")).sort()) {
      if (applied.has(name)) continue;
      database.exec("BEGIN IMMEDIATE");
      try {
        database.exec(readFileSync(join(folder, name), "utf8"));
        database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").run(name);
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    }
  } finally {
    database.close();
  }
}
