// One user's real engine on real SQLite, behind the ways in which a platform lets it down: a crash
// inside a transaction, an eviction. The engine itself is passed in, so that the mutation tests can
// put a broken one here.
import { openFileSql } from "../../src/platform/deno/sql-storage.ts";
import type { FileSql } from "../../src/platform/deno/sql-storage.ts";
import type { closeBook, runAlarm } from "../../src/ledger/object/alarm.ts";
import type { Engine, EngineParts } from "../../src/ledger/engine.ts";
import { addDays, parisToMs } from "../../src/kernel/time.ts";
import type {
  ExportPage,
  Leaf,
  OfferCover,
  OfferTerms,
  Page,
  PointsView,
  PurchaseQuery,
  PurchaseView,
  RecordBatch,
  RecordSummary,
} from "../../src/ledger/ports.ts";
import type { Sql, SqlRow, SqlValue } from "../../src/ledger/book/sql.ts";
import type { Result } from "../../src/kernel/result.ts";
import type { Rng } from "./random.ts";
import { keyOf } from "./model-rows.ts";

/**
 * What the simulation takes from the source: what opens a book, and what its alarm and its erasure
 * do.
 */
export type LedgerModule = {
  readonly createEngine: (parts: EngineParts) => Engine;
  readonly migrate: (sql: Sql) => void;
  readonly runAlarm: typeof runAlarm;
  readonly closeBook: typeof closeBook;
};

/** The machine went away in the middle of a transaction. */
export class SimulatedCrash extends Error {}

/**
 * What the edge hands over: the versions that overlap a day of the covers, in Paris; one that does
 * not where a brand has no other.
 */
export function offersWithin(
  terms: readonly OfferTerms[],
  covers: readonly OfferCover[],
): OfferTerms[] {
  const around = terms.filter((each) =>
    covers.some(({ brandId, from, to }) =>
      brandId === each.brandId && each.startsAtMs < parisToMs(addDays(to, 1)) &&
      (each.endsAtMs === null || each.endsAtMs > parisToMs(from))
    )
  );
  const without = new Set(
    covers.map((cover) => cover.brandId).filter((brandId) =>
      around.every((each) => each.brandId !== brandId)
    ),
  );
  return [
    ...around,
    ...[...without].flatMap((brandId) => terms.findLast((each) => each.brandId === brandId) ?? []),
  ];
}

