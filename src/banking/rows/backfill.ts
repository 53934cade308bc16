// Reads rows back from the aggregator with the user's token: all that a connection's window allows,
// what a gap left out, or, once a week, what may have changed. What a read gives is shown, and only
// shown points are confirmed. The mark moves only after everything was recorded, so each read can
// end anywhere and be made again.
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { addDays, DAY_MS, HOUR_MS, parisDate } from "../../kernel/time.ts";
import type { Access, BankingDeps } from "../reconcile/index.ts";
import { earningAccounts } from "../connections/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import { accessFor, reconcile } from "../reconcile/index.ts";
import type { RemoteConnection, RowPosition } from "../ports.ts";
import { noteDropped, policyFor } from "./minimise-policy.ts";
import { recordAccounts, recordEnd, recordRows } from "./record-rows.ts";

/** What may be read inside one request; a longer read is finished by the sweep. */
export const PAGES_INLINE = 3;
/** What one step of the sweep reads at most. */
export const PAGES_SWEEP = 60;
/** How often rows are read where nothing asks for it earlier. */
const READ_EVERY_MS = 7 * DAY_MS;
/** The same while the bank gives the aggregator nothing. */
const READ_LAPSED_EVERY_MS = 28 * DAY_MS;
/** Two reads of a connection are at least so far apart, whatever webhooks say. */
const READ_APART_MS = HOUR_MS;
/** Each read goes back so far before the last one. */
const READ_OVERLAP_DAYS = 14;
/** The last read of a connection that ends takes no longer: the end goes on without it. */
const LAST_READ_MS = 10_000;
/**
 * Booking dates have been seen a day before the purchase's own; rows are filtered exactly when they
 * are here.
 */
const DATE_SLACK_DAYS = 5;

/** Why something of a connection is still to be read. */
export type UnfinishedRead = ReadError["code"] | "not_yet" | "too_many_pages";

/** `fromDay` null: from the window's first day. */
type ReadRange = {
  readonly fromDay: string | null;
  readonly knownOnly: boolean;
  readonly pagesMax: number;
  /** True once nobody waits for the read any more: nothing of it may be recorded then. */
  readonly isOver?: () => boolean;
};

/**
 * The read that is due: everything since the first counting day, what a gap left out, or the usual
 * one. What fails stays due. Returns null when it was recorded as done.
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
  if (connection.fullRead === "due" && (there === undefined || there.lastUpdateMs === null)) {
    return "not_yet";
  }
  const readAtMs = deps.clock.nowMs();
  const fromDay = await firstDayOf(deps, linkedUser, connection);
  if (!fromDay.ok) return fromDay.error.code;
  const read = await readPages(deps, linkedUser, connection, access, {
    fromDay: fromDay.value,
    knownOnly: false,
    pagesMax,
  });
  if (!read.ok) return read.error.code;
  if (!read.value.finished) return "too_many_pages";
  const done = { readAtMs, nowMs: deps.clock.nowMs() };
  const nextAtMs = nextReadMs(connection, readAtMs, read.value.readByMs);
  if (connection.fullRead === "due") {
    await deps.store.fullReadDone(connection, { ...done, nextAtMs });
  } else await deps.store.changesRead(connection, { ...done, nextAtMs });
  return null;
}

function nextReadMs(
  { status }: LinkedConnection,
  readAtMs: number,
  readByMs: number | null,
): number {
  const usualMs = readAtMs + (status === "active" ? READ_EVERY_MS : READ_LAPSED_EVERY_MS);
  return Math.max(readAtMs + READ_APART_MS, Math.min(usualMs, readByMs ?? Infinity));
}

/**
 * The ledger wants the connection to be read by then. Writes only where that is earlier, or where a
 * read that was due may have ended, and set a later time, since the connection was looked up.
 */
export async function readEarlier(
  deps: BankingDeps,
  { id, changesReadAtMs, changesDueAtMs }: LinkedConnection,
  readByMs: number | null,
): Promise<void> {
  if (readByMs === null) return;
  const atMs = Math.max(readByMs, (changesReadAtMs ?? 0) + READ_APART_MS);
  if (atMs < changesDueAtMs || changesDueAtMs <= deps.clock.nowMs()) {
    await deps.store.readBy(id, atMs);
  }
}

/**
 * The day from which a read goes back: the oldest purchase that is not confirmed, a gap's first
 * day, or some days before the last read, whichever is earlier. Null when anything may be missing: a
 * first read, or accounts that came since the last.
 */
