// What D1 is told of a book beside its transactions: purchases for the statistics sample, and the
// rows that wait for a person. Like the outbox it keeps only marks of what was told, so that no
// purchase pays for being told about.
import { hexEncode, utf8Encode } from "../../kernel/encoding.ts";
import { canonicalJson, sha256Bytes } from "../../kernel/hash.ts";
import type { BrandId, PurchaseId } from "../../kernel/ids.ts";
import { addDays, parisDate } from "../../kernel/time.ts";
import { readMeta, writeMeta } from "../book/meta.ts";
import type { ReviewNews, ReviewWhy, SampleItem, SampleNews } from "../ports.ts";
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

// Not the name that the first release used: what it told stood in D1 under other names, and is told
// anew.
const LOOKED_AT = "sample_looked_at";
const TOLD_REVIEWS = "told_reviews";
const UNKNOWN = "unknown";
const SAMPLE_ROWS = 500;
// Rows without anything to tell are passed over once there are this many, so that looking stays
// cheap.
const SAMPLE_SKIP_ROWS = 100;
/**
 * D1 is told all waiting rows at once, since it closes those that it is not told of. So many fit
 * well into the 2 MB of one value there (under 80 bytes each); should a book ever hold more, the
 * newest come up as the oldest are decided.
 */
export const REVIEWS_MAX = 10_000;

// ---- the sample ---------------------------------------------------------------------------------

/** Rows up to number `n` were looked at, of which those in `pending` were not booked yet. */
type Looked = { readonly n: number; readonly pending: readonly number[] };
/** And `through` is the last of their changes (table `sample_changes`) that was looked at. */
type SampleMark = Looked & { readonly through: number };

function lookedAt(work: Call): Looked {
  return JSON.parse(readMeta(work.sql, LOOKED_AT) ?? '{"n":0,"pending":[]}') as Looked;
}

const COLUMNS =
  "n, kind, state, brand_id, purchased_on, amount_cents, currency, waits_for, same_as, review";

/**
 * Rows recorded, booked or changed since the sample was last told; null when there is nothing new
 * to tell.
 */
export function peekSample(work: Call): SampleNews | null {
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
  // A row that never changed was never told. One that did may have been, by a round whose
  // acknowledgement was lost.
  const items = [...known, ...fresh].map((row) => sampleItem(row, after, until)).filter((
    { row, purchase },
  ) => purchase !== null || changed.has(row));
  if (items.length === 0 && changes.length === 0 && fresh.length < SAMPLE_SKIP_ROWS) return null;
  const [lastFresh, lastChange] = [fresh.at(-1), changes.at(-1)];
  const mark: SampleMark = {
    n: lastFresh === undefined ? n : integerOf(lastFresh, "n"),
    through: lastChange === undefined ? 0 : integerOf(lastChange, "seq"),
    // Also one that another row took over: when the bank books it after all, it stands for itself.
    pending: [...known, ...fresh].filter((row) =>
      row["state"] === "pending" && textOf(row, "purchased_on") > after
    ).map((row) => integerOf(row, "n")),
  };
  return { items, mark: JSON.stringify(mark) };
}

function isSampled(row: SqlRow): boolean {
  return row["same_as"] === null && row["state"] === "booked" && row["kind"] === "purchase" &&
    row["brand_id"] !== null && row["currency"] === "EUR" && row["waits_for"] !== "review" &&
    row["review"] !== "refused";
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
 * Marks that the sample was told. What changed since it was looked at stands behind `through` and
 * is told next.
 */
export function ackSample(work: Call, mark: string): void {
  const { n, pending, through } = JSON.parse(mark) as SampleMark;
  const looked = JSON.stringify({ n, pending } satisfies Looked);
  if (looked !== readMeta(work.sql, LOOKED_AT)) writeMeta(work.sql, LOOKED_AT, looked);
  if (through > 0) work.sql.exec("DELETE FROM sample_changes WHERE seq <= ?", through);
}

// ---- rows that wait -----------------------------------------------------------------------------

/**
 * The rows that wait for a person or for their purchase, when D1 was told something else; null when
 * it knows.
 */
function reviewNews(work: Call): ReviewNews | null {
  const rows = work.sql.exec(
    "SELECT id, review, waits_for, last_update_ms FROM purchases WHERE waits_for IN ('review', 'purchase') ORDER BY n LIMIT ?",
    REVIEWS_MAX,
  );
  const open = rows.map((row) => ({
    purchaseId: textOf(row, "id") as PurchaseId,
    why: whyOf(row),
  }));
  // With the bank's version of each: a row that was decided and then held again by a newer one is
  // news, though nothing else differs.
  const versions = rows.map((row) => integerOf(row, "last_update_ms"));
  const mark = open.length === 0
    ? ""
    : hexEncode(sha256Bytes(utf8Encode(canonicalJson([open, versions]))));
  return mark === (readMeta(work.sql, TOLD_REVIEWS) ?? "") ? null : { open, mark };
}

/**
 * What is told now. From here on nobody knows what D1 has, until it is acknowledged: the answer may
 * be lost, and should things then be again as they were before, D1 would keep what it was told in
 * between.
 */
export function peekReviews(work: Call): ReviewNews | null {
  const news = reviewNews(work);
  if (news !== null) forgetToldReviews(work);
  return news;
}

function whyOf(row: SqlRow): ReviewWhy {
  return row["waits_for"] === "purchase"
    ? "refund_without_purchase"
    : ((textOrNull(row, "review") ?? "weak_account") as ReviewWhy);
}

export function ackReviews(work: Call, mark: string): void {
  writeMeta(work.sql, TOLD_REVIEWS, mark);
}

/** Makes the waiting rows news again: D1 may have lost them. */
export function forgetToldReviews(work: Call): void {
  if (readMeta(work.sql, TOLD_REVIEWS) !== UNKNOWN) writeMeta(work.sql, TOLD_REVIEWS, UNKNOWN);
}

/** True when there is something to tell beside the transactions. */
export function hasNews(work: Call): boolean {
  return reviewNews(work) !== null || peekSample(work) !== null;
}
