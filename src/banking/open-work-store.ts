// What is left open: reads back, repairs, removals, and messages that were set aside without their bodies.
import { and, eq, ne, sql } from "drizzle-orm";
import { inBatch } from "./writes-store.ts";
import type { Database } from "../db/database.ts";
import { aggregatorLinks, bankConnections } from "../db/banking-tables.ts";
import { quarantine } from "../db/platform-tables.ts";
import { newId } from "../kernel/ids.ts";
import type { ConnectionId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Directory } from "./directory.ts";

export type QuarantineEntry = {
  readonly provider: string; readonly event: string; readonly remoteUserId: string | null; readonly remoteConnectionId: string | null;
  readonly reason: string; readonly bodyBytes: number; readonly bodyHash: string;
};
export type DueWork = { readonly links: readonly { readonly id: string; readonly state: Directory["linkState"]; readonly tries: number }[]; readonly connections: readonly { readonly id: ConnectionId; readonly linkId: string; readonly tries: number }[] };

const links = aggregatorLinks;
const connections = bankConnections;

export function openWork(db: Database, random: RandomBytes) {
  const quarantineStatement = (entry: QuarantineEntry, nowMs: number) =>
    db.insert(quarantine).values({ id: newId("qua", nowMs, random), ...entry, firstAtMs: nowMs, lastAtMs: nowMs, times: 1 }).onConflictDoUpdate({
      target: [quarantine.provider, quarantine.event, quarantine.bodyHash, quarantine.reason],
      set: { lastAtMs: nowMs, times: sql`${quarantine.times} + 1`, resolvedAtMs: null },
    });

  return {
    /** The full read is done, unless the connection changed since it began. */
    async fullReadDone(id: ConnectionId, seenUpdatedAtMs: number): Promise<void> {
      await db.update(connections).set({ fullRead: "done", tries: 0, nextTryAtMs: null }).where(and(eq(connections.id, id), eq(connections.fullRead, "due"), eq(connections.updatedAtMs, seenUpdatedAtMs)));
    },
    async repaired(id: ConnectionId, since: number): Promise<void> {
      await db.update(connections).set({ repairReason: null, repairSinceMs: null, tries: 0, nextTryAtMs: null }).where(and(eq(connections.id, id), eq(connections.repairSinceMs, since)));
    },
    async postpone(id: ConnectionId, tries: number, atMs: number): Promise<void> {
      await db.update(connections).set({ tries, nextTryAtMs: atMs }).where(eq(connections.id, id));
    },
    /** One user's trouble: the connection waits for a repair, the message is noted without its body; together or not at all. */
    async trouble(id: ConnectionId | null, reason: string, entry: QuarantineEntry, nowMs: number, retryAtMs: number): Promise<void> {
      await inBatch(db, [
        quarantineStatement(entry, nowMs),
        ...(id === null ? [] : [db.update(connections).set({
          repairReason: reason, repairSinceMs: sql`COALESCE(${connections.repairSinceMs}, ${nowMs})`, nextTryAtMs: sql`COALESCE(${connections.nextTryAtMs}, ${retryAtMs})`,
        }).where(and(eq(connections.id, id), ne(connections.status, "removed")))]),
      ]);
    },
    async quarantine(entry: QuarantineEntry, nowMs: number): Promise<void> {
      await quarantineStatement(entry, nowMs);
    },
    /** What the sweep has to do now, oldest first. */
    async due(nowMs: number, limit: number): Promise<DueWork> {
      const [dueLinks, dueConnections] = await db.batch([
        db.select({ id: links.id, state: links.state, tries: links.tries }).from(links).where(sql`${links.nextTryAtMs} IS NOT NULL AND ${links.nextTryAtMs} <= ${nowMs} AND ${links.state} IN ('created', 'ending')`).orderBy(links.nextTryAtMs).limit(limit),
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries }).from(connections).where(sql`((${connections.status} <> 'removed' AND (${connections.fullRead} = 'due' OR ${connections.repairReason} IS NOT NULL)) OR (${connections.status} = 'removed' AND ${connections.goneRemotely} = 0)) AND ${connections.nextTryAtMs} <= ${nowMs}`).orderBy(connections.nextTryAtMs).limit(limit),
      ]);
      return { links: dueLinks, connections: dueConnections.map((row) => ({ ...row, id: row.id as ConnectionId })) };
    },
  };
}
