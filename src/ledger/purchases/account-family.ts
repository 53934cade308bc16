// Which accounts belong together: a refund may come on another account than its purchase, on the
// current account of a card for instance.
import { integerOf, textOf } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

/** A listing of the family. Listings of one fingerprint are one account of a bank. */
export type FamilyAccount = { readonly accountNo: number; readonly fingerprint: string };

// Listings of one account may know its family or not: what one of them knows holds for all.
const KEYED =
  `WITH keyed AS (SELECT account_no, fingerprint, COALESCE((SELECT MAX(b.family) FROM accounts b WHERE b.fingerprint = a.fingerprint), fingerprint) AS family_key FROM accounts a)`;

/** All accounts of the family of that account, itself among them, in the order of first sight. */
export function familyOf(call: Call, accountNo: number): FamilyAccount[] {
  return call.sql.exec(
    `${KEYED} SELECT account_no, fingerprint FROM keyed WHERE family_key = (SELECT family_key FROM keyed WHERE account_no = ?) ORDER BY account_no`,
    accountNo,
  ).map((row) => ({
    accountNo: integerOf(row, "account_no"),
    fingerprint: textOf(row, "fingerprint"),
  }));
}
