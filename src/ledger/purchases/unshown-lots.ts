// Points whose date has come: confirmed when a read has shown their purchase, else they wait. While
// the aggregator is silent they wait for an answer; when it answered without the row, or the account
// is gone, rules end the wait. Nothing waits longer than 60 days.
import { DAY_MS } from "../../kernel/time.ts";
import type { Call } from "../book/call.ts";
import { confirmationsHalted } from "../book/halts.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import { dayOf } from "../book/paris-days.ts";
import { coverDebt } from "../points/holds.ts";
import { saveLot, waitingLots } from "../points/lot-rows.ts";
import { confirmLot } from "../points/lots.ts";
import type { Lot } from "../points/lot-rows.ts";
import { readPurchase, updatePurchase } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { rematchRefundsAround } from "./refund-rematching.ts";
import { GONE_WAIT_MS, isShown, letCount, MISSED_MAX, unreadableSinceMs } from "./sight.ts";
import { UNSHOWN_HELD_MS } from "./verdict-state.ts";
import { holdUnshown } from "./verdicts.ts";

/** Operators are alerted when points have waited this long for an answer. */
const SILENCE_ALERT_MS = 3 * DAY_MS;
/** As many points a user and year count though no read was possible. */
const UNREAD_POINTS_MAX = 500;

const SILENCE = "points_unshown";
const UNREAD_COUNTED = "unread_points_counted";

type Next =
  | { readonly kind: "wait" | "hold"; readonly untilMs: number }
  | { readonly kind: "count" };

/** Confirms a lot whose date has come, or has it wait. The caller covers a debt. */
export function settlePendingLot(call: Call, lot: Lot): void {
  if (lot.purchaseNo === null) return confirmLot(call, lot, null);
  const purchase = readPurchase(call, lot.purchaseNo);
  if (isShown(call, purchase)) return confirmLot(call, lot, purchase.id);
  const next = nextFor(call, lot, purchase);
  if (next.kind === "wait") {
    if (lot.waitsUntilMs === next.untilMs) return;
    lot.waitsUntilMs = next.untilMs;
    saveLot(call, lot);
  } else if (next.kind === "hold") {
    holdUnshown(call, purchase, next.untilMs);
    updatePurchase(call, purchase);
    rematchRefundsAround(call, purchase);
  } else {
    noteUnreadCounted(call, lot.granted - lot.reversed);
    letCount(purchase);
    updatePurchase(call, purchase);
    confirmLot(call, lot, purchase.id);
  }
}

/** A read may have shown what lots wait for, or it is known now that none will. */
export function settleWaitingLots(call: Call): void {
  const halted = call.halts === null || confirmationsHalted(call.halts);
  for (const lot of waitingLots(call)) {
    if (halted) askAgainAfterHalt(call, lot);
    else settlePendingLot(call, lot);
  }
  coverDebt(call);
}

/** Due as it was before it waited: the deadlines of a book pass over pending lots during a halt. */
function askAgainAfterHalt(call: Call, lot: Lot): void {
  lot.waitsUntilMs = null;
  saveLot(call, lot);
}

function nextFor(call: Call, lot: Lot, { accountNo, recordedAtMs, sightNotes }: PurchaseRow): Next {
  const dueMs = Math.max(lot.confirmAtMs, recordedAtMs);
  const lastMs = dueMs + UNSHOWN_HELD_MS;
  const missed = sightNotes?.missed ?? 0;
  const goneMs = unreadableSinceMs(call, accountNo);
  if (missed >= MISSED_MAX || (goneMs === null && call.nowMs >= lastMs)) {
    return { kind: "hold", untilMs: lastMs };
  }
  if (goneMs === null) return waitForAnswer(call, lot, dueMs, lastMs);
  const endsMs = Math.min(Math.max(dueMs, goneMs) + GONE_WAIT_MS, lastMs);
  if (missed > 0) return { kind: "hold", untilMs: endsMs };
  if (call.nowMs < endsMs) return { kind: "wait", untilMs: endsMs };
  return lot.granted - lot.reversed <= UNREAD_POINTS_MAX - unreadCounted(call)
    ? { kind: "count" }
    : { kind: "hold", untilMs: lastMs };
}

function waitForAnswer(call: Call, lot: Lot, dueMs: number, lastMs: number): Next {
  const alertMs = dueMs + SILENCE_ALERT_MS;
  if (call.nowMs < alertMs) return { kind: "wait", untilMs: alertMs };
  // Once for a lot, however often it is looked at.
  if (lot.waitsUntilMs !== lastMs) writeMeta(call.sql, SILENCE, "1");
  return { kind: "wait", untilMs: lastMs };
}

/** Whether operators are still to be told that points wait without any answer. */
export function isSilenceNoted(call: Call): boolean {
  return (readMeta(call.sql, SILENCE) ?? "") !== "";
}

/** The same, once. */
export function takeSilence(call: Call): boolean {
  const isNoted = isSilenceNoted(call);
  if (isNoted) writeMeta(call.sql, SILENCE, "");
  return isNoted;
}

/** Points of this calendar year that counted although no read was possible. */
function unreadCounted(call: Call): number {
  const [year, points] = (readMeta(call.sql, UNREAD_COUNTED) ?? "").split(" ");
  return year === yearOf(call) ? Number(points) : 0;
}

function noteUnreadCounted(call: Call, points: number): void {
  writeMeta(call.sql, UNREAD_COUNTED, `${yearOf(call)} ${unreadCounted(call) + points}`);
}

const yearOf = (call: Call): string => dayOf(call.nowMs).slice(0, 4);
