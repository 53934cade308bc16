// What a complete read of a connection settles: rows that webhooks said and the read gave are shown,
// by moving the connection's mark; those that it should have given and did not are noted. Two
// reads without a row, and what only a webhook said of it is given up.
import type { ConnectionId } from "../../kernel/ids.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { integerOf, integerOrNull, textOrNull } from "../book/sql.ts";
import type { CompleteRead, RecordBatch } from "../ports.ts";
import type { Account } from "./account-identity.ts";
import { plannedStored } from "./batch-plan.ts";
import type { BatchPlan, PlannedRow } from "./batch-plan.ts";
import { readPurchase, updateSight } from "./purchase-rows.ts";
import { hasRefunds } from "./refund-matching.ts";
import { decisiveFactsDiffer, overwriteFacts } from "./row-facts.ts";
import {
  endReads,
  isRowShown,
  isShown,
  letCount,
  markOf,
  MISSED_MAX,
  moveMark,
  takesAway,
  withNotes,
} from "./sight.ts";

/** What a webhook says of points is looked at within the hour. */
const READ_SOON_MS = HOUR_MS;
/** Reads for any other cause are so far apart. */
const READ_AGAIN_MS = 6 * HOUR_MS;
/** Before points are due, so that they can be confirmed on their day. */
const READ_BEFORE_MS = 12 * HOUR_MS;

/** Takes in what the delivery says of reads, before its rows are judged. */
export function settleReads(
  call: Call,
  plan: BatchPlan,
  batch: RecordBatch,
  accounts: Iterable<Account>,
): void {
  const complete = batch.read?.complete ?? null;
  if (complete !== null) {
    settleComplete(call, plan, batch.connectionId, {
      accounts: [...accounts].filter(({ connectionId }) => connectionId === batch.connectionId),
      startedAtMs: batch.read?.startedAtMs ?? 0,
      complete,
    });
  }
  if (batch.hasEnded === true) endReads(call, batch.connectionId);
}

function settleComplete(
  call: Call,
  plan: BatchPlan,
  connectionId: ConnectionId,
  { accounts, startedAtMs, complete }: {
    readonly accounts: readonly Account[];
    readonly startedAtMs: number;
    readonly complete: CompleteRead;
  },
): void {
  const markMs = markOf(call, connectionId);
  // An earlier read that ends later says nothing that the newer one did not.
  if (startedAtMs <= markMs) return;
  const open = openRows(call, plan, accounts, markMs, startedAtMs);
  moveMark(call, connectionId, startedAtMs);
  const given = new Set(complete.externalIds);
  const covered = new Set(
    accounts.filter(({ accountId }) => complete.accountIds.includes(accountId)).map((
      { accountNo },
    ) => accountNo),
  );
  const lacking: PlannedRow[] = [];
  for (const planned of open) {
    const { row } = planned;
    if (given.has(row.externalId)) noteGiven(call, plan, planned, startedAtMs);
    else if (covered.has(row.accountNo) && row.purchasedOn >= complete.fromDay) {
      if (noteMissed(call, plan, planned, startedAtMs)) lacking.push(planned);
    } else if (row.saidMs !== null) {
      // Not asked for: the mark says nothing of it.
      row.saidMs = startedAtMs;
      change(call, plan, planned);
    }
  }
  // Once it is known of all of them, since one may be shown under another's listing.
  for (const planned of lacking) giveUp(call, planned);
}

/**
 * Booked and deleted rows of which a read has to say something: what webhooks said since the last
 * one, and what is notable. Read through once a week, so without an index.
 */
function openRows(
  call: Call,
  plan: BatchPlan,
  accounts: readonly Account[],
  markMs: number,
  startedAtMs: number,
): PlannedRow[] {
  const rows = call.sql.exec(
    `SELECT n FROM purchases WHERE account_no IN (SELECT value FROM json_each(?)) AND state <> 'pending'
       AND ((said_ms >= ? AND said_ms < ?) OR sight_notes IS NOT NULL) ORDER BY n`,
    JSON.stringify(accounts.map(({ accountNo }) => accountNo)),
    markMs,
    startedAtMs,
  ).map((row) => integerOf(row, "n"));
  return rows.map((n) => plan.rows.get(n) ?? plannedStored(readPurchase(call, n)));
}

/** Writes what is noted of the row at once: others of its purchase are asked for it. */
function change(call: Call, plan: BatchPlan, planned: PlannedRow): void {
  const { row } = planned;
  planned.factsChanged = true;
  plan.rows.set(row.n, planned);
  updateSight(call, row);
}

/**
 * The read gave the row as it is: the mark shows it. Refunds and deletions have to be judged, and
 * refunds be matched, since confirmed points did not give way to a webhook.
 */
function noteGiven(
  call: Call,
  plan: BatchPlan,
  planned: PlannedRow,
  startedAtMs: number,
): void {
  const { row } = planned;
  if (row.saidMs === null || row.saidMs >= startedAtMs) return;
  if (takesAway(row) || (row.brand !== null && hasRefunds(call, row.brand.id))) {
    plan.rows.set(row.n, planned);
  }
}

