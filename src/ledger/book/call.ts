// What one call of the engine carries along: the storage, the time, the book's head and what was
// read more than once. It lives for one transaction and is thrown away with it, so a rollback
// leaves nothing stale in memory.
import { pooled } from "../../kernel/random.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { post, readHead } from "./transactions.ts";
import type { Draft, Head } from "./transactions.ts";
import type { BrandId, EntryId, OfferId } from "../../kernel/ids.ts";
import type { Halt, OfferCover } from "../ports.ts";
import type { Sql } from "./sql.ts";

/** The purchases that count for one offer in one period, with their points by row number. */
export type OfferUsage = {
  readonly offerId: OfferId;
  readonly span: { readonly from: string; readonly to: string };
  readonly pointsByPurchase: Map<number, number>;
};

/**
 * What was read of the user's past in this call (purchases/user-history.ts): usage by offer and
 * period, and by brand the decision ranks of its booked purchases.
 */
export type UsageCache = {
  readonly used: Map<string, OfferUsage>;
  readonly bookedByBrand: Map<string, Map<number, number>>;
};

export type Call = {
  readonly sql: Sql;
  readonly nowMs: number;
  readonly random: RandomBytes;
  readonly shardOf: string | undefined;
  /** Null: not known, so what a halt could defer waits for a call that knows. */
  readonly halts: readonly Halt[] | null;
  head: Head;
  usage: UsageCache | null;
  readonly ranks: Ranks;
  /** A webhook is taken in: confirmed points must not move. */
  byWebhook: boolean;
  /**
   * When the last complete read of each account began (purchases/sight.ts); null: not asked for yet.
   */
  marks: ReadonlyMap<number, number> | null;
  /**
   * Points were taken back, or came in while there was a debt: the lots do not reflect it before
   * `coverDebt`.
   */
  debtOpen: boolean;
  /**
   * Brands at which a purchase gave up room under a cap or its place as the first one: what it
   * refused is judged again (purchases/refusals.ts).
   */
  readonly freed: Set<BrandId>;
  /** Lots granted in this call: what it adds to them is no later addition. */
  readonly newLots: Set<number>;
  /** Rows that the bank took back in this call. */
  readonly withdrawn: number[];
  /**
   * Brands and days whose offers a decision needed and did not have: the call must be undone.
   */
  readonly offersNeeded: OfferCover[];
};

/** The last rank given in this engine's life, see `nextRank`; null before the first. */
export type Ranks = { last: number | null };

export function newCall(
  sql: Sql,
  random: RandomBytes,
  shardOf: string | undefined,
  nowMs: number,
  ranks: Ranks = { last: null },
  halts: Call["halts"] = [],
): Call {
  return {
    sql,
    nowMs,
    random: pooled(random),
    shardOf,
    halts,
    head: readHead(sql),
    usage: null,
    ranks,
    byWebhook: false,
    marks: null,
    debtOpen: false,
    freed: new Set(),
    newLots: new Set(),
    withdrawn: [],
    offersNeeded: [],
  };
}

/** Posts on this call's head. */
export function postTo(call: Call, draft: Omit<Draft, "recordedAtMs">): EntryId {
  const posted = post(call.sql, call.head, call.random, call.shardOf, {
    ...draft,
    recordedAtMs: call.nowMs,
  });
  call.head = posted.head;
  return posted.id;
}
