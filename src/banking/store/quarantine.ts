// Messages that could not be used: kept without their bodies, with the connections that need a
// repair because of them.
import { and, desc, eq, isNotNull, isNull, lt, ne, or, sql } from "drizzle-orm";
import { auditStatement } from "../../audit/ports.ts";
import type { AuditEvent } from "../../audit/ports.ts";
import { bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { quarantine } from "../../db/platform-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { AggregatorName } from "../ports.ts";
import { inBatch } from "./batch.ts";

export type QuarantineEntry = {
  readonly provider: string;
  readonly event: string;
  readonly remoteUserId: string | null;
  readonly remoteConnectionId: string | null;
  readonly reason: string;
  readonly bodyBytes: number;
  readonly bodyHash: string;
};
/** What a replay needs of a message. */
export type QuarantinedMessage = {
  readonly id: string;
  readonly provider: AggregatorName;
  readonly event: string;
  readonly remoteUserId: string | null;
  readonly remoteConnectionId: string | null;
  readonly reason: string;
  readonly resolvedAtMs: number | null;
};

/** A message as operators see it. */
export type QuarantineItem = typeof quarantine.$inferSelect;
export type QuarantineQuery = {
  readonly state: "open" | "resolved" | "all";
  readonly limit: number;
  /** Where the page before ended. */
  readonly before: { readonly lastAtMs: number; readonly id: string } | null;
};

const connections = bankConnections;

/** Messages about one user of the aggregator, or about none: what more there is says nothing new. */
export const QUARANTINED_MAX = 200;

/**
 * The first word of a connection's end that could not be checked: forgotten, the connection would be
 * looked for at the aggregator for ever.
 */
const isFirstEnd = ({ provider, event, remoteConnectionId }: QuarantineEntry) =>
  sql`(${event} = 'connection-deleted' AND NOT EXISTS (SELECT 1 FROM quarantine q WHERE q.provider = ${provider}
    AND q.remote_connection_id = ${remoteConnectionId} AND q.event = 'connection-deleted' AND q.resolved_at_ms IS NULL))`;

/** What receiving messages writes and reads. */
export function quarantineRows(db: Database, random: RandomBytes) {
  const quarantineStatement = (entry: QuarantineEntry, nowMs: number, isKept = sql`0`) =>
    db.insert(quarantine).select(
      sql`SELECT ${
        newId("qua", nowMs, random)
      }, ${entry.provider}, ${entry.event}, ${entry.remoteUserId}, ${entry.remoteConnectionId}, ${entry.reason},
        ${entry.bodyBytes}, ${entry.bodyHash}, ${nowMs}, ${nowMs}, 1, NULL
        WHERE ${isKept} OR (SELECT COUNT(*) FROM quarantine q WHERE q.provider = ${entry.provider} AND q.remote_user_id IS ${entry.remoteUserId}) < ${QUARANTINED_MAX}
          OR EXISTS (SELECT 1 FROM quarantine q WHERE q.provider = ${entry.provider} AND q.event = ${entry.event} AND q.body_hash = ${entry.bodyHash} AND q.reason = ${entry.reason})`,
    ).onConflictDoUpdate({
      target: [quarantine.provider, quarantine.event, quarantine.bodyHash, quarantine.reason],
      set: { lastAtMs: nowMs, times: sql`${quarantine.times} + 1`, resolvedAtMs: null },
    });

  return {
    /**
     * Notes a message without its body and has its connection repaired; together or not at all.
     */
    async quarantineForRepair(
      id: ConnectionId,
      reason: string,
      entry: QuarantineEntry,
      nowMs: number,
      retryAtMs: number,
    ): Promise<void> {
      await inBatch(db, [
        quarantineStatement(entry, nowMs, isFirstEnd(entry)),
        db.update(connections).set({
          repairReason: reason,
          repairSinceMs: sql`MAX(COALESCE(${connections.repairSinceMs}, 0), ${nowMs})`,
          nextTryAtMs: sql`COALESCE(${connections.nextTryAtMs}, ${retryAtMs})`,
        }).where(and(eq(connections.id, id), ne(connections.status, "removed"))),
      ]);
    },
    async quarantine(entry: QuarantineEntry, nowMs: number): Promise<void> {
      await quarantineStatement(entry, nowMs);
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

/** What operators see of the quarantine and do about it. */
export function quarantineOperations(db: Database, random: RandomBytes) {
  return {
    /** The most recently seen first; one more than `limit` when there is another page. */
    async quarantinePage({ state, limit, before }: QuarantineQuery): Promise<QuarantineItem[]> {
      const inState = {
        all: undefined,
        open: isNull(quarantine.resolvedAtMs),
        resolved: isNotNull(quarantine.resolvedAtMs),
      };
      return db.select().from(quarantine).where(and(
        inState[state],
        before === null ? undefined : or(
          lt(quarantine.lastAtMs, before.lastAtMs),
          and(eq(quarantine.lastAtMs, before.lastAtMs), lt(quarantine.id, before.id)),
        ),
      )).orderBy(desc(quarantine.lastAtMs), desc(quarantine.id)).limit(limit + 1);
    },
    async quarantined(id: string): Promise<QuarantinedMessage | null> {
      const [row] = await db.select().from(quarantine).where(eq(quarantine.id, id));
      return row === undefined ? null : { ...row, provider: row.provider as AggregatorName };
    },
    /** Forgets messages that were last seen before then, whatever became of them. */
    async purgeQuarantine(beforeMs: number): Promise<void> {
      await db.delete(quarantine).where(lt(quarantine.lastAtMs, beforeMs));
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
  };
}
