// One simulated world: a clock, users with their banks, a network that loses, repeats, splits and
// reorders, storage that crashes inside a transaction, engines that are evicted, budgets and a
// projection that fail. Everything comes from the seed.
import type { Rng } from "./random.ts";
import { seededRng } from "./random.ts";
import type { Bank } from "./bank.ts";
import { makeBank } from "./bank.ts";
import { SimBudgets } from "./budgets.ts";
import type { Catalogue } from "./catalogue.ts";
import { makeCatalogue } from "./catalogue.ts";
import { offersWithin, SimLedger } from "./ledger.ts";
import type { LedgerModule } from "./ledger.ts";
import { Model } from "./model.ts";
import type { RawEntry } from "./book.ts";
import type { Snapshot } from "./d1.ts";
import type { SqlDatabase } from "../../src/db/d1.ts";
import type { Leaf, OfferCover, Programme, RecordBatch } from "../../src/ledger/ports.ts";
import { DAY_MS, HOUR_MS, parisToMs } from "../../src/kernel/time.ts";

export type SimUser = {
  readonly no: number;
  readonly userId: string;
  readonly bank: Bank;
  readonly ledger: SimLedger;
  readonly model: Model;
  readonly cursors: Map<string, number>;
  /** On its way, not yet arrived. */
  readonly network: RecordBatch[];
  /** Arrived and confirmed, in that order. */
  readonly recorded: RecordBatch[];
  /** Expiry notices that left. */
  readonly mails: { readonly expiresOn: string; readonly atMs: number }[];
  /** What the sample has of it, by row. */
  readonly sampled: Map<number, string>;
  /** Purchases that at some time had a refund set against them. */
  readonly everRefunded: Set<string>;
  /** Every id a purchase was ever shown under, with the rows that represented it then. */
  readonly shownIds: Map<string, Set<string>>;
  /** Once it is erased: its last sequence and head. */
  leaf: Leaf | null;
  readonly operations: {
    readonly key: string;
    readonly operation: Parameters<SimLedger["operate"]>[1];
    readonly answer: string;
  }[];
  /** Entries checked so far. */
  readonly verified: {
    sequence: number;
    hash: string;
    readonly entries: RawEntry[];
    readonly sums: { pending: number; available: number; held: number };
  };
};

export type World = {
  readonly module: LedgerModule;
  readonly rng: Rng;
  readonly catalogue: Catalogue;
  readonly programme: Programme;
  readonly users: readonly SimUser[];
  readonly budgets: SimBudgets;
  readonly database: SqlDatabase;
  /** A backup of D1 from some moment. */
  backup: Snapshot | null;
  readonly trace: string[];
  nowMs: number;
  serial: number;
};

/** Days around which the clock of Paris changes, a year ends, and an ordinary one. */
const STARTS = ["2026-03-20", "2026-10-18", "2026-12-20", "2026-06-01"];

export function makeWorld(seed: number, module: LedgerModule, database: SqlDatabase): World {
  const rng = seededRng(seed);
  const nowMs = parisToMs(rng.pick(STARTS)) + rng.int(0, 23) * HOUR_MS;
  const catalogue = makeCatalogue(rng.fork(1), nowMs);
  const programme: Programme = {
    pointsPerEuro: rng.pick([100, 100, 1000, 33]),
    pointsExpireMonths: rng.pick([1, 2, 24]),
  };
  const userOf = (no: number): SimUser => {
    const ledger = new SimLedger(module, rng.fork(20 + no), catalogue.terms);
    return {
      no,
      userId: `usr_${no}`,
      bank: makeBank(no, rng.fork(10 + no), catalogue.brands, nowMs),
      ledger,
      model: new Model(catalogue.terms, programme, (atMs) => ledger.views(atMs)),
      cursors: new Map(),
      network: [],
      recorded: [],
      operations: [],
      mails: [],
      sampled: new Map(),
      everRefunded: new Set(),
      shownIds: new Map(),
      leaf: null,
      verified: {
        sequence: 0,
        hash: "0".repeat(64),
        entries: [],
        sums: { pending: 0, available: 0, held: 0 },
      },
    };
  };
  const users = Array.from({ length: rng.pick([1, 1, 2]) }, (_, no) => userOf(no));
  return {
    module,
    rng,
    catalogue,
    programme,
    users,
    budgets: new SimBudgets(catalogue),
    database,
    backup: null,
    trace: [],
    nowMs,
    serial: 0,
  };
}

/** How far the clock goes in one step. */
export function clockJump(rng: Rng): number {
  switch (rng.weighted({ minutes: 3, hours: 5, days: 4, weeks: 1, months: 0.5 })) {
    case "minutes":
      return rng.int(1, 59) * 60_000;
    case "hours":
      return rng.int(1, 30) * HOUR_MS;
    case "days":
      return rng.int(1, 5) * DAY_MS + rng.int(0, 23) * HOUR_MS;
    case "weeks":
      return rng.int(7, 21) * DAY_MS;
    case "months":
      return rng.int(31, 100) * DAY_MS;
  }
}

/**
 * What the edge hands over with these rows: their brands' versions around their days, and that it
 * is no more than that.
 */
export function offersFor(
  world: World,
  batch: Pick<RecordBatch, "rows">,
): Pick<RecordBatch, "offers" | "covers"> {
  const covers = batch.rows.flatMap((
    row,
  ): OfferCover[] => (row.brand === null
    ? []
    : [{ brandId: row.brand.id, from: row.purchasedOn, to: row.purchasedOn }])
  );
  return { covers, offers: offersWithin(world.catalogue.terms, covers) };
}
