// A user's existence at an aggregator: the intent, the one attempt at a time to create it, and when
// it is reconciled next.
import { and, eq, inArray, lt, sql } from "drizzle-orm";
import { aggregatorLinks } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { newId } from "../../kernel/ids.ts";
import type { UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { LinkedUser } from "../connections/index.ts";
import type { AggregatorName } from "../ports.ts";

export type Link = {
  readonly id: string;
  readonly state: LinkedUser["linkState"];
  readonly remoteUserId: string | null;
  readonly tokenCipher: string | null;
};

const links = aggregatorLinks;

/** The creation of the user at the aggregator. */
export function linkRows(db: Database, random: RandomBytes) {
  return {
    /** The user's link that has not begun to end. */
    async activeLink(userId: UserId, aggregator: AggregatorName): Promise<Link | null> {
      const [row] = await db.select().from(links).where(
        and(
          eq(links.userId, userId),
          eq(links.aggregator, aggregator),
          inArray(links.state, ["intended", "creating", "created"]),
        ),
      );
      return row ?? null;
    },
    /** Writes the intent, unless there is an active link already. */
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
     * Takes the right to create the user there. Null when another request holds it. More than one
     * attempt means that an earlier one failed and may have left a user behind.
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
    /** Gives the right back after an attempt that created nobody. */
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
