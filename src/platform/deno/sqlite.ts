// How every SQLite file of this platform is opened and written. `synchronous=FULL` with a
// write-ahead log: what was answered survives a SIGKILL and a power cut.
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";

/**
 * Opens (or creates) a durable file; `:memory:` keeps nothing. What is deleted is overwritten, also
 * in the free pages.
 */
export function openDurable(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec(
    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON",
  );
  return database;
}

/** Runs `work` in one transaction of its own; a throw rolls everything back. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = work();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    // A full disk has ended the transaction already, and a ROLLBACK without one would hide the
    // first failure.
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

const STATEMENTS_MAX = 200;

/** Keeps the statements used last compiled. */
export function statementCache(
  database: DatabaseSync,
): { readonly get: (sql: string) => StatementSync; readonly clear: () => void } {
  const statements = new Map<string, StatementSync>();
  return {
    get(sql) {
      const statement = statements.get(sql) ?? database.prepare(sql);
      statements.delete(sql);
      statements.set(sql, statement);
      const oldest = statements.keys().next();
      if (statements.size > STATEMENTS_MAX && oldest.done === false) {
        statements.delete(oldest.value);
      }
      return statement;
    },
    clear: () => statements.clear(),
  };
}

/** Moves the write-ahead log into the file and empties it: then the file alone is complete. */
export function checkpoint(database: DatabaseSync): void {
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
}
