// After a delivery was judged, refunds are matched again wherever it may have changed which
// purchase they belong to.
import type { BrandId } from "../../kernel/ids.ts";
import { textOf } from "../book/sql.ts";
import type { Call } from "../book/call.ts";
import type { BatchAccounts } from "./batch-accounts.ts";
import type { PlannedRow } from "./batch-plan.ts";
import { hasRefunds, reassignRefunds } from "./refund-matching.ts";

/** Refunds of one brand on one account are to be matched again, if there are any. */
type RefundScope = {
  readonly accountNo: number;
  readonly brandId: BrandId;
  /** There is a refund, or was one: no need to ask. */
  readonly certain: boolean;
};

/** Matches the refunds again of all brands and accounts that the judged rows concern. */
export function rematchRefunds(
  call: Call,
  judged: readonly PlannedRow[],
  batchAccounts: BatchAccounts,
): void {
  const scopes = [...scopesOf(judged), ...scopesOfRegrouped(call, batchAccounts)]
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
    reassignRefunds(call, family.map((account) => account.accountNo), brandId);
  }
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
 * Accounts that came together, or parted, at each brand that one of them has a refund of: the
 * purchases to choose from are others now.
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
