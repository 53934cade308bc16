// How a purchase becomes a row of the statistics sample: everything that could name its user is a
// keyed hash, and the hash of the user changes with every month. Pure.
import { base64Decode } from "../kernel/encoding.ts";
import type { UserId } from "../kernel/ids.ts";
import { keyedIndex, keyedIndexAll } from "../kernel/keyring.ts";
import type { Keyring } from "../kernel/keyring.ts";
import { addDays, addMonths, parisDate } from "../kernel/time.ts";
import type { SampleItem } from "../ledger/ports.ts";

/** No row is older than this many days. */
export const SAMPLE_DAYS_MAX = 90;
/** Nor dated further ahead of today. */
export const SAMPLE_DAYS_AHEAD = 2;
export const SAMPLE_ROWS_MAX = 100_000;
/** Pseudonyms are spread over this many buckets; the sample takes those below its threshold. */
export const SAMPLE_BUCKETS = 65_536;

export type SampleRow = {
  readonly id: string;
  /**
   * What the id would be under the other keys of the ring: a row projected again after a key change
   * is still the same.
   */
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

// By the row's number and not by the purchase's id, which may move from one row to another: what is
// projected of a row is then only its own.
const idsOf = (keyring: Keyring, userId: UserId, { row }: SampleItem): readonly string[] =>
  keyedIndexAll(keyring, "sample_row", `${userId}|${row}`);

/** What the sample should hold of these rows of one user's book. */
export function sampleRows(
  keyring: Keyring,
  userId: UserId,
  items: readonly SampleItem[],
): SampleRow[] {
  return items.flatMap((item): SampleRow[] => {
    if (item.purchase === null) return [];
    const { day, brandId, cents } = item.purchase;
    const [id = "", ...otherIds] = idsOf(keyring, userId, item);
    const pseudonym = keyedIndex(keyring, purposeOf(day.slice(0, 7)), userId);
    return [{ id, otherIds, day, brandId, cents, pseudonym, bucket: bucketOf(pseudonym) }];
  });
}

/** The ids of those that it should hold no more, under every key of the ring. */
export function goneIds(keyring: Keyring, userId: UserId, items: readonly SampleItem[]): string[] {
  return items.filter(({ purchase }) => purchase === null).flatMap((item) =>
    idsOf(keyring, userId, item)
  );
}

/**
 * Every pseudonym under which rows of this user may be kept at that time, whichever key of the ring
 * made it.
 */
export function pseudonymsOf(keyring: Keyring, userId: UserId, nowMs: number): string[] {
  const today = parisDate(nowMs);
  // Purchases may be dated two days ahead; and a sweep that is late leaves rows of one more month.
  const last = addDays(today, SAMPLE_DAYS_AHEAD).slice(0, 7);
  const months: string[] = [];
  for (
    let month = addMonths(`${addDays(today, -SAMPLE_DAYS_MAX).slice(0, 7)}-01`, -1).slice(0, 7);
    month <= last;
    month = addMonths(`${month}-01`, 1).slice(0, 7)
  ) months.push(month);
  return months.flatMap((month) => keyedIndexAll(keyring, purposeOf(month), userId));
}
