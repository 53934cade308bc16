// The storage that the engine knows: synchronous SQL in one transaction, nothing else. It is narrow
// on purpose, so that the same engine runs in a Durable Object, on node:sqlite in the tests and the
// simulation, and on Deno.
import type { Result } from "../../kernel/result.ts";

/**
 * What a column may hold. Integers stay below 2^53 (both drivers hand them out as doubles); there
 * are no blobs.
 */
export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * Called after each statement that wrote, with the rows that the storage says it wrote (index rows
 * included where it counts them).
 */
export type WriteTrace = (query: string, rowsWritten: number) => void;

export type Sql = {
  /** Runs one statement and returns all its rows. */
  readonly exec: (query: string, ...bindings: SqlValue[]) => readonly SqlRow[];
  /**
   * Runs `work` in one transaction; a throw rolls everything back. An inner call joins the outer
   * transaction.
   */
  readonly transaction: <T>(work: () => T) => T;
  /** Rows written since the storage was opened. The platform bills them. */
  readonly rowsWritten: () => number;
};

/**
 * Runs `work` in one transaction, and undoes it when the answer is a refusal. The storage undoes
 * only what throws, so the refusal leaves the transaction by a throw that nobody else sees.
 */
export function transactionUnlessRefused<T, E>(
  sql: Sql,
  work: () => Result<T, E>,
): Result<T, E> {
  const undo = new Error("transaction refused");
  let answer: Result<T, E> | null = null;
  try {
    return sql.transaction(() => {
      answer = work();
      if (!answer.ok) throw undo;
      return answer;
    });
  } catch (error) {
    if (error === undo && answer !== null) return answer;
    throw error;
  }
}

/** The part of `ctx.storage` of a SQLite-backed Durable Object that we use. */
export type ObjectStorage = {
  readonly sql: {
    readonly exec: (
      query: string,
      ...bindings: SqlValue[]
    ) => { readonly toArray: () => unknown[]; readonly rowsWritten: number };
  };
  readonly transactionSync: <T>(work: () => T) => T;
};

/**
 * The storage port over a Durable Object. `trace` is for tests that name the rows an operation
 * writes.
 */
export function objectSql(storage: ObjectStorage, trace?: WriteTrace): Sql {
  let written = 0;
  let depth = 0;
  return {
    exec(query, ...bindings) {
      const cursor = storage.sql.exec(query, ...bindings);
      // The cursor counts while it is read, so it is read to its end before it is asked.
      const rows = cursor.toArray() as SqlRow[];
      const { rowsWritten } = cursor;
      written += rowsWritten;
      if (trace !== undefined && rowsWritten > 0) trace(query, rowsWritten);
      return rows;
    },
    transaction(work) {
      if (depth > 0) return work();
      depth += 1;
      try {
        return storage.transactionSync(work);
      } finally {
        depth -= 1;
      }
    },
    rowsWritten: () => written,
  };
}

/** An integer column that is never null. */
export function integerOf(row: SqlRow, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new TypeError(`column ${column} is not a safe integer`);
  }
  return value;
}

/** A text column that is never null. */
export function textOf(row: SqlRow, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`column ${column} is not text`);
  return value;
}

export function integerOrNull(row: SqlRow, column: string): number | null {
  return row[column] === null ? null : integerOf(row, column);
}

export function textOrNull(row: SqlRow, column: string): string | null {
  return row[column] === null ? null : textOf(row, column);
}
