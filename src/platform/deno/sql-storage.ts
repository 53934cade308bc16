// The ledger's storage port over node:sqlite, which Node 24 and Deno both have. Used by the Deno edition, the unit tests, the
// simulation and the benches. One database file (or memory) holds one user's book.
import { DatabaseSync } from "node:sqlite";
import type { StatementSync } from "node:sqlite";
import type { Sql, SqlRow, SqlValue, WriteTrace } from "../../ledger/sql.ts";

export type FileSql = Sql & {
  /** Empties the database as `ctx.storage.deleteAll()` does for an object. */
  readonly deleteAll: () => void;
  readonly close: () => void;
};

/** Opens (or creates) a book; `:memory:` keeps nothing. Counts table rows only: SQLite does not tell index rows here. */
export function openFileSql(path: string, trace?: WriteTrace): FileSql {
  const database = new DatabaseSync(path);
  // A row that was answered as stored must survive a power cut: WAL with synchronous FULL.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
  const statements = new Map<string, StatementSync>();
  let written = 0;
  let depth = 0;
  const prepared = (query: string): StatementSync => {
    let statement = statements.get(query);
    if (statement === undefined) {
      statement = database.prepare(query);
      statements.set(query, statement);
    }
    return statement;
  };
  const exec = (query: string, ...bindings: SqlValue[]): readonly SqlRow[] => {
    if (/^\s*(?:select|with)\b/i.test(query) || /\breturning\b/i.test(query)) return prepared(query).all(...bindings) as SqlRow[];
    if (/^\s*(?:create|drop|alter)\b/i.test(query)) {
      database.exec(query);
      return [];
    }
    const changes = Number(prepared(query).run(...bindings).changes);
    written += changes;
    if (trace !== undefined && changes > 0) trace(query, changes);
    return [];
  };
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work();
    depth += 1;
    database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      database.exec("COMMIT");
      return result;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    } finally {
      depth -= 1;
    }
  };
  const deleteAll = (): void => {
    statements.clear();
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all();
    for (const table of tables) database.exec(`DROP TABLE "${String(table["name"])}"`);
    database.exec("VACUUM");
  };
  return { exec, transaction, rowsWritten: () => written, deleteAll, close: () => database.close() };
}
