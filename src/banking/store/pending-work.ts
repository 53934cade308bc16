// What is left open: reads back, the daily reads of changes, repairs, removals; and what ends when
// one of them is done.
import { and, eq, isNotNull, isNull, lte, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { inBatch } from "./reconcile.ts";
import type { Database } from "../../db/database.ts";
import { aggregatorLinks, bankConnections, bankGaps } from "../../db/banking-tables.ts";
import { quarantine } from "../../db/platform-tables.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type { Directory, LinkedConnection } from "../connections/linked-user.ts";

export type DueWork = {
  readonly links: readonly {
    readonly id: string;
    readonly state: Directory["linkState"];
    readonly tries: number;
  }[];
  readonly connections: readonly {
    readonly id: ConnectionId;
    readonly linkId: string;
    readonly tries: number;
  }[];
};

const links = aggregatorLinks;
const connections = bankConnections;
const gaps = bankGaps;
const isOpen =
  sql`((${connections.status} <> 'removed' AND (${connections.fullRead} = 'due' OR ${connections.repairReason} IS NOT NULL)) OR (${connections.status} = 'removed' AND ${connections.goneRemotely} = 0))`;

export function openWork(db: Database) {
  // A repair ends the trouble that was known when it began, not one that came while it ran.
  const repairedSet = (readAtMs: number) => ({
    repairReason:
      sql`CASE WHEN ${connections.repairSinceMs} <= ${readAtMs} THEN NULL ELSE ${connections.repairReason} END`,
    repairSinceMs:
      sql`CASE WHEN ${connections.repairSinceMs} <= ${readAtMs} THEN NULL ELSE ${connections.repairSinceMs} END`,
  });
  const stillTroubled = (readAtMs: number) =>
    sql`COALESCE(${connections.repairSinceMs}, 0) > ${readAtMs}`;
  const resolveStatement = (
    connection: LinkedConnection,
    read: { readonly readAtMs: number; readonly nowMs: number },
    condition: SQL,
  ) =>
    db.update(quarantine).set({ resolvedAtMs: read.nowMs }).where(and(
      eq(
        quarantine.provider,
        sql`(SELECT c.aggregator FROM bank_connections c WHERE c.id = ${connection.id})`,
      ),
      eq(quarantine.remoteConnectionId, connection.remoteId),
      isNull(quarantine.resolvedAtMs),
      lte(quarantine.lastAtMs, read.readAtMs),
      condition,
    ));

  return {
    /**
     * The read back is done, unless the connection changed since it began. A complete one brought
     * all that any message could have brought; one that only filled a gap leaves the changes since
     * the mark to be read.
     */
    async fullReadDone(
      connection: LinkedConnection,
      read: { readonly readAtMs: number; readonly nowMs: number; readonly complete: boolean },
    ): Promise<void> {
      const unchanged = and(
        eq(connections.id, connection.id),
        eq(connections.fullRead, "due"),
        eq(connections.updatedAtMs, connection.updatedAtMs),
      );
      const holds =
        sql`EXISTS (SELECT 1 FROM bank_connections c WHERE c.id = ${connection.id} AND c.full_read = 'due' AND c.updated_at_ms = ${connection.updatedAtMs})`;
      await inBatch(db, [
        db.update(gaps).set({ recoveredAtMs: read.nowMs }).where(
          and(
            eq(gaps.connectionId, connection.id),
            isNotNull(gaps.toMs),
            isNull(gaps.recoveredAtMs),
            holds,
          ),
        ),
        ...(read.complete ? [resolveStatement(connection, read, holds)] : []),
        db.update(connections).set({
          ...(read.complete
            ? {
              ...repairedSet(read.readAtMs),
              changesReadAtMs: read.readAtMs,
              changesDueAtMs: read.readAtMs + DAY_MS,
            }
            : { changesDueAtMs: read.nowMs }),
          fullRead: "done",
          tries: 0,
          nextTryAtMs: sql`CASE WHEN ${
            read.complete
              ? stillTroubled(read.readAtMs)
              : sql`${connections.repairReason} IS NOT NULL`
          } THEN ${connections.nextTryAtMs} ELSE NULL END`,
        }).where(unchanged),
      ]);
    },
    /**
     * All that changed before `readAtMs` is recorded: the mark moves on, and troubles from before
     * it are over.
     */
    async changesRead(
      connection: LinkedConnection,
      read: { readonly readAtMs: number; readonly nowMs: number; readonly nextAtMs: number },
    ): Promise<void> {
      await inBatch(db, [
        resolveStatement(connection, read, sql`1`),
        db.update(connections).set({
          ...repairedSet(read.readAtMs),
          tries: 0,
          nextTryAtMs: sql`CASE WHEN ${connections.fullRead} = 'due' OR ${
            stillTroubled(read.readAtMs)
          } THEN ${connections.nextTryAtMs} ELSE NULL END`,
          changesReadAtMs: sql`MAX(COALESCE(${connections.changesReadAtMs}, 0), ${read.readAtMs})`,
          changesDueAtMs: read.nextAtMs,
        }).where(eq(connections.id, connection.id)),
      ]);
    },
    /** Tries again later: what is open at `atMs`, the daily read not before `changesAtMs`. */
    async postpone(
      id: ConnectionId,
      tries: number,
      atMs: number,
      changesAtMs: number,
    ): Promise<void> {
      await db.update(connections).set({
        tries,
        nextTryAtMs: sql`CASE WHEN ${isOpen} THEN ${atMs} ELSE NULL END`,
        changesDueAtMs: sql`MAX(${connections.changesDueAtMs}, ${changesAtMs})`,
      }).where(eq(connections.id, id));
    },
    /** Everything of a connection is to be read once more, whatever was read before. */
    async readAgain(id: ConnectionId, nowMs: number): Promise<void> {
      await db.update(connections).set({
        fullRead: "due",
        changesReadAtMs: null,
        nextTryAtMs: nowMs,
      }).where(and(eq(connections.id, id), ne(connections.status, "removed")));
    },
    /** What the sweep has to do now, oldest first. */
    async due(nowMs: number, limit: number): Promise<DueWork> {
      const [dueLinks, dueConnections, dueChanges] = await db.batch([
        db.select({ id: links.id, state: links.state, tries: links.tries }).from(links).where(
          sql`${links.nextTryAtMs} IS NOT NULL AND ${links.nextTryAtMs} <= ${nowMs} AND ${links.state} IN ('created', 'ending')`,
        ).orderBy(links.nextTryAtMs).limit(limit),
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries })
          .from(connections).where(sql`${isOpen} AND ${connections.nextTryAtMs} <= ${nowMs}`)
          .orderBy(connections.nextTryAtMs).limit(limit),
        // The literal status is what lets the partial index serve.
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries })
          .from(connections).where(
            sql`${connections.status} = 'active' AND ${connections.changesDueAtMs} <= ${nowMs}`,
          ).orderBy(connections.changesDueAtMs).limit(limit),
      ]);
      const byId = new Map(
        [...dueConnections, ...dueChanges].map((
          row,
        ) => [row.id, { ...row, id: row.id as ConnectionId }]),
      );
      return { links: dueLinks, connections: [...byId.values()] };
    },
  };
}
