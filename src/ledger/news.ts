// What D1 is told of a book beside its transactions: purchases for the statistics sample, and the rows that wait for a person.
// Like the outbox it keeps only marks of what was told, so that no purchase pays for being told about.
import { hexEncode, utf8Encode } from "../kernel/encoding.ts";
import { canonicalJson, sha256Bytes } from "../kernel/hash.ts";
import type { BrandId, PurchaseId } from "../kernel/ids.ts";
import { addDays, parisDate } from "../kernel/time.ts";
import { readMeta, writeMeta } from "./meta.ts";
import type { ReviewNews, ReviewWhy, SampleItem, SampleNews } from "./ports.ts";
import { integerOf, textOf, textOrNull } from "./sql.ts";
import type { SqlRow } from "./sql.ts";
import type { Work } from "./work.ts";

/** The sample holds purchases of the last 90 days; older ones are not even offered. */
export const SAMPLE_DAYS = 90;
/** No real purchase is dated further ahead; a row that is would outlive the 90 days, and no withdrawal would look for its month. */
export const SAMPLE_DAYS_AHEAD = 2;

const SAMPLED = "sampled";
const TOLD_REVIEWS = "told_reviews";
const SAMPLE_ROWS = 500;
// Rows without anything to tell are passed over once there are this many, so that looking stays cheap.
const SAMPLE_SKIP_ROWS = 100;
/**
 * D1 is told all waiting rows at once, since it closes those that it is not told of. So many fit well into the 2 MB of one value
 * there (under 80 bytes each); should a book ever hold more, the newest come up as the oldest are decided.
 */
export const REVIEWS_MAX = 10_000;

// ---- the sample -------------------------------------------------------------------------------------------------------

/** Rows up to number `n` were looked at, and changes of them (table `sample_changes`) up to `through`. */
type SampleMark = { readonly n: number; readonly through: number };

/** The row up to which the sample was told. A mark in the form of the first release counts as none: those rows had other names in D1. */
function sampledRow(work: Work): number {
  return Number(readMeta(work.sql, SAMPLED) ?? "0") || 0;
}

const COLUMNS = "n, kind, state, brand_id, purchased_on, amount_cents, currency, waits_for, same_as, review";

/** Rows recorded or changed since the sample was last told; null when there is nothing new to tell. */
export function peekSample(work: Work): SampleNews | null {
  const from = sampledRow(work);
  const changes = work.sql.exec("SELECT seq, n FROM sample_changes ORDER BY seq LIMIT ?", SAMPLE_ROWS);
  const fresh = work.sql.exec(`SELECT ${COLUMNS} FROM purchases WHERE n > ? ORDER BY n LIMIT ?`, from, SAMPLE_ROWS);
  const changed = changes.length === 0 ? [] : work.sql.exec(
    `SELECT ${COLUMNS} FROM purchases WHERE n <= ? AND n IN (SELECT value FROM json_each(?)) ORDER BY n`, from, JSON.stringify(changes.map((change) => integerOf(change, "n"))));
  if (changes.length === 0 && fresh.length === 0) return null;
  const today = parisDate(work.nowMs);
  const item = (row: SqlRow): SampleItem => sampleItem(row, addDays(today, -SAMPLE_DAYS), addDays(today, SAMPLE_DAYS_AHEAD));
  // What was never told need not be taken back.
  const items = [...changed.map(item), ...fresh.map(item).filter(({ purchase }) => purchase !== null)];
  if (items.length === 0 && changes.length === 0 && fresh.length < SAMPLE_SKIP_ROWS) return null;
  const [lastFresh, lastChange] = [fresh.at(-1), changes.at(-1)];
  const mark: SampleMark = { n: lastFresh === undefined ? from : integerOf(lastFresh, "n"), through: lastChange === undefined ? 0 : integerOf(lastChange, "seq") };
  return { items, mark: JSON.stringify(mark) };
}

function isSampled(row: SqlRow): boolean {
  return row["same_as"] === null && row["state"] === "booked" && row["kind"] === "purchase" && row["brand_id"] !== null && row["currency"] === "EUR" && row["waits_for"] !== "review" && row["review"] !== "refused";
}

function sampleItem(row: SqlRow, after: string, until: string): SampleItem {
  const day = textOf(row, "purchased_on");
  const taken = isSampled(row) && day > after && day <= until;
  return { row: integerOf(row, "n"), purchase: taken ? { day, brandId: textOf(row, "brand_id") as BrandId, cents: integerOf(row, "amount_cents") } : null };
}

/** Marks that the sample was told. What changed since it was looked at stands behind `through` and is told next. */
export function ackSample(work: Work, mark: string): void {
  const { n, through } = JSON.parse(mark) as SampleMark;
  if (n !== sampledRow(work)) writeMeta(work.sql, SAMPLED, String(n));
  if (through > 0) work.sql.exec("DELETE FROM sample_changes WHERE seq <= ?", through);
}

// ---- rows that wait -----------------------------------------------------------------------------------------------------

/** The rows that wait for a person or for their purchase, when D1 was told something else; null when it knows. */
export function peekReviews(work: Work): ReviewNews | null {
  const rows = work.sql.exec("SELECT id, review, waits_for, last_update_ms FROM purchases WHERE waits_for IN ('review', 'purchase') ORDER BY n LIMIT ?", REVIEWS_MAX);
  const open = rows.map((row) => ({ purchaseId: textOf(row, "id") as PurchaseId, why: whyOf(row) }));
  // With the bank's version of each: a row that was decided and then held again by a newer one is news, though nothing else differs.
  const versions = rows.map((row) => integerOf(row, "last_update_ms"));
  const mark = open.length === 0 ? "" : hexEncode(sha256Bytes(utf8Encode(canonicalJson([open, versions]))));
  return mark === (readMeta(work.sql, TOLD_REVIEWS) ?? "") ? null : { open, mark };
}

function whyOf(row: SqlRow): ReviewWhy {
  return row["waits_for"] === "purchase" ? "refund_without_purchase" : ((textOrNull(row, "review") ?? "weak_account") as ReviewWhy);
}

export function ackReviews(work: Work, mark: string): void {
  writeMeta(work.sql, TOLD_REVIEWS, mark);
}

/** Makes the waiting rows news again: D1 may have lost them. */
export function forgetToldReviews(work: Work): void {
  writeMeta(work.sql, TOLD_REVIEWS, "unknown");
}

/** True when there is something to tell beside the transactions. */
export function hasNews(work: Work): boolean {
  return peekReviews(work) !== null || peekSample(work) !== null;
}
