// What the sweep has to do: reads, repairs, removals.
import { eq, sql } from "drizzle-orm";
import { aggregatorLinks, bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import type { LinkedUser } from "../connections/index.ts";

type DueWork = {
  readonly links: readonly {
    readonly id: string;
    readonly state: LinkedUser["linkState"];
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
const isOpen =
  sql`((${connections.status} <> 'removed' AND (${connections.fullRead} = 'due' OR ${connections.repairReason} IS NOT NULL)) OR (${connections.status} = 'removed' AND ${connections.goneRemotely} = 0))`;

export function pendingWork(db: Database) {
  return {
    /** Tries again later: what is open at `atMs`, the usual read not before `changesAtMs`. */
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
    /** What the sweep has to do now, oldest first. */
    async due(nowMs: number, limit: number): Promise<DueWork> {
      const [dueLinks, dueConnections, dueChanges] = await db.batch([
        db.select({ id: links.id, state: links.state, tries: links.tries }).from(links).where(
          sql`${links.nextTryAtMs} IS NOT NULL AND ${links.nextTryAtMs} <= ${nowMs}`,
        ).orderBy(links.nextTryAtMs).limit(limit),
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries })
          .from(connections).where(sql`${isOpen} AND ${connections.nextTryAtMs} <= ${nowMs}`)
          .orderBy(connections.nextTryAtMs).limit(limit),
        // The literal status is what lets the partial index serve.
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries })
          .from(connections).where(
            sql`${connections.status} <> 'removed' AND ${connections.changesDueAtMs} <= ${nowMs}`,
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
