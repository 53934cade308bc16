// How a purchase becomes a row of the statistics sample: everything that could name its user is a keyed hash, and the hash of the
// user changes with every month. Pure.
import { base64Decode } from "../kernel/encoding.ts";
import type { UserId } from "../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import { addDays, addMonths, parisDate } from "../kernel/time.ts";
import type { SampleItem } from "../ledger/ports.ts";

/** No row is older than this many days. */
export const SAMPLE_DAYS_MAX = 90;
export const SAMPLE_ROWS_MAX = 100_000;
/** Pseudonyms are spread over this many buckets; the sample takes those below its threshold. */
export const SAMPLE_BUCKETS = 65_536;

export type SampleRow = {
  readonly id: string;
  /** What the id would be under the other keys of the ring: a row told again after a key change is still the same. */
  readonly otherIds: readonly string[];
  readonly day: string;
  readonly brandId: string;
  readonly cents: number;
  readonly pseudonym: string;
  readonly bucket: number;
};

const purposeOf = (month: string): string => `sample_user|${month}`;

function bucketOf(pseudonym: string): number {
  const hash = base64Decode(pseudonym.slice(pseudonym.indexOf(".") + 1));
  return ((hash?.[0] ?? 0) << 8) | (hash?.[1] ?? 0);
}

/** The rows of purchases of one user. */
export function sampleRows(keyring: Keyring, userId: UserId, items: readonly SampleItem[]): SampleRow[] {
  return items.map((item) => {
    const [id = "", ...otherIds] = keyedIndexAll(keyring, "sample_purchase", item.purchaseId);
    const pseudonym = keyedIndex(keyring, purposeOf(item.day.slice(0, 7)), userId);
    return { id, otherIds, day: item.day, brandId: item.brandId, cents: item.cents, pseudonym, bucket: bucketOf(pseudonym) };
  });
}

/** Every pseudonym under which rows of this user may stand at that time, whichever key of the ring made it. */
export function pseudonymsOf(keyring: Keyring, userId: UserId, nowMs: number): string[] {
  const today = parisDate(nowMs);
  // Purchases may be dated two days ahead; and a sweep that is late leaves rows of one more month.
  const last = addDays(today, 2).slice(0, 7);
  const months: string[] = [];
  for (let month = addMonths(`${addDays(today, -SAMPLE_DAYS_MAX).slice(0, 7)}-01`, -1).slice(0, 7); month <= last; month = addMonths(`${month}-01`, 1).slice(0, 7)) months.push(month);
  return months.flatMap((month) => keyedIndexAll(keyring, purposeOf(month), userId));
}
