// How far the reading of a connection's rows has come, and what ends when a read is done: the gap
// it filled, the repair that was asked for, the quarantined messages it made up for.
import { and, eq, isNotNull, isNull, lte, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { bankConnections, bankGaps } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { quarantine } from "../../db/platform-tables.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import type { LinkedConnection } from "../connections/index.ts";
import { inBatch } from "./batch.ts";

const connections = bankConnections;
const gaps = bankGaps;

/** A read ends the repair that was asked for before it began, not one asked for while it ran. */
const repairEnds = (readAtMs: number) => ({
  repairReason:
    sql`CASE WHEN ${connections.repairSinceMs} <= ${readAtMs} THEN NULL ELSE ${connections.repairReason} END`,
  repairSinceMs:
    sql`CASE WHEN ${connections.repairSinceMs} <= ${readAtMs} THEN NULL ELSE ${connections.repairSinceMs} END`,
});
const repairRemains = (readAtMs: number) =>
  sql`COALESCE(${connections.repairSinceMs}, 0) > ${readAtMs}`;
/** Resolves the connection's quarantined messages from before the read. */
const resolveStatement = (
  db: Database,
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

export function readProgress(db: Database) {
  return {
    /**
     * The read back is done, unless the connection changed since it began. It brought all that any
     * message could have brought.
     */
    async fullReadDone(
      connection: LinkedConnection,
      read: { readonly readAtMs: number; readonly nowMs: number; readonly nextAtMs: number },
    ): Promise<void> {
      const unchanged = and(
        eq(connections.id, connection.id),
        eq(connections.fullRead, "due"),
        eq(connections.updatedAtMs, connection.updatedAtMs),
      );
      const stillUnchanged =
        sql`EXISTS (SELECT 1 FROM bank_connections c WHERE c.id = ${connection.id} AND c.full_read = 'due' AND c.updated_at_ms = ${connection.updatedAtMs})`;
      await inBatch(db, [
        db.update(gaps).set({ recoveredAtMs: read.nowMs }).where(
          and(
            eq(gaps.connectionId, connection.id),
            isNotNull(gaps.toMs),
            isNull(gaps.recoveredAtMs),
            stillUnchanged,
          ),
        ),
        resolveStatement(db, connection, read, stillUnchanged),
        db.update(connections).set({
          ...repairEnds(read.readAtMs),
          changesReadAtMs: read.readAtMs,
          changesDueAtMs: read.nextAtMs,
          fullRead: "done",
          tries: 0,
          nextTryAtMs: sql`CASE WHEN ${
            repairRemains(read.readAtMs)
          } THEN ${connections.nextTryAtMs} ELSE NULL END`,
        }).where(unchanged),
      ]);
    },
    /**
     * All that changed before `readAtMs` is recorded: the mark moves on, and repairs asked for
     * before it are done.
     */
    async changesRead(
      connection: LinkedConnection,
      read: { readonly readAtMs: number; readonly nowMs: number; readonly nextAtMs: number },
    ): Promise<void> {
      await inBatch(db, [
        resolveStatement(db, connection, read, sql`1`),
        db.update(connections).set({
          ...repairEnds(read.readAtMs),
          tries: 0,
          nextTryAtMs: sql`CASE WHEN ${connections.fullRead} = 'due' OR ${
            repairRemains(read.readAtMs)
          } THEN ${connections.nextTryAtMs} ELSE NULL END`,
          // Everything was asked for while it ran: a mark would have that read begin too late.
          changesReadAtMs:
            sql`CASE WHEN ${connections.fullRead} = 'due' THEN ${connections.changesReadAtMs} ELSE MAX(COALESCE(${connections.changesReadAtMs}, 0), ${read.readAtMs}) END`,
          changesDueAtMs: read.nextAtMs,
        }).where(eq(connections.id, connection.id)),
      ]);
    },
    /** A read is due by then, if none was due earlier. */
    async readBy(id: ConnectionId, atMs: number): Promise<void> {
      await db.update(connections).set({
        changesDueAtMs: sql`MIN(${connections.changesDueAtMs}, ${atMs})`,
      }).where(eq(connections.id, id));
    },
    /**
     * Everything of a connection is to be read once more, whatever was read before: a full read that
     * runs meanwhile does not end it.
     */
    async readAgain(id: ConnectionId, nowMs: number): Promise<void> {
      await db.update(connections).set({
        fullRead: "due",
        changesReadAtMs: null,
        nextTryAtMs: nowMs,
        updatedAtMs: sql`MAX(${nowMs}, ${connections.updatedAtMs} + 1)`,
      }).where(and(eq(connections.id, id), ne(connections.status, "removed")));
    },
  };
}
