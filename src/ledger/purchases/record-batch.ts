// Takes in what a delivery brings: finds the rows we already have, decides which are the same
// purchase, and gives each purchase its verdict in recording order. One transaction, so a delivery
// counts wholly or not at all.
import { assert } from "../../kernel/assert.ts";
import type { AccountId, BrandId } from "../../kernel/ids.ts";
import { AMOUNT_CENTS_MAX } from "../../kernel/money.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { addDays } from "../../kernel/time.ts";
import { budgetOpen } from "./reservations.ts";
import type { Terms } from "../earning/types.ts";
import { coverDebt } from "../points/holds.ts";
import { numberedId } from "../book/numbered-id.ts";
import type { BankRow, OffersNeeded, RecordBatch, RecordSummary } from "../ports.ts";
import { RECORD_ROWS_MAX } from "../ports.ts";
import {
  activePoints,
  earlierFrom,
  findRows,
  insertPurchase,
  moveVerdict,
  newPurchase,
  nextPurchaseNo,
  noteEarlierAmount,
  overwriteFacts,
  readPurchase,
  rowKey,
  updatePurchase,
  updateVerdict,
} from "./purchase-rows.ts";
import type { PurchaseRow, RowName } from "./purchase-rows.ts";
import { hasRefunds, reassignRefunds } from "./refund-matching.ts";
import { placeRows } from "./row-matching.ts";
import type { Place, SameRow } from "./row-matching.ts";
import { integerOf, textOf, textOrNull } from "../book/sql.ts";
import { settleVerdict } from "./verdicts.ts";
import type { Call } from "../book/call.ts";

type Account = {
  readonly accountNo: number;
  readonly fingerprint: string;
  readonly strength: string;
  readonly createdAtMs: number;
};
/**
 * A row that this call may change. `decided` is false when the facts that rules look at are new.
 */
type Touched = {
  readonly record: PurchaseRow;
  isNew: boolean;
  facts: boolean;
  decided: boolean;
  readonly wasBrand: BrandId | null;
  readonly wasRefund: boolean;
  place: Place | null;
  /** It took over a verdict in this call, see `transferVerdict`. */
  receivedVerdict: boolean;
};
type Plan = {
  readonly touched: Map<
    number,
    Touched
  >; /** By account and external id: a batch may bring a row twice. */
  readonly byRow: Map<string, Touched>;
  unchanged: number;
  nextNo: number;
};

/**
 * Rows further from the batch than this cannot change what its rows repeat, unless nine of them
 * form a chain.
 */
const SAMENESS_MARGIN_DAYS = 45;
const STATE_RANK = { pending: 0, booked: 1, deleted: 2 } as const;

/**
 * Records one batch. Repeating it, whole or in parts, changes nothing more. Answers `offers_needed`
 * when a row of an earlier delivery must be judged again and nobody handed its brand's offers over:
 * a verdict without them would take its points for good. The caller undoes the call then.
 */
export function record(
  call: Call,
  batch: RecordBatch,
): Result<RecordSummary, OffersNeeded> {
  assert(
    batch.rows.length <= RECORD_ROWS_MAX,
    "batch_too_large",
    "the batch has more than 500 rows",
  );
  const { accounts, joined } = saveAccounts(call, batch);
  const plan: Plan = {
    touched: new Map(),
    byRow: new Map(),
    unchanged: 0,
    nextNo: nextPurchaseNo(call),
  };
  const stored = findRows(call, batch.rows.map((row) => nameOf(accounts, row)));
  for (const row of batch.rows) takeIn(call, plan, stored, nameOf(accounts, row), row);
  for (const group of groupsOf(plan, accounts, joined)) placeGroup(call, plan, group);
  const duplicates = settle(call, plan, batch, { accounts, joined });
  if (call.offersNeeded.length > 0) {
    return err({ code: "offers_needed", needed: call.offersNeeded });
  }
  coverDebt(call);
  const fresh = [...plan.touched.values()].filter((each) => each.facts || each.isNew);
  if (batch.syncedAtMs !== null) saveSync(call, batch.connectionId, batch.syncedAtMs);
  return ok({
    recorded: fresh.length,
    unchanged: plan.unchanged,
    duplicates,
    sequence: call.head.sequence,
    earnedPoints: fresh.reduce(
      (sum, { record: purchase }) =>
        sum + (purchase.kind === "purchase" ? activePoints(purchase) : 0),
      0,
    ),
  });
}

