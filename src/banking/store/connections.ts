// Connections: what a reconcile found, and their ends.
import { and, eq, isNotNull, ne, sql } from "drizzle-orm";
import { aggregatorLinks, bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_CONNECTIONS } from "../../db/sealed-tables.ts";
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { Changes } from "../connections/index.ts";
import type { AggregatorName } from "../ports.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import { inBatch } from "./batch.ts";
import { insertAccount } from "./new-account.ts";
import {
  connectionUpdate,
  firstReadUpdate,
  gapUpdates,
  insertConnection,
  updateAccount,
} from "./reconcile.ts";

const connections = bankConnections;

type Removal = {
  readonly userId: UserId;
  readonly id: ConnectionId;
  readonly gone: boolean;
  readonly nowMs: number;
};

function removal(db: Database, { userId, id, gone, nowMs }: Removal) {
  const links = aggregatorLinks;
  return [
    db.update(connections).set({
      status: "removed",
      action: "none",
      removedAtMs: nowMs,
      goneRemotely: gone ? 1 : 0,
      nextTryAtMs: gone ? null : nowMs,
      tries: 0,
      updatedAtMs: nowMs,
    }).where(
      and(
        eq(connections.id, id),
        eq(connections.userId, userId),
        ne(connections.status, "removed"),
      ),
    ),
    db.update(links).set({ state: "ending", nextTryAtMs: nowMs, tries: 0 }).where(
      and(
        eq(links.state, "created"),
        isNotNull(links.connectionsReadAtMs),
        sql`${links.id} = (SELECT b.link_id FROM bank_connections b WHERE b.id = ${id} AND b.user_id = ${userId})`,
        sql`NOT EXISTS (SELECT 1 FROM bank_connections b WHERE b.link_id = ${links.id} AND b.status <> 'removed')`,
      ),
    ),
  ];
}

export function connectionRows(db: Database, random: RandomBytes, seals: RowSeals) {
  return {
    /** Which link and aggregator a user's connection belongs to. */
    async linkOfConnection(
      userId: UserId,
      id: ConnectionId,
    ): Promise<{ readonly linkId: string; readonly aggregator: AggregatorName } | null> {
      const [row] = await db.select().from(connections).where(
        and(eq(connections.id, id), eq(connections.userId, userId)),
      );
      return row !== undefined && seals.holds(SEALED_CONNECTIONS, row) ? row : null;
    },
    /**
     * Applies what a reconcile found, in one batch. Safe to repeat, and at the same time as
     * another.
     */
    async applyChanges(changes: Changes): Promise<void> {
      await inBatch(db, [
        ...changes.newConnections.map((item) => insertConnection(db, changes, item, random, seals)),
        ...(changes.isFirstRead ? [firstReadUpdate(db, changes)] : []),
        ...changes.connections.flatMap((
          item,
        ) => [...gapUpdates(db, changes, item), connectionUpdate(db, changes, item)]),
        ...changes.accounts.map((item) => updateAccount(db, changes, item, seals)),
        ...changes.newAccounts.map((item) => insertAccount(db, changes, item, random, seals)),
      ]);
    },
    /**
     * A connection's local end; `gone` when the aggregator has already forgotten it. The last one
     * of a link ends the link, so that nobody stays there for nothing. Nothing happens to one that
     * ended before.
     */
    async removeConnection(
      userId: UserId,
      id: ConnectionId,
      gone: boolean,
      nowMs: number,
    ): Promise<void> {
      await inBatch(db, removal(db, { userId, id, gone, nowMs }));
    },
    /** The same for one that shows somebody else's accounts after a renewal, with a mail. */
    async endReplaced(userId: UserId, id: ConnectionId, nowMs: number): Promise<void> {
      await inBatch(db, [
        ...removal(db, { userId, id, gone: false, nowMs }),
        noticeStatement(db, {
          id: sql`${`bank_connection_ended:${id}`}`,
          kind: "bank_connection_ended",
          userId: sql`b.user_id`,
          details: sql`json_object('bank', b.bank_name)`,
          from: sql`FROM bank_connections b WHERE b.id = ${id} AND b.removed_at_ms = ${nowMs}`,
        }, nowMs),
      ]);
    },
    /** From now on its accounts may be those of whoever opened the page that renews it. */
    async offerRenewal(id: ConnectionId, nowMs: number): Promise<void> {
      await db.update(connections).set({ renewalOfferedAtMs: nowMs }).where(
        eq(connections.id, id),
      );
    },
    /** The aggregator has forgotten a connection that ended here. */
    async connectionGone(id: ConnectionId): Promise<void> {
      await db.update(connections).set({ goneRemotely: 1, nextTryAtMs: null }).where(
        and(eq(connections.id, id), eq(connections.status, "removed")),
      );
    },
  };
}
