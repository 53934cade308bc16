// A user's existence at an aggregator: the trade of the code that brought it, whose it is, and when
// the sweep looks at it next.
import { and, eq, inArray, isNull, lt, notExists, sql } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { aggregatorLinks, connectionIntents } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_LINKS } from "../../db/sealed-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { HOUR_MS } from "../../kernel/time.ts";
import type { LinkedUser } from "../connections/index.ts";
import type { AggregatorName } from "../ports.ts";
import { inBatch } from "./batch.ts";

/** The first trade of an intent's code. */
export type TradeClaim = {
  readonly intentId: string;
  readonly userId: UserId;
  readonly aggregator: AggregatorName;
  readonly codeHash: string;
  /** What the redirect claims to have connected. */
  readonly remoteConnectionId: string | null;
  readonly nowMs: number;
};

/** A link whose trade has brought a token. */
type TradedLink = Pick<LinkedUser, "linkId" | "userId" | "aggregator" | "linkCreatedAtMs">;

const links = aggregatorLinks;
const intents = connectionIntents;

/** How long a trade whose answer was lost is remembered by what its redirect claimed. */
export const LOST_TRADE_MS = 48 * HOUR_MS;

/** Trades of codes for tokens. */
export function tradeRows(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    /**
     * Spends the intent and notes its link before the code is traded, together or not at all. The
     * link's id, or null when the intent is spent or late.
     */
    async claimTrade(claim: TradeClaim): Promise<string | null> {
      const { intentId, userId, aggregator, codeHash, remoteConnectionId, nowMs } = claim;
      const linkId = newId("lnk", nowMs, random, userId);
      const seal = seals.of(SEALED_LINKS, {
        id: linkId,
        userId,
        aggregator,
        remoteUserId: null,
        createdAtMs: nowMs,
      });
      const isOpen = and(
        eq(intents.id, intentId),
        eq(intents.userId, userId),
        eq(intents.aggregator, aggregator),
        isNull(intents.spentAtMs),
        sql`${intents.expiresAtMs} > ${nowMs}`,
      );
      const [made] = await db.batch([
        db.insert(links).select(
          sql`SELECT ${linkId}, ${intents.userId}, ${intents.aggregator}, 'creating', 1, ${nowMs}, NULL, NULL, 0,
            ${
            nowMs + LOST_TRADE_MS
          }, ${nowMs}, NULL, NULL, NULL, ${seal} FROM ${intents} WHERE ${isOpen}`,
        ).returning({ id: links.id }),
        db.update(intents).set({
          spentAtMs: nowMs,
          outcome: "returned",
          codeHash,
          linkId,
          remoteConnectionId,
        }).where(isOpen),
      ]);
      return made[0]?.id ?? null;
    },
    /** The trade brought nothing that is to be kept, or what it brought is gone there. */
    async endTrade(linkId: string, nowMs: number): Promise<void> {
      await inBatch(db, [
        db.update(links).set({
          state: "ended",
          tradedTokenCipher: null,
          endedAtMs: sql`COALESCE(${links.endedAtMs}, ${nowMs})`,
          nextTryAtMs: null,
        }).where(and(eq(links.id, linkId), inArray(links.state, ["creating", "ended"]))),
        db.update(intents).set({ remoteConnectionId: null }).where(eq(intents.linkId, linkId)),
      ]);
    },
  };
}

/** What a trade brought: a token, then whose it is. */
export function tradedTokens(db: Database, seals: RowSeals) {
  return {
    /** Keeps the token, also when the link was ended meanwhile: the user there is then deleted. */
    async storeTraded(linkId: string, tokenCipher: string, nextTryAtMs: number): Promise<void> {
      await db.update(links).set({ tradedTokenCipher: tokenCipher, nextTryAtMs }).where(
        eq(links.id, linkId),
      );
    },
    /**
     * Says whose the traded token is; false when the link was ended meanwhile, or another link has
     * that user.
     */
    async storeRemoteUser(link: TradedLink, remoteUserId: string): Promise<boolean> {
      const { linkId, userId, aggregator, linkCreatedAtMs } = link;
      const other = alias(links, "o");
      const row = { id: linkId, userId, aggregator, remoteUserId, createdAtMs: linkCreatedAtMs };
      const stored = await db.update(links).set({
        state: "created",
        remoteUserId,
        tokenCipher: links.tradedTokenCipher,
        tradedTokenCipher: null,
        seal: seals.of(SEALED_LINKS, row),
      }).where(and(
        eq(links.id, linkId),
        eq(links.state, "creating"),
        sql`${links.tradedTokenCipher} IS NOT NULL`,
        notExists(
          db.select({ id: other.id }).from(other).where(
            and(eq(other.aggregator, links.aggregator), eq(other.remoteUserId, remoteUserId)),
          ),
        ),
      )).returning({ id: links.id });
      return stored.length > 0;
    },
  };
}

/** What is asked about trades without a stored answer. */
export function lostTradeReads(db: Database) {
  return {
    /** True while a trade that began after `sinceMs` has no stored answer. */
    async tradeIsOpen(aggregator: AggregatorName, sinceMs: number): Promise<boolean> {
      const found = await db.select({ id: links.id }).from(links).where(
        sql`${links.state} = 'creating' AND ${links.attemptAtMs} > ${sinceMs} AND ${links.aggregator} = ${aggregator}`,
      ).limit(1);
      return found.length > 0;
    },
    /**
     * The link of a trade begun in that time whose answer was lost and that claimed to connect it.
     */
    async lostTrade(
      aggregator: AggregatorName,
      remoteConnectionId: string,
      begun: { readonly fromMs: number; readonly untilMs: number },
    ): Promise<string | null> {
      const [found] = await db.select({ id: links.id }).from(intents)
        .innerJoin(links, eq(links.id, intents.linkId)).where(
          and(
            eq(intents.remoteConnectionId, remoteConnectionId),
            eq(links.aggregator, aggregator),
            isNull(links.remoteUserId),
            isNull(links.tradedTokenCipher),
            sql`${links.attemptAtMs} BETWEEN ${begun.fromMs} AND ${begun.untilMs}`,
          ),
        ).limit(1);
      return found?.id ?? null;
    },
  };
}

/** When the sweep comes back to a link. */
export function linkSchedule(db: Database) {
  return {
    /**
     * Has the sweep reconcile the user at that time.
     */
    async scheduleReconcile(linkId: string, atMs: number, tries: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: atMs, tries }).where(
        and(eq(links.id, linkId), eq(links.state, "created")),
      );
    },
    /** The scheduled reconcile is done, unless it was scheduled anew meanwhile. */
    async linkReconciled(linkId: string, nowMs: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: null, tries: 0 }).where(
        and(eq(links.id, linkId), eq(links.state, "created"), lt(links.nextTryAtMs, nowMs + 1)),
      );
    },
    async postponeLink(linkId: string, tries: number, atMs: number): Promise<void> {
      await db.update(links).set({ tries, nextTryAtMs: atMs }).where(eq(links.id, linkId));
    },
  };
}
