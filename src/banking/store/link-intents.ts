// Intents to link a bank: written before the user is sent to the aggregator's page, spent when they
// come back. Single use, bound to the user, expired after half an hour.
import { and, eq, lt, sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { connectionIntents } from "../../db/banking-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { ConnectionId, SessionId, UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type { AggregatorName } from "../ports.ts";

/** Trips of one user to the bank's page in a day: each leaves a row for a month. */
export const TRIPS_A_DAY_MAX = 50;

export type LinkIntent = typeof connectionIntents.$inferSelect;

export function linkIntentRows(db: Database, random: RandomBytes) {
  return {
    /** False: the user has begun as many trips today as one may. */
    async addIntent(
      intent: {
        userId: UserId;
        sessionId: SessionId | null;
        aggregator: AggregatorName;
        kind: LinkIntent["kind"];
        connectionId: ConnectionId | null;
        redirectUri: string;
        stateHash: string;
        createdAtMs: number;
        expiresAtMs: number;
      },
    ): Promise<boolean> {
      const id = newId("int", intent.createdAtMs, random, intent.userId);
      const made = await db.insert(connectionIntents).select(
        sql`SELECT ${id}, ${intent.stateHash}, ${intent.userId}, ${intent.sessionId}, ${intent.aggregator}, ${intent.kind}, ${intent.connectionId},
          ${intent.redirectUri}, ${intent.createdAtMs}, ${intent.expiresAtMs}, NULL, NULL, NULL, NULL, NULL
          WHERE (SELECT COUNT(*) FROM connection_intents i WHERE i.user_id = ${intent.userId} AND i.created_at_ms > ${
          intent.createdAtMs - DAY_MS
        }) < ${TRIPS_A_DAY_MAX}`,
      ).returning({ id: connectionIntents.id });
      return made.length > 0;
    },
    /** The user's intent of that state, spent and late ones included. */
    async intentOf(userId: UserId, stateHash: string): Promise<LinkIntent | null> {
      const [row] = await db.select().from(connectionIntents).where(
        and(eq(connectionIntents.stateHash, stateHash), eq(connectionIntents.userId, userId)),
      );
      return row ?? null;
    },
    /** Spends the state; false when another call did. */
    async spendIntent(
      id: string,
      outcome: "returned" | "refused",
      nowMs: number,
    ): Promise<boolean> {
      const spent = await db.update(connectionIntents).set({ spentAtMs: nowMs, outcome }).where(
        and(eq(connectionIntents.id, id), sql`${connectionIntents.spentAtMs} IS NULL`),
      ).returning({ id: connectionIntents.id });
      return spent.length > 0;
    },
    /** Forgets what redirects claimed in trades that nothing asks about any more. */
    async forgetHints(beforeMs: number): Promise<void> {
      await db.update(connectionIntents).set({ remoteConnectionId: null }).where(
        and(
          sql`${connectionIntents.remoteConnectionId} IS NOT NULL`,
          lt(connectionIntents.spentAtMs, beforeMs),
        ),
      );
    },
    async purgeIntents(beforeMs: number): Promise<number> {
      const gone = await db.delete(connectionIntents).where(
        lt(connectionIntents.expiresAtMs, beforeMs),
      ).returning({ id: connectionIntents.id });
      return gone.length;
    },
  };
}
