// Before an account is closed: everything that is not committed is given up.
import type { ModelBook } from "./model-lots.ts";

/** An error code, or null when it is done. */
export function forfeit(book: ModelBook, nowMs: number): string | null {
  if (book.holds.some((hold) => hold.state === "committed")) return "hold_committed";
  for (const hold of book.holds.toReversed()) if (hold.state === "open") book.release(hold, nowMs);
  const { pending, available } = book.balances();
  if (pending + Math.max(available, 0) === 0) return "nothing_to_forfeit";
  for (const lot of book.lots) {
    // Nothing of it matures or can be reversed any more.
    if (!lot.confirmed) lot.remaining = lot.granted - lot.reversed;
    lot.confirmed = true;
    book.lapse(lot);
  }
  return null;
}
