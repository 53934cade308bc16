// The user's switch that lets an account earn.
import { and, eq, ne, sql } from "drizzle-orm";
import { bankAccounts } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { AccountId, UserId } from "../../kernel/ids.ts";

const accounts = bankAccounts;

export function earningSwitch(db: Database) {
  return {
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
