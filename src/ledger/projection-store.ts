// Writes a ledger's projection into D1: counters, then the head, in one batch that counts once however often it is sent. Raw SQL,
// because the guard and the JSON parameter (D1 binds at most 100 values) are the point of it.
import type { SqlDatabase } from "../db/d1.ts";
import type { Projection } from "./ports.ts";

// The batch applies only on top of exactly the sequence it starts from. A repeat, or one that overlaps an earlier batch whose
// answer was lost, changes nothing and reads back where D1 really is.
const AT_START = "COALESCE((SELECT last_sequence FROM ledger_heads WHERE user_id = ?2), 0) = ?3";
const ADD_COUNTERS = `INSERT INTO counters (day, brand_id, offer_id, kind, purchases, cents, points)
  SELECT value ->> 'day', value ->> 'brandId', value ->> 'offerId', value ->> 'kind', value ->> 'purchases', value ->> 'cents', value ->> 'points'
  FROM json_each(?1) WHERE ${AT_START}
  ON CONFLICT (day, brand_id, offer_id, kind) DO UPDATE SET purchases = purchases + excluded.purchases, cents = cents + excluded.cents, points = points + excluded.points`;
const MOVE_HEAD = `INSERT INTO ledger_heads (user_id, last_sequence, head, pending, available, held, projected_at_ms)
  SELECT ?2, ?4, ?1, ?5, ?6, ?7, ?8 WHERE ${AT_START}
  ON CONFLICT (user_id) DO UPDATE SET last_sequence = excluded.last_sequence, head = excluded.head, pending = excluded.pending, available = excluded.available,
    held = excluded.held, projected_at_ms = excluded.projected_at_ms`;
const READ_BACK = "SELECT last_sequence FROM ledger_heads WHERE user_id = ?";

/** Applies a projection and returns the sequence at which D1 then is: `projection.through`, unless D1 stood elsewhere. */
export async function applyProjection(database: SqlDatabase, userId: string, projection: Projection, nowMs: number): Promise<number> {
  const { from, through, head, balances, counters } = projection;
  const results = await database.batch([
    database.prepare(ADD_COUNTERS).bind(JSON.stringify(counters), userId, from),
    database.prepare(MOVE_HEAD).bind(head, userId, from, through, balances.pending, balances.available, balances.held, nowMs),
    database.prepare(READ_BACK).bind(userId),
  ]);
  const row = results[2]?.results?.[0] as { readonly last_sequence?: unknown } | undefined;
  return typeof row?.last_sequence === "number" ? row.last_sequence : 0;
}
