// Messages that were set aside without their bodies, with the connections that are in trouble
// because of them.
import { and, eq, isNull, ne, sql } from "drizzle-orm";
import { inBatch } from "./reconcile.ts";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import type { Database } from "../../db/database.ts";
import { bankConnections } from "../../db/banking-tables.ts";
import { quarantine } from "../../db/platform-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { AggregatorName } from "../ports.ts";

export type QuarantineEntry = {
  readonly provider: string;
  readonly event: string;
  readonly remoteUserId: string | null;
  readonly remoteConnectionId: string | null;
  readonly reason: string;
  readonly bodyBytes: number;
  readonly bodyHash: string;
};
/** A message that was set aside, as far as it is kept. */
export type QuarantinedMessage = {
  readonly id: string;
  readonly provider: AggregatorName;
  readonly event: string;
  readonly remoteUserId: string | null;
  readonly remoteConnectionId: string | null;
  readonly reason: string;
  readonly resolvedAtMs: number | null;
};

const connections = bankConnections;

export function quarantineRows(db: Database, random: RandomBytes) {
  const quarantineStatement = (entry: QuarantineEntry, nowMs: number) =>
    db.insert(quarantine).values({
      id: newId("qua", nowMs, random),
      ...entry,
      firstAtMs: nowMs,
      lastAtMs: nowMs,
      times: 1,
    }).onConflictDoUpdate({
      target: [quarantine.provider, quarantine.event, quarantine.bodyHash, quarantine.reason],
      set: { lastAtMs: nowMs, times: sql`${quarantine.times} + 1`, resolvedAtMs: null },
    });

  return {
    /**
     * One user's trouble: the connection waits for a repair, the message is noted without its body;
     * together or not at all.
     */
    async trouble(
      id: ConnectionId | null,
      reason: string,
      entry: QuarantineEntry,
      nowMs: number,
      retryAtMs: number,
    ): Promise<void> {
      await inBatch(db, [
        quarantineStatement(entry, nowMs),
        ...(id === null ? [] : [
          db.update(connections).set({
            repairReason: reason,
            repairSinceMs: sql`MAX(COALESCE(${connections.repairSinceMs}, 0), ${nowMs})`,
            nextTryAtMs: sql`COALESCE(${connections.nextTryAtMs}, ${retryAtMs})`,
          }).where(and(eq(connections.id, id), ne(connections.status, "removed"))),
        ]),
      ]);
    },
    async quarantine(entry: QuarantineEntry, nowMs: number): Promise<void> {
      await quarantineStatement(entry, nowMs);
    },
    async quarantined(id: string): Promise<QuarantinedMessage | null> {
      const [row] = await db.select().from(quarantine).where(eq(quarantine.id, id));
      return row === undefined ? null : { ...row, provider: row.provider as AggregatorName };
    },
    /**
     * The operator's act and its line in the audit log; `resolvedAtMs` null leaves the message
     * open.
     */
    async replayed(
      id: string,
      resolvedAtMs: number | null,
      event: AuditEvent,
      nowMs: number,
    ): Promise<void> {
      await inBatch(db, [
        ...(resolvedAtMs === null ? [] : [
          db.update(quarantine).set({ resolvedAtMs }).where(
            and(eq(quarantine.id, id), isNull(quarantine.resolvedAtMs)),
          ),
        ]),
        auditStatement(db, event, nowMs, random),
      ]);
    },
    /**
     * True when a message said that the aggregator deleted that connection and could not be checked
     * then.
     */
    async deletionAnnounced(aggregator: string, remoteConnectionId: string): Promise<boolean> {
      const rows = await db.select({ id: quarantine.id }).from(quarantine)
        .where(
          and(
            eq(quarantine.provider, aggregator),
            eq(quarantine.remoteConnectionId, remoteConnectionId),
            eq(quarantine.event, "connection-deleted"),
            isNull(quarantine.resolvedAtMs),
          ),
        ).limit(1);
      return rows.length > 0;
    },
  };
}
