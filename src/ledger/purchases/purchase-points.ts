// The points that stand of one purchase: how its verdict's grant, taking back and giving back move
// the points of its lot. Which points should stand is decided in verdicts.ts; what the bank says of
// the row changes there too.
import { assert } from "../../kernel/assert.ts";
import { grant, readLot, regrantLot, restoreLot, reverseLot } from "../points/lots.ts";
import type { Movement } from "../points/lots.ts";
import { standingOf } from "./purchase-rows.ts";
import type { PurchaseRecord } from "./purchase-rows.ts";
import { usageFor } from "./user-history.ts";
import type { Work } from "../book/call.ts";

/**
 * Points that stand, and the spending that they reward: what counters of points by brand and offer
 * go by.
 */
export type Reward = { readonly points: number; readonly cents: number };

/**
 * What a purchase is rewarded for now, or would be with so many points standing after so much was
 * refunded.
 */
export function rewardOf(
  record: PurchaseRecord,
  points = standingOf(record),
  refundedCents = record.refundedCents,
): Reward {
  return {
    points,
    cents: points === 0
      ? 0
      : (record.findings.calculation?.baseCents ?? record.amountCents) - refundedCents,
  };
}

function movement(record: PurchaseRecord, name: string, before: Reward, after: Reward): Movement {
  const sign = after.points < before.points ? -1 : 1;
  return {
    key: `${name}:${record.id}`,
    purchaseId: record.id,
    cents: sign * (after.cents - before.cents),
    purchases: before.points === 0 || after.points === 0 ? 1 : 0,
  };
}

/** Posts the points that the verdict grants. */
export function grantTo(work: Work, record: PurchaseRecord, points: number): void {
  const { confirmAtMs, expiresAtMs } = record.findings;
  assert(
    confirmAtMs !== null && expiresAtMs !== null && record.lotNo === null && points > 0,
    "a grant has its dates and no other lot",
  );
  record.lotNo = grant(work, {
    kind: "earn",
    key: `earn:${record.id}:${work.head.sequence + 1}`,
    points,
    effectiveOn: record.purchasedOn,
    confirmAtMs,
    expiresAtMs,
    input: {
      purchase: record.id,
      cents: record.amountCents,
      on: record.purchasedOn,
      brand: record.brand?.id ?? null,
      offer: record.offer,
      points,
    },
    purchase: { n: record.n, id: record.id },
    brandId: record.brand?.id ?? null,
    offerId: record.offer?.id ?? null,
    cents: record.amountCents,
  });
  record.granted = points;
  record.reversed = 0;
}

/**
 * The same purchase at another worth: its lot now grants `points`. `before` is what it was rewarded
 * for with its former facts.
 */
export function regrant(work: Work, record: PurchaseRecord, points: number, before: Reward): void {
  assert(record.lotNo !== null && points > 0, "a lot that is kept is there and grants points");
  regrantLot(
    work,
    readLot(work, record.lotNo),
    points,
    movement(record, "regrant", before, rewardOf(record, points, 0)),
  );
  record.granted = points;
  record.reversed = 0;
}

/**
 * Takes back what stands above `keep`. Whether `available` is below zero then, and holds must give
 * way, is asked at the end of the call (`settleDebt`): what is taken back here may be granted again
 * a moment later, and must not cost a redemption.
 */
export function takeBack(
  work: Work,
  record: PurchaseRecord,
  keep: number,
  refundedCents = record.refundedCents,
): void {
  const points = standingOf(record) - keep;
  if (points <= 0 || record.lotNo === null) return;
  reverseLot(
    work,
    readLot(work, record.lotNo),
    points,
    movement(record, "reverse", rewardOf(record), rewardOf(record, keep, refundedCents)),
  );
  // What has expired cannot be taken a second time, yet it stands no longer.
  record.reversed += points;
}

/**
 * Lets `keep` points stand of those that were taken back before. What has expired meanwhile does
 * not come back.
 */
export function giveBack(
  work: Work,
  record: PurchaseRecord,
  keep: number,
  refundedCents = record.refundedCents,
): void {
  assert(record.lotNo !== null, "what was granted has its lot");
  const lot = readLot(work, record.lotNo);
  const back = lot.reversed - Math.min(record.granted - keep, lot.granted - lot.expired);
  if (back > 0) {
    restoreLot(
      work,
      lot,
      back,
      movement(record, "restore", rewardOf(record), rewardOf(record, keep, refundedCents)),
    );
  }
  record.reversed -= keep - standingOf(record);
}

/** After all points of a lot are gone, the purchase starts afresh. */
export function forgetLot(work: Work, record: PurchaseRecord): void {
  if (record.lotNo === null) return;
  const lot = readLot(work, record.lotNo);
  assert(
    lot.granted === lot.reversed + lot.expired,
    "a lot is left only when nothing of it stands",
  );
  record.granted = 0;
  record.reversed = 0;
  record.lotNo = null;
}

/** Points that the caps of its own offer still allow this purchase, beyond what stands of it. */
export function capRoom(work: Work, record: PurchaseRecord): number {
  const usage = usageFor(work, record);
  let room = Infinity;
  for (const { rule, offerId, version, needed, measure, period } of record.findings.checks) {
    if (
      rule !== "cap_reached" || offerId === null || offerId !== record.offer?.id ||
      version !== record.offer.version || typeof needed !== "number" || period === undefined
    ) continue;
    if (measure === "points_per_period") {
      room = Math.min(room, needed - usage.pointsInPeriod(offerId, period) - standingOf(record));
    } else if (usage.purchasesInPeriod(offerId, period) >= needed) room = 0;
  }
  return Math.max(0, room);
}
