// What the earning rules may ask about the user's past. Read from the purchases themselves, not
// from counters that could disagree with them; each answer is read once per call and kept up to
// date while the call decides more purchases.
import type { OfferId } from "../../kernel/ids.ts";
import { addDays, addMonths, isDate } from "../../kernel/time.ts";
import { dayOf } from "../book/paris-days.ts";
import type { UsageView } from "../earning/types.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { activePoints } from "./purchase-rows.ts";
import { integerOf, integerOrNull } from "../book/sql.ts";
import type { Call, OfferUsage, UsageCache } from "../book/call.ts";

type Span = { readonly from: string; readonly to: string };
const ALWAYS: Span = { from: "0000-00-00", to: "9999-99-99" };

/** The calendar days of a period key (kernel/time.ts). */
export function spanOf(periodKey: string): Span {
  if (periodKey === "offer") return ALWAYS;
  if (periodKey.startsWith("w")) {
    return { from: periodKey.slice(1), to: addDays(periodKey.slice(1), 6) };
  }
  if (isDate(periodKey)) return { from: periodKey, to: periodKey };
  const first = `${periodKey}-01`;
  return { from: first, to: addDays(addMonths(first, 1), -1) };
}

function cacheOf(call: Call): UsageCache {
  call.usage ??= { used: new Map(), bookedByBrand: new Map() };
  return call.usage;
}

function usedBy(call: Call, offerId: OfferId, periodKey: string): OfferUsage {
  const cache = cacheOf(call);
  const key = `${offerId} ${periodKey}`;
  let used = cache.used.get(key);
  if (used === undefined) {
    const span = spanOf(periodKey);
    const rows = call.sql.exec(
      `SELECT n, CASE WHEN waits_for = 'budget' THEN json_extract(budget, '$[#-1].wanted') ELSE granted - reversed END AS points
       FROM purchases WHERE purchased_on BETWEEN ? AND ? AND offer_id = ? AND same_as IS NULL AND kind = 'purchase'
         AND (outcome = 'earned' OR waits_for = 'budget')`,
      span.from,
      span.to,
      offerId,
    );
    used = {
      offerId,
      span,
      pointsByPurchase: new Map(
        rows.map((row) => [integerOf(row, "n"), integerOrNull(row, "points") ?? 0]),
      ),
    };
    cache.used.set(key, used);
  }
  return used;
}

function bookedAt(call: Call, brandId: string): Map<number, number> {
  const cache = cacheOf(call);
  let booked = cache.bookedByBrand.get(brandId);
  if (booked === undefined) {
    const rows = call.sql.exec(
      `SELECT n, decided_rank FROM purchases WHERE brand_id = ? AND kind = 'purchase' AND state = 'booked' AND same_as IS NULL AND decided_rank IS NOT NULL
         AND (review IS NULL OR review = 'cleared') AND (refunded_cents < amount_cents OR amount_cents = 0)`,
      brandId,
    );
    booked = new Map(rows.map((row) => [integerOf(row, "n"), integerOf(row, "decided_rank")]));
    cache.bookedByBrand.set(brandId, booked);
  }
  return booked;
}

/** Updates this call's cached usage for a purchase that was just decided, reversed or withdrawn. */
export function noteUsage(call: Call, purchase: PurchaseRow): void {
  if (call.usage === null) return;
  const counts = purchase.sameAs === null &&
    (purchase.outcome === "earned" || purchase.waitsFor === "budget");
  for (const { offerId, span, pointsByPurchase } of call.usage.used.values()) {
    const within = purchase.offer?.id === offerId && span.from <= purchase.purchasedOn &&
      purchase.purchasedOn <= span.to;
    if (counts && within) {
      pointsByPurchase.set(
        purchase.n,
        purchase.waitsFor === "budget"
          ? (purchase.budget.at(-1)?.wanted ?? 0)
          : activePoints(purchase),
      );
    } else pointsByPurchase.delete(purchase.n);
  }
  for (const [brandId, booked] of call.usage.bookedByBrand) {
    if (purchase.brand?.id === brandId && purchase.decidedRank !== null && isOnRecord(purchase)) {
      booked.set(purchase.n, purchase.decidedRank);
    } else booked.delete(purchase.n);
  }
}

/**
 * Whether it is an earlier purchase for those that come later: booked, not held, not given back.
 */
function isOnRecord({ kind, state, sameAs, review, amountCents, refundedCents }: PurchaseRow) {
  return kind === "purchase" && state === "booked" && sameAs === null &&
    (review === null || review === "cleared") &&
    (refundedCents < amountCents || amountCents === 0);
}

/** The purchase gives up points, room under a cap or its place as the first one of its brand. */
export function noteFreed(call: Call, purchase: PurchaseRow): void {
  if (purchase.brand !== null) call.freed.add(purchase.brand.id);
}

/** The past as one purchase sees it: everything but itself. */
export function usageFor(call: Call, purchase: PurchaseRow): UsageView {
  return {
    pointsInPeriod(offerId, periodKey) {
      let sum = 0;
      for (const [n, points] of usedBy(call, offerId, periodKey).pointsByPurchase) {
        if (n !== purchase.n) sum += points;
      }
      return sum;
    },
    purchasesInPeriod(offerId, periodKey) {
      const { pointsByPurchase } = usedBy(call, offerId, periodKey);
      return pointsByPurchase.size - Number(pointsByPurchase.has(purchase.n));
    },
    hasEarlierPurchase(brandId) {
      for (const [n, rank] of bookedAt(call, brandId)) {
        if (n === purchase.n) continue;
        if (
          purchase.decidedRank === null || rank < purchase.decidedRank ||
          (rank === purchase.decidedRank && n < purchase.n)
        ) return true;
      }
      return false;
    },
    activationOn(offerId, date) {
      const rows = call.sql.exec(
        "SELECT activated_at_ms, expires_at_ms FROM activations WHERE offer_id = ? ORDER BY activated_at_ms DESC",
        offerId,
      );
      for (const row of rows) {
        const activatedAtMs = integerOf(row, "activated_at_ms");
        const expiresAtMs = integerOrNull(row, "expires_at_ms");
        // Banks give the day, not the hour: the days of activation and expiry count as a whole.
        if (
          dayOf(activatedAtMs) <= date && (expiresAtMs === null || date <= dayOf(expiresAtMs - 1))
        ) return { activatedAtMs, expiresAtMs };
      }
      return null;
    },
  };
}

// As many as two full calls bring: those alone can have been decided in the millisecond in which
// the engine was opened.
const NEWEST_ROWS = 1000;

/**
 * A number that grows with every purchase decided, also by two calls in one millisecond: the order
 * of first decisions.
 */
export function nextRank(call: Call): number {
  const { ranks } = call;
  ranks.last ??= integerOrNull(
    call.sql.exec(
      "SELECT MAX(decided_rank) AS last FROM (SELECT decided_rank FROM purchases ORDER BY n DESC LIMIT ?)",
      NEWEST_ROWS,
    )[0] ?? {},
    "last",
  ) ?? 0;
  ranks.last = Math.max(ranks.last + 1, call.nowMs * 1024);
  return ranks.last;
}