function saveSync(call: Call, connectionId: string, syncedAtMs: number): void {
  call.sql.exec(
    `INSERT INTO connections (connection_id, last_synced_at_ms) VALUES (?1, ?2)
     ON CONFLICT (connection_id) DO UPDATE SET last_synced_at_ms = ?2 WHERE last_synced_at_ms < ?2`,
    connectionId,
    syncedAtMs,
  );
}

type Saved = {
  readonly accounts: Map<
    AccountId,
    Account
  >; /** Fingerprints that an account came to in this call. */
  readonly joined: ReadonlySet<string>;
};

function saveAccounts(call: Call, batch: RecordBatch): Saved {
  const joined = new Set<string>();
  const stored = new Map(
    call.sql.exec(
      "SELECT account_no, account_id, connection_id, fingerprint, strength, created_at_ms FROM accounts ORDER BY account_no",
    )
      .map((row) => [textOf(row, "account_id"), row] as const),
  );
  for (const account of batch.accounts) {
    const row = stored.get(account.accountId);
    const moved = row !== undefined && row["fingerprint"] !== account.fingerprint;
    if (row === undefined || moved) joined.add(account.fingerprint);
    if (moved) joined.add(textOf(row, "fingerprint"));
    if (row === undefined) {
      call.sql.exec(
        "INSERT INTO accounts (account_id, connection_id, fingerprint, strength, created_at_ms) VALUES (?, ?, ?, ?, ?)",
        account.accountId,
        account.connectionId,
        account.fingerprint,
        account.strength,
        account.createdAtMs,
      );
    } else if (
      row["fingerprint"] !== account.fingerprint || row["strength"] !== account.strength ||
      row["connection_id"] !== account.connectionId
    ) {
      call.sql.exec(
        "UPDATE accounts SET connection_id = ?, fingerprint = ?, strength = ? WHERE account_id = ?",
        account.connectionId,
        account.fingerprint,
        account.strength,
        account.accountId,
      );
    }
  }
  const accounts = new Map(
    call.sql.exec(
      "SELECT account_no, account_id, fingerprint, strength, created_at_ms FROM accounts ORDER BY account_no",
    ).map((row) =>
      [
        textOf(row, "account_id") as AccountId,
        {
          accountNo: integerOf(row, "account_no"),
          fingerprint: textOf(row, "fingerprint"),
          strength: textOf(row, "strength"),
          createdAtMs: integerOf(row, "created_at_ms"),
        },
      ] as const
    ),
  );
  return { accounts, joined };
}

function nameOf(accounts: ReadonlyMap<AccountId, Account>, row: BankRow): RowName {
  const account = accounts.get(row.accountId);
  assert(
    account !== undefined,
    "account_not_found",
    "the batch has a row of an account that it does not describe",
  );
  return [account.accountNo, row.externalId];
}

/**
 * Rule (a): same account and id, the same row; only a newer version overwrites, and at one time
 * only a later state.
 */
