// A user's existence at an aggregator: the intent, the one attempt at a time to create it, its end.
import { and, eq, inArray, lt, ne, sql } from "drizzle-orm";
import { inBatch } from "./reconcile.ts";
import type { Database } from "../../db/database.ts";
import { aggregatorLinks, bankConnections } from "../../db/banking-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Directory } from "../connections/linked-user.ts";
import type { AggregatorName } from "../ports.ts";

export type Link = {
  readonly id: string;
  readonly state: Directory["linkState"];
  readonly remoteUserId: string | null;
  readonly tokenCipher: string | null;
};

const links = aggregatorLinks;
const connections = bankConnections;

export function linkRows(db: Database, random: RandomBytes) {
  return {
    async standingLink(userId: UserId, aggregator: AggregatorName): Promise<Link | null> {
      const [row] = await db.select().from(links).where(
        and(
          eq(links.userId, userId),
          eq(links.aggregator, aggregator),
          inArray(links.state, ["intended", "creating", "created"]),
        ),
      );
      return row ?? null;
    },
    /** Writes the intent, unless one stands already. */
    async intendLink(userId: UserId, aggregator: AggregatorName, nowMs: number): Promise<void> {
      await db.insert(links).values({
        id: newId("lnk", nowMs, random, userId),
        userId,
        aggregator,
        state: "intended",
        attempts: 0,
        createdAtMs: nowMs,
      }).onConflictDoNothing();
    },
    /**
     * Takes the right to create the user there. Null when somebody else holds it; `lapsed` when an
     * earlier holder died with it, who may have left a user behind.
     */
    async takeCreation(
      linkId: string,
      nowMs: number,
      lapseMs: number,
    ): Promise<{ readonly attempts: number } | null> {
      const [row] = await db.update(links).set({
        state: "creating",
        attempts: sql`${links.attempts} + 1`,
        attemptAtMs: nowMs,
      })
        .where(
          and(
            eq(links.id, linkId),
            sql`(${links.state} = 'intended' OR (${links.state} = 'creating' AND ${links.attemptAtMs} <= ${
              nowMs - lapseMs
            }))`,
          ),
        )
        .returning({ attempts: links.attempts });
      return row ?? null;
    },
    async releaseCreation(linkId: string, attempt: number): Promise<void> {
      await db.update(links).set({ state: "intended" }).where(
        and(eq(links.id, linkId), eq(links.state, "creating"), eq(links.attempts, attempt)),
      );
    },
    /** Stores what the attempt got; false when the attempt no longer holds the right. */
    async storeCreated(
      linkId: string,
      attempt: number,
      remoteUserId: string,
      tokenCipher: string,
    ): Promise<boolean> {
      const stored = await db.update(links).set({ state: "created", remoteUserId, tokenCipher })
        .where(and(eq(links.id, linkId), eq(links.state, "creating"), eq(links.attempts, attempt)))
        .returning({ id: links.id });
      return stored.length > 0;
    },
    /**
     * Asks the sweep to look at the user's connections there at that time, if it is not due
     * earlier.
     */
    async lookLater(linkId: string, atMs: number, tries: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: atMs, tries }).where(
        and(eq(links.id, linkId), eq(links.state, "created")),
      );
    },
    async looked(linkId: string, nowMs: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: null, tries: 0 }).where(
        and(eq(links.id, linkId), eq(links.state, "created"), lt(links.nextTryAtMs, nowMs + 1)),
      );
    },
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
    async postponeLink(linkId: string, tries: number, atMs: number): Promise<void> {
      await db.update(links).set({ tries, nextTryAtMs: atMs }).where(eq(links.id, linkId));
    },
  };
}
