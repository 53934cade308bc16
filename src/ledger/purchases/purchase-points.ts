// The active points of one purchase: how its verdict's grant, taking back and giving back move
// the points of its lot. How many it should have is decided in verdicts.ts; what the bank says of
// the row changes there too.
import { assert } from "../../kernel/assert.ts";
import { isFirstElsewhere } from "../earning/rules.ts";
import { readLot } from "../points/lot-rows.ts";
import { grant, regrantLot, restoreLot, reverseLot } from "../points/lots.ts";
import type { Movement } from "../points/lots.ts";
import { activePoints } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { isShown } from "./sight.ts";
import { noteFreed, usageFor } from "./user-history.ts";
import type { Call } from "../book/call.ts";

/**
 * Active points, and the spending that they reward: what counters of points by brand and offer
 * go by.
 */
export type Reward = { readonly points: number; readonly cents: number };

/**
 * What a purchase is rewarded for now, or would be with so many active points after so much was
 * refunded.
 */
export function rewardOf(
  purchase: PurchaseRow,
  points = activePoints(purchase),
  refundedCents = purchase.refundedCents,
): Reward {
  return {
    points,
    cents: points === 0
      ? 0
      : (purchase.findings.calculation?.baseCents ?? purchase.amountCents) - refundedCents,
  };
}

function movement(purchase: PurchaseRow, name: string, before: Reward, after: Reward): Movement {
  const sign = after.points < before.points ? -1 : 1;
  return {
    key: `${name}:${purchase.id}`,
    purchaseId: purchase.id,
    cents: sign * (after.cents - before.cents),
    purchases: before.points === 0 || after.points === 0 ? 1 : 0,
  };
}

/** Posts the points that the verdict grants. */
export function grantTo(call: Call, purchase: PurchaseRow, points: number): void {
  const { confirmAtMs, expiresAtMs } = purchase.findings;
  assert(
    confirmAtMs !== null && expiresAtMs !== null && purchase.lotNo === null && points > 0,
    "grant_not_ready",
    "points are granted to a purchase without dates, without points or with a lot already",
  );
  purchase.lotNo = grant(call, {
    kind: "earn",
    key: `earn:${purchase.id}:${call.head.sequence + 1}`,
    points,
    effectiveOn: purchase.purchasedOn,
    confirmAtMs,
    expiresAtMs,
    input: {
      purchase: purchase.id,
      cents: purchase.amountCents,
      on: purchase.purchasedOn,
      brand: purchase.brand?.id ?? null,
      offer: purchase.offer,
      points,
    },
    purchase: { n: purchase.n, id: purchase.id },
    brandId: purchase.brand?.id ?? null,
    offerId: purchase.offer?.id ?? null,
    cents: purchase.amountCents,
    isShown: isShown(call, purchase),
  });
  purchase.granted = points;
  purchase.reversed = 0;
}

/**
 * The same purchase at another worth: its lot now grants `points`. `before` is what it was rewarded
 * for with its former facts.
 */
export function regrant(call: Call, purchase: PurchaseRow, points: number, before: Reward): void {
  assert(
    purchase.lotNo !== null && points > 0,
    "kept_lot_invalid",
    "a purchase keeps its lot, but has none or would grant no points",
  );
  regrantLot(
    call,
    readLot(call, purchase.lotNo),
    points,
    movement(purchase, "regrant", before, rewardOf(purchase, points, 0)),
  );
  if (points < before.points) noteFreed(call, purchase);
  purchase.granted = points;
  purchase.reversed = 0;
}

/**
 * Reverses active points above `keep`. Whether `available` is below zero then, and holds must give
 * way, is asked at the end of the call (`coverDebt`): what is taken back here may be granted again
 * a moment later, and must not cost a redemption.
 */
export function takeBack(
  call: Call,
  purchase: PurchaseRow,
  keep: number,
  refundedCents = purchase.refundedCents,
): void {
  const points = activePoints(purchase) - keep;
  if (points <= 0 || purchase.lotNo === null) return;
  noteFreed(call, purchase);
  reverseLot(
    call,
    readLot(call, purchase.lotNo),
    points,
    movement(purchase, "reverse", rewardOf(purchase), rewardOf(purchase, keep, refundedCents)),
  );
  // What has expired cannot be taken a second time, yet it is active no longer.
  purchase.reversed += points;
}

/**
 * Restores reversed points until `keep` are active. What has expired meanwhile does
 * not come back.
 */
export function giveBack(
  call: Call,
  purchase: PurchaseRow,
  keep: number,
  refundedCents = purchase.refundedCents,
): void {
  assert(
    purchase.lotNo !== null,
    "purchase_without_lot",
    "points are restored to a purchase that has no lot",
  );
  const lot = readLot(call, purchase.lotNo);
  const back = lot.reversed - Math.min(purchase.granted - keep, lot.granted - lot.expired);
  if (back > 0) {
    restoreLot(
      call,
      lot,
      back,
      movement(purchase, "restore", rewardOf(purchase), rewardOf(purchase, keep, refundedCents)),
    );
  }
  purchase.reversed -= keep - activePoints(purchase);
}

/** After all points of a lot are gone, the purchase starts afresh. */
export function forgetLot(call: Call, purchase: PurchaseRow): void {
  if (purchase.lotNo === null) return;
  const lot = readLot(call, purchase.lotNo);
  assert(
    lot.granted === lot.reversed + lot.expired,
    "lot_still_active",
    "a purchase leaves a lot that still has active points",
  );
  purchase.granted = 0;
  purchase.reversed = 0;
  purchase.lotNo = null;
}

/**
 * Points that the caps of its own offer, or another purchase in its place as the first one, still
 * allow this purchase, beyond its active ones.
 */
export function capRoom(call: Call, purchase: PurchaseRow): number {
  const usage = usageFor(call, purchase);
  let room = Infinity;
  for (const { rule, offerId, version, needed, measure, period } of purchase.findings.checks) {
    if (
      offerId === null || offerId !== purchase.offer?.id || version !== purchase.offer.version
    ) continue;
    if (
      rule === "not_first_purchase" && needed !== null && isFirstElsewhere(usage, offerId)
    ) room = 0;
    if (rule !== "cap_reached" || typeof needed !== "number" || period === undefined) continue;
    if (measure === "points_per_period") {
      room = Math.min(
        room,
        needed - usage.pointsInPeriod(offerId, period) - activePoints(purchase),
      );
    } else if (usage.purchasesInPeriod(offerId, period) >= needed) room = 0;
  }
  return Math.max(0, room);
}
