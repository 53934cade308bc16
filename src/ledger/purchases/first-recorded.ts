// When a purchase was first recorded, under whichever of its rows.
import type { Call } from "../book/call.ts";
import { integerOrNull } from "../book/sql.ts";
import type { PurchaseRow } from "./purchase-rows.ts";

/**
 * A booking that took over from an earlier row, or a row that came again under a new id, was
 * recorded when the first of them was.
 */
export function firstRecordedMs(call: Call, { n, recordedAtMs }: PurchaseRow): number {
  const earlier = integerOrNull(
    call.sql.exec("SELECT MIN(recorded_at_ms) AS first FROM purchases WHERE same_as = ?", n)[0] ??
      {},
    "first",
  );
  return Math.min(recordedAtMs, earlier ?? recordedAtMs);
}
