// What a delivery changes: the rows it brings, as new or as newer versions of rows that we have,
// and the rows of earlier deliveries that it affects. Nothing is written before the rows are
// judged.
import { assert } from "../../kernel/assert.ts";
import type { AccountId, BrandId } from "../../kernel/ids.ts";
import { AMOUNT_CENTS_MAX } from "../../kernel/money.ts";
import { daysBetween } from "../../kernel/time.ts";
import type { BankRow, BatchRead, RecordBatch } from "../ports.ts";
import type { Account } from "./account-identity.ts";
import {
  findRows,
  insertPurchase,
  moveToAccount,
  newPurchase,
  nextPurchaseNo,
  updatePurchase,
  updateVerdict,
} from "./purchase-rows.ts";
import type { PurchaseRow } from "./purchase-rows.ts";
import type { RowMatch } from "./row-matching.ts";
import {
  decisiveFactsDiffer,
  noteEarlierAmount,
  overwriteFacts,
  shownFactsOf,
  withGivenDay,
} from "./row-facts.ts";
import { isNewerVersion } from "./row-versions.ts";
import { isRowShown, waitsForRead, withNotes } from "./sight.ts";
import type { Call } from "../book/call.ts";

/** A row that this call may change. */
export type PlannedRow = {
  readonly row: PurchaseRow;
  isNew: boolean;
  /** More than its verdict is to be written. */
  factsChanged: boolean;
  /** False when the facts that rules look at are not those that its verdict was made for. */
  decided: boolean;
  readonly brandBefore: BrandId | null;
  readonly wasRefund: boolean;
  /** Null when nothing had to be compared. */
  match: RowMatch | null;
  /** It took over a verdict in this call, see `transferVerdict`. */
  receivedVerdict: boolean;
};

/**
 * Rows further from the batch than this cannot change what its rows repeat, unless nine of them
 * form a chain.
 */
export const SAMENESS_MARGIN_DAYS = 45;

export type BatchPlan = {
  readonly rows: Map<number, PlannedRow>;
  /** By link and external id: a batch may bring a row twice. */
  readonly byName: Map<string, PlannedRow>;
  /**
   * Numbers of the accounts that a row left, or where it moved to a day far off: all that it was
   * compared with before is compared again.
   */
  readonly left: Set<number>;
  /** Rows of the batch that changed nothing. */
  unchanged: number;
  /** Booked rows that turned out to repeat another. */
  duplicates: number;
  nextNo: number;
  /** Null: a webhook brought the rows, or nobody did. */
  readonly read: BatchRead | null;
  /** A webhook says something of confirmed points; a read must answer soon. */
  hasQuestions: boolean;
};

/** The rows that the batch adds or changes, not yet compared with any others. */
export function planBatch(
  call: Call,
  batch: RecordBatch,
  accounts: ReadonlyMap<AccountId, Account>,
): BatchPlan {
  const plan = { ...emptyPlan(call), read: batch.read ?? null };
  const stored = findStored(call, batch, accounts);
  for (const row of batch.rows) planRow(call, plan, stored, accountOf(accounts, row), row);
  return plan;
}

/** A plan to which rows are added one by one. */
export function emptyPlan(call: Call): BatchPlan {
  return {
    rows: new Map(),
    byName: new Map(),
    left: new Set(),
    unchanged: 0,
    duplicates: 0,
    nextNo: nextPurchaseNo(call),
    read: null,
    hasQuestions: false,
  };
}

/**
 * The rows of the batch that we have, on whichever account of the link: the bank may have moved
 * them. Of two that were taken in before rows were looked up so, the newer.
 */
function findStored(
  call: Call,
  batch: RecordBatch,
  accounts: ReadonlyMap<AccountId, Account>,
): Map<string, PurchaseRow> {
  const byNo = new Map([...accounts.values()].map((account) => [account.accountNo, account]));
  const named = new Set(batch.rows.map((row) => scopeOf(accountOf(accounts, row))));
  const nos = [...byNo.values()].filter((account) => named.has(scopeOf(account)));
  const found = findRows(
    call,
    nos.map(({ accountNo }) => accountNo),
    batch.rows.map(({ externalId }) => externalId),
  );
  found.sort((a, b) => a.lastUpdateMs - b.lastUpdateMs || b.n - a.n);
  return new Map(found.flatMap((row) => {
    const account = byNo.get(row.accountNo);
    return account === undefined ? [] : [[rowKey(account, row.externalId), row] as const];
  }));
}

/** Within it an external id names one row: the link, where it is known. */
function scopeOf({ linkId, accountNo }: Account): string {
  return linkId ?? String(accountNo);
}

function rowKey(account: Account, externalId: string): string {
  return `${scopeOf(account)} ${externalId}`;
}

function accountOf(accounts: ReadonlyMap<AccountId, Account>, row: BankRow): Account {
  const account = accounts.get(row.accountId);
  assert(
    account !== undefined,
    "account_not_found",
    "the batch has a row of an account that it does not describe",
  );
  return account;
}

/**
 * Rule (a): same link and id, the same row, on whichever account; only a newer version overwrites,
 * or what a read gives in place of what webhooks said.
 */
