// Between the edge and the ledger: what a sync asks the bank for, how its rows are cut into
// deliveries, and what goes wrong on the way. A delivery that was not confirmed stays in the
// network and comes again, as the aggregator's does.
import type {
  AccountGeneration,
  BankRow,
  RecordBatch,
  RecordSummary,
} from "../../src/ledger/ports.ts";
import { checkRefusals } from "./model-refusals.ts";
import { keyOf, overwrites } from "./model-rows.ts";
import type { SimUser, World } from "./world.ts";
import { offersFor } from "./world.ts";
import { SimulatedCrash } from "./ledger.ts";

/** Rows of this world come from reads; what webhooks may do is another world's (sight.ts). */
export const READ = { startedAtMs: 1, knownOnly: false, complete: null } as const;

/** Asks one generation for what changed and puts it on its way, in one delivery or several. */
export function sync(world: World, user: SimUser): string {
  const { rng } = world;
  const account = rng.pick(
    user.bank.accounts.flatMap((each) => (rng.chance(0.8) ? each.live : each.generations)),
  );
  const again = rng.chance(0.1);
  const rows = user.bank.changedSince(
    account.accountId,
    again ? -1 : user.cursors.get(account.accountId) ?? -1,
  );
  user.cursors.set(
    account.accountId,
    Math.max(user.cursors.get(account.accountId) ?? -1, ...rows.map(user.bank.changedAtMs)),
  );
  const parts = cut(
    rows,
    rng.pick([1, 1, 1, 2, 3]),
    rng.chance(0.2) ? (items) => rng.shuffled(items) : (items) => [...items],
  );
  const accounts = rng.chance(0.2) ? [account] : accountsBeside(user, account);
  for (const part of parts) {
    const batch = {
      connectionId: account.connectionId,
      read: READ,
      syncedAtMs: rng.chance(0.8) ? world.nowMs : null,
      accounts,
      rows: part,
      programme: world.programme,
    };
    user.network.push({ ...batch, ...offersFor(world, batch) });
  }
  return `u${user.no} syncs ${account.accountId}${
    again ? " from the beginning" : ""
  }: ${rows.length} rows in ${parts.length} deliveries`;
}

/** The edge names the accounts of one connection, those that are gone too. */
export function accountsBeside(user: SimUser, account: AccountGeneration): AccountGeneration[] {
  return user.bank.accounts.flatMap((each) => each.generations).filter((each) =>
    each.connectionId === account.connectionId
  );
}

function cut(
  rows: readonly BankRow[],
  parts: number,
  order: (items: readonly BankRow[]) => BankRow[],
): BankRow[][] {
  const ordered = order(rows);
  const size = Math.max(1, Math.ceil(ordered.length / parts));
  const out: BankRow[][] = [];
  for (let from = 0; from < ordered.length; from += size) {
    out.push(ordered.slice(from, from + size));
  }
  return out.length === 0 ? [[]] : out;
}

/** The edge looks up whose accounts they are when it hands them over. */
export function withAccountsOf(user: SimUser, batch: RecordBatch): RecordBatch {
  const known = user.bank.accounts.flatMap((each) => each.generations);
  return {
    ...batch,
    accounts: batch.accounts.map((account) =>
      known.find((each) => each.accountId === account.accountId) ?? account
    ),
  };
}