function takeIn(
  call: Call,
  plan: Plan,
  stored: ReadonlyMap<string, PurchaseRow>,
  name: RowName,
  row: BankRow,
): void {
  assert(
    Number.isSafeInteger(row.amountCents) && row.amountCents >= 0 &&
      row.amountCents <= AMOUNT_CENTS_MAX,
    "amount_out_of_bounds",
    "an amount is negative, fractional or too large",
  );
  const key = rowKey(name);
  const planned = plan.byRow.get(key);
  const known = planned?.record ?? stored.get(key);
  if (known === undefined) {
    const purchase = newPurchase(call, plan.nextNo, name[0], row);
    plan.nextNo += 1;
    const fresh: Touched = {
      record: purchase,
      isNew: true,
      facts: true,
      decided: false,
      wasBrand: null,
      wasRefund: false,
      place: null,
      receivedVerdict: false,
    };
    plan.touched.set(purchase.n, fresh);
    plan.byRow.set(key, fresh);
    return;
  }
  const newer = row.lastUpdateMs > known.lastUpdateMs ||
    (row.lastUpdateMs === known.lastUpdateMs && STATE_RANK[row.state] > STATE_RANK[known.state]);
  // An older version changes nothing of the row, but which others it is the same as may hang on it.
  const missedPending = !newer && row.state === "pending" && known.state !== "pending" &&
    !known.wasPending;
  const missedAmount = !newer && row.state === "booked" &&
    noteEarlierAmount(known, row.amountCents);
  if (!newer && !missedPending && !missedAmount) {
    plan.unchanged += 1;
    return;
  }
  const touched = planned ??
    {
      record: known,
      isNew: false,
      facts: true,
      decided: true,
      wasBrand: known.brand?.id ?? null,
      wasRefund: known.kind === "refund",
      place: null,
      receivedVerdict: false,
    };
  if (missedPending) known.wasPending = true;
  if (newer) {
    touched.decided &&= !decisiveFactsDiffer(known, row);
    overwriteFacts(known, row);
  }
  plan.touched.set(known.n, touched);
  plan.byRow.set(key, touched);
}

/** What rules look at. A new label text or booking date alone does not reopen a verdict. */
function decisiveFactsDiffer(known: PurchaseRow, row: BankRow): boolean {
  return known.kind !== row.kind || known.amountCents !== row.amountCents ||
    known.currency !== row.currency || known.purchasedOn !== row.purchasedOn ||
    known.state !== row.state || known.channel !== row.channel ||
    (known.brand?.id ?? null) !== (row.brand?.id ?? null);
}

type DateSpan = { readonly from: string; readonly to: string };
const ALL_DAYS: DateSpan = { from: "0000-00-00", to: "9999-99-99" };
type Group = {
  readonly accounts: readonly Account[];
  readonly rows: readonly Touched[]; /** All its rows are placed anew, near this batch or not. */
  readonly whole: boolean;
};

/**
 * The batch's rows by fingerprinted account, with all its generations; and what a generation
 * joined, be it without a row.
 */
function groupsOf(
  plan: Plan,
  accounts: ReadonlyMap<AccountId, Account>,
  joined: ReadonlySet<string>,
): Group[] {
  const byNo = new Map([...accounts.values()].map((account) => [account.accountNo, account]));
  const byFingerprint = new Map<string, Touched[]>(
    [...joined].map((fingerprint) => [fingerprint, []]),
  );
  for (const touched of plan.touched.values()) {
    const fingerprint = byNo.get(touched.record.accountNo)?.fingerprint ?? "";
    const rows = byFingerprint.get(fingerprint);
    if (rows === undefined) byFingerprint.set(fingerprint, [touched]);
    else rows.push(touched);
  }
  return [...byFingerprint].map(([fingerprint, rows]) => ({
    accounts: [...accounts.values()].filter((account) => account.fingerprint === fingerprint),
    rows,
    whole: joined.has(fingerprint),
  }));
}

/**
 * Finds which rows of the group are the same purchase. Most accounts have one generation and no pending
 * row: nothing to look for.
 */
