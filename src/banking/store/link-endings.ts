// The end of a user's existence at an aggregator: the mark here first, the end there confirmed later.
import { and, eq, inArray, ne, sql } from "drizzle-orm";
import { aggregatorLinks, bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { UserId } from "../../kernel/ids.ts";
import { inBatch } from "./batch.ts";

const links = aggregatorLinks;
const connections = bankConnections;

export function linkEndings(db: Database) {
  return {
    /**
     * The local mark of an ending: connections removed, tokens kept until the aggregator has
     * forgotten the user. A creation that is under way finds its right gone and undoes what it
     * made.
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
        db.update(links).set({ state: "ended", endedAtMs: nowMs }).where(
          and(eq(links.userId, userId), inArray(links.state, ["intended", "creating"])),
        ),
      ]);
      const ending = await db.select({ id: links.id }).from(links).where(
        and(eq(links.userId, userId), eq(links.state, "ending")),
      );
      return ending.map((row) => row.id);
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
        }).where(and(eq(links.id, linkId), inArray(links.state, ["created", "ending"]))),
      ]);
    },
  };
}
