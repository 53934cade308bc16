// Reads rows back from the aggregator: all that a connection's window allows, what a gap left out,
// or what changed under its old id, which no webhook reports. Marks move only after everything was
// recorded, so each read can end anywhere and be made again.
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { addDays, DAY_MS, parisDate } from "../../kernel/time.ts";
import type { Access, BankingDeps } from "../reconcile/index.ts";
import { earningAccounts } from "../connections/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import { accessFor, reconcile } from "../reconcile/index.ts";
import type { RemoteConnection, RowPosition } from "../ports.ts";
import { noteDropped, policyFor } from "./minimise-policy.ts";
import { recordRows } from "./record-rows.ts";

/** What may be read inside one request; a longer read is finished by the sweep. */
export const PAGES_INLINE = 3;
/** What one step of the sweep reads at most. */
export const PAGES_SWEEP = 60;
/**
 * Once a day a connection is read in the background; the rules for account information allow
 * four times.
 */
const CHANGES_EVERY_MS = DAY_MS;
/**
 * Booking dates have been seen a day before the purchase's own; rows are filtered exactly when they
 * are here.
 */
const DATE_SLACK_DAYS = 5;
/**
 * The aggregator's marks are to the second and in local time; a read after a mark starts well
 * before it.
 */
const MARK_SLACK_MS = DAY_MS;

/** Why something of a connection is still to be read. */
export type UnfinishedRead = ReadError["code"] | "not_yet" | "too_many_pages";

/**
 * Where a read starts: at the window's first day or a later one, and with all rows or only those
 * changed after an instant.
 */
type ReadRange = { readonly fromDay: string | null; readonly changedAfterMs: number | null };

/**
 * The read back that is due. Since the first counting day; after a gap, since the day of the last
 * good sync. What fails stays due. Returns null when it was recorded as done.
 */
export async function readDue(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  access: Access,
  remote: readonly RemoteConnection[],
  pagesMax: number,
): Promise<UnfinishedRead | null> {
  const there = remote.find((candidate) => candidate.remoteId === connection.remoteId);
  // Before the aggregator's first update there is nothing to read back.
  if (there === undefined || there.lastUpdateMs === null) return "not_yet";
  const readAtMs = deps.clock.nowMs();
  const fromDay = gapStart(connection);
  const read = await readPages(deps, linkedUser, connection, access, {
    fromDay,
    changedAfterMs: null,
  }, pagesMax);
  if (!read.ok) return read.error.code;
  if (!read.value.finished) return "too_many_pages";
  await deps.store.fullReadDone(connection, {
    readAtMs,
    nowMs: deps.clock.nowMs(),
    complete: fromDay === null,
  });
  return null;
}

/**
 * The day from which a gap is to be read; null when older rows may be missing too: a first read, or
 * accounts that came since the last.
 */
function gapStart(connection: LinkedConnection): string | null {
  const open = connection.gaps.filter((gap) => gap.toMs !== null && !gap.recovered);
  const markMs = connection.changesReadAtMs;
  if (
    open.length === 0 || markMs === null ||
    connection.accounts.some((account) => account.createdAtMs > markMs)
  ) return null;
  return parisDate(Math.min(...open.map((gap) => gap.fromMs)));
}

/**
 * What changed since the mark, rows that the bank deleted among it; everything when there is no
 * mark. Returns null when the mark moved.
 */
async function readChanges(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  access: Access,
  pagesMax: number,
): Promise<UnfinishedRead | null> {
  const readAtMs = deps.clock.nowMs();
  const markMs = connection.changesReadAtMs;
  const read = await readPages(deps, linkedUser, connection, access, {
    fromDay: null,
    changedAfterMs: markMs === null ? null : markMs - MARK_SLACK_MS,
  }, pagesMax);
  if (!read.ok) return read.error.code;
  if (!read.value.finished) return "too_many_pages";
  await deps.store.changesRead(connection, {
    readAtMs,
    nowMs: deps.clock.nowMs(),
    nextAtMs: readAtMs + CHANGES_EVERY_MS,
  });
  return null;
}

/**
 * Brings a connection in line with the aggregator: its state and accounts, the read back that is
 * due, and all that changed since the mark. The latter also mends what a message could not bring:
 * whatever it carried changed after the mark. Null when nothing is left.
 */
export async function catchUp(
  deps: BankingDeps,
  before: LinkedUser,
  id: LinkedConnection["id"],
  pagesMax: number,
): Promise<UnfinishedRead | null> {
  const access = await accessFor(deps, before);
  if (!access.ok) return access.error.code;
  const reconciled = await reconcile(deps, before, access.value);
  if (!reconciled.ok) return reconciled.error.code;
  const { linkedUser, remote } = reconciled.value;
  const connection = linkedUser.connections.find((candidate) => candidate.id === id);
  if (connection === undefined || connection.status === "removed") return null;
  if (!remote.some((candidate) => candidate.remoteId === connection.remoteId)) {
    // Missing there is not yet gone: a hiccup must not end what a user has linked. Missing and
    // announced is.
    if (!(await deps.store.deletionAnnounced(linkedUser.aggregator, connection.remoteId))) {
      return "aggregator_not_found";
    }
    await deps.store.removeConnection(linkedUser.userId, connection.id, true, deps.clock.nowMs());
    return null;
  }
  const complete = connection.fullRead === "due" && gapStart(connection) === null;
  if (connection.fullRead === "due") {
    const open = await readDue(deps, linkedUser, connection, access.value, remote, pagesMax);
    if (open !== null) return open;
  }
  return complete ? null : readChanges(deps, linkedUser, connection, access.value, pagesMax);
}

async function readPages(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  access: Access,
  range: ReadRange,
  pagesMax: number,
): Promise<Result<{ readonly finished: boolean }, ReadError>> {
  const windows = earningAccounts(linkedUser, connection);
  const firstDay = [...windows.values()].map((window) => window.firstDay).sort()[0];
  if (firstDay === undefined) return ok({ finished: true });
  const catalogue = await deps.catalogue.snapshot(linkedUser.catalogueVersion);
  const policy = policyFor(deps, linkedUser, connection, catalogue);
  const fromDay = range.fromDay !== null && range.fromDay > firstDay ? range.fromDay : firstDay;
  let position: RowPosition = {
    sinceDay: addDays(fromDay, -DATE_SLACK_DAYS),
    changedAfterMs: range.changedAfterMs,
  };
  for (let page = 0; page < pagesMax; page++) {
    const answer: Awaited<ReturnType<typeof access.aggregator.rows>> = await access.aggregator.rows(
      access.token,
      position,
      policy,
    );
    if (!answer.ok) return answer;
    noteDropped(deps, connection, answer.value);
    const recorded = await recordRows(
      deps,
      linkedUser,
      connection,
      access.cipher,
      catalogue,
      { rows: answer.value.rows, arrival: { by: "read", atMs: policy.nowMs }, syncedAtMs: null },
    );
    if (!recorded.ok) return recorded;
    if (answer.value.next === null) return ok({ finished: true });
    position = { next: answer.value.next };
  }
  return ok({ finished: false });
}
