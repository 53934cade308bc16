// The double-entry book of one user: postings that sum to zero, balances after each, and the hash
// chain over them. It knows nothing of purchases or lots. A transaction is written once and never
// changed.
import { assert } from "../../kernel/assert.ts";
import { concatBytes, hexDecode, hexEncode, utf8Encode } from "../../kernel/encoding.ts";
import { canonicalJson, sha256Bytes } from "../../kernel/hash.ts";
import type { EntryId, PurchaseId } from "../../kernel/ids.ts";
import { POINTS_MAX } from "../../kernel/money.ts";
import { numberedId } from "./numbered-id.ts";
import type { Balances, BookAccount, TransactionKind } from "../ports.ts";
import { integerOf, textOf } from "./sql.ts";
import type { Sql, SqlRow } from "./sql.ts";
import type { RandomBytes } from "../../kernel/random.ts";

type Posting = readonly [account: BookAccount, points: number];

/**
 * What a caller wants to post. `lots` says which points were moved, so that a reader can follow
 * each of them.
 */
export type Draft = {
  readonly kind: TransactionKind;
  /** Unique among this user's transactions by construction; names the cause. */
  readonly key: string;
  /** What was decided on; only its hash is kept. */
  readonly input: unknown;
  readonly postings: readonly Posting[];
  readonly effectiveOn: string;
  readonly recordedAtMs: number;
  readonly lots?: readonly (readonly [lotNo: number, points: number])[];
  readonly purchaseId?: PurchaseId;
  readonly redemptionId?: string;
  readonly reverses?: EntryId;
  readonly brandId?: string;
  readonly offerId?: string;
  /** Spending that is rewarded more (points granted) or less (points taken back), see lots.ts. */
  readonly cents?: number;
  /**
   * Purchases that come to be rewarded, are confirmed, or cease to be; where it is left out, a
   * transaction that names a purchase is 1.
   */
  readonly purchases?: 0 | 1;
};

/**
 * A transaction as it is hashed (RFC 8785) and stored. Snake case, since auditors read it. Absent
 * members are left out.
 */
export type TransactionBody = {
  readonly id: EntryId;
  readonly sequence: number;
  readonly kind: TransactionKind;
  readonly key: string;
  readonly input_sha256: string;
  readonly postings: readonly Posting[];
  readonly balances: Balances;
  readonly effective_on: string;
  readonly recorded_at_ms: number;
  readonly lots?: readonly (readonly [number, number])[] | undefined;
  readonly purchase_id?: PurchaseId | undefined;
  readonly redemption_id?: string | undefined;
  readonly reverses?: EntryId | undefined;
  readonly brand_id?: string | undefined;
  readonly offer_id?: string | undefined;
  readonly cents?: number | undefined;
  readonly purchases?: 0 | 1 | undefined;
};

export type Head = {
  readonly sequence: number;
  readonly hash: string;
  readonly balances: Balances;
};

/** What the first transaction is chained to. */
export const FIRST_HASH = "0".repeat(64);
export const EMPTY_HEAD: Head = {
  sequence: 0,
  hash: FIRST_HASH,
  balances: { pending: 0, available: 0, held: 0 },
};

/**
 * The newest transaction's place, hash and balances, read from the book itself: there is no second
 * copy to disagree with it.
 */
export function readHead(sql: Sql): Head {
  const row = sql.exec(
    "SELECT sequence, pending, available, held, hash FROM transactions ORDER BY sequence DESC LIMIT 1",
  )[0];
  if (row === undefined) return EMPTY_HEAD;
  return {
    sequence: integerOf(row, "sequence"),
    hash: textOf(row, "hash"),
    balances: balancesOf(row),
  };
}

function balancesOf(row: SqlRow): Balances {
  return {
    pending: integerOf(row, "pending"),
    available: integerOf(row, "available"),
    held: integerOf(row, "held"),
  };
}

/**
 * SHA-256 of the previous hash's 32 bytes followed by the UTF-8 of the canonical body, as
 * lower-case hex. Throws when the previous hash is not hex.
 */
