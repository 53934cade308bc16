// What one call of the engine carries along: the storage, the time, the book's head and what was read more than once. It lives
// for one transaction and is thrown away with it, so a rollback leaves nothing stale in memory.
import { pooled } from "../kernel/random.ts";
import type { RandomBytes } from "../kernel/random.ts";
import { post, readHead } from "./book.ts";
import type { Draft, Head } from "./book.ts";
import type { EntryId } from "../kernel/ids.ts";
import type { OfferCover } from "./ports.ts";
import type { Sql } from "./sql.ts";
import type { UsageCache } from "./usage.ts";

export type Work = {
  readonly sql: Sql;
  readonly nowMs: number;
  readonly random: RandomBytes;
  readonly shardOf: string | undefined;
  head: Head;
  usage: UsageCache | null;
  /** How many purchases this call has decided, see `nextRank`. */
  decided: number;
  /** Brands and days that something had to be decided for without their offers: the call must not stand. */
  readonly offersNeeded: OfferCover[];
};

export function newWork(sql: Sql, random: RandomBytes, shardOf: string | undefined, nowMs: number): Work {
  return { sql, nowMs, random: pooled(random), shardOf, head: readHead(sql), usage: null, decided: 0, offersNeeded: [] };
}

/** Posts on this call's head. */
export function postTo(work: Work, draft: Omit<Draft, "recordedAtMs">): EntryId {
  const posted = post(work.sql, work.head, work.random, work.shardOf, { ...draft, recordedAtMs: work.nowMs });
  work.head = posted.head;
  return posted.id;
}
