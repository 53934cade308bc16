// After a delivery was judged, refunds are matched again wherever it may have changed which
// purchase they belong to.
import type { BrandId } from "../../kernel/ids.ts";
import { integerOf, textOf } from "../book/sql.ts";
import type { Call } from "../book/call.ts";
import type { Account, BatchAccounts } from "./batch-accounts.ts";
import type { PlannedRow } from "./batch-plan.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
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
  const accounts = [...batchAccounts.accounts.values()];
  const scopes = [...scopesOf(judged), ...scopesOfJoined(call, accounts, batchAccounts.joined)]
    .sort((a, b) => Number(b.certain) - Number(a.certain));
  const done = new Set<string>();
  const known = new Map<BrandId, boolean>();
  for (const { accountNo, brandId, certain } of scopes) {
    const fingerprint = accounts.find((account) => account.accountNo === accountNo)?.fingerprint ??
      "";
    const key = `${fingerprint} ${brandId}`;
    if (done.has(key)) continue;
    done.add(key);
    const some = certain || (known.get(brandId) ?? hasRefunds(call, brandId));
    known.set(brandId, some);
    if (!some) continue;
    const together = accounts.filter((account) => account.fingerprint === fingerprint);
    reassignRefunds(call, together.map((account) => account.accountNo), brandId);
  }
}

/** The same after one row was judged by itself. */
export function rematchRefundsAround(call: Call, { brand, accountNo }: PurchaseRow): void {
  if (brand === null || !hasRefunds(call, brand.id)) return;
  const accounts = call.sql.exec(
    "SELECT account_no FROM accounts WHERE fingerprint = (SELECT fingerprint FROM accounts WHERE account_no = ?)",
    accountNo,
  );
  reassignRefunds(call, accounts.map((row) => integerOf(row, "account_no")), brand.id);
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
function scopesOfJoined(
  call: Call,
  accounts: readonly Account[],
  joined: ReadonlySet<string>,
): RefundScope[] {
  const concerned = accounts.filter((account) => joined.has(account.fingerprint));
  if (concerned.length === 0) return [];
  const rows = call.sql.exec(
    "SELECT DISTINCT brand_id FROM purchases WHERE kind = 'refund' AND brand_id IS NOT NULL AND account_no IN (SELECT value FROM json_each(?))",
    JSON.stringify(concerned.map((account) => account.accountNo)),
  );
  return rows.flatMap((row) =>
    concerned.map(({ accountNo }) => ({
      accountNo,
      brandId: textOf(row, "brand_id") as BrandId,
      certain: true,
    }))
  );
}