export function must<T, E>(result: Result<T, E>): T {
  if (!result.ok) throw new Error(`the ledger refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

export class SimLedger {
  readonly #module: LedgerModule;
  readonly #terms: readonly OfferTerms[];
  readonly #file: FileSql;
  readonly #sql: Sql;
  readonly #rng: Rng;
  #engine: Engine;
  #statementsLeft = Infinity;
  /** Moves with every statement that may write. */
  #version = 0;
  readonly #selected = new Map<string, readonly SqlRow[]>();
  #read: {
    readonly version: number;
    readonly nowMs: number;
    readonly views: ReadonlyMap<string, PurchaseView>;
  } | null = null;

  constructor(module: LedgerModule, rng: Rng, terms: readonly OfferTerms[]) {
    this.#module = module;
    this.#terms = terms;
    this.#rng = rng;
    this.#file = openFileSql(":memory:");
    this.#sql = {
      ...this.#file,
      exec: (query, ...bindings) => {
        if (this.#statementsLeft <= 0) throw new SimulatedCrash("crash inside a transaction");
        this.#statementsLeft -= 1;
        return query.startsWith("SELECT")
          ? this.#select(query, bindings)
          : this.#write(query, bindings);
      },
    };
    this.#sql.transaction(() => this.#module.migrate(this.#sql));
    this.#engine = this.#open();
  }

  #write(query: string, bindings: readonly SqlValue[]): readonly SqlRow[] {
    this.#changed();
    return this.#file.exec(query, ...bindings);
  }

  /**
   * Each call asks first what is due; between two writes the storage gives the same answers, and a
   * long run is mostly that.
   */
  #select(query: string, bindings: readonly SqlValue[]): readonly SqlRow[] {
    const key = `${query} ${JSON.stringify(bindings)}`;
    const rows = this.#selected.get(key) ?? this.#file.exec(query, ...bindings);
    this.#selected.set(key, rows);
    return rows;
  }

  #changed(): void {
    this.#version += 1;
    this.#selected.clear();
  }

  #open(): Engine {
    return this.#module.createEngine({
      sql: this.#sql,
      random: (length) => this.#rng.bytes(length),
    });
  }

  /** The object is thrown out of memory; its storage stays. */
  evict(): void {
    this.#changed();
    this.#statementsLeft = Infinity;
    this.#sql.transaction(() => this.#module.migrate(this.#sql));
    this.#engine = this.#open();
  }

  crashAfterStatements(count: number): void {
    this.#statementsLeft = count;
  }

  disarm(): void {
    this.#statementsLeft = Infinity;
  }

  close(): void {
    this.#file.close();
  }

  get engine(): Engine {
    return this.#engine;
  }

  /**
   * As the edge does: when the ledger has to judge more than the batch brought offers for, it is
   * handed those too.
   */
  record(batch: RecordBatch, nowMs: number): RecordSummary {
    const answer = this.#engine.record(batch, nowMs);
    if (answer.ok || answer.error.code !== "offers_needed") return must(answer);
    const covers = [...(batch.covers ?? []), ...answer.error.needed];
    return this.record({ ...batch, covers, offers: offersWithin(this.#terms, covers) }, nowMs);
  }

  operate(
    key: string,
    operation: Parameters<Engine["operate"]>[0]["operation"],
    nowMs: number,
  ): ReturnType<Engine["operate"]> {
    return this.#engine.operate({ key, operation }, nowMs);
  }

  activate(
    input: Parameters<Engine["activate"]>[0],
    nowMs: number,
  ): { readonly activatedAtMs: number; readonly expiresAtMs: number | null } {
    return must(this.#engine.activate(input, nowMs));
  }

  points(nowMs: number): PointsView {
    return must(this.#engine.points(null, nowMs));
  }

  /** Every row with its verdict, duplicates too, by account and row id. */
  views(nowMs: number): ReadonlyMap<string, PurchaseView> {
    if (this.#read?.version === this.#version && this.#read.nowMs === nowMs) {
      return this.#read.views;
    }
    const views = new Map<string, PurchaseView>();
    for (let cursor: string | null = null;;) {
      const page: ExportPage = must(this.#engine.exportPage(cursor, nowMs));
      for (const view of page.purchases) {
        if (views.has(keyOf(view))) throw new Error(`row ${keyOf(view)} is there twice`);
        views.set(keyOf(view), view);
      }
      if (page.next === null || page.next.startsWith("e:")) {
        this.#read = { version: this.#version, nowMs, views };
        return views;
      }
      cursor = page.next;
    }
  }

  /** Purchases as a screen pages through them: rows that are keepers. */
  listed(nowMs: number, query: PurchaseQuery): PurchaseView[] {
    const items: PurchaseView[] = [];
    for (let { before } = query;;) {
      const page: Page<PurchaseView> = must(this.#engine.purchases({ ...query, before }, nowMs));
      items.push(...page.items);
      if (page.nextBefore === null) return items;
      before = page.nextBefore;
    }
  }

  /** The second half of an erasure: the storage is emptied and closed in one write. */
  replaceAll(leaf: Leaf): Leaf {
    this.#changed();
    return this.#file.replaceAll(() => this.#engine.closeErased(leaf));
  }

  /** Rows of the book's tables, but for the single values that an erased one keeps. */
  rowsLeft(): number {
    return [
      "purchases",
      "transactions",
      "lots",
      "holds",
      "requests",
      "accounts",
      "connections",
      "activations",
    ].reduce(
      (sum, table) => sum + Number(this.#file.exec(`SELECT COUNT(*) AS n FROM ${table}`)[0]?.["n"]),
      0,
    );
  }

  /** What a call answers on a book that was changed behind its back; the change is then undone. */
  tampered<T>(statement: string, sequence: number, call: () => T): T {
    let answer: { readonly of: T } | null = null;
    try {
      this.#sql.transaction(() => {
        this.#write(statement, [sequence]);
        answer = { of: call() };
        throw new SimulatedCrash("undone");
      });
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
    }
    this.#changed();
    return (answer as unknown as { readonly of: T }).of;
  }

  /** The book's raw transactions after that sequence: what an auditor reads. */
  rawAfter(
    sequence: number,
  ): { readonly sequence: number; readonly body: string; readonly hash: string }[] {
    return this.#file.exec(
      "SELECT sequence, body, hash FROM transactions WHERE sequence > ? ORDER BY sequence",
      sequence,
    )
      .map((row) => ({
        sequence: Number(row["sequence"]),
        body: String(row["body"]),
        hash: String(row["hash"]),
      }));
  }

  /** Everything a user could see of the book, as one text. */
  fingerprint(nowMs: number): string {
    return JSON.stringify([this.points(nowMs), [...this.views(nowMs).values()]]);
  }
}
