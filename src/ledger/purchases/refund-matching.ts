// Matches the refunds of one brand with the purchases that they give back, and moves the points
// that follow. The match is made anew from the whole set whenever it changes
// (refund-allocation.ts), so a refund before its purchase ends like one after it.
import type { BrandId } from "../../kernel/ids.ts";
import { addDays } from "../../kernel/time.ts";
import { readLot } from "../points/lot-rows.ts";
import type { Account } from "./account-identity.ts";
import { isInDoubt, PURCHASE_COLUMNS, purchaseFrom, updateVerdict } from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { allocateRefunds, REFUND_DAYS_MAX } from "./refund-allocation.ts";
import type { RefundPart, RefundRow } from "./refund-allocation.ts";
import { isRowShown, isShown } from "./sight.ts";
import { refundMatched } from "./verdict-state.ts";
import { applyRefunds } from "./verdicts.ts";
import type { Call } from "../book/call.ts";

/**
 * Whether any refund of this brand is recorded, by a small index: most purchases never see one.
 */
export function hasRefunds(call: Call, brandId: BrandId): boolean {
  return call.sql.exec(
    "SELECT 1 FROM purchases WHERE kind = 'refund' AND brand_id = ? LIMIT 1",
    brandId,
  ).length > 0;
}

/** Matches the refunds of one brand in one family of accounts and moves the points that follow. */
export function reassignRefunds(
  call: Call,
  family: readonly Account[],
  brandId: BrandId,
): void {
  const refunds = readRows(call, "kind = 'refund'", family, brandId, "0000-00-00").filter((
    refund,
  ) => takesPart(refund) && !(refund.refundParts.length === 0 && refund.waitsFor !== "purchase"));
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
    family,
    brandId,
    typeof first === "string" ? addDays(first, -REFUND_DAYS_MAX) : "0000-00-00",
  );
  // Listings of one IBAN are one account. Without one, each listing is an account of its own here:
  // a name says too little to prefer one.
  const accounts = new Map(
    family.map(({ accountNo, ownIban }) => [accountNo, ownIban ?? String(accountNo)]),
  );
  const rowOf = (row: PurchaseRow): RefundRow => refundRowOf(row, accounts);
  const allocated = allocateRefunds(purchases.filter(takesPart).map(rowOf), refunds.map(rowOf));
  for (const refund of refunds) settleRefund(call, refund, allocated.get(refund.n) ?? []);
  const refundedCents = refundedBy(allocated);
  boundByReads(call, purchases, refunds, { refundedCents, rowOf });
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

/** The cents of each purchase that these refunds give back. */
function refundedBy(
  allocated: ReadonlyMap<number, readonly RefundPart[]>,
): Map<number, number> {
  const refundedCents = new Map<number, number>();
  for (const { purchase, cents } of [...allocated.values()].flat()) {
    refundedCents.set(purchase, (refundedCents.get(purchase) ?? 0) + cents);
  }
  return refundedCents;
}

/**
 * Points that are confirmed, or due to be, move no further than reads have shown, and not at all
 * while a webhook is taken in.
 */
function boundByReads(
  call: Call,
  purchases: readonly PurchaseRow[],
  refunds: readonly PurchaseRow[],
  { refundedCents, rowOf }: {
    readonly refundedCents: Map<number, number>;
    readonly rowOf: (row: PurchaseRow) => RefundRow;
  },
): void {
  const taking = [...purchases, ...refunds].filter(takesPart);
  if (!call.byWebhook && taking.every((row) => isRowShown(call, row))) return;
  const isFirm = (row: PurchaseRow): boolean => {
    if (row.lotNo === null) return false;
    const { state, confirmAtMs } = readLot(call, row.lotNo);
    return state === "available" || (confirmAtMs <= call.nowMs && isShown(call, row));
  };
  const shown = refundedBy(allocateRefunds(
    purchases.filter((row) => takesPart(row) && isRowShown(call, row)).map(rowOf),
    refunds.filter((row) => isRowShown(call, row)).map(rowOf),
  ));
  for (const { n, refundedCents: before } of purchases.filter(isFirm)) {
    const bounds = call.byWebhook ? [before] : [shown.get(n) ?? 0, refundedCents.get(n) ?? 0];
    refundedCents.set(n, Math.min(Math.max(before, Math.min(...bounds)), Math.max(...bounds)));
  }
}

function settleRefund(call: Call, refund: PurchaseRow, parts: readonly RefundPart[]): void {
  if (
    sameParts(refund.refundParts, parts) && refund.findings.reasons.length > 0 &&
    (parts.length > 0 || refund.waitsFor === "purchase")
  ) return;
  refundMatched(refund, parts);
  updateVerdict(call, refund);
}

function sameParts(a: readonly RefundPart[], b: readonly RefundPart[]): boolean {
  return a.length === b.length &&
    a.every(({ purchase, cents }, index) =>
      purchase === b[index]?.purchase && cents === b[index].cents
    );
}

function takesPart(purchase: PurchaseRow): boolean {
  return purchase.sameAs === null && purchase.state === "booked" &&
    !isInDoubt(purchase) && purchase.amountCents > 0;
}

function refundRowOf(
  row: PurchaseRow,
  accounts: ReadonlyMap<number, string>,
): RefundRow {
  return {
    n: row.n,
    account: accounts.get(row.accountNo) ?? "",
    date: row.purchasedOn,
    cents: row.amountCents,
    currency: row.currency,
    original: row.original,
    labelTag: row.labelTag,
    externalId: row.externalId,
  };
}

function readRows(
  call: Call,
  kind: "kind = 'refund'" | "kind = 'purchase'",
  family: readonly Account[],
  brandId: BrandId,
  from: string,
): PurchaseRow[] {
  return call.sql.exec(
    `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE ${kind} AND brand_id = ? AND (purchased_on >= ? OR refunded_cents > 0) AND account_no IN (SELECT value FROM json_each(?)) ORDER BY n`,
    brandId,
    from,
    JSON.stringify(family.map((account) => account.accountNo)),
  ).map(purchaseFrom);
}
