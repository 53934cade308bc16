// Expiry notices: which are to be sent now, and what became of them. A lot expires only after a
// notice that was sent.
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import { dayOf } from "../book/paris-days.ts";
import { integerOf, integerOrNull } from "../book/sql.ts";
import { readLot, saveLot } from "../points/lot-rows.ts";
import type { NoticeTask } from "../ports.ts";

const NOTICES_AFTER = "notices_after_ms";
// A mailbox that refuses must not keep an alarm ringing all day; of thirty days an hour does not
// count.
const NOTICE_RETRY_MS = HOUR_MS;

/** No notice is tried before this time: the last one could not be sent. */
export function noticesAfterMs(call: Call): number {
  return Number(readMeta(call.sql, NOTICES_AFTER) ?? "0");
}

/**
 * Expiry notices to send now: 30 and 7 days before, lots of one day together. Within the last week
 * only the second is sent.
 */
export function dueNotices(call: Call): NoticeTask[] {
  if (call.nowMs < noticesAfterMs(call)) return [];
  const rows = call.sql.exec(
    "SELECT lot_no, remaining, expires_at_ms, noticed_30_ms, noticed_7_ms FROM lots WHERE remaining > 0 AND expires_at_ms <= ? ORDER BY expires_at_ms, lot_no",
    call.nowMs + 30 * DAY_MS,
  );
  const tasks = new Map<
    string,
    { daysBefore: 30 | 7; expiresOn: string; points: number; lots: number[] }
  >();
  for (const row of rows) {
    const expiresAtMs = integerOf(row, "expires_at_ms");
    const daysBefore = expiresAtMs - call.nowMs <= 7 * DAY_MS ? 7 : 30;
    if (integerOrNull(row, daysBefore === 7 ? "noticed_7_ms" : "noticed_30_ms") !== null) continue;
    const expiresOn = dayOf(
      Math.max(
        expiresAtMs,
        daysBefore === 7 && integerOrNull(row, "noticed_30_ms") === null
          ? call.nowMs + 7 * DAY_MS
          : 0,
      ),
    );
    const key = `${daysBefore} ${expiresOn}`;
    const task = tasks.get(key) ?? { daysBefore, expiresOn, points: 0, lots: [] };
    task.points += integerOf(row, "remaining");
    task.lots.push(integerOf(row, "lot_no"));
    tasks.set(key, task);
  }
  return [...tasks.values()];
}

/**
 * Records that a notice left. Without at least one, a lot never expires; one whose points came back
 * meanwhile was not the one announced.
 */
export function noteNoticeSent(
  call: Call,
  task: Pick<NoticeTask, "daysBefore" | "expiresOn" | "lots">,
): void {
  for (const lotNo of task.lots) {
    const lot = readLot(call, lotNo);
    if (dayOf(lot.expiresAtMs) > task.expiresOn) continue;
    if (task.daysBefore === 30) lot.noticed30Ms ??= call.nowMs;
    else {
      lot.noticed7Ms ??= call.nowMs;
      // Too late for the first: it is not sent after the second.
      lot.noticed30Ms ??= call.nowMs;
    }
    saveLot(call, lot);
  }
}

/**
 * A notice could not be sent; none is tried for an hour. What was not announced does not expire.
 */
export function noteNoticeFailed(call: Call): void {
  writeMeta(call.sql, NOTICES_AFTER, String(call.nowMs + NOTICE_RETRY_MS));
}
