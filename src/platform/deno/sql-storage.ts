// The ledger's storage port over node:sqlite, which Node 24 and Deno both have. Used by the Deno
// edition, the unit tests, the simulation and the benches. One database file (or memory) holds one
// user's book.
import type { Sql, SqlRow, SqlValue, WriteTrace } from "../../ledger/book/sql.ts";
import { checkpoint, inTransaction, openDurable, statementCache } from "./sqlite.ts";

export type FileSql = Sql & {
  /** Empties the database as `ctx.storage.deleteAll()` does for an object. */
  readonly deleteAll: () => void;
  /**
   * Empties the database and lets `work` write what remains, all in one transaction; then nothing
   * old is left in the file or its log.
   */
  readonly replaceAll: <T>(work: () => T) => T;
  readonly close: () => void;
};

/**
 * Opens (or creates) a book; `:memory:` keeps nothing. Counts table rows only: SQLite does not
 * report index rows here.
 */
export function openFileSql(path: string, trace?: WriteTrace): FileSql {
  const database = openDurable(path);
  const statements = statementCache(database);
  let written = 0;
  let depth = 0;
  const exec = (query: string, ...bindings: SqlValue[]): readonly SqlRow[] => {
    if (/^\s*(?:select|with)\b/i.test(query) || /\breturning\b/i.test(query)) {
      return statements.get(query).all(...bindings) as SqlRow[];
    }
    if (/^\s*(?:create|drop|alter)\b/i.test(query)) {
      database.exec(query);
      return [];
    }
    const changes = Number(statements.get(query).run(...bindings).changes);
    written += changes;
    if (trace !== undefined && changes > 0) trace(query, changes);
    return [];
  };
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    depth += 1;
    try {
      return inTransaction(database, work);
    } finally {
      depth -= 1;
    }
  };
  const replaceAll = <T>(work: () => T): T => {
    statements.clear();
    const result = transaction(() => {
      const tables = database.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      ).all();
      for (const table of tables) database.exec(`DROP TABLE "${String(table["name"])}"`);
      return work();
    });
    // `secure_delete` has zeroed what was freed, but the log still has the pages as they were. No
    // VACUUM: Deno refuses it to a process that may not write everywhere, because it attaches a
    // second file.
    checkpoint(database);
    return result;
  };
  return {
    exec,
    transaction,
    rowsWritten: () => written,
    deleteAll: () => replaceAll(() => undefined),
    replaceAll,
    close: () => database.close(),
  };
}
