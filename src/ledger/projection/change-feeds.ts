// What is projected to D1 beside the transactions: purchases for the statistics sample, and the
// rows that wait for a person. Like the outbox it keeps only marks of what was projected, so that
// no purchase pays for its projection with a row of its own.
import { hexEncode, utf8Encode } from "../../kernel/encoding.ts";
import { canonicalJson, sha256Bytes } from "../../kernel/hash.ts";
import type { BrandId, PurchaseId } from "../../kernel/ids.ts";
import { addDays, parisDate } from "../../kernel/time.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import type { ReviewChanges, ReviewWhy, SampleChanges, SampleItem } from "../ports.ts";
import { integerOf, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow } from "../book/sql.ts";
import type { Call } from "../book/call.ts";

/** The sample holds purchases of the last 90 days; older ones are not even offered. */
export const SAMPLE_DAYS = 90;
/**
 * No real purchase is dated further ahead; a row that is would outlive the 90 days, and no
 * withdrawal would look for its month.
 */
export const SAMPLE_DAYS_AHEAD = 2;

// Not the key that the first release used: D1 had its rows under other names, and gets them anew.
const LOOKED_AT = "sample_looked_at";
const PROJECTED_REVIEWS = "told_reviews";
const UNKNOWN = "unknown";
const SAMPLE_ROWS = 500;
// New rows without anything to project are marked as looked at once there are this many, so that
// looking stays cheap.
const SAMPLE_SKIP_ROWS = 100;
/**
 * D1 gets all waiting rows at once, since it closes those that are not among them. So many fit
 * well into the 2 MB of one value there (under 80 bytes each); should a book ever hold more, the
 * newest come up as the oldest are decided.
 */
const REVIEWS_MAX = 10_000;

// ---- the sample ---------------------------------------------------------------------------------

/**
 * Rows up to number `n` were looked at, of which those in `pending` were too early to be offered.
 */
type Looked = { readonly n: number; readonly pending: readonly number[] };
/** And `through` is the last of their changes (table `sample_changes`) that was looked at. */
type SampleMark = Looked & { readonly through: number };

function lookedAt(work: Call): Looked {
  return JSON.parse(readMeta(work.sql, LOOKED_AT) ?? '{"n":0,"pending":[]}') as Looked;
}

const COLUMNS =
  "n, kind, state, brand_id, purchased_on, amount_cents, currency, waits_for, same_as, review";

/**
 * Rows recorded, booked or changed since the sample was last projected; null when there are none.
 */
export function peekSample(work: Call): SampleChanges | null {
  const { n, pending } = lookedAt(work);
  const changes = work.sql.exec(
    "SELECT seq, n FROM sample_changes ORDER BY seq LIMIT ?",
    SAMPLE_ROWS,
  );
  const again = new Set([...pending, ...changes.map((change) => integerOf(change, "n"))]);
  const known = again.size === 0 ? [] : work.sql.exec(
    `SELECT ${COLUMNS} FROM purchases WHERE n <= ? AND n IN (SELECT value FROM json_each(?)) ORDER BY n`,
    n,
    JSON.stringify([...again]),
  );
  const fresh = work.sql.exec(
    `SELECT ${COLUMNS} FROM purchases WHERE n > ? ORDER BY n LIMIT ?`,
    n,
    SAMPLE_ROWS,
  );
  const today = parisDate(work.nowMs);
  const [after, until] = [addDays(today, -SAMPLE_DAYS), addDays(today, SAMPLE_DAYS_AHEAD)];
  const changed = new Set(changes.map((change) => integerOf(change, "n")));
  // A row that never changed is not in the sample yet. One that did may be, by a round whose
  // acknowledgement was lost.
  const items = [...known, ...fresh].map((row) => sampleItem(row, after, until)).filter((
    { row, purchase },
  ) => purchase !== null || changed.has(row));
  if (items.length === 0 && changes.length === 0 && fresh.length < SAMPLE_SKIP_ROWS) return null;
  const [lastFresh, lastChange] = [fresh.at(-1), changes.at(-1)];
  const mark: SampleMark = {
    n: lastFresh === undefined ? n : integerOf(lastFresh, "n"),
    through: lastChange === undefined ? 0 : integerOf(lastChange, "seq"),
    // Also one that another row took over: when the bank books it after all, it is a purchase. And
    // one whose day lies too far ahead to be offered yet.
    pending: [...known, ...fresh].filter((row) => {
      const day = textOf(row, "purchased_on");
      return row["state"] === "pending"
        ? day > after
        : row["waits_for"] === "booking" && day > until;
    }).map((row) => integerOf(row, "n")),
  };
  return { items, mark: JSON.stringify(mark) };
}

