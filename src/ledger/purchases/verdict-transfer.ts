// When another row becomes the keeper of a purchase, its verdict and points move there as they are:
// nobody's points are taken back only to be granted again because a second aggregator was faster
// than the first.
import type { Call } from "../book/call.ts";
import { savePlanned } from "./batch-plan.ts";
import type { BatchPlan, PlannedRow } from "./batch-plan.ts";
import { isInDoubt } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { moveVerdict } from "./verdict-state.ts";

/** Moves the verdict of a row that is no keeper any more to the one that is, if both are fit. */
export function transferVerdict(call: Call, plan: BatchPlan, giver: PlannedRow): void {
  if (!canGive(giver)) return;
  const receiver = plan.rows.get(giver.match?.keeper ?? giver.row.n);
  if (receiver === undefined || !canReceive(receiver)) return;
  const { row: from } = giver;
  const { row: to } = receiver;
  receiver.receivedVerdict = true;
  // A verdict that was not made for what the giver says now, or for what the receiver says, is made
  // anew.
  receiver.decided = giver.decided && haveSameFacts(from, to);
  moveVerdict(from, to, call.nowMs);
  // A refund that waited in vain has done so under any of its rows.
  receiver.decided ||= to.kind === "refund" && from.brand !== null && to.outcome === "not_earned" &&
    to.findings.reasons.includes("refund_without_purchase");
  // Entries and budgets name the points by this id.
  to.id = from.id;
  to.sameAs = null;
  // No more than the row says it cost can have been refunded; refunds are matched anew once it is
  // decided.
  to.refundedCents = Math.min(to.refundedCents, to.amountCents);
  receiver.factsChanged = true;
  // Written at once: the first of the others that is judged must find these points in the caps.
  for (const each of [giver, receiver]) savePlanned(call, each);
  receiver.isNew = false;
  if (to.lotNo !== null) {
    call.sql.exec("UPDATE lots SET purchase_no = ? WHERE lot_no = ?", to.n, to.lotNo);
  }
}

function canGive({ row, match, isNew }: PlannedRow): boolean {
  const isDecidedKeeper = !isNew && row.sameAs === null && row.decidedRank !== null;
  if (match === null || match.keeper === row.n || !isDecidedKeeper) return false;
  // What a person refused, or has to look at, was that row; the purchase is judged by the one that
  // is its keeper now.
  return !isInDoubt(row);
}

function canReceive({ row, receivedVerdict }: PlannedRow): boolean {
  const isDecidedKeeper = row.sameAs === null && row.decidedRank !== null;
  return !receivedVerdict && !isDecidedKeeper;
}

function haveSameFacts(a: PurchaseRow, b: PurchaseRow): boolean {
  return a.amountCents === b.amountCents && a.currency === b.currency &&
    a.purchasedOn === b.purchasedOn && a.channel === b.channel && a.kind === b.kind &&
    a.state === b.state && (a.brand?.id ?? null) === (b.brand?.id ?? null);
}