/** Hands one delivery over, in any order. Returns the batch when the ledger confirmed it. */
export function deliver(world: World, user: SimUser): string {
  const { rng } = world;
  if (user.network.length === 0) {
    if (user.recorded.length === 0) return "nothing to deliver";
    return repeat(world, user, rng.pick(user.recorded));
  }
  const index = rng.chance(0.6) ? 0 : rng.int(0, user.network.length - 1);
  const sent = user.network[index];
  if (sent === undefined) return "nothing to deliver";
  const batch = withAccountsOf(user, sent);
  const fault = rng.weighted({ none: 10, crash_inside: 2, lost_answer: 1, evicted: 1 });
  const what = `u${user.no} is delivered ${describe(batch)}`;
  if (fault === "evicted") user.ledger.evict();
  if (fault === "crash_inside") {
    user.ledger.crashAfterStatements(rng.int(0, 25));
    try {
      checkSummary(user, batch, user.ledger.record(batch, world.nowMs));
      user.ledger.disarm();
    } catch (error) {
      if (!(error instanceof SimulatedCrash)) throw error;
      user.ledger.evict();
      return `${what}: crash before the commit`;
    }
  } else checkSummary(user, batch, user.ledger.record(batch, world.nowMs));
  user.model.record(batch, world.nowMs, user.ledger.views(world.nowMs));
  checkRefusals(
    user.model,
    world.catalogue.terms,
    world.programme.pointsPerEuro,
    user.ledger.views(world.nowMs),
  );
  user.recorded.push(batch);
  // The answer got lost: the ledger has it, the sender does not know.
  if (fault !== "lost_answer") user.network.splice(index, 1);
  return `${what}${fault === "none" ? "" : `: ${fault}`}`;
}

/**
 * What the ledger answers a delivery: at least the rows that are new to it were recorded, and none
 * of those was known.
 */
function checkSummary(user: SimUser, { rows }: RecordBatch, summary: RecordSummary): void {
  user.ledger.disarm();
  const fresh = new Set(
    rows.filter((row) => isFresh(user, row)).map(keyOf),
  ).size;
  const holds = summary.recorded >= fresh && summary.unchanged <= rows.length - fresh &&
    user.ledger.rawAfter(summary.sequence - 1).length === Math.min(summary.sequence, 1);
  if (!holds) {
    throw new Error(
      `${fresh} of ${rows.length} rows are new, the ledger says ${JSON.stringify(summary)}`,
    );
  }
}

function isFresh(user: SimUser, row: BankRow): boolean {
  const known = user.model.rows.get(keyOf(row));
  return known === undefined || overwrites(row, known.row);
}

/**
 * The same delivery again must change nothing but the time; nor must its rows without the times
 * that they had.
 */
export function repeat(world: World, user: SimUser, sent: RecordBatch): string {
  // Any delivery judges what is due.
  if (user.model.waitsForAlarm(world.nowMs)) return `u${user.no} has purchases whose day has come`;
  const timeless = world.rng.chance(0.3);
  // As it was then: what has become known of the accounts since is a delivery of its own.
  const batch = {
    ...sent,
    accounts: sent.accounts.map((account) => user.model.accounts.get(account.accountId) ?? account),
    rows: timeless ? sent.rows.map(withoutTime(world.nowMs)) : sent.rows,
  };
  // What a budget's answer or a person's decision freed is judged at the next delivery, whatever it
  // brings.
  const empty = { ...batch, rows: [], syncedAtMs: null };
  user.ledger.record(empty, world.nowMs);
  user.model.record(empty, world.nowMs, user.ledger.views(world.nowMs));
  const before = user.ledger.fingerprint(world.nowMs);
  const { recorded, unchanged } = user.ledger.record(batch, world.nowMs);
  if (recorded !== 0 || unchanged !== batch.rows.length) {
    throw new Error(
      `a delivery that came again recorded ${recorded} rows and found ${unchanged} of ${batch.rows.length} unchanged`,
    );
  }
  const after = user.ledger.fingerprint(world.nowMs);
  if (before !== after) {
    throw new Error(`a delivery that came again changed the ledger:\n${before}\n${after}`);
  }
  return `u${user.no} is delivered again ${describe(batch)}`;
}

/** An old body that an aggregator without times, or an attacker, sends again. */
const withoutTime = (nowMs: number) => (row: BankRow): BankRow => ({
  ...row,
  lastUpdateMs: nowMs,
  lastUpdateKind: "unstated",
});

export function describe(batch: RecordBatch): string {
  const rows = batch.rows.map((row) =>
    `${row.externalId} ${row.kind === "refund" ? "+" : "-"}${row.amountCents} ${
      row.brand?.id ?? "?"
    } ${row.purchasedOn} ${row.state}${row.review === null ? "" : ` ${row.review}`}`
  );
  return `${batch.accounts.at(-1)?.accountId ?? "?"} [${rows.join("; ")}]`;
}