function isSampled(row: SqlRow): boolean {
  return row["same_as"] === null && row["state"] === "booked" && row["kind"] === "purchase" &&
    row["brand_id"] !== null && row["currency"] === "EUR" && row["waits_for"] !== "review" &&
    row["review"] !== "refused" && row["review"] !== "not_shown";
}

function sampleItem(row: SqlRow, after: string, until: string): SampleItem {
  const day = textOf(row, "purchased_on");
  const taken = isSampled(row) && day > after && day <= until;
  return {
    row: integerOf(row, "n"),
    purchase: taken
      ? { day, brandId: textOf(row, "brand_id") as BrandId, cents: integerOf(row, "amount_cents") }
      : null,
  };
}

/**
 * Marks the sample as projected. What changed since it was looked at comes after `through` and is
 * projected next.
 */
export function ackSample(work: Call, mark: string): void {
  const { n, pending, through } = JSON.parse(mark) as SampleMark;
  const looked = JSON.stringify({ n, pending } satisfies Looked);
  if (looked !== readMeta(work.sql, LOOKED_AT)) writeMeta(work.sql, LOOKED_AT, looked);
  if (through > 0) work.sql.exec("DELETE FROM sample_changes WHERE seq <= ?", through);
}

// ---- rows that wait -----------------------------------------------------------------------------

/**
 * The rows that wait for a person or for their purchase; null when D1 has exactly these.
 */
function reviewChanges(work: Call): ReviewChanges | null {
  const rows = work.sql.exec(
    "SELECT id, review, waits_for, last_update_ms FROM purchases WHERE waits_for IN ('review', 'purchase') ORDER BY n LIMIT ?",
    REVIEWS_MAX,
  );
  const open = rows.map((row) => ({
    purchaseId: textOf(row, "id") as PurchaseId,
    why: whyOf(row),
  }));
  // With the bank's version of each: a row that was decided and then held again by a newer one is
  // a change, though nothing else differs.
  const versions = rows.map((row) => integerOf(row, "last_update_ms"));
  const mark = open.length === 0
    ? ""
    : hexEncode(sha256Bytes(utf8Encode(canonicalJson([open, versions]))));
  return mark === (readMeta(work.sql, PROJECTED_REVIEWS) ?? "") ? null : { open, mark };
}

/**
 * What is to be projected now. Until it is acknowledged, what D1 has counts as unknown: the answer
 * may be lost, and should the rows then be again as they were before, D1 would keep what it got in
 * between.
 */
export function peekReviews(work: Call): ReviewChanges | null {
  const changes = reviewChanges(work);
  if (changes !== null) resetReviewFeed(work);
  return changes;
}

function whyOf(row: SqlRow): ReviewWhy {
  return row["waits_for"] === "purchase"
    ? "refund_without_purchase"
    : ((textOrNull(row, "review") ?? "weak_account") as ReviewWhy);
}

export function ackReviews(work: Call, mark: string): void {
  writeMeta(work.sql, PROJECTED_REVIEWS, mark);
}

/** Has the waiting rows projected again: D1 may have lost them. */
export function resetReviewFeed(work: Call): void {
  if (readMeta(work.sql, PROJECTED_REVIEWS) !== UNKNOWN) {
    writeMeta(work.sql, PROJECTED_REVIEWS, UNKNOWN);
  }
}

/** True when there is something to project beside the transactions. */
export function hasChanges(work: Call): boolean {
  return reviewChanges(work) !== null || peekSample(work) !== null;
}