function placeGroup(call: Call, plan: Plan, group: Group): void {
  const accountNos = JSON.stringify(group.accounts.map((account) => account.accountNo));
  const alone = !group.whole && group.accounts.length === 1 &&
    group.rows.every(({ record: row }) => row.state !== "pending" && row.sameAs === null) &&
    call.sql.exec(
        "SELECT 1 FROM purchases WHERE state = 'pending' AND account_no IN (SELECT value FROM json_each(?)) LIMIT 1",
        accountNos,
      ).length === 0;
  if (alone) return;
  const dates = group.rows.map(({ record: row }) => row.purchasedOn).sort();
  const near: DateSpan = group.whole ? ALL_DAYS : {
    from: addDays(dates[0] ?? "1970-01-01", -SAMENESS_MARGIN_DAYS),
    to: addDays(dates.at(-1) ?? "1970-01-01", SAMENESS_MARGIN_DAYS),
  };
  // Twice as far is read as is decided about: a row at the edge must not seem alone because what it
  // repeats lies beyond it.
  const from = group.whole ? ALL_DAYS.from : addDays(near.from, -SAMENESS_MARGIN_DAYS);
  const to = group.whole ? ALL_DAYS.to : addDays(near.to, SAMENESS_MARGIN_DAYS);
  const stored = call.sql.exec(
    `SELECT n, account_no, external_id, kind, amount_cents, purchased_on, state, booked_on, brand_id, label_tag, last_update_ms, was_pending, earlier_cents, same_as, review FROM purchases
     WHERE purchased_on BETWEEN ? AND ? AND account_no IN (SELECT value FROM json_each(?))`,
    from,
    to,
    accountNos,
  );
  const rows = new Map<number, SameRow>(stored.map((row) => [integerOf(row, "n"), {
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
    wasPending: row["was_pending"] === 1,
    earlierCents: earlierFrom(textOrNull(row, "earlier_cents")),
    wasBooked: row["booked_on"] !== null,
    sameAs: row["same_as"] === null ? null : integerOf(row, "same_as"),
    held: heldBy(textOrNull(row, "review")),
  }]));
  for (const { record: row } of group.rows) {
    rows.set(row.n, {
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
      wasPending: row.wasPending,
      earlierCents: row.earlierCents,
      wasBooked: row.bookedOn !== null,
      sameAs: row.sameAs,
      held: heldBy(row.review),
    });
  }
  const places = placeRows(
    [...rows.values()],
    group.accounts,
    group.accounts.some((account) => account.strength === "weak"),
  );
  applyPlaces(call, plan, rows, places, near);
}

/** Whether rule (c) holds the row now; null when something else or somebody decides about it. */
function heldBy(review: string | null): boolean | null {
  if (review === null) return false;
  return review === "weak_account" ? true : null;
}

function applyPlaces(
  call: Call,
  plan: Plan,
  rows: ReadonlyMap<number, SameRow>,
  places: ReadonlyMap<number, Place>,
  near: DateSpan,
): void {
  for (const [n, place] of places) {
    const sameAs = place.keeper === n ? null : place.keeper;
    let touched = plan.touched.get(n);
    if (touched === undefined) {
      const row = rows.get(n);
      if (row === undefined || row.date < near.from || row.date > near.to) continue;
      if (row.sameAs === sameAs && (row.held === null || row.held === place.held)) continue;
      const record = readPurchase(call, n);
      touched = {
        record,
        isNew: false,
        facts: false,
        decided: true,
        wasBrand: record.brand?.id ?? null,
        wasRefund: record.kind === "refund",
        place,
        receivedVerdict: false,
      };
      plan.touched.set(n, touched);
    }
    touched.place = place;
  }
}

/**
 * Gives every touched row its verdict: first those that are no purchase of their own any more, so that points
 * and caps are free again.
 */
