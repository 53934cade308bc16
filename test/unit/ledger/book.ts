// Opens the real engine on node:sqlite in memory and unwraps its answers, so that a test reads like
// the story that it records.
import { migrate } from "../../../src/ledger/book/schema.ts";
import { createEngine } from "../../../src/ledger/engine.ts";
import type { Engine } from "../../../src/ledger/engine.ts";
import type {
  HaltMemory,
  KeyedOperation,
  PointsView,
  PurchaseView,
  RecordBatch,
  RecordSummary,
} from "../../../src/ledger/ports.ts";
import type { WriteTrace } from "../../../src/ledger/book/sql.ts";
import { openFileSql } from "../../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../../src/platform/deno/sql-storage.ts";
import { ALL, at, batch, seededRandom, USER } from "../../contract/ledger-factories.ts";
import type { BankRow } from "../../../src/ledger/ports.ts";

export type Book = {
  readonly engine: Engine;
  readonly sql: FileSql;
  readonly record: (
    rows: readonly BankRow[],
    date?: string,
    more?: Partial<RecordBatch>,
  ) => RecordSummary;
  readonly points: (date?: string) => PointsView;
  readonly balances: (date?: string) => string;
  readonly purchases: (date?: string) => readonly PurchaseView[];
  readonly only: (date?: string) => PurchaseView;
  readonly kinds: (date?: string) => string;
  readonly operate: (
    key: string,
    operation: KeyedOperation,
    date?: string,
  ) => ReturnType<Engine["operate"]>;
  /** Everything that does not hold, which must be nothing. */
  readonly broken: (date?: string) => readonly string[];
};

export const TODAY = "2026-11-14";

export function value<T>(
  answer: { readonly ok: true; readonly value: T } | {
    readonly ok: false;
    readonly error: unknown;
  },
): T {
  if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.error)}`);
  return answer.value;
}

export function openBook(trace?: WriteTrace, seed = 1, halts?: HaltMemory["known"]): Book {
  const sql = openFileSql(":memory:", trace);
  sql.transaction(() => migrate(sql));
  const engine = createEngine({
    sql,
    random: seededRandom(seed),
    userId: USER,
    ...halts === undefined ? {} : { halts },
  });
  const points = (date = TODAY): PointsView => value(engine.points(null, at(date)));
  const purchases = (date = TODAY): readonly PurchaseView[] =>
    value(engine.purchases(ALL, at(date))).items;
  return {
    engine,
    sql,
    points,
    purchases,
    record: (rows, date = TODAY, more = {}) => value(engine.record(batch(rows, more), at(date))),
    balances: (date = TODAY) => Object.values(points(date).balances).join(" "),
    only(date = TODAY) {
      const [first, ...others] = purchases(date);
      if (first === undefined || others.length > 0) {
        throw new Error(
          `expected one purchase, found ${others.length + Number(first !== undefined)}`,
        );
      }
      return first;
    },
    kinds: (date = TODAY) =>
      value(engine.entries({ limit: 100, before: null }, at(date))).items.map((entry) => entry.kind)
        .reverse().join(" "),
    operate: (key, operation, date = TODAY) => engine.operate({ key, operation }, at(date)),
    broken: (date = TODAY) => value(engine.verify(null, at(date))).broken,
  };
}
