// Writes a ledger's projection into D1: counters, then the head, in one batch that counts once
// however often it is sent. Raw SQL, because the guard and the JSON parameter (D1 binds at most 100
// values) are the point of it.
import type { SqlDatabase } from "../../db/d1.ts";
import type { History, Projection, ReviewChanges } from "../ports.ts";

// The batch applies only on top of exactly the sequence it starts from. A repeat, or one that
// overlaps an earlier batch whose answer was lost, changes nothing and reads back where D1 really
// is.
const AT_START = "COALESCE((SELECT last_sequence FROM ledger_heads WHERE user_id = ?2), 0) = ?3";
// What comes to a ledger after it was closed (its erasure stopped half-way) is for the next closing
// to add.
const atStart = (closed: 0 | 1): string =>
  `${AT_START} AND COALESCE((SELECT closed FROM ledger_heads WHERE user_id = ?2), 0) = ${closed}`;
const addCounters = (table: "counters" | "closed_counters", guard: string): string => `
  INSERT INTO ${table} (day, brand_id, offer_id, kind, purchases, cents, points, pending, available, held)
  SELECT value ->> 'day', value ->> 'brandId', value ->> 'offerId', value ->> 'kind', value ->> 'purchases', value ->> 'cents', value ->> 'points',
    value ->> '$.changes.pending', value ->> '$.changes.available', value ->> '$.changes.held'
  FROM json_each(?1) WHERE ${guard}
  ON CONFLICT (day, brand_id, offer_id, kind) DO UPDATE SET purchases = purchases + excluded.purchases, cents = cents + excluded.cents, points = points + excluded.points,
    pending = pending + excluded.pending, available = available + excluded.available, held = held + excluded.held`;
const MOVE_HEAD =
  `INSERT INTO ledger_heads (user_id, last_sequence, head, pending, available, held, projected_at_ms)
  SELECT ?2, ?4, ?1, ?5, ?6, ?7, ?8 WHERE ${atStart(0)}
  ON CONFLICT (user_id) DO UPDATE SET last_sequence = excluded.last_sequence, head = excluded.head, pending = excluded.pending, available = excluded.available,
    held = excluded.held, projected_at_ms = excluded.projected_at_ms`;
const READ_BACK = "SELECT last_sequence FROM ledger_heads WHERE user_id = ?";

/**
 * Applies a projection and returns the sequence at which D1 then is: `projection.through`, unless
 * D1 was elsewhere.
 */
export async function applyProjection(
  database: SqlDatabase,
  userId: string,
  projection: Projection,
  nowMs: number,
): Promise<number> {
  const { from, through, head, balances, counters } = projection;
  const results = await database.batch([
    database.prepare(addCounters("counters", atStart(0))).bind(
      JSON.stringify(counters),
      userId,
      from,
    ),
    database.prepare(MOVE_HEAD).bind(
      head,
      userId,
      from,
      through,
      balances.pending,
      balances.available,
      balances.held,
      nowMs,
    ),
    database.prepare(READ_BACK).bind(userId),
  ]);
  const row = results[2]?.results?.[0] as { readonly last_sequence?: unknown } | undefined;
  return typeof row?.last_sequence === "number" ? row.last_sequence : 0;
}

const HEAD_OF = "SELECT last_sequence, closed FROM ledger_heads WHERE user_id = ?";
const closeHead = (closed: 0 | 1): string =>
  `INSERT INTO ledger_heads (user_id, last_sequence, head, pending, available, held, projected_at_ms, closed)
  SELECT ?2, ?4, ?1, ?5, ?6, ?7, ?8, 1 WHERE ${atStart(closed)}
  ON CONFLICT (user_id) DO UPDATE SET last_sequence = excluded.last_sequence, head = excluded.head, pending = excluded.pending, available = excluded.available,
    held = excluded.held, projected_at_ms = excluded.projected_at_ms, closed = 1`;
const CLOSE_TRIES = 5;

type HeadRow = { readonly last_sequence: number; readonly closed: number };

/**
 * Closes a ledger in D1 before its book is emptied: what it had added up to is kept beside the
 * counters, because no rebuild can read it again. Counts once however often it is called. Throws
 * when D1 does not answer: the book must then not be emptied.
 */
