// How fast the engine records, beside bare single-row inserts into the same storage, each its own
// transaction as a call of an object is. Medians of several rounds on node:sqlite in a file; `npm
// run bench` prints them side by side.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createEngine } from "../../src/ledger/engine.ts";
import { migrate } from "../../src/ledger/book/schema.ts";
import { systemRandomBytes } from "../../src/kernel/random.ts";
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../src/platform/deno/sql-storage.ts";
import { account, ALL, at, batch, offer, row, USER } from "../contract/ledger-factories.ts";
import type { BankRow } from "../../src/ledger/ports.ts";

export type LedgerBench = {
  /** Milliseconds of one call with 500 earned purchases. */
  readonly batch500Ms: number;
  /** The same 500 rows again under a new account id: the rows repeat and nothing is posted. */
  readonly duplicates500Ms: number;
  readonly engineRowsPerSecond: number;
  readonly bareRowsPerSecond: number;
  readonly ratio: number;
  /** Balance and first page of entries with 5 000 purchases in the book. */
  readonly screenMs: number;
};

const NOW = at("2026-11-14");
const ROUNDS = 7;

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function timed(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

const rows = (count: number, prefix: string, more: Partial<BankRow> = {}): BankRow[] =>
  Array.from(
    { length: count },
    (_, index) =>
      row(`${prefix}${index}`, {
        amountCents: 1000 + index,
        labelCipher: "c".repeat(120),
        ...more,
      }),
  );

function open(
  path = ":memory:",
): { readonly sql: FileSql; readonly engine: ReturnType<typeof createEngine> } {
  const sql = openFileSql(path);
  sql.transaction(() => migrate(sql));
  return { sql, engine: createEngine({ sql, random: systemRandomBytes, userId: USER }) };
}

/** Rows of about the same size in a bare table, each in a transaction of its own. */
function bareInserts(sql: FileSql, count: number): number {
  sql.exec("CREATE TABLE IF NOT EXISTS bare (n INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT");
  const text = "x".repeat(700);
  return timed(() => {
    for (let index = 0; index < count; index++) {
      sql.transaction(() => sql.exec("INSERT INTO bare (text) VALUES (?)", text));
    }
  });
}

export function benchLedger(): LedgerBench {
  const [batches, duplicates, perRow, bare] = [
    [] as number[],
    [] as number[],
    [] as number[],
    [] as number[],
  ];
  const directory = mkdtempSync(join(tmpdir(), "ledger-bench-"));
  for (let round = 0; round < ROUNDS; round++) {
    const { sql, engine } = open(join(directory, `${round}.sqlite`));
    engine.record(batch(rows(20, "warm")), NOW);
    const before = sql.rowsWritten();
    const ms = timed(() => void engine.record(batch(rows(500, "b")), NOW));
    batches.push(ms);
    // Table rows only, which is what the bare table writes too.
    perRow.push(((sql.rowsWritten() - before) / ms) * 1000);
    bare.push((1500 / bareInserts(sql, 1500)) * 1000);
    const again = batch(rows(500, "n", { accountId: "acc_2" }), {
      accounts: [account(), account("acc_2", { createdAtMs: NOW })],
    });
    duplicates.push(timed(() => void engine.record(again, NOW)));
    sql.close();
  }
  rmSync(directory, { recursive: true });
  const { engine } = open();
  for (let part = 0; part < 10; part++) {
    engine.record(batch(rows(500, `p${part}-`), { offers: [offer()] }), NOW);
  }
  const screens = Array.from({ length: ROUNDS }, () =>
    timed(() => {
      engine.points(null, NOW);
      engine.entries({ limit: 20, before: null }, NOW);
      engine.purchases({ ...ALL, limit: 20 }, NOW);
    }));
  const [engineRowsPerSecond, bareRowsPerSecond] = [median(perRow), median(bare)];
  return {
    batch500Ms: median(batches),
    duplicates500Ms: median(duplicates),
    engineRowsPerSecond,
    bareRowsPerSecond,
    ratio: engineRowsPerSecond / bareRowsPerSecond,
    screenMs: median(screens),
  };
}
