// Which purchase a refund gives back: the same account and brand, no more than what is left of it,
// the newest within 90 days first. The match is made anew from the whole set whenever it changes,
// so a refund before its purchase ends like one after it.
import type { BrandId } from "../../kernel/ids.ts";
import { addDays } from "../../kernel/time.ts";
import { isInDoubt, PURCHASE_COLUMNS, purchaseFrom, updateVerdict } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { refundMatched } from "./verdict-state.ts";
import { applyRefunds } from "./verdicts.ts";
import type { Call } from "../book/call.ts";

const REFUND_DAYS_MAX = 90;

type Refundable = {
  readonly n: number; /** Breaks ties, the same in every order of arrival. */
  readonly key: string;
  readonly date: string;
  readonly cents: number;
  readonly currency: string;
};

/**
 * The purchase of each refund that finds one. Refunds choose in the order of their dates; equal
 * dates, the larger first.
 */
export function matchRefunds(
  purchases: readonly Refundable[],
  refunds: readonly Refundable[],
): Map<number, number> {
  const left = new Map(purchases.map((purchase) => [purchase.n, purchase.cents]));
  const newestFirst = [...purchases].sort((
    a,
    b,
  ) => (a.date === b.date ? compareKeys(a, b) : a.date < b.date ? 1 : -1));
  const inOrder = [...refunds].sort((
    a,
    b,
  ) => (a.date === b.date ? b.cents - a.cents || compareKeys(a, b) : a.date < b.date ? -1 : 1));
  const matches = new Map<number, number>();
  for (const refund of inOrder) {
    const earliest = addDays(refund.date, -REFUND_DAYS_MAX);
    let best: Refundable | null = null;
    for (const purchase of newestFirst) {
      if (purchase.date > refund.date || purchase.currency !== refund.currency) continue;
      if (purchase.date < earliest || (best !== null && purchase.date !== best.date)) break;
      const room = left.get(purchase.n) ?? 0;
      // Of two on one day, the one that the refund fits most closely: the whole purchase rather
      // than a part of a larger one.
      if (room >= refund.cents && (best === null || room < (left.get(best.n) ?? 0))) {
        best = purchase;
      }
    }
    if (best === null) continue;
    left.set(best.n, (left.get(best.n) ?? 0) - refund.cents);
    matches.set(refund.n, best.n);
  }
  return matches;
}

const compareKeys = (
  a: Refundable,
  b: Refundable,
): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.n - b.n);

/**
 * Whether any refund of this brand is recorded, by a small index: most purchases never see one.
 */
export function hasRefunds(call: Call, brandId: BrandId): boolean {
  return call.sql.exec(
    "SELECT 1 FROM purchases WHERE kind = 'refund' AND brand_id = ? LIMIT 1",
    brandId,
  ).length > 0;
}

/**
 * Matches the refunds of one brand on one fingerprinted account and moves the points that follow.
 */
export function reassignRefunds(call: Call, accountNos: readonly number[], brandId: BrandId): void {
  const refunds = readRows(call, "kind = 'refund'", accountNos, brandId, "0000-00-00").filter((
    refund,
  ) => takesPart(refund) && !(refund.refundOf === null && refund.waitsFor !== "purchase"));
  const rows = call.sql.exec(
    "SELECT MIN(purchased_on) AS first FROM purchases WHERE kind = 'refund' AND brand_id = ?",
    brandId,
  )[0];
  // Without any refund left, the last one became something else: all that was given back is looked
  // at.
  const first = rows?.["first"];
  const purchases = readRows(
    call,
    "kind = 'purchase'",
    accountNos,
    brandId,
    typeof first === "string" ? addDays(first, -REFUND_DAYS_MAX) : "0000-00-00",
  );
  const eligible = purchases.filter(takesPart);
  const matches = matchRefunds(eligible.map(refundableOf), refunds.map(refundableOf));
  const refundedCents = new Map<number, number>();
  for (const refund of refunds) {
    const purchaseNo = matches.get(refund.n);
    if (purchaseNo !== undefined) {
      refundedCents.set(purchaseNo, (refundedCents.get(purchaseNo) ?? 0) + refund.amountCents);
    }
    settleRefund(call, refund, purchaseNo ?? null);
  }
  // Points that come back go first, so that a refund that moves from one purchase to another costs
  // no hold.
  const changed = purchases.filter((purchase) =>
    purchase.refundedCents !== (refundedCents.get(purchase.n) ?? 0)
  );
  changed.sort((a, b) =>
    Number(b.refundedCents > (refundedCents.get(b.n) ?? 0)) -
      Number(a.refundedCents > (refundedCents.get(a.n) ?? 0)) || a.n - b.n
  );
  for (const purchase of changed) {
    if (takesPart(purchase)) applyRefunds(call, purchase, refundedCents.get(purchase.n) ?? 0);
    else purchase.refundedCents = 0;
    updateVerdict(call, purchase);
  }
}

function settleRefund(call: Call, refund: PurchaseRow, purchaseNo: number | null): void {
  if (
    refund.refundOf === purchaseNo && refund.findings.reasons.length > 0 &&
    (purchaseNo !== null || refund.waitsFor === "purchase")
  ) return;
  refundMatched(refund, purchaseNo);
  updateVerdict(call, refund);
}

function takesPart(purchase: PurchaseRow): boolean {
  return purchase.sameAs === null && purchase.state === "booked" &&
    !isInDoubt(purchase) && purchase.amountCents > 0;
}

function refundableOf(purchase: PurchaseRow): Refundable {
  return {
    n: purchase.n,
    key: purchase.externalId,
    date: purchase.purchasedOn,
    cents: purchase.amountCents,
    currency: purchase.currency,
  };
}

function readRows(
  call: Call,
  kind: "kind = 'refund'" | "kind = 'purchase'",
  accountNos: readonly number[],
  brandId: BrandId,
  from: string,
): PurchaseRow[] {
  return call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE ${kind} AND brand_id = ? AND (purchased_on >= ? OR refunded_cents > 0) AND account_no IN (SELECT value FROM json_each(?)) ORDER BY n`,
    brandId,
    from,
    JSON.stringify(accountNos),
  ).map(purchaseFrom);
}