function settle(call: Call, plan: Plan, terms: Terms, { accounts, joined }: Saved): number {
  for (const touched of plan.touched.values()) transferVerdict(call, plan, touched);
  const inOrder = [...plan.touched.values()].sort((a, b) =>
    Number(isOwnPurchase(a)) - Number(isOwnPurchase(b)) || a.record.n - b.record.n
  );
  const refunds = new Map<string, RefundsAt>();
  let duplicates = 0;
  for (const touched of inOrder) {
    const { record: row, place } = touched;
    const wasSameAs = row.sameAs;
    if (place !== null) row.sameAs = place.keeper === row.n ? null : place.keeper;
    if (wasSameAs !== null && row.sameAs === null) partIds(call, plan, touched);
    // A purchase that was shown under its own id keeps it: the ids of rows it swallows lead to it.
    const hadNoId = !touched.receivedVerdict && (touched.isNew || wasSameAs !== null);
    if (place !== null && hadNoId && place.idOf !== place.keeper && row.n === place.keeper) {
      takeId(call, plan, row, place.idOf, touched);
    }
    if (row.sameAs !== null && wasSameAs === null && row.state === "booked") duplicates += 1;
    // At another brand it is a purchase like any that comes now: it must not be the first there,
    // before those that were recorded.
    if (
      !touched.isNew && !touched.receivedVerdict && (row.brand?.id ?? null) !== touched.wasBrand
    ) {
      row.decidedRank = null;
    }
    const wasReview = row.review;
    settleVerdict(
      call,
      row,
      place?.held ?? row.review === "weak_account",
      touched.decided && (touched.receivedVerdict || wasSameAs === row.sameAs),
      terms,
    );
    // Whether rule (c) holds the row lies beside what the bank says of it: refunds look for it
    // there.
    touched.facts ||= row.review !== wasReview;
    save(call, touched);
    for (const brandId of new Set([row.brand?.id ?? null, touched.wasBrand])) {
      if (brandId === null) continue;
      const key = `${row.accountNo} ${brandId}`;
      refunds.set(key, {
        accountNo: row.accountNo,
        brandId,
        certain: touched.wasRefund || refunds.get(key)?.certain === true,
      });
    }
  }
  matchAgain(call, [...refunds.values(), ...refundsOf(call, joined, accounts)], [
    ...accounts.values(),
  ]);
  return duplicates;
}

type RefundsAt = {
  readonly accountNo: number;
  readonly brandId: BrandId;
  readonly certain: boolean;
};

/**
 * Accounts that came together, or parted, at each brand that one of them knows a refund of: its
 * purchases are others now.
 */
