// What an offer's budget has reserved, copied to D1 for screens and alerts. Two alarms may write in
// the other order than the budget answered them: the next reservation puts it right, and nothing is
// decided by it.
import type { SqlDatabase } from "../../db/d1.ts";
import type { OfferId } from "../../kernel/ids.ts";

const NOTE =
  `INSERT INTO offer_budgets (offer_id, reserved_points, updated_at_ms) VALUES (?1, ?2, ?3)
  ON CONFLICT (offer_id) DO UPDATE SET reserved_points = excluded.reserved_points, updated_at_ms = excluded.updated_at_ms
  WHERE reserved_points <> excluded.reserved_points`;

/** Notes the last answer of each budget; a sum that D1 has already writes no row. */
export async function noteBudgetUse(
  database: SqlDatabase,
  reserved: ReadonlyMap<OfferId, number>,
  nowMs: number,
): Promise<void> {
  if (reserved.size === 0) return;
  await database.batch(
    [...reserved].map(([offerId, points]) => database.prepare(NOTE).bind(offerId, points, nowMs)),
  );
}