function planRow(
  call: Call,
  plan: BatchPlan,
  stored: ReadonlyMap<string, PurchaseRow>,
  account: Account,
  shown: BankRow,
): void {
  assert(
    Number.isSafeInteger(shown.amountCents) && shown.amountCents >= 0 &&
      shown.amountCents <= AMOUNT_CENTS_MAX,
    "amount_out_of_bounds",
    "an amount is negative, fractional or too large",
  );
  const key = rowKey(account, shown.externalId);
  const planned = plan.byName.get(key);
  const known = planned?.row ?? stored.get(key);
  if (known === undefined) {
    if (plan.read?.knownOnly === true) return;
    const saidMs = plan.read === null ? call.nowMs : null;
    const added = plannedNew(newPurchase(call, plan.nextNo, account.accountNo, shown, saidMs));
    plan.nextNo += 1;
    plan.rows.set(added.row.n, added);
    plan.byName.set(key, added);
    return;
  }
  const changed = planned ?? { ...plannedStored(known), factsChanged: true };
  const row = withGivenDay(known, shown);
  const newer = overwrites(plan, known, row);
  // An older version changes nothing of the row itself, but may show which others it is the same
  // as.
  const missedPending = !newer && row.state === "pending" && known.state !== "pending" &&
    !known.wasPending;
  const missedAmount = !newer && row.state === "booked" &&
    noteEarlierAmount(known, row.amountCents);
  const taken = newer && takeVersion(call, plan, changed, row, account);
  const answered = plan.read !== null && answerNotes(changed, plan.read, newer);
  if (!taken && !missedPending && !missedAmount && !answered) {
    plan.unchanged += 1;
    return;
  }
  if (missedPending) known.wasPending = true;
  plan.rows.set(known.n, changed);
  plan.byName.set(key, changed);
}

/**
 * What a read gives replaces what webhooks said before it began, whatever time they bore: a forged
 * one says that it is of next year.
 */
function overwrites({ read }: BatchPlan, known: PurchaseRow, row: BankRow): boolean {
  const differs = (): boolean => decisiveFactsDiffer(known, row);
  const wasSaid = read !== null && known.saidMs !== null && known.saidMs < read.startedAtMs;
  return (wasSaid && differs()) ||
    isNewerVersion({ ...row, lastUpdateKind: row.lastUpdateKind ?? null }, known, differs);
}

/**
 * A read gave the row: what was notable about it is settled, but for what a webhook said since the
 * read began. Returns whether that changes anything.
 */
function answerNotes(planned: PlannedRow, { startedAtMs }: BatchRead, newer: boolean): boolean {
  const { row } = planned;
  if (row.sightNotes === null && row.review !== "not_shown") return false;
  if (!newer && (row.saidMs ?? 0) >= startedAtMs) return false;
  const askedAtMs = row.sightNotes?.askedAtMs ?? null;
  const stillAsked = askedAtMs !== null && askedAtMs >= startedAtMs;
  row.sightNotes = null;
  row.sightNotes = stillAsked ? withNotes(row, { askedAtMs }) : null;
  row.saidMs = null;
  if (row.review === "not_shown") {
    row.review = null;
    planned.decided = false;
  }
  planned.factsChanged = true;
  return true;
}

/**
 * Takes in a newer version. One that came by webhook and says something else of confirmed points is
 * not believed: a read is asked for instead, which is noted once. Returns whether the row changed.
 */
function takeVersion(
  call: Call,
  plan: BatchPlan,
  planned: PlannedRow,
  row: BankRow,
  account: Account,
): boolean {
  const known = planned.row;
  const differs = decisiveFactsDiffer(known, row);
  const moves = known.accountNo !== account.accountNo;
  const wasShown = isRowShown(call, known);
  if (plan.read !== null) known.saidMs = null;
  else if (differs || moves) {
    if (waitsForRead(call, known)) {
      plan.hasQuestions = true;
      if ((known.sightNotes?.askedAtMs ?? null) !== null) return false;
      // What was shown stays so, whatever reads lack from now on.
      if (wasShown) known.saidMs = null;
      known.sightNotes = withNotes(known, { askedAtMs: call.nowMs });
      planned.factsChanged = true;
      return true;
    }
    known.sightNotes = withNotes(known, {
      missed: 0,
      before: wasShown ? shownFactsOf(known) : known.sightNotes?.before ?? null,
    });
    known.saidMs = call.nowMs;
  }
  planned.decided &&= !differs;
  const staysHeld = plan.read === null && !differs && known.review === "not_shown";
  if (Math.abs(daysBetween(known.purchasedOn, row.purchasedOn)) > SAMENESS_MARGIN_DAYS) {
    plan.left.add(known.accountNo);
  }
  overwriteFacts(known, row, wasShown);
  if (staysHeld) known.review = "not_shown";
  if (moves) {
    plan.left.add(known.accountNo);
    moveToAccount(call, known, account.accountNo);
  }
  return true;
}

function plannedNew(row: PurchaseRow): PlannedRow {
  return {
    row,
    isNew: true,
    factsChanged: true,
    decided: false,
    brandBefore: null,
    wasRefund: false,
    match: null,
    receivedVerdict: false,
  };
}

/** A stored row of which nothing has changed yet. */
export function plannedStored(row: PurchaseRow): PlannedRow {
  return {
    row,
    isNew: false,
    factsChanged: false,
    decided: true,
    brandBefore: row.brand?.id ?? null,
    wasRefund: row.kind === "refund",
    match: null,
    receivedVerdict: false,
  };
}

/** Whether the row counts for itself: the bank shows it, and it repeats no other. */
export function isOwnPurchase({ row, match }: PlannedRow): boolean {
  return row.state !== "deleted" && (match === null || match.keeper === row.n);
}

/**
 * Whether the row is shown in lists. One that the bank took back is too, under the id that its
 * entries name.
 */
export function isListed({ row, match }: PlannedRow): boolean {
  return match === null ? row.sameAs === null : match.keeper === row.n;
}

/** Writes no more of the row than has changed. */
export function savePlanned(call: Call, { row, isNew, factsChanged }: PlannedRow): void {
  if (isNew) insertPurchase(call, row);
  else if (factsChanged) updatePurchase(call, row);
  else updateVerdict(call, row);
}
