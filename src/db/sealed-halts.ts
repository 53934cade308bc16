// Halts as whoever obeys them reads them. Few rows ever: all of a scope are read and judged here,
// because a row that was ended behind our back is not found by its end.
import type { halts } from "./halt-tables.ts";
import type { RowSeals } from "./row-seals.ts";
import { SEALED_HALTS } from "./sealed-tables.ts";

type HaltRow = typeof halts.$inferSelect;

/**
 * The halt as it is obeyed. One whose seal is broken is in force and nobody has asked for its end:
 * a brake that fails stays on.
 */
export function obeyedHalt(seals: RowSeals, row: HaltRow): HaltRow {
  return seals.holds(SEALED_HALTS, row)
    ? row
    : { ...row, endAskedBy: null, endAskedAtMs: null, endedBy: null, endedAtMs: null };
}
