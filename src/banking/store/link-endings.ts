// The end of a user's existence at an aggregator: the mark here first, the end there confirmed
// later.
import { and, eq, isNotNull, isNull, ne, or, sql } from "drizzle-orm";
import { aggregatorLinks, bankConnections, connectionIntents } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { UserId } from "../../kernel/ids.ts";
import { inBatch } from "./batch.ts";

const links = aggregatorLinks;
const connections = bankConnections;

export function linkEndings(db: Database) {
  return {
    /**
     * The local mark of an ending: connections removed, tokens kept until the aggregator has
     * forgotten its users. Nobody comes back with a state of before, and a trade that is under way
     * finds its link ended and deletes the user that it brought. The links to finish there.
     */
    async beginEnding(userId: UserId, nowMs: number): Promise<readonly string[]> {
      await inBatch(db, [
        db.update(connections).set({
          status: "removed",
          action: "none",
          removedAtMs: nowMs,
          updatedAtMs: nowMs,
        }).where(and(eq(connections.userId, userId), ne(connections.status, "removed"))),
        db.update(links).set({ state: "ending", nextTryAtMs: nowMs, tries: 0 }).where(
          and(eq(links.userId, userId), eq(links.state, "created")),
        ),
        db.update(links).set({
          state: "ended",
          endedAtMs: nowMs,
          nextTryAtMs:
            sql`CASE WHEN ${links.tradedTokenCipher} IS NULL THEN NULL ELSE ${nowMs} END`,
        }).where(and(eq(links.userId, userId), eq(links.state, "creating"))),
        db.update(connectionIntents).set({ spentAtMs: nowMs, outcome: "refused" }).where(
          and(eq(connectionIntents.userId, userId), isNull(connectionIntents.spentAtMs)),
        ),
      ]);
      const ending = await db.select({ id: links.id }).from(links).where(
        and(
          eq(links.userId, userId),
          or(eq(links.state, "ending"), isNotNull(links.tradedTokenCipher)),
        ),
      );
      return ending.map((row) => row.id);
    },
    /** Begins the end of a link under which the aggregator never showed a connection. */
    async endUnusedLink(linkId: string, nowMs: number): Promise<void> {
      await db.update(links).set({ state: "ending", nextTryAtMs: nowMs, tries: 0 }).where(
        and(eq(links.id, linkId), eq(links.state, "created"), isNull(links.connectionsReadAtMs)),
      );
    },
    /** The user no longer exists there. */
    async endLink(linkId: string, nowMs: number): Promise<void> {
      await inBatch(db, [
        db.update(connections).set({
          status: "removed",
          action: "none",
          removedAtMs: sql`COALESCE(${connections.removedAtMs}, ${nowMs})`,
          goneRemotely: 1,
          nextTryAtMs: null,
          updatedAtMs: nowMs,
        }).where(eq(connections.linkId, linkId)),
        db.update(links).set({
          state: "ended",
          tokenCipher: null,
          endedAtMs: nowMs,
          nextTryAtMs: null,
        }).where(and(eq(links.id, linkId), sql`${links.state} IN ('created', 'ending')`)),
      ]);
    },
  };
}
