// What halts defer in a book: confirmations, the expiry of lots, the deadlines of reviews. They
// never take anything from a user. Pure.
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import type { Halt } from "../ports.ts";

/** What a halt defers is looked at again after so long. */
export const HALT_RETRY_MS = HOUR_MS;

/** Points that could not be spent for a while are good for at least so long afterwards. */
const EXPIRY_AFTER_HALT_MS = 30 * DAY_MS;

/** Whether pending points stay pending for now. */
export function confirmationsHalted(halts: readonly Halt[]): boolean {
  return halts.some(({ what, untilMs }) => what === "confirmations" && untilMs === null);
}

/** No lot expires before: 30 days after a halt of payouts or confirmations. 0: nothing is deferred. */
export function noExpiryBeforeMs(halts: readonly Halt[], nowMs: number): number {
  const ends = halts.filter(({ what }) => what !== "offers").map(({ untilMs }) => untilMs ?? nowMs);
  return ends.length === 0 ? 0 : Math.max(...ends) + EXPIRY_AFTER_HALT_MS;
}

/**
 * When a deadline of so long ends that stands still during halts. Infinity while one is in force
 * before its end.
 */
export function deadlineOverHalts(
  startMs: number,
  durationMs: number,
  halts: readonly Halt[],
): number {
  let endMs = startMs + durationMs;
  let countedToMs = startMs;
  for (const { fromMs, untilMs } of [...halts].sort((a, b) => a.fromMs - b.fromMs)) {
    const stillFromMs = Math.max(fromMs, countedToMs);
    if (stillFromMs >= endMs) continue;
    if (untilMs === null) return Infinity;
    if (untilMs <= stillFromMs) continue;
    endMs += untilMs - stillFromMs;
    countedToMs = untilMs;
  }
  return endMs;
}
