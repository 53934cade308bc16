// Makes the nth thing that code waits for fail: a database statement, an HTTP call, a ledger call.
// `before`: it never happened; `after`: it happened and its answer was lost. Between two such
// points lies every moment at which a Worker can die.
export type Faults = {
  /** Fails the nth await from now on (1 is the next), once. */
  readonly arm: (nth: number, mode: "before" | "after") => void;
  readonly disarm: () => void;
  /** True when the armed fault has struck. */
  readonly struck: () => boolean;
  readonly around: <T>(work: () => Promise<T>) => Promise<T>;
};

export class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

export function faultPoint(): Faults {
  let left = 0;
  let mode: "before" | "after" = "before";
  let hit = false;
  return {
    arm: (nth, at) => {
      left = nth;
      mode = at;
      hit = false;
    },
    disarm: () => void (left = 0),
    struck: () => hit,
    around: async (work) => {
      const now = left === 1;
      if (left > 0) left -= 1;
      if (!now) return work();
      hit = true;
      if (mode === "after") await work();
      throw new InjectedFault("injected");
    },
  };
}

/** The database with a fault point around every round trip. */
export function faultyD1(inner: D1Database, faults: Faults): D1Database {
  const originals = new WeakMap<object, D1PreparedStatement>();
  const wrap = (statement: D1PreparedStatement): D1PreparedStatement => {
    const wrapped = {
      bind: (...values: unknown[]) => wrap(statement.bind(...values)),
      run: () => faults.around(() => statement.run()),
      all: () => faults.around(() => statement.all()),
      first: (column?: string) =>
        faults.around(
          async () => (column === undefined ? statement.first() : statement.first(column)),
        ),
      raw: (options?: { columnNames?: false }) => faults.around(() => statement.raw(options)),
    } as unknown as D1PreparedStatement;
    originals.set(wrapped, statement);
    return wrapped;
  };
  return {
    prepare: (query: string) => wrap(inner.prepare(query)),
    batch: (statements: D1PreparedStatement[]) =>
      faults.around(() =>
        inner.batch(statements.map((statement) => originals.get(statement) ?? statement))
      ),
  } as unknown as D1Database;
}
