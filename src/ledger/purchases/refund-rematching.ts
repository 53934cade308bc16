// After a delivery was judged, refunds are matched again wherever it may have changed which
// purchase they belong to.
import type { BrandId } from "../../kernel/ids.ts";
import { textOf } from "../book/sql.ts";
import type { Call } from "../book/call.ts";
import { familyOf } from "./batch-accounts.ts";
import type { BatchAccounts } from "./batch-accounts.ts";
import type { PlannedRow } from "./batch-plan.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import { hasRefunds, reassignRefunds } from "./refund-matching.ts";

/** Refunds of one brand in the family of one account are to be matched again, if there are any. */
type RefundScope = {
  readonly accountNo: number;
  readonly brandId: BrandId;
  /** There is a refund, or was one: no need to ask. */
  readonly certain: boolean;
};

/**
 * Matches the refunds again of all brands and accounts that the judged rows concern. `left`: the
 * accounts that one of them has moved from.
 */
export function rematchRefunds(
  call: Call,
  judged: readonly PlannedRow[],
  left: ReadonlySet<number>,
  batchAccounts: BatchAccounts,
): void {
  const own = scopesOf(judged);
  const scopes = [...own, ...scopesOfLeft(own, left), ...scopesOfRegrouped(call, batchAccounts)]
    .sort((a, b) => Number(b.certain) - Number(a.certain));
  const done = new Set<string>();
  const known = new Map<BrandId, boolean>();
  for (const { accountNo, brandId, certain } of scopes) {
    if (done.has(`${accountNo} ${brandId}`)) continue;
    const some = certain || (known.get(brandId) ?? hasRefunds(call, brandId));
    known.set(brandId, some);
    if (!some) continue;
    const family = batchAccounts.families.find((each) =>
      each.some((account) =>
        account.accountNo === accountNo
      )
    ) ?? [];
    for (const account of family) done.add(`${account.accountNo} ${brandId}`);
    reassignRefunds(call, family, brandId);
  }
}

/** The same after one row was judged by itself. */
export function rematchRefundsAround(call: Call, { brand, accountNo }: PurchaseRow): void {
  if (brand === null || !hasRefunds(call, brand.id)) return;
  reassignRefunds(call, familyOf(call, accountNo), brand.id);
}

/** The brand that each row has and the one that it had. */
function scopesOf(judged: readonly PlannedRow[]): RefundScope[] {
  const scopes = new Map<string, RefundScope>();
  for (const { row, brandBefore, wasRefund } of judged) {
    for (const brandId of new Set([row.brand?.id ?? null, brandBefore])) {
      if (brandId === null) continue;
      const key = `${row.accountNo} ${brandId}`;
      scopes.set(key, {
        accountNo: row.accountNo,
        brandId,
        certain: wasRefund || scopes.get(key)?.certain === true,
      });
    }
  }
  return [...scopes.values()];
}

/**
 * The same brands on the accounts that a row has moved from: a refund there may have been of it.
 */
function scopesOfLeft(own: readonly RefundScope[], left: ReadonlySet<number>): RefundScope[] {
  return [...left].flatMap((accountNo) =>
    own.map(({ brandId }) => ({ accountNo, brandId, certain: false }))
  );
}

/**
 * Accounts that came together, or parted: all that a refund of theirs may have been matched with,
 * and those of the families that they left.
 */
function scopesOfRegrouped(call: Call, { regrouped }: BatchAccounts): RefundScope[] {
  if (regrouped.size === 0) return [];
  const rows = call.sql.exec(
    "SELECT DISTINCT brand_id FROM purchases WHERE kind = 'refund' AND brand_id IS NOT NULL AND account_no IN (SELECT value FROM json_each(?))",
    JSON.stringify([...regrouped]),
  );
  return rows.flatMap((row) =>
    [...regrouped].map((accountNo) => ({
      accountNo,
      brandId: textOf(row, "brand_id") as BrandId,
      certain: true,
    }))
  );
}