export function chainHash(previousHex: string, body: string): string {
  return hexEncode(sha256Bytes(concatBytes(hexDecode(previousHex), utf8Encode(body))));
}

/** How much a transaction moves on each of the user's own accounts. */
export function changesOf(postings: readonly Posting[]): Balances {
  let pending = 0;
  let available = 0;
  let held = 0;
  for (const [account, points] of postings) {
    if (account === "pending") pending += points;
    else if (account === "available") available += points;
    else if (account === "held") held += points;
  }
  return { pending, available, held };
}

/**
 * Appends one transaction and returns the new head and its entry id. Throws rather than write what
 * must not be.
 */
export function post(
  sql: Sql,
  head: Head,
  random: RandomBytes,
  shardOf: string | undefined,
  draft: Draft,
): { readonly head: Head; readonly id: EntryId } {
  assertBalanced(draft.postings);
  const changes = changesOf(draft.postings);
  const balances = {
    pending: head.balances.pending + changes.pending,
    available: head.balances.available + changes.available,
    held: head.balances.held + changes.held,
  };
  assertAllowed(draft.kind, head.balances, balances);
  const sequence = head.sequence + 1;
  const id = numberedId("ent", sequence, draft.recordedAtMs, random, shardOf);
  const body = bodyText(draft, id, sequence, balances);
  const hash = chainHash(head.hash, body);
  sql.exec(
    "INSERT INTO transactions (sequence, kind, body, pending, available, held, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
    sequence,
    draft.kind,
    body,
    balances.pending,
    balances.available,
    balances.held,
    hash,
  );
  return { head: { sequence, hash, balances }, id };
}

/**
 * The canonical JSON of a transaction. Its members are in the order that RFC 8785 sorts them by
 * and hold whole numbers and ids only, for which JSON.stringify writes the same; `verify` compares
 * every body with what the library makes of it.
 */
function bodyText(
  draft: Draft,
  id: EntryId,
  sequence: number,
  { available, held, pending }: Balances,
): string {
  const body: TransactionBody = {
    balances: { available, held, pending },
    brand_id: draft.brandId,
    cents: draft.cents,
    effective_on: draft.effectiveOn,
    id,
    input_sha256: hexEncode(sha256Bytes(utf8Encode(canonicalJson(draft.input)))),
    key: draft.key,
    kind: draft.kind,
    lots: draft.lots,
    offer_id: draft.offerId,
    postings: draft.postings,
    purchase_id: draft.purchaseId,
    purchases: draft.purchases,
    recorded_at_ms: draft.recordedAtMs,
    redemption_id: draft.redemptionId,
    reverses: draft.reverses,
    sequence,
  };
  return JSON.stringify(body);
}

function assertBalanced(postings: readonly Posting[]): void {
  assert(postings.length >= 2, "postings_missing", "a transaction has fewer than two postings");
  let sum = 0;
  for (const [, points] of postings) {
    assert(
      Number.isSafeInteger(points) && points !== 0 && Math.abs(points) <= POINTS_MAX,
      "posting_invalid",
      "a posting moves no points, a fraction of a point or too many",
    );
    sum += points;
  }
  assert(sum === 0, "postings_unbalanced", "the postings of a transaction do not sum to zero");
}

function assertAllowed(kind: TransactionKind, before: Balances, after: Balances): void {
  assert(
    after.pending >= 0 && after.held >= 0,
    "balance_negative",
    "a pending or held balance would become negative",
  );
  assert(
    after.available >= 0 || after.available >= before.available || kind === "clawback",
    "available_negative",
    "the available balance would become negative without a claw-back",
  );
  const total = Math.abs(after.pending) + Math.abs(after.available) + Math.abs(after.held);
  assert(
    total <= POINTS_MAX,
    "balance_out_of_bounds",
    "a balance would exceed the largest number of points",
  );
}

/** Parses a stored transaction. */
export function bodyFrom(row: SqlRow): TransactionBody {
  return JSON.parse(textOf(row, "body")) as TransactionBody;
}
