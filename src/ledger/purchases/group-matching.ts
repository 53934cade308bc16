// Compares the rows of a delivery with those near them in the same family of accounts, and adds to
// the plan whatever earlier row is matched differently now.
import { addDays } from "../../kernel/time.ts";
import { integerOf, integerOrNull, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { Call } from "../book/call.ts";
import { relationOf } from "./account-identity.ts";
import type { Account } from "./account-identity.ts";
import type { BatchAccounts } from "./batch-accounts.ts";
import { plannedStored, SAMENESS_MARGIN_DAYS } from "./batch-plan.ts";
import type { BatchPlan, PlannedRow } from "./batch-plan.ts";
import { earlierFrom, readPurchase } from "./purchase-rows.ts";
import type { PurchaseRow, SightNotes } from "./purchase-rows.ts";
import type { SameRow } from "./compared-row.ts";
import { isRowShown, restsConfirmed } from "./sight.ts";
import { matchRows } from "./row-matching.ts";
import type { RowMatch } from "./row-matching.ts";

/** One family of accounts with its rows in the plan. */
type Group = {
  readonly accounts: readonly Account[];
  readonly rows: readonly PlannedRow[];
  /** All its stored rows are matched anew, near this batch or not. */
  readonly whole: boolean;
};
type DateSpan = { readonly from: string; readonly to: string };

const ALL_DAYS: DateSpan = { from: "0000-00-00", to: "9999-99-99" };
/** Finds out which rows are the same purchase, and notes it in the plan. */
export function matchPlannedRows(call: Call, plan: BatchPlan, batchAccounts: BatchAccounts): void {
  for (const group of groupsOf(plan, batchAccounts)) matchGroup(call, plan, group);
}

/** The planned rows by family, and each family that changed or that a row left, with or without. */
function groupsOf(plan: BatchPlan, { families, regrouped }: BatchAccounts): Group[] {
  const groups = families.map((accounts) => ({
    accounts,
    rows: [] as PlannedRow[],
    whole: accounts.some(({ accountNo }) => regrouped.has(accountNo) || plan.left.has(accountNo)),
  }));
  const byNo = new Map(
    groups.flatMap((group) => group.accounts.map(({ accountNo }) => [accountNo, group])),
  );
  for (const planned of plan.rows.values()) byNo.get(planned.row.accountNo)?.rows.push(planned);
  return groups.filter((group) => group.whole || group.rows.length > 0);
}

function matchGroup(call: Call, plan: BatchPlan, group: Group): void {
  if (cannotRepeat(call, group)) return;
  const near = spanOf(group);
  // A row that reads did not give twice is none that others could repeat.
  const rows = readNeighbours(call, group, near);
  for (const { row } of group.rows) {
    if (row.review === "not_shown") rows.delete(row.n);
    else rows.set(row.n, comparedPlanned(call, row));
  }
  const matches = matchRows([...rows.values()], group.accounts);
  applyMatches(call, plan, { rows, matches, near });
}

/** Most accounts have one listing, no card and no pending row: there is nothing to compare. */
function cannotRepeat(call: Call, group: Group): boolean {
  const { accounts } = group;
  return !group.whole &&
    accounts.every((a) => accounts.every((b) => a === b || relationOf(a, b) === "different")) &&
    group.rows.every(({ row }) => row.state !== "pending" && row.sameAs === null) &&
    call.sql.exec(
        "SELECT 1 FROM purchases WHERE state = 'pending' AND account_no IN (SELECT value FROM json_each(?)) LIMIT 1",
        accountNosOf(group),
      ).length === 0;
}

const accountNosOf = (group: Group): string =>
  JSON.stringify(group.accounts.map((account) => account.accountNo));

/** The days within which a stored row may be matched differently because of the batch. */
function spanOf(group: Group): DateSpan {
  if (group.whole) return ALL_DAYS;
  const dates = group.rows.map(({ row }) => row.purchasedOn).sort();
  return {
    from: addDays(dates[0] ?? "1970-01-01", -SAMENESS_MARGIN_DAYS),
    to: addDays(dates.at(-1) ?? "1970-01-01", SAMENESS_MARGIN_DAYS),
  };
}

/**
 * Reads twice as far as is decided about: a row at the edge must not seem alone because what it
 * repeats lies beyond it.
 */
function readNeighbours(call: Call, group: Group, near: DateSpan): Map<number, SameRow> {
  const from = group.whole ? ALL_DAYS.from : addDays(near.from, -SAMENESS_MARGIN_DAYS);
  const to = group.whole ? ALL_DAYS.to : addDays(near.to, SAMENESS_MARGIN_DAYS);
  const stored = call.sql.exec(
    `SELECT n, account_no, external_id, kind, amount_cents, purchased_on, state, booked_on, brand_id, label_tag, last_update_ms, last_update_kind, was_pending, earlier_cents, same_as, review, said_ms, sight_notes,
       EXISTS (SELECT 1 FROM lots l WHERE l.lot_no = purchases.lot_no AND l.state = 'available') AS confirmed FROM purchases
     WHERE purchased_on BETWEEN ? AND ? AND account_no IN (SELECT value FROM json_each(?)) AND review IS NOT 'not_shown'`,
    from,
    to,
    accountNosOf(group),
  );
  return new Map(stored.map((row) => [integerOf(row, "n"), comparedStored(call, row)]));
}

/** Only the columns that are compared: the stored verdicts are long to parse. */
function comparedStored(call: Call, row: SqlRow): SameRow {
  const notes = textOrNull(row, "sight_notes");
  return {
    n: integerOf(row, "n"),
    accountNo: integerOf(row, "account_no"),
    externalId: textOf(row, "external_id"),
    kind: textOf(row, "kind") as SameRow["kind"],
    cents: integerOf(row, "amount_cents"),
    date: textOf(row, "purchased_on"),
    state: textOf(row, "state") as SameRow["state"],
    brandId: textOrNull(row, "brand_id"),
    labelTag: textOf(row, "label_tag"),
    lastUpdateMs: integerOf(row, "last_update_ms"),
    lastUpdateKind: textOrNull(row, "last_update_kind") as SameRow["lastUpdateKind"],
    wasPending: row["was_pending"] === 1,
    earlierCents: earlierFrom(textOrNull(row, "earlier_cents")),
    wasBooked: row["booked_on"] !== null,
    sameAs: row["same_as"] === null ? null : integerOf(row, "same_as"),
    isShown: isRowShown(call, {
      accountNo: integerOf(row, "account_no"),
      saidMs: integerOrNull(row, "said_ms"),
      sightNotes: notes === null ? null : JSON.parse(notes) as SightNotes,
    }),
    isConfirmed: row["confirmed"] === 1,
    needsReview: reviewByRuleC(textOrNull(row, "review")),
  };
}

function comparedPlanned(call: Call, row: PurchaseRow): SameRow {
  return {
    n: row.n,
    accountNo: row.accountNo,
    externalId: row.externalId,
    kind: row.kind,
    cents: row.amountCents,
    date: row.purchasedOn,
    state: row.state,
    brandId: row.brand?.id ?? null,
    labelTag: row.labelTag,
    lastUpdateMs: row.lastUpdateMs,
    lastUpdateKind: row.lastUpdateKind,
    wasPending: row.wasPending,
    earlierCents: row.earlierCents,
    wasBooked: row.bookedOn !== null,
    sameAs: row.sameAs,
    isShown: isRowShown(call, row),
    isConfirmed: row.lotNo !== null && restsConfirmed(call, row),
    needsReview: reviewByRuleC(row.review),
  };
}

/** Whether rule (c) asks for a review now; null when another rule or a person decides that. */
function reviewByRuleC(review: string | null): boolean | null {
  if (review === null || review === "large_reward") return false;
  return review === "weak_account" ? true : null;
}

function applyMatches(
  call: Call,
  plan: BatchPlan,
  { rows, matches, near }: {
    readonly rows: ReadonlyMap<number, SameRow>;
    readonly matches: ReadonlyMap<number, RowMatch>;
    readonly near: DateSpan;
  },
): void {
  for (const [n, match] of matches) {
    let planned = plan.rows.get(n);
    if (planned === undefined) {
      const row = rows.get(n);
      if (row === undefined || row.date < near.from || row.date > near.to) continue;
      if (!isMatchedDifferently(row, match)) continue;
      planned = plannedStored(readPurchase(call, n));
      plan.rows.set(n, planned);
    }
    planned.match = match;
  }
}

function isMatchedDifferently(row: SameRow, match: RowMatch): boolean {
  const sameAs = match.keeper === row.n ? null : match.keeper;
  return row.sameAs !== sameAs ||
    (row.needsReview !== null && row.needsReview !== match.needsReview);
}
