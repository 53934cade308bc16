// Counts what a screen or a webhook costs in D1: round trips (what it waits for), statements, and
// rows written (what is paid).

export type D1Count = { roundTrips: number; statements: number; rowsWritten: number };

export type CountedD1 = {
  readonly db: D1Database;
  readonly count: D1Count;
  readonly reset: () => void;
};

/**
 * Wraps a database so that every statement that really runs is counted. `prepare` alone costs
 * nothing. `trace` gets each statement that wrote, with the rows that the database says it wrote
 * (index rows and those of triggers included).
 */
export function countD1(
  inner: D1Database,
  trace?: (query: string, rowsWritten: number) => void,
): CountedD1 {
  const count: D1Count = { roundTrips: 0, statements: 0, rowsWritten: 0 };
  const originals = new WeakMap<object, D1PreparedStatement>();
  const queries = new WeakMap<object, string>();

  const finish = (
    results: readonly { meta?: { rows_written?: number } }[],
    ...ran: readonly string[]
  ): void => {
    for (const [index, result] of results.entries()) {
      const written = result.meta?.rows_written ?? 0;
      count.rowsWritten += written;
      if (written > 0) trace?.(ran[index] ?? "", written);
    }
  };
  const begin = (statements: number): void => {
    count.roundTrips += 1;
    count.statements += statements;
  };

  const wrap = (statement: D1PreparedStatement, query: string): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values), query),
      async run() {
        begin(1);
        const result = await statement.run();
        finish([result], query);
        return result;
      },
      async all() {
        begin(1);
        const result = await statement.all();
        finish([result], query);
        return result;
      },
      first(column?: string) {
        begin(1);
        return column === undefined ? statement.first() : statement.first(column);
      },
      raw(options?: { columnNames?: false }) {
        begin(1);
        return statement.raw(options);
      },
    } as unknown as D1PreparedStatement;
    originals.set(wrapped, statement);
    queries.set(wrapped, query);
    return wrapped;
  };

  const db = {
    prepare: (query: string) => wrap(inner.prepare(query), query),
    async batch(statements: D1PreparedStatement[]) {
      begin(statements.length);
      const results = await inner.batch(
        statements.map((statement) => originals.get(statement) ?? statement),
      );
      finish(results, ...statements.map((statement) => queries.get(statement) ?? ""));
      return results;
    },
    exec: (query: string) => {
      begin(1);
      return inner.exec(query);
    },
  } as unknown as D1Database;
  return {
    db,
    count,
    reset: () => Object.assign(count, { roundTrips: 0, statements: 0, rowsWritten: 0 }),
  };
}