async function firstDayOf(
  deps: BankingDeps,
  { userId }: LinkedUser,
  connection: LinkedConnection,
): Promise<Result<string | null, ReadError>> {
  const markMs = connection.changesReadAtMs;
  const open = connection.gaps.filter((gap) => gap.toMs !== null && !gap.recovered);
  const isWhole = connection.fullRead === "due" && (open.length === 0 ||
    connection.accounts.some((account) => account.createdAtMs > (markMs ?? 0)));
  if (markMs === null || isWhole) return ok(null);
  const unconfirmed = await deps.ledger.unconfirmedSince(userId, connection.id);
  if (!unconfirmed.ok) return unconfirmed;
  const usual = addDays(parisDate(markMs), -READ_OVERLAP_DAYS);
  const days = [usual, unconfirmed.value ?? usual, ...open.map(({ fromMs }) => parisDate(fromMs))];
  return ok(days.sort()[0] ?? usual);
}

/**
 * Brings a connection in line with the aggregator: its state and accounts, and the read that is
 * due. It also mends what a message could not bring. Null when nothing is left.
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
    if (!(await recordEnd(deps, linkedUser, connection))) return "ledger_unavailable";
    await deps.store.removeConnection(linkedUser.userId, connection.id, true, deps.clock.nowMs());
    return null;
  }
  return readDue(deps, linkedUser, connection, access.value, remote, pagesMax);
}

/**
 * The last read of a connection that its user ends: it shows what is known and takes in nothing
 * new. Tried once and not for long; without an answer the end goes on.
 */
export async function readLast(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Promise<void> {
  let isOver = false;
  const read = async (): Promise<void> => {
    const access = await accessFor(deps, linkedUser);
    const fromDay = await firstDayOf(deps, linkedUser, connection);
    if (!access.ok || !fromDay.ok) return;
    await readPages(deps, linkedUser, connection, access.value, {
      fromDay: fromDay.value,
      knownOnly: true,
      pagesMax: PAGES_INLINE,
      isOver: () => isOver,
    });
  };
  await Promise.race([read(), deps.sleep(LAST_READ_MS)]);
  isOver = true;
}

async function readPages(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
  access: Access,
  { fromDay: asked, knownOnly, pagesMax, isOver = () => false }: ReadRange,
): Promise<Result<{ readonly finished: boolean; readonly readByMs: number | null }, ReadError>> {
  const windows = earningAccounts(linkedUser, connection);
  const firstDays = [...windows.values()].map((window) => window.firstDay).sort();
  const firstDay = firstDays[0];
  if (firstDay === undefined) {
    if (connection.accounts.length === 0) return ok({ finished: true, readByMs: null });
    // Of disabled accounts nothing can be read, and their points must not wait for a read.
    const told = await recordAccounts(deps, linkedUser, connection);
    return told.ok ? ok({ finished: true, readByMs: told.value.readByMs }) : told;
  }
  const catalogue = await deps.catalogue.snapshot(linkedUser.catalogueVersion);
  const policy = policyFor(deps, linkedUser, connection, catalogue);
  const fromDay = asked !== null && asked > firstDay ? asked : firstDay;
  const externalIds: string[] = [];
  let position: RowPosition = { sinceDay: addDays(fromDay, -DATE_SLACK_DAYS) };
  for (let page = 0; page < pagesMax; page++) {
    const answer: Awaited<ReturnType<typeof access.aggregator.rows>> = await access.aggregator.rows(
      access.token,
      position,
      policy,
    );
    if (!answer.ok) return answer;
    if (isOver()) break;
    const { rows, next } = answer.value;
    noteDropped(deps, connection, answer.value);
    externalIds.push(...rows.map(({ externalId }) => externalId));
    const recorded = await recordRows(deps, linkedUser, connection, access.cipher, catalogue, {
      rows,
      arrival: { by: "read", atMs: policy.nowMs },
      syncedAtMs: null,
      read: {
        startedAtMs: policy.nowMs,
        knownOnly,
        complete: next === null
          ? {
            // Of the days before an account was linked, or linked again, its rows are not shown.
            fromDay: [fromDay, ...firstDays].sort().at(-1) ?? fromDay,
            accountIds: connection.accounts.filter(({ remoteId, goneAtMs }) =>
              goneAtMs === null && windows.has(remoteId)
            ).map(({ id }) => id),
            externalIds,
          }
          : null,
      },
    });
    if (!recorded.ok) return recorded;
    if (next === null) return ok({ finished: true, readByMs: recorded.value.readByMs });
    position = { next };
  }
  return ok({ finished: false, readByMs: null });
}