export async function closeProjection(
  database: SqlDatabase,
  userId: string,
  historyFrom: (from: number) => History,
  nowMs: number,
): Promise<void> {
  for (let attempt = 0; attempt < CLOSE_TRIES; attempt++) {
    const row = await database.prepare(HEAD_OF).bind(userId).first<HeadRow>();
    const closed = row?.closed === 1 ? 1 : 0;
    const from = row?.last_sequence ?? 0;
    const { whole, rest, leaf, balances } = historyFrom(from);
    if (leaf.sequence === 0 || (closed === 1 && from === leaf.sequence)) return;
    await database.batch([
      database.prepare(addCounters("counters", atStart(closed))).bind(
        JSON.stringify(rest),
        userId,
        from,
      ),
      database.prepare(addCounters("closed_counters", atStart(closed))).bind(
        JSON.stringify(closed === 1 ? rest : whole),
        userId,
        from,
      ),
      database.prepare(closeHead(closed)).bind(
        leaf.head,
        userId,
        from,
        leaf.sequence,
        balances.pending,
        balances.available,
        balances.held,
        nowMs,
      ),
    ]);
  }
  throw new ProjectionMoves("the projection of a ledger keeps moving");
}

class ProjectionMoves extends Error {
  override readonly name = "ProjectionMovesError";
}

/** A row that a person decided, as D1 had it when it was read. */
type DecidedReview = { readonly purchaseId: string; readonly decidedAtMs: number };

const DECIDED_REVIEWS = `SELECT purchase_id, decided_at_ms FROM reviews
  WHERE purchase_id IN (SELECT value ->> 'purchaseId' FROM json_each(?)) AND state = 'closed' AND decision IS NOT NULL`;

/**
 * Which of these waiting rows D1 holds for decided. It closes a row only after the ledger has the
 * decision: when the ledger, asked after this, still says that the row waits, it waits again.
 */
export async function decidedReviews(
  database: SqlDatabase,
  open: ReviewChanges["open"],
): Promise<readonly DecidedReview[]> {
  if (open.length === 0) return [];
  const { results } = await database.prepare(DECIDED_REVIEWS).bind(JSON.stringify(open)).all<
    { readonly purchase_id: string; readonly decided_at_ms: number }
  >();
  return results.map((row) => ({ purchaseId: row.purchase_id, decidedAtMs: row.decided_at_ms }));
}

// A row that was decided after the ledger was asked keeps its decision: only those read before (?4)
// may be opened again, undecided and so without a seal.
const OPEN_REVIEWS = `INSERT INTO reviews (purchase_id, user_id, why, state, opened_at_ms)
  SELECT value ->> 'purchaseId', ?2, value ->> 'why', 'open', ?3 FROM json_each(?1) WHERE true
  ON CONFLICT (purchase_id) DO UPDATE SET why = excluded.why, state = 'open', closed_at_ms = NULL, decision = NULL, decided_by = NULL, decided_at_ms = NULL,
      proposed_by = NULL, proposed_at_ms = NULL, proposed_points = NULL, seal = NULL
    WHERE CASE WHEN state = 'closed' AND decision IS NOT NULL
      THEN EXISTS (SELECT 1 FROM json_each(?4) WHERE value ->> 'purchaseId' = purchase_id AND value ->> 'decidedAtMs' = decided_at_ms)
      ELSE state = 'closed' OR why <> excluded.why END`;
const CLOSE_REVIEWS = `UPDATE reviews SET state = 'closed', closed_at_ms = ?3
  WHERE user_id = ?2 AND state = 'open' AND purchase_id NOT IN (SELECT value ->> 'purchaseId' FROM json_each(?1))`;

/**
 * Makes D1's list of this user's waiting rows exactly these, but for rows decided since `decided`
 * was read.
 */
export async function applyReviews(
  database: SqlDatabase,
  userId: string,
  open: ReviewChanges["open"],
  decided: readonly DecidedReview[],
  nowMs: number,
): Promise<void> {
  const json = JSON.stringify(open);
  await database.batch([
    database.prepare(OPEN_REVIEWS).bind(json, userId, nowMs, JSON.stringify(decided)),
    database.prepare(CLOSE_REVIEWS).bind(json, userId, nowMs),
  ]);
}
