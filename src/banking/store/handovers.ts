// The right to earn with a shared account passes from one holder to the next. Triggers note what is
// due (migrations/0013_shared_accounts.sql); here it is read and carried out.
import { and, eq, inArray, lte, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import {
  bankAccounts,
  bankConnections,
  earningHandovers,
  earningTransfers,
} from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import type { AccountId, UserId } from "../../kernel/ids.ts";
import type { Handover, Holder, NextHolder } from "../connections/index.ts";
import { inBatch } from "./batch.ts";
import { anotherEarns, isLinked, NOTICE_DETAILS, sharedBy } from "./shared-account.ts";

const handovers = earningHandovers;

/** From when on rows count for who begins to earn, and which of them earlier holders have had. */
export type EarningStart = {
  readonly seenFromMs: number;
  /**
   * Rows of days before this instant's stay with the earlier holders; null when there were none.
   */
  readonly countsFromMs: number | null;
  readonly takenRows: readonly string[];
  readonly nowMs: number;
};

type HandoverRow = typeof earningHandovers.$inferSelect;

const handoverOf = (row: HandoverRow): Handover => ({
  fingerprint: row.fingerprint,
  stoppedAtMs: row.stoppedAtMs,
  tries: row.tries,
  preferredUserId: row.preferredUserId as UserId | null,
});

/**
 * Begins to earn with these accounts of one user, unless another user does by now. An account that
 * was to count from a day to come only, because it was linked beside a holder who earned, counts
 * from its link.
 */
export function startEarning(
  db: Database,
  ids: readonly AccountId[],
  userId: UserId,
  start: EarningStart,
  condition: SQL,
) {
  const { seenFromMs, countsFromMs, takenRows, nowMs } = start;
  return db.update(bankAccounts).set({
    earning: 1,
    offByChoice: 0,
    seenFromMs,
    ...(countsFromMs === null ? {} : {
      linkedAtMs: sql`MAX(${countsFromMs}, CASE WHEN ${bankAccounts.linkedAtMs} > ${nowMs}
        THEN ${bankAccounts.createdAtMs} ELSE ${bankAccounts.linkedAtMs} END)`,
      takenRows: JSON.stringify(takenRows),
    }),
    updatedAtMs: nowMs,
  }).where(and(
    inArray(bankAccounts.id, [...ids]),
    eq(bankAccounts.userId, userId),
    eq(bankAccounts.earning, 0),
    sql`NOT ${anotherEarns(sharedBy("bank_accounts"), sql`${userId}`)}`,
    condition,
  ));
}

function reads(db: Database) {
  return {
    /** All accounts that users have or had of one shared account, in the order of first sight. */
    async holdersOf(fingerprint: string): Promise<Holder[]> {
      type Row = Omit<Holder, "earning" | "offByChoice" | "linked"> & {
        readonly earning: number;
        readonly offByChoice: number;
        readonly linked: number;
      };
      const rows = await db.all<Row>(
        sql`SELECT a.id AS accountId, a.user_id AS userId, a.connection_id AS connectionId,
          a.earning, a.off_by_choice AS offByChoice, a.created_at_ms AS createdAtMs,
          (${isLinked("a")} AND u.state = 'active') AS linked
        FROM bank_accounts a JOIN users u ON u.id = a.user_id
        WHERE ${sharedBy("a")} = ${fingerprint} ORDER BY a.created_at_ms, a.id`,
      );
      return rows.map((row) => ({
        ...row,
        earning: row.earning === 1,
        offByChoice: row.offByChoice === 1,
        linked: row.linked === 1,
      }));
    },
    /** What is due, oldest first. */
    async dueHandovers(nowMs: number, limit: number): Promise<Handover[]> {
      const rows = await db.select().from(handovers).where(lte(handovers.nextTryAtMs, nowMs))
        .orderBy(handovers.nextTryAtMs).limit(limit);
      return rows.map(handoverOf);
    },
    /** What a user's own accounts have to do with. */
    async handoversOf(userId: UserId): Promise<Handover[]> {
      const rows = await db.select().from(handovers).where(
        sql`${handovers.fingerprint} IN (SELECT ${
          sharedBy("a")
        } FROM bank_accounts a WHERE a.user_id = ${userId})`,
      );
      return rows.map(handoverOf);
    },
  };
}

export function handoverRows(db: Database) {
  return {
    ...reads(db),
    /**
     * The next holder earns, gets a mail that says so, and reads back what was seen since the right
     * was free. All or nothing; without effect when something changed since the holders were read,
     * and then the note stays.
     */
    async handOver(due: Handover, next: NextHolder, start: EarningStart): Promise<void> {
      const { fingerprint, stoppedAtMs } = due;
      const { nowMs } = start;
      const ids = next.accounts.map(({ accountId }) => accountId);
      const began = sql`a.id IN ${[
        ...ids,
      ]} AND a.earning = 1 AND a.seen_from_ms = ${start.seenFromMs} AND a.updated_at_ms = ${nowMs}`;
      const connectionIds = next.accounts.map(({ connectionId }) => connectionId);
      await inBatch(db, [
        startEarning(
          db,
          ids,
          next.userId,
          start,
          sql`${bankAccounts.offByChoice} = 0 AND ${isLinked("bank_accounts")}`,
        ),
        // The time is set as well: a read that began before must not count as this one.
        db.update(bankConnections).set({
          fullRead: "due",
          changesReadAtMs: null,
          nextTryAtMs: nowMs,
          updatedAtMs: nowMs,
        }).where(and(
          inArray(bankConnections.id, connectionIds),
          sql`EXISTS (SELECT 1 FROM bank_accounts a WHERE a.connection_id = bank_connections.id AND ${began})`,
        )),
        noticeStatement(db, {
          id: sql`'earning_started:' || a.id || ':' || ${stoppedAtMs}`,
          kind: "earning_started",
          userId: sql`a.user_id`,
          details: NOTICE_DETAILS,
          from: sql`FROM bank_accounts a JOIN bank_connections b ON b.id = a.connection_id
            WHERE ${began} ORDER BY a.created_at_ms, a.id LIMIT 1`,
        }, nowMs),
        db.update(earningTransfers).set({
          state: sql`CASE state WHEN 'accepted' THEN 'done' ELSE 'void' END`,
        }).where(
          sql`fingerprint = ${fingerprint} AND state IN ('asked', 'accepted')
            AND EXISTS (SELECT 1 FROM bank_accounts a WHERE ${began})`,
        ),
        db.delete(handovers).where(and(
          eq(handovers.fingerprint, fingerprint),
          eq(handovers.stoppedAtMs, stoppedAtMs),
          sql`EXISTS (SELECT 1 FROM bank_accounts a WHERE ${began})`,
        )),
      ]);
    },
    /** Nothing is to be handed over, unless it was noted anew since. */
    async dropHandover(due: Handover): Promise<void> {
      await db.delete(handovers).where(
        and(
          eq(handovers.fingerprint, due.fingerprint),
          eq(handovers.stoppedAtMs, due.stoppedAtMs),
        ),
      );
    },
    async postponeHandover(due: Handover, atMs: number): Promise<void> {
      await db.update(handovers).set({ nextTryAtMs: atMs, tries: due.tries + 1 }).where(
        and(
          eq(handovers.fingerprint, due.fingerprint),
          eq(handovers.stoppedAtMs, due.stoppedAtMs),
        ),
      );
    },
  };
}
