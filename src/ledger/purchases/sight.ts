// What a read with the user's token has shown. A webhook is signed by one static secret, so what it
// says may show points as pending and no more. A purchase is shown once a read gave a row of it,
// under any listing, with the amount, kind, day and brand that its points rest on.
//
// One mark per connection says how far the reads have come: a row that a webhook changed before the
// last complete read began was given by that read. Only exceptions are noted on rows.
import type { ConnectionId } from "../../kernel/ids.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { integerOf, integerOrNull } from "../book/sql.ts";
import type { BankRow } from "../ports.ts";
import { PURCHASE_COLUMNS, purchaseFrom } from "./purchase-rows.ts";
import type { PurchaseRow, SightNotes } from "./purchase-rows.ts";

/** Two complete reads without a row: what a webhook said of it is not true. */
export const MISSED_MAX = 2;

/**
 * What an account that is gone left open waits so long: for a person, or to be shown elsewhere.
 */
export const GONE_WAIT_MS = 14 * DAY_MS;

type Sight = Pick<PurchaseRow, "accountNo" | "saidMs" | "sightNotes">;

function marksOf(call: Call): ReadonlyMap<number, number> {
  call.marks ??= new Map(
    call.sql.exec(
      "SELECT a.account_no, r.read_ms FROM reads r JOIN accounts a ON a.connection_id = r.connection_id",
    ).map((row) => [integerOf(row, "account_no"), integerOf(row, "read_ms")]),
  );
  return call.marks;
}

/** Whether the row says what a read gave. */
export function isRowShown(call: Call, { accountNo, saidMs, sightNotes }: Sight): boolean {
  if (saidMs === null) return true;
  return (sightNotes?.missed ?? 0) < MISSED_MAX && saidMs < (marksOf(call).get(accountNo) ?? 0);
}

/** Whether points of the purchase may be confirmed: a read has given a row that says the same. */
export function isShown(call: Call, keeper: PurchaseRow): boolean {
  if (keeper.state === "booked" && isRowShown(call, keeper)) return true;
  // No index: asked only of purchases that are due, or change, before a read came.
  return call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE same_as = ? AND state = 'booked'`,
    keeper.n,
  ).map(purchaseFrom).some((row) => saysTheSame(row, keeper) && isRowShown(call, row));
}

function saysTheSame(a: PurchaseRow, b: PurchaseRow): boolean {
  return a.amountCents === b.amountCents && a.currency === b.currency && a.kind === b.kind &&
    a.purchasedOn === b.purchasedOn && (a.brand?.id ?? null) === (b.brand?.id ?? null);
}

/** When the last complete read of a connection began; 0 before the first. */
export function markOf(call: Call, connectionId: ConnectionId): number {
  const row = call.sql.exec("SELECT read_ms FROM reads WHERE connection_id = ?", connectionId)[0];
  return row === undefined ? 0 : integerOf(row, "read_ms");
}

/**
 * Every row of the connection that a webhook changed before that instant was given by a read. A read
 * that began before the connection ended, and is recorded after it, begins no reads anew.
 */
export function moveMark(call: Call, connectionId: ConnectionId, readAtMs: number): void {
  call.sql.exec(
    `INSERT INTO reads (connection_id, read_ms) VALUES (?1, ?2)
     ON CONFLICT (connection_id) DO UPDATE SET read_ms = MAX(read_ms, ?2),
       ended_ms = CASE WHEN ended_ms >= ?2 THEN ended_ms END`,
    connectionId,
    readAtMs,
  );
  call.marks = null;
}

/** Nothing of the connection is read any more. */
export function endReads(call: Call, connectionId: ConnectionId): void {
  call.sql.exec(
    `INSERT INTO reads (connection_id, read_ms, ended_ms) VALUES (?1, 0, ?2)
     ON CONFLICT (connection_id) DO UPDATE SET ended_ms = COALESCE(ended_ms, ?2)`,
    connectionId,
    call.nowMs,
  );
}

/** Since when no read can show rows of the account, or null. */
export function unreadableSinceMs(call: Call, accountNo: number): number | null {
  const row = call.sql.exec(
    `SELECT a.unreadable_ms, a.gone_at_ms, r.ended_ms FROM accounts a
     LEFT JOIN reads r ON r.connection_id = a.connection_id WHERE a.account_no = ?`,
    accountNo,
  )[0] ?? {};
  const times = ["unreadable_ms", "gone_at_ms", "ended_ms"].map((name) => integerOrNull(row, name))
    .filter((time) => time !== null);
  return times.length === 0 ? null : Math.min(...times);
}

/** A person, or the rule for accounts that are gone, lets count what no read has shown. */
export function letCount(row: PurchaseRow): void {
  row.saidMs = null;
  row.sightNotes = null;
}

/** Whether points that rest on the row, or that it takes as a refund, are confirmed. */
export function restsConfirmed(call: Call, row: PurchaseRow): boolean {
  return row.state !== "pending" && confirmedLots(call, concernedBy(row)).size > 0;
}

/**
 * Whether what a webhook says of the row is not believed before a read shows it: confirmed points
 * rest on it, or it is shown and part of a refund, which would else fall on others.
 */
export function waitsForRead(call: Call, row: PurchaseRow): boolean {
  const isRefund = row.state === "booked" &&
    (row.kind === "refund" ? row.refundParts.length > 0 : row.refundedCents > 0);
  return restsConfirmed(call, row) || (isRefund && isRowShown(call, row));
}

const concernedBy = (row: PurchaseRow): readonly number[] => [
  row.sameAs ?? row.n,
  ...row.refundParts.map(({ purchase }) => purchase),
];

/** The confirmed lots of these purchases. */
function confirmedLots(call: Call, purchases: readonly number[]): ReadonlySet<number> {
  return new Set(
    call.sql.exec(
      `SELECT l.lot_no FROM purchases p JOIN lots l ON l.lot_no = p.lot_no
       WHERE p.n IN (SELECT value FROM json_each(?)) AND l.state = 'available'`,
      JSON.stringify(purchases),
    ).map((row) => integerOf(row, "lot_no")),
  );
}

/**
 * The confirmed lots of purchases that a webhook has said something of and no read has yet. Where
 * no read can any more, that says nothing after a while: a webhook alone takes no confirmed points.
 */
export function lotsInQuestion(call: Call): ReadonlySet<number> {
  const rows = call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE sight_notes IS NOT NULL OR (kind = 'refund' AND said_ms IS NOT NULL)`,
  ).map(purchaseFrom).filter((row) =>
    (row.sightNotes?.askedAtMs ?? null) !== null ||
    (row.kind === "refund" && !isRowShown(call, row))
  ).filter(({ accountNo }) =>
    call.nowMs < (unreadableSinceMs(call, accountNo) ?? Infinity) + GONE_WAIT_MS
  );
  return rows.length === 0 ? new Set() : confirmedLots(call, rows.flatMap(concernedBy));
}

/** Notes of a row, with some of them changed; null when nothing is notable. */
export function withNotes(row: PurchaseRow, changes: Partial<SightNotes>): SightNotes | null {
  const notes = { missed: 0, before: null, askedAtMs: null, ...row.sightNotes, ...changes };
  return notes.missed === 0 && notes.before === null && notes.askedAtMs === null ? null : notes;
}

/** Whether what a webhook said of points that are still pending takes some of them away. */
export function takesAway({ state, kind }: Pick<BankRow, "state" | "kind">): boolean {
  return state === "deleted" || kind === "refund";
}
