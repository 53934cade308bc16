// The rows of card purchases as they are stored, one per aggregator row. Reading and writing only:
// what a row means is decided in row-matching.ts, record-batch.ts and refund-matching.ts.
import { assert } from "../../kernel/assert.ts";
import type { BrandId, OfferId, PurchaseId } from "../../kernel/ids.ts";
import { findingsFrom, findingsText } from "./findings.ts";
import type { Findings } from "./findings.ts";
import { numberedId, numberOf, wasNumberedAt } from "../book/numbered-id.ts";
import type { BankRow, OfferTerms, Outcome, Programme } from "../ports.ts";
import { integerOf, integerOrNull, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { RefundPart } from "./refund-allocation.ts";
import type { Call } from "../book/call.ts";
import type { RowVersion } from "./row-versions.ts";

/**
 * What may still apply when a budget turns out to be used up: the brand's other versions, as they
 * were handed over.
 */
export type Fallback = { readonly offers: readonly OfferTerms[]; readonly programme: Programme };

/**
 * A row that may repeat another waits for a person until `countsAtMs`; then it counts by these
 * offers.
 */
export type HeldTerms = Fallback & { readonly countsAtMs: number };

/**
 * What an offer's budget knows (`held`) and should know about a purchase. `held` is null while an
 * answer may be under way.
 */
export type BudgetShare = {
  readonly offerId: OfferId;
  /**
   * The name of the reservation in the offer's budget, for as long as it lasts: a row may change
   * its public id, and two rows share one.
   */
  readonly key: string;
  readonly limit: number;
  readonly wanted: number;
  held: number | null;
  readonly current: boolean;
  /**
   * Points to restore after a refund was taken back, once the budget has reserved them.
   */
  readonly restore?: number;
  readonly fallback?: Fallback;
};

type WaitsFor = "booking" | "review" | "budget" | "purchase";
/**
 * Why a person must look (or has looked): the codes of the mapper, `weak_account` of rule (c),
 * `not_shown` of a row that reads do not give, the two decisions, and `lapsed` for a row of rule (c) that nobody decided about in time: it counts.
 */
type Review =
  | NonNullable<BankRow["review"]>
  | "weak_account"
  | "large_reward"
  | "not_shown"
  | "cleared"
  | "refused"
  | "lapsed";

/** What a row says, as a read gave it before a webhook said otherwise. */
export type ShownFacts = Omit<BankRow, "accountId" | "externalId" | "review" | "lastUpdateKind"> & {
  readonly lastUpdateKind: PurchaseRow["lastUpdateKind"];
};

/** What is notable about a row that reads have not confirmed as usual; see sight.ts. */
export type SightNotes = {
  /** Complete reads that should have given the row and did not. */
  readonly missed: number;
  readonly before: ShownFacts | null;
  /**
   * When a webhook said something of confirmed points. It is not believed; the row is read soon.
   */
  readonly askedAtMs: number | null;
};

export type PurchaseRow = {
  readonly n: number;
  id: PurchaseId;
  accountNo: number;
  readonly externalId: string;
  kind: BankRow["kind"];
  amountCents: number;
  currency: string;
  original: BankRow["original"];
  purchasedOn: string;
  bookedOn: string | null;
  /** When the bank will debit a pending row, as far as it says. */
  announcedOn: string | null;
  /** The day of purchase that a person gave, where the bank's cannot be true. */
  givenOn: string | null;
  state: BankRow["state"];
  lastUpdateMs: number;
  lastUpdateKind: RowVersion["lastUpdateKind"];
  labelCipher: string;
  labelTag: string;
  brand: BankRow["brand"];
  channel: BankRow["channel"];
  review: Review | null;
  wasPending: boolean;
  /** Other amounts under which the bank had booked the row before. */
  earlierCents: readonly number[];
  readonly recordedAtMs: number;
  /** When a webhook last changed what the row says; null: it says what a read gave. */
  saidMs: number | null;
  sightNotes: SightNotes | null;
  sameAs: number | null;
  decidedRank: number | null;
  // The read-only fields from here on are written by verdict-state.ts alone.
  readonly outcome: Outcome;
  readonly waitsFor: WaitsFor | null;
  readonly offer: { readonly id: OfferId; readonly version: number } | null;
  granted: number;
  reversed: number;
  lotNo: number | null;
  refundedCents: number;
  /** Of a refund: the purchases that it gives back, none while none is known. */
  readonly refundParts: readonly RefundPart[];
  budget: readonly BudgetShare[];
  readonly findings: Findings;
  readonly dueMs: number | null;
  readonly heldTerms: HeldTerms | null;
};

/** What was decided about a row, and what came of it. */
export type Verdict = Pick<
  PurchaseRow,
  | "decidedRank"
  | "outcome"
  | "waitsFor"
  | "offer"
  | "granted"
  | "reversed"
  | "lotNo"
  | "refundedCents"
  | "refundParts"
  | "budget"
  | "findings"
  | "dueMs"
  | "heldTerms"
>;

const FACTS =
  `id, kind, amount_cents, currency, original_cents, original_currency, purchased_on, booked_on, state, last_update_ms, label_cipher,
  label_tag, brand_id, brand_matched, channel, review, was_pending, earlier_cents, last_update_kind, announced_on, given_on, said_ms, sight_notes`;
const VERDICT =
  `same_as, decided_rank, outcome, waits_for, offer_id, offer_version, granted, reversed, lot_no, refunded_cents, refund_of, refund_parts, budget, verdict, due_ms, held_terms`;
export const PURCHASE_COLUMNS = `n, account_no, external_id, recorded_at_ms, ${FACTS}, ${VERDICT}`;

const settersOf = (columns: string): string =>
  columns.split(",").map((column) => `${column.trim()} = ?`).join(", ");
const placesOf = (columns: string): string => columns.split(",").map(() => "?").join(", ");
// Made once, see lots.ts.
const INSERT = `INSERT INTO purchases (${PURCHASE_COLUMNS}) VALUES (${placesOf(PURCHASE_COLUMNS)})`;
const UPDATE_BOTH = `UPDATE purchases SET ${settersOf(FACTS)}, ${settersOf(VERDICT)} WHERE n = ?`;
const UPDATE_VERDICT = `UPDATE purchases SET ${settersOf(VERDICT)} WHERE n = ?`;
const READ = `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE n = ?`;
const FIND_ROWS =
  `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE account_no IN (SELECT value FROM json_each(?)) AND external_id IN (SELECT value FROM json_each(?))`;

export const NO_FINDINGS: Findings = {
  reasons: [],
  checks: [],
  calculation: null,
  confirmAtMs: null,
  expiresAtMs: null,
};

/** Of a row that was never decided. */
export const NO_VERDICT: Verdict = {
  decidedRank: null,
  outcome: "not_earned",
  waitsFor: null,
  offer: null,
  granted: 0,
  reversed: 0,
  lotNo: null,
  refundedCents: 0,
  refundParts: [],
  budget: [],
  findings: NO_FINDINGS,
  dueMs: null,
  heldTerms: null,
};

export function purchaseFrom(row: SqlRow): PurchaseRow {
  const brandId = textOrNull(row, "brand_id");
  const offerId = textOrNull(row, "offer_id");
  const originalCurrency = textOrNull(row, "original_currency");
  const budget = textOrNull(row, "budget");
  const earlier = textOrNull(row, "earlier_cents");
  const heldTerms = textOrNull(row, "held_terms");
  const sightNotes = textOrNull(row, "sight_notes");
  return {
    n: integerOf(row, "n"),
    id: textOf(row, "id") as PurchaseId,
    accountNo: integerOf(row, "account_no"),
    externalId: textOf(row, "external_id"),
    kind: textOf(row, "kind") as BankRow["kind"],
    amountCents: integerOf(row, "amount_cents"),
    currency: textOf(row, "currency"),
    original: originalCurrency === null
      ? null
      : { amountCents: integerOf(row, "original_cents"), currency: originalCurrency },
    purchasedOn: textOf(row, "purchased_on"),
    bookedOn: textOrNull(row, "booked_on"),
    announcedOn: textOrNull(row, "announced_on"),
    givenOn: textOrNull(row, "given_on"),
    state: textOf(row, "state") as BankRow["state"],
    lastUpdateMs: integerOf(row, "last_update_ms"),
    lastUpdateKind: textOrNull(row, "last_update_kind") as PurchaseRow["lastUpdateKind"],
    labelCipher: textOf(row, "label_cipher"),
    labelTag: textOf(row, "label_tag"),
    brand: brandId === null
      ? null
      : { id: brandId as BrandId, matched: textOf(row, "brand_matched") },
    channel: textOf(row, "channel") as BankRow["channel"],
    review: textOrNull(row, "review") as Review | null,
    wasPending: integerOf(row, "was_pending") === 1,
    earlierCents: earlierFrom(earlier),
    recordedAtMs: integerOf(row, "recorded_at_ms"),
    saidMs: integerOrNull(row, "said_ms"),
    sightNotes: sightNotes === null ? null : JSON.parse(sightNotes) as SightNotes,
    sameAs: integerOrNull(row, "same_as"),
    decidedRank: integerOrNull(row, "decided_rank"),
    outcome: textOf(row, "outcome") as Outcome,
    waitsFor: textOrNull(row, "waits_for") as WaitsFor | null,
    offer: offerId === null
      ? null
      : { id: offerId as OfferId, version: integerOf(row, "offer_version") },
    granted: integerOf(row, "granted"),
    reversed: integerOf(row, "reversed"),
    lotNo: integerOrNull(row, "lot_no"),
    refundedCents: integerOf(row, "refunded_cents"),
    refundParts: refundPartsFrom(row),
    budget: budget === null ? [] : budgetFrom(budget, textOf(row, "id")),
    findings: findingsFrom(textOf(row, "verdict")),
    dueMs: integerOrNull(row, "due_ms"),
    heldTerms: heldTerms === null ? null : JSON.parse(heldTerms) as HeldTerms,
  };
}

/** The column of earlier amounts: nearly always empty. */
export function earlierFrom(text: string | null): readonly number[] {
  return text === null ? [] : (JSON.parse(text) as readonly number[]);
}

/** Shares written before they were named by a key were known by the id of their purchase. */
function budgetFrom(text: string, id: string): BudgetShare[] {
  return (JSON.parse(text) as (Omit<BudgetShare, "key"> & { readonly key?: string })[]).map((
    share,
  ) => ({ ...share, key: share.key ?? id }));
}

/** A refund that gives back one purchase, cent for cent, needs no more than its number. */
function refundPartsText({ refundParts, amountCents }: PurchaseRow): string | null {
  const [first] = refundParts;
  if (first === undefined || (refundParts.length === 1 && first.cents === amountCents)) return null;
  return JSON.stringify(refundParts.map(({ purchase, cents }) => [purchase, cents]));
}

function refundPartsFrom(row: SqlRow): readonly RefundPart[] {
  const purchase = integerOrNull(row, "refund_of");
  const text = textOrNull(row, "refund_parts");
  if (purchase === null) return [];
  if (text === null) return [{ purchase, cents: integerOf(row, "amount_cents") }];
  return (JSON.parse(text) as readonly (readonly [number, number])[]).map(([n, cents]) => ({
    purchase: n,
    cents,
  }));
}

function factsOf(purchase: PurchaseRow): (string | number | null)[] {
  return [
    purchase.id,
    purchase.kind,
    purchase.amountCents,
    purchase.currency,
    purchase.original?.amountCents ?? null,
    purchase.original?.currency ?? null,
    purchase.purchasedOn,
    purchase.bookedOn,
    purchase.state,
    purchase.lastUpdateMs,
    purchase.labelCipher,
    purchase.labelTag,
    purchase.brand?.id ?? null,
    purchase.brand?.matched ?? null,
    purchase.channel,
    purchase.review,
    purchase.wasPending ? 1 : 0,
    purchase.earlierCents.length === 0 ? null : JSON.stringify(purchase.earlierCents),
    purchase.lastUpdateKind,
    purchase.announcedOn,
    purchase.givenOn,
    purchase.saidMs,
    purchase.sightNotes === null ? null : JSON.stringify(purchase.sightNotes),
  ];
}

function verdictOf(purchase: PurchaseRow): (string | number | null)[] {
  return [
    purchase.sameAs,
    purchase.decidedRank,
    purchase.outcome,
    purchase.waitsFor,
    purchase.offer?.id ?? null,
    purchase.offer?.version ?? null,
    purchase.granted,
    purchase.reversed,
    purchase.lotNo,
    purchase.refundedCents,
    purchase.refundParts[0]?.purchase ?? null,
    refundPartsText(purchase),
    purchase.budget.length === 0 ? null : JSON.stringify(purchase.budget),
    findingsText(purchase.findings),
    purchase.dueMs,
    purchase.heldTerms === null ? null : JSON.stringify(purchase.heldTerms),
  ];
}

export function insertPurchase(call: Call, purchase: PurchaseRow): void {
  call.sql.exec(
    INSERT,
    purchase.n,
    purchase.accountNo,
    purchase.externalId,
    purchase.recordedAtMs,
    ...factsOf(purchase),
    ...verdictOf(purchase),
  );
}

/**
 * Writes what the bank says of the row with its verdict, in one statement: half of it might not fit
 * the other half that is stored.
 */
export function updatePurchase(call: Call, purchase: PurchaseRow): void {
  call.sql.exec(UPDATE_BOTH, ...factsOf(purchase), ...verdictOf(purchase), purchase.n);
}

/** Writes alone what is noted of reads. */
export function updateSight(call: Call, { n, saidMs, sightNotes }: PurchaseRow): void {
  call.sql.exec(
    "UPDATE purchases SET said_ms = ?, sight_notes = ? WHERE n = ?",
    saidMs,
    sightNotes === null ? null : JSON.stringify(sightNotes),
    n,
  );
}

/** Writes the verdict alone, because touching an indexed column is billed as a row. */
export function updateVerdict(call: Call, purchase: PurchaseRow): void {
  call.sql.exec(UPDATE_VERDICT, ...verdictOf(purchase), purchase.n);
}

export function readPurchase(call: Call, n: number): PurchaseRow {
  const row = call.sql.exec(READ, n)[0];
  assert(row !== undefined, "purchase_not_found", "purchase row not found");
  return purchaseFrom(row);
}

// As many as an account has generations, and more than anybody's has.
const SAME_HOPS_MAX = 20;

/**
 * The purchase of a public id, or null. A row that was taken over or repeats another leads to the
 * keeper of its purchase.
 */
export function findPurchase(call: Call, id: PurchaseId): PurchaseRow | null {
  const n = numberOf(id);
  const own = Number.isSafeInteger(n) ? call.sql.exec(READ, n)[0] : undefined;
  if (own === undefined) return null;
  // A row that was taken over left its id to another, which is who goes by it; that is rare enough
  // to look through them all. One that the bank took back may still have the id of what it once
  // took over, which by now is another's.
  const row = own["id"] === id && own["same_as"] === null && own["state"] !== "deleted"
    ? own
    : call.sql.exec(
      `SELECT ${PURCHASE_COLUMNS} FROM purchases WHERE id = ? ORDER BY same_as IS NOT NULL, state = 'deleted', n LIMIT 1`,
      id,
    )[0];
  let purchase = purchaseFrom(row ?? own);
  // Nobody goes by it any more: the row shown under it took the id of another row of its purchase.
  // Or it never was an id of this row, but of another user's of the same number.
  if (row === undefined && !wasNumberedAt(id, purchase.recordedAtMs, call.shardOf)) return null;
  // A row that is gone may name one that has got a keeper since.
  for (let hops = 0; purchase.sameAs !== null && hops < SAME_HOPS_MAX; hops++) {
    purchase = readPurchase(call, purchase.sameAs);
  }
  return purchase;
}

/** Rows of these accounts with these external ids: one question for a whole batch. */
export function findRows(
  call: Call,
  accountNos: readonly number[],
  externalIds: readonly string[],
): PurchaseRow[] {
  return call.sql.exec(FIND_ROWS, JSON.stringify(accountNos), JSON.stringify(externalIds)).map(
    purchaseFrom,
  );
}

/** The bank moved the row to another of the user's accounts. */
export function moveToAccount(call: Call, purchase: PurchaseRow, accountNo: number): void {
  // A statement of its own: naming an indexed column is billed as a row.
  call.sql.exec("UPDATE purchases SET account_no = ? WHERE n = ?", accountNo, purchase.n);
  purchase.accountNo = accountNo;
}

export function nextPurchaseNo(call: Call): number {
  return integerOf(
    call.sql.exec("SELECT COALESCE(MAX(n), 0) + 1 AS n FROM purchases")[0] ?? {},
    "n",
  );
}

/** A purchase of a row never seen before, without a verdict yet. `saidMs`: see `PurchaseRow`. */
export function newPurchase(
  call: Call,
  n: number,
  accountNo: number,
  row: BankRow,
  saidMs: number | null,
): PurchaseRow {
  return {
    n,
    id: numberedId("pur", n, call.nowMs, call.random, call.shardOf),
    accountNo,
    externalId: row.externalId,
    kind: row.kind,
    amountCents: row.amountCents,
    currency: row.currency,
    original: row.original,
    purchasedOn: row.purchasedOn,
    bookedOn: row.bookedOn,
    announcedOn: row.announcedOn ?? null,
    givenOn: null,
    state: row.state,
    lastUpdateMs: row.lastUpdateMs,
    lastUpdateKind: row.lastUpdateKind ?? null,
    labelCipher: row.labelCipher,
    labelTag: row.labelTag,
    brand: row.brand,
    channel: row.channel,
    review: row.review,
    wasPending: row.state === "pending",
    earlierCents: [],
    recordedAtMs: call.nowMs,
    saidMs,
    sightNotes: null,
    sameAs: null,
    ...NO_VERDICT,
  };
}

/**
 * Whether nothing is in doubt any more: a person decided that the row counts, or nobody objected.
 */
export function isSettled({ review }: PurchaseRow): boolean {
  return review === "cleared" || review === "lapsed";
}

/** Whether no rule may judge the row, or a person refused it. */
export function isInDoubt(purchase: PurchaseRow): boolean {
  return purchase.review !== null && !isSettled(purchase);
}

/** Points granted and not reversed. */
export function activePoints(purchase: PurchaseRow): number {
  return purchase.granted - purchase.reversed;
}

/**
 * A pending row that waits for nothing was closed: whoever looks at it sees that it is gone. One
 * that a person refused was not.
 */
export function shownState(purchase: PurchaseRow): BankRow["state"] {
  return purchase.state === "pending" && purchase.sameAs === null && purchase.waitsFor === null &&
      purchase.review !== "refused"
    ? "deleted"
    : purchase.state;
}
