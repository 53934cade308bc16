// What is projected of a book to D1. The transactions are their own outbox: they are append-only
// and numbered without gaps, so a mark of how far D1 has come is all it takes, and no purchase pays
// for an outbox row. Rebuilding D1 is draining again from zero.
import { dayOf } from "../book/paris-days.ts";
import { bodyFrom, changesOf, EMPTY_HEAD, readHead } from "../book/transactions.ts";
import type { TransactionBody } from "../book/transactions.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import type { CounterDelta, History, Projection } from "../ports.ts";
import { textOf } from "../book/sql.ts";
import type { Sql } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

const PROJECTED = "projected_sequence";

/** The sequence up to which D1 is known to have this book. */
export function projectedSequence(work: Call): number {
  return Number(readMeta(work.sql, PROJECTED) ?? "0");
}

/**
 * The next transactions for D1, at most `limit`, summed up by day of recording, brand, offer and
 * kind; null when it has all.
 */
export function peekOutbox(work: Call, limit: number): Projection | null {
  const from = projectedSequence(work);
  if (from >= work.head.sequence) return null;
  const rows = work.sql.exec(
    "SELECT body, hash FROM transactions WHERE sequence > ? ORDER BY sequence LIMIT ?",
    from,
    limit,
  );
  const counters = new Map<string, CounterDelta>();
  let last: TransactionBody | null = null;
  let head = EMPTY_HEAD.hash;
  for (const row of rows) {
    last = bodyFrom(row);
    head = textOf(row, "hash");
    count(counters, last);
  }
  if (last === null) return null;
  return {
    from,
    through: last.sequence,
    head,
    balances: last.balances,
    counters: [...counters.values()],
    more: last.sequence < work.head.sequence,
  };
}

/**
 * Marks how far D1 has come, also backwards: a D1 restored from a backup is then brought up to date
 * again.
 */
export function ackOutbox(work: Call, sequence: number): void {
  const bounded = Math.min(Math.max(sequence, 0), work.head.sequence);
  if (bounded !== projectedSequence(work)) writeMeta(work.sql, PROJECTED, String(bounded));
}

function count(counters: Map<string, CounterDelta>, body: TransactionBody): void {
  const day = dayOf(body.recorded_at_ms);
  const brandId = body.brand_id ?? "";
  const offerId = body.offer_id ?? "";
  const key = [day, brandId, offerId, body.kind].join(" ");
  const delta = counters.get(key) ??
    {
      day,
      brandId,
      offerId,
      kind: body.kind,
      purchases: 0,
      cents: 0,
      points: 0,
      changes: EMPTY_HEAD.balances,
    };
  const moved = changesOf(body.postings);
  counters.set(key, {
    ...delta,
    purchases: delta.purchases + (body.purchases ?? (body.purchase_id === undefined ? 0 : 1)),
    cents: delta.cents + (body.cents ?? 0),
    points: delta.points + movedPoints(body),
    changes: {
      pending: delta.changes.pending + moved.pending,
      available: delta.changes.available + moved.available,
      held: delta.changes.held + moved.held,
    },
  });
}

/** The points a transaction moves: the sum of its positive postings. */
function movedPoints(body: TransactionBody): number {
  return body.postings.reduce((sum, [, points]) => sum + Math.max(points, 0), 0);
}

/**
 * The whole book summed up, and what of it comes after `from`: for D1 to keep when the book is
 * about to be emptied.
 */
export function historyOf(sql: Sql, from: number): History {
  const whole = new Map<string, CounterDelta>();
  const rest = new Map<string, CounterDelta>();
  for (const row of sql.exec("SELECT body FROM transactions ORDER BY sequence")) {
    const body = bodyFrom(row);
    count(whole, body);
    if (body.sequence > from) count(rest, body);
  }
  const head = readHead(sql);
  return {
    whole: [...whole.values()],
    rest: [...rest.values()],
    leaf: { sequence: head.sequence, head: head.hash },
    balances: head.balances,
  };
}
