// Connections and accounts: what a look found, their ends, the switch that lets an account earn.
import { and, eq, ne, sql } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import { bankAccounts, bankConnections } from "../../db/banking-tables.ts";
import type { AccountId, ConnectionId, UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import type { AggregatorName } from "../ports.ts";
import {
  connectionUpdate,
  gapUpdates,
  inBatch,
  insertAccount,
  insertConnection,
  updateAccount,
} from "./reconcile.ts";
import type { Changes } from "./reconcile.ts";

const connections = bankConnections;
const accounts = bankAccounts;

export function connectionRows(db: Database, random: RandomBytes) {
  return {
    /** Which link and aggregator a user's connection belongs to. */
    async linkOfConnection(
      userId: UserId,
      id: ConnectionId,
    ): Promise<{ readonly linkId: string; readonly aggregator: AggregatorName } | null> {
      const [row] = await db.select({
        linkId: connections.linkId,
        aggregator: connections.aggregator,
      }).from(connections).where(and(eq(connections.id, id), eq(connections.userId, userId)));
      return row ?? null;
    },
    /**
     * What a look at the aggregator found, in one batch. Safe to apply twice and at the same time
     * as another.
     */
    async apply(changes: Changes): Promise<void> {
      await inBatch(db, [
        ...changes.newConnections.map((item) => insertConnection(db, changes, item, random)),
        ...changes.connections.flatMap((
          item,
        ) => [...gapUpdates(db, changes, item), connectionUpdate(db, changes, item)]),
        ...changes.accounts.map((item) => updateAccount(db, changes, item)),
        ...changes.newAccounts.map((item) => insertAccount(db, changes, item, random)),
      ]);
    },
    /**
     * A connection's local end; `gone` when the aggregator has already forgotten it. Nothing
     * happens to one that ended before.
     */
    async removeConnection(
      userId: UserId,
      id: ConnectionId,
      gone: boolean,
      nowMs: number,
    ): Promise<void> {
      await db.update(connections).set({
        status: "removed",
        action: "none",
        removedAtMs: nowMs,
        goneRemotely: gone ? 1 : 0,
        nextTryAtMs: gone ? null : nowMs,
        tries: 0,
        updatedAtMs: nowMs,
      })
        .where(
          and(
            eq(connections.id, id),
            eq(connections.userId, userId),
            ne(connections.status, "removed"),
          ),
        );
    },
    async connectionGone(id: ConnectionId): Promise<void> {
      await db.update(connections).set({ goneRemotely: 1, nextTryAtMs: null }).where(
        and(eq(connections.id, id), eq(connections.status, "removed")),
      );
    },
    /**
     * Switches earning. `shared` when another user's account already earns for the same bank
     * account: checked in the same statement, so that of two holders exactly one earns.
     */
    async setEarning(
      userId: UserId,
      id: AccountId,
      earning: boolean,
      nowMs: number,
    ): Promise<"done" | "shared" | "unknown"> {
      const free =
        sql`NOT EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = ${accounts.fingerprint} AND o.user_id <> ${userId} AND o.earning = 1 AND o.state = 'enabled' AND ${accounts.strength} <> 'weak'
        AND (SELECT status FROM bank_connections WHERE id = o.connection_id) <> 'removed')`;
      const own = and(
        eq(accounts.id, id),
        eq(accounts.userId, userId),
        ne(accounts.state, "deleted"),
      );
      const done = earning
        ? await db.update(accounts).set({
          earning: 1,
          seenFromMs:
            sql`CASE WHEN ${accounts.earning} = 0 THEN ${nowMs} ELSE ${accounts.seenFromMs} END`,
          updatedAtMs: nowMs,
        }).where(and(own, sql`(${accounts.earning} = 1 OR ${free})`)).returning({ id: accounts.id })
        : await db.update(accounts).set({ earning: 0, updatedAtMs: nowMs }).where(own).returning({
          id: accounts.id,
        });
      if (done.length > 0) return "done";
      const [row] = await db.select({ id: accounts.id }).from(accounts).where(own);
      return row === undefined ? "unknown" : "shared";
    },
  };
}