/** Returns whether the row was missed for the second time. */
function noteMissed(
  call: Call,
  plan: BatchPlan,
  planned: PlannedRow,
  startedAtMs: number,
): boolean {
  const { row } = planned;
  const askedAtMs = row.sightNotes?.askedAtMs ?? null;
  const saidSince = (row.saidMs ?? 0) >= startedAtMs || (askedAtMs ?? 0) >= startedAtMs;
  const missed = (row.sightNotes?.missed ?? 0) + 1;
  if (saidSince || missed > MISSED_MAX) return false;
  row.sightNotes = withNotes(row, { missed });
  if (row.saidMs !== null) row.saidMs = startedAtMs;
  change(call, plan, planned);
  return missed === MISSED_MAX;
}

/**
 * The aggregator answered twice without the row. What a read had shown of it, or shows of it under
 * another listing, stays shown, since rows vanish; what only webhooks said is held for a person.
 */
function giveUp(call: Call, planned: PlannedRow): void {
  const { row } = planned;
  const before = row.sightNotes?.before ?? null;
  if (before?.state === "booked") {
    planned.decided &&= !decisiveFactsDiffer(row, before);
    if (row.review === "not_shown") row.review = null;
    overwriteFacts(row, { ...before, review: null }, false);
    letCount(row);
  } else if (row.saidMs === null || (row.state === "booked" && isShown(call, row))) {
    letCount(row);
  } else if (row.review !== "refused") {
    // A deletion too: it must not go on taking back the purchase that another listing shows.
    row.review = "not_shown";
    planned.decided = false;
  }
}

/**
 * When the connection should be read because of what this delivery brought, or, after a complete
 * read, because of all that it left open.
 */
export function readByMs(call: Call, plan: BatchPlan, batch: RecordBatch): number | null {
  const times = batch.read === undefined
    ? askedTimes(call, plan)
    : batch.read.complete === null
    ? []
    : openTimes(call, batch.connectionId);
  return times.length === 0 ? null : Math.min(...times);
}

const beforeDue = (call: Call, confirmAtMs: number): number =>
  Math.max(confirmAtMs - READ_BEFORE_MS, call.nowMs + READ_AGAIN_MS);

function askedTimes(call: Call, plan: BatchPlan): number[] {
  const soonMs = call.nowMs + READ_SOON_MS;
  const times = [...plan.rows.values()].flatMap(({ row }) => {
    if (isRowShown(call, row)) return [];
    if (takesAway(row) || row.sightNotes?.before?.state === "booked") return [soonMs];
    const { confirmAtMs } = row.findings;
    return row.lotNo === null || confirmAtMs === null ? [] : [beforeDue(call, confirmAtMs)];
  });
  return plan.hasQuestions ? [...times, soonMs] : times;
}

/** The accounts of a connection whose rows reads give: of others nothing is to be waited for. */
const READABLE =
  "SELECT account_no FROM accounts WHERE connection_id = ?1 AND unreadable_ms IS NULL AND gone_at_ms IS NULL";

function openTimes(call: Call, connectionId: ConnectionId): number[] {
  const row = call.sql.exec(
    `SELECT MIN(l.due_ms) AS due_ms,
       EXISTS (SELECT 1 FROM purchases o WHERE o.state <> 'pending' AND o.sight_notes IS NOT NULL
         AND json_extract(o.sight_notes, '$.missed') < ?2 AND o.account_no IN (${READABLE})) AS asked
       FROM lots l JOIN purchases p ON p.n = l.purchase_no
       WHERE l.state = 'pending' AND l.due_ms IS NOT NULL AND p.account_no IN (${READABLE})
         AND p.said_ms >= COALESCE((SELECT read_ms FROM reads WHERE connection_id = ?1), 0)`,
    connectionId,
    MISSED_MAX,
  )[0] ?? {};
  const dueMs = integerOrNull(row, "due_ms");
  return [
    ...(dueMs === null ? [] : [beforeDue(call, dueMs)]),
    ...(integerOf(row, "asked") === 0 ? [] : [call.nowMs + READ_AGAIN_MS]),
  ];
}

/**
 * The day of the oldest row of the connection that a read has still to show, or null. One that was
 * given up, and one of an account whose rows reads do not give, would make every read longer for
 * ever.
 */
export function unconfirmedSince(call: Call, connectionId: ConnectionId): string | null {
  const row = call.sql.exec(
    `SELECT MIN(p.purchased_on) AS day FROM purchases p WHERE p.account_no IN (SELECT account_no FROM accounts WHERE connection_id = ?1)
       AND p.state <> 'pending' AND (EXISTS (SELECT 1 FROM lots l WHERE l.lot_no = p.lot_no AND l.state = 'pending' AND l.due_ms IS NOT NULL)
         OR (p.account_no IN (${READABLE}) AND (p.waits_for IS NOT NULL OR COALESCE(json_extract(p.sight_notes, '$.missed'), 0) < ?2)
           AND (p.sight_notes IS NOT NULL OR p.said_ms >= COALESCE((SELECT read_ms FROM reads WHERE connection_id = ?1), 0))))`,
    connectionId,
    MISSED_MAX,
  )[0] ?? {};
  return textOrNull(row, "day");
}
