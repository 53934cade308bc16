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

const SAMPLED = "sampled";
const TOLD_REVIEWS = "told_reviews";
const UNKNOWN = "unknown";
const SAMPLE_ROWS = 500;
// Rows without anything to tell are passed over once there are this many, so that looking stays cheap.
const SAMPLE_SKIP_ROWS = 100;
const REVIEWS_MAX = 500;

// ---- the sample -------------------------------------------------------------------------------------------------------

/** Rows up to number `n` were looked at; those in `waiting` were still undecided then. */
type SampleMark = { readonly n: number; readonly waiting: readonly number[] };

function sampleMark(work: Work): SampleMark {
  return JSON.parse(readMeta(work.sql, SAMPLED) ?? '{"n":0,"waiting":[]}') as SampleMark;
}

/** Recognised purchases that were booked since the sample was last told; null when there is nothing new to tell. */
export function peekSample(work: Work): SampleNews | null {
  const { n, waiting } = sampleMark(work);
  const columns = "n, id, kind, state, brand_id, purchased_on, amount_cents, currency, waits_for, same_as, review";
  const fresh = work.sql.exec(`SELECT ${columns} FROM purchases WHERE n > ? ORDER BY n LIMIT ?`, n, SAMPLE_ROWS);
  const known = waiting.length === 0 ? [] : work.sql.exec(`SELECT ${columns} FROM purchases WHERE n IN (SELECT value FROM json_each(?)) ORDER BY n`, JSON.stringify(waiting));
  const oldest = addDays(parisDate(work.nowMs), -SAMPLE_DAYS);
  const inTime = [...known, ...fresh].filter((row) => textOf(row, "purchased_on") > oldest);
  const items = inTime.filter(isSampled).map(sampleItem);
  if (items.length === 0 && fresh.length < SAMPLE_SKIP_ROWS) return null;
  const last = fresh.at(-1);
  const mark: SampleMark = { n: last === undefined ? n : integerOf(last, "n"), waiting: inTime.filter(isUndecided).map((row) => integerOf(row, "n")) };
  return { items, mark: JSON.stringify(mark) };
}

/** Also a pending row that another took over: when the bank books it after all, it stands for itself. */
function isUndecided(row: SqlRow): boolean {
  return row["state"] === "pending" || row["waits_for"] === "review";
}

function isSampled(row: SqlRow): boolean {
  return row["same_as"] === null && row["state"] === "booked" && row["kind"] === "purchase" && row["brand_id"] !== null && row["currency"] === "EUR" && row["waits_for"] !== "review" && row["review"] !== "refused";
}

function sampleItem(row: SqlRow): SampleItem {
  return { purchaseId: textOf(row, "id") as PurchaseId, day: textOf(row, "purchased_on"), brandId: textOf(row, "brand_id") as BrandId, cents: integerOf(row, "amount_cents") };
}

/** Marks that the sample was told. A row that changed since it was looked at has a higher number or is still among the waiting. */
export function ackSample(work: Work, mark: string): void {
  writeMeta(work.sql, SAMPLED, mark);
}

// ---- rows that wait -----------------------------------------------------------------------------------------------------

/** The rows that wait for a person or for their purchase, when D1 was told something else; null when it knows. */
function reviewNews(work: Work): ReviewNews | null {
  const open = work.sql.exec("SELECT id, review, waits_for FROM purchases WHERE waits_for IN ('review', 'purchase') ORDER BY n LIMIT ?", REVIEWS_MAX)
    .map((row) => ({ purchaseId: textOf(row, "id") as PurchaseId, why: whyOf(row) }));
  const mark = open.length === 0 ? "" : hexEncode(sha256Bytes(utf8Encode(canonicalJson(open))));
  return mark === (readMeta(work.sql, TOLD_REVIEWS) ?? "") ? null : { open, mark };
}

/**
 * What is told now. From here on nobody knows what D1 has, until it is acknowledged: the answer may be lost, and should things then be
 * again as they were before, D1 would keep what it was told in between.
 */
export function peekReviews(work: Work): ReviewNews | null {
  const news = reviewNews(work);
  if (news !== null) forgetToldReviews(work);
  return news;
}

function whyOf(row: SqlRow): ReviewWhy {
  return row["waits_for"] === "purchase" ? "refund_without_purchase" : ((textOrNull(row, "review") ?? "weak_account") as ReviewWhy);
}

export function ackReviews(work: Work, mark: string): void {
  writeMeta(work.sql, TOLD_REVIEWS, mark);
}

/** Makes the waiting rows news again: D1 may have lost them. */
export function forgetToldReviews(work: Work): void {
  if (readMeta(work.sql, TOLD_REVIEWS) !== UNKNOWN) writeMeta(work.sql, TOLD_REVIEWS, UNKNOWN);
}

/** True when there is something to tell beside the transactions. */
export function hasNews(work: Work): boolean {
  return reviewNews(work) !== null || peekSample(work) !== null;
}
