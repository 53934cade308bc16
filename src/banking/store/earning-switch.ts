// The user's switch that lets an account earn.
import { and, eq, ne, sql } from "drizzle-orm";
import { bankAccounts, earningTransfers } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_ACCOUNTS } from "../../db/sealed-tables.ts";
import type { AccountId, UserId } from "../../kernel/ids.ts";
import { inBatch } from "./batch.ts";
import { startEarning } from "./handovers.ts";
import type { EarningStart } from "./handovers.ts";
import { sharedBy } from "./shared-account.ts";

const accounts = bankAccounts;

export function earningSwitch(db: Database, seals: RowSeals) {
  const own = (userId: UserId, id: AccountId) =>
    and(eq(accounts.id, id), eq(accounts.userId, userId), ne(accounts.state, "deleted"));
  return {
    /** What the switch is about; null when it is not this user's, or gone. */
    async switchOf(
      userId: UserId,
      id: AccountId,
    ): Promise<{ readonly earning: boolean; readonly fingerprint: string } | null> {
      const [row] = await db.select().from(accounts).where(own(userId, id));
      return row !== undefined && seals.holds(SEALED_ACCOUNTS, row)
        ? { fingerprint: row.fingerprint, earning: row.earning === 1 }
        : null;
    },
    /** False when another user's account earns with the same bank account. */
    async switchOn(userId: UserId, id: AccountId, start: EarningStart): Promise<boolean> {
      await startEarning(db, [id], userId, start, ne(accounts.state, "deleted") ?? sql`1`);
      const [row] = await db.select({ earning: accounts.earning }).from(accounts).where(
        own(userId, id),
      );
      return row?.earning === 1;
    },
    /** Off by choice; a request of this user for the account is withdrawn with it. */
    async switchOff(userId: UserId, id: AccountId, nowMs: number): Promise<void> {
      await inBatch(db, [
        db.update(earningTransfers).set({ state: "void" }).where(
          sql`state = 'asked' AND user_id = ${userId} AND fingerprint IN (
            SELECT ${sharedBy("a")} FROM bank_accounts a
            WHERE a.id = ${id} AND a.user_id = ${userId})`,
        ),
        db.update(accounts).set({ earning: 0, offByChoice: 1, updatedAtMs: nowMs }).where(
          own(userId, id),
        ),
      ]);
    },
  };
}