function refundsOf(
  call: Call,
  joined: ReadonlySet<string>,
  accounts: ReadonlyMap<AccountId, Account>,
): RefundsAt[] {
  const concerned = [...accounts.values()].filter((account) => joined.has(account.fingerprint));
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

/**
 * When another row becomes the keeper of a purchase, its verdict and points move there as they are:
 * nobody's points are taken back only to be granted again because a second aggregator was faster
 * than the first.
 */
function transferVerdict(call: Call, plan: Plan, touched: Touched): void {
  const { record: from, place, isNew, decided } = touched;
  if (
    place === null || place.keeper === from.n || isNew || from.sameAs !== null ||
    from.decidedRank === null
  ) return;
  // What a person refused, or has to look at, was that row; the purchase is judged by the one that
  // is its keeper now.
  if (from.review !== null && from.review !== "cleared") return;
  const receiver = plan.touched.get(place.keeper);
  if (
    receiver === undefined || receiver.receivedVerdict ||
    (receiver.record.sameAs === null && receiver.record.decidedRank !== null)
  ) return;
  const to = receiver.record;
  receiver.receivedVerdict = true;
  // A row that changed in this very delivery hands over points that nobody has decided for what it
  // says now.
  receiver.decided = decided && to.amountCents === from.amountCents &&
    to.currency === from.currency &&
    to.purchasedOn === from.purchasedOn && to.channel === from.channel &&
    to.kind === from.kind && to.state === from.state &&
    (to.brand?.id ?? null) === (from.brand?.id ?? null);
  moveVerdict(from, to);
  if (budgetOpen(to)) to.dueMs = call.nowMs;
  // A refund that waited in vain has done so under any of its rows.
  receiver.decided ||= to.kind === "refund" && from.brand !== null && to.outcome === "not_earned" &&
    to.findings.reasons.includes("refund_without_purchase");
  // Entries and budgets know the points by this id.
  to.id = from.id;
  to.sameAs = null;
  // No more than it says it cost can have been given back of it; refunds are matched anew once it
  // is decided.
  to.refundedCents = Math.min(to.refundedCents, to.amountCents);
  receiver.facts = true;
  // Written at once: the first of the others that is decided must find these points in the caps.
  for (const each of [touched, receiver]) save(call, each);
  receiver.isNew = false;
  if (to.lotNo !== null) {
    call.sql.exec("UPDATE lots SET purchase_no = ? WHERE lot_no = ?", to.n, to.lotNo);
  }
}

const isOwnPurchase = ({ record: row, place }: Touched): boolean =>
  row.state !== "deleted" && (place === null || place.keeper === row.n);

/** A row that the bank took back is listed too, under the id that its entries know. */
const isListed = (
  { record: row, place }: Touched,
): boolean => (place === null ? row.sameAs === null : place.keeper === row.n);

/** The purchase keeps the public id under which its first row was shown. */
function takeId(call: Call, plan: Plan, row: PurchaseRow, idOf: number, touched: Touched): void {
  const id = plan.touched.get(idOf)?.record.id ?? readPurchase(call, idOf).id;
  if (row.id === id || anotherHas(call, plan, id, [idOf, row.n])) return;
  row.id = id;
  touched.facts = true;
}

/**
 * True when a purchase outside `except` goes by that id already: a row may be part of one purchase
 * after another.
 */
function anotherHas(call: Call, plan: Plan, id: string, except: readonly number[]): boolean {
  const stored = call.sql.exec("SELECT n FROM purchases WHERE id = ? AND same_as IS NULL", id).map((
    row,
  ) => integerOf(row, "n"));
  const touched = [...plan.touched.values()].filter((each) =>
    each.record.id === id && isListed(each)
  ).map(({ record: row }) => row.n);
  return [...stored.filter((n) => !plan.touched.has(n)), ...touched].some((n) =>
    !except.includes(n)
  );
}

/**
 * A row that is a purchase of its own again leaves its id to the purchase that once took it over: entries
 * and budgets know that by it. That need not be the one it parts from, since a row may have been
 * part of several.
 */
function partIds(call: Call, plan: Plan, touched: Touched): void {
  const { record: row } = touched;
  if (!anotherHas(call, plan, row.id, [row.n])) return;
  row.id = numberedId("pur", row.n, row.recordedAtMs, call.random, call.shardOf);
  touched.facts = true;
}

function save(call: Call, { record: row, isNew, facts }: Touched): void {
  if (isNew) return insertPurchase(call, row);
  if (facts) updatePurchase(call, row);
  else updateVerdict(call, row);
}

function matchAgain(call: Call, pairs: readonly RefundsAt[], accounts: readonly Account[]): void {
  const done = new Set<string>();
  const known = new Map<BrandId, boolean>();
  for (
    const { accountNo, brandId, certain } of [...pairs].sort((a, b) =>
      Number(b.certain) - Number(a.certain)
    )
  ) {
    const fingerprint = accounts.find((account) => account.accountNo === accountNo)?.fingerprint ??
      "";
    const key = `${fingerprint} ${brandId}`;
    if (done.has(key)) continue;
    done.add(key);
    const some = certain || (known.get(brandId) ?? hasRefunds(call, brandId));
    known.set(brandId, some);
    if (some) {
      reassignRefunds(
        call,
        accounts.filter((account) => account.fingerprint === fingerprint).map((account) =>
          account.accountNo
        ),
        brandId,
      );
    }
  }
}
