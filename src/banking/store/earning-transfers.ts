// Requests of one holder to earn in the place of another, and their answers. Each is one batch
// whose statements share their condition, so that of two that race exactly one has its effect.
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { bankAccounts, earningHandovers, earningTransfers } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { noticeStatement } from "../../db/notice-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { AccountId, UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { DAY_MS } from "../../kernel/time.ts";
import { inBatch } from "./batch.ts";
import { anotherEarns, isLinked, NOTICE_DETAILS, sharedBy } from "./shared-account.ts";

const transfers = earningTransfers;
const accounts = bankAccounts;

/** A request that nobody answered changes nothing and is over by then. */
const TRANSFER_MS = 14 * DAY_MS;
/** Requests that are over are kept a while, so that an answer can be repeated. */
const TRANSFERS_KEPT_MS = 30 * DAY_MS;

/** What became of the latest request, as the user who asks or answers may know it. */
type TransferPosition = {
  readonly earning: boolean;
  readonly anotherEarns: boolean;
  /** Open, and of this user. */
  readonly asked: boolean;
  /** This user's latest answer, unless it is long ago. */
  readonly answered: "accepted" | "refused" | null;
};

/** The user's own linked account `a`, which the request or answer names. */
const ownAccount = (userId: UserId, id: AccountId): SQL =>
  sql`a.id = ${id} AND a.user_id = ${userId} AND ${isLinked("a")}`;

function askStatements(db: Database, ask: {
  readonly id: string;
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly nowMs: number;
}) {
  const { id, userId, accountId, nowMs } = ask;
  const mine = ownAccount(userId, accountId);
  const made = sql`SELECT t.fingerprint FROM earning_transfers t WHERE t.id = ${id}`;
  return [
    db.update(transfers).set({ state: "expired" }).where(
      sql`state = 'asked' AND expires_at_ms <= ${nowMs}
        AND fingerprint IN (SELECT ${sharedBy("a")} FROM bank_accounts a WHERE ${mine})`,
    ),
    // One open request at a time; after a refusal the next one waits until the former would have
    // been over.
    db.insert(transfers).select(
      sql`SELECT ${id}, ${sharedBy("a")}, ${userId}, 'asked', ${nowMs}, ${
        nowMs + TRANSFER_MS
      }, NULL, NULL
      FROM bank_accounts a WHERE ${mine} AND a.earning = 0
        AND ${anotherEarns(sharedBy("a"), sql`${userId}`)}
        AND NOT EXISTS (SELECT 1 FROM earning_transfers t WHERE t.fingerprint = ${sharedBy("a")}
          AND (t.state IN ('asked', 'accepted')
            OR (t.state = 'refused' AND t.user_id = ${userId} AND t.expires_at_ms > ${nowMs})))`,
    ),
    // Whoever asks to earn no longer wants the account off.
    db.update(accounts).set({ offByChoice: 0, updatedAtMs: nowMs }).where(
      sql`id = ${accountId} AND off_by_choice = 1 AND EXISTS (${made})`,
    ),
    noticeStatement(db, {
      id: sql`'transfer_asked:' || ${id}`,
      kind: "transfer_asked",
      userId: sql`a.user_id`,
      details: NOTICE_DETAILS,
      from: sql`FROM bank_accounts a JOIN bank_connections b ON b.id = a.connection_id
        WHERE ${sharedBy("a")} IN (${made}) AND a.user_id <> ${userId} AND a.earning = 1
          AND ${isLinked("a")} ORDER BY a.created_at_ms, a.id LIMIT 1`,
    }, nowMs),
  ];
}

type Answer = {
  readonly userId: UserId;
  readonly accountId: AccountId;
  readonly nowMs: number;
};

function acceptStatements(db: Database, { userId, accountId, nowMs }: Answer) {
  const accepted = sql`SELECT t.fingerprint FROM earning_transfers t
    WHERE t.state = 'accepted' AND t.answered_by = ${userId} AND t.answered_at_ms = ${nowMs}`;
  return [
    // Only while the one who asked could earn: nobody gives the right away to nobody.
    db.update(transfers).set({ state: "accepted", answeredBy: userId, answeredAtMs: nowMs }).where(
      sql`${openFor(userId, accountId, nowMs)}
        AND EXISTS (SELECT 1 FROM bank_accounts w
          WHERE ${sharedBy("w")} = earning_transfers.fingerprint
            AND w.user_id = earning_transfers.user_id AND w.earning = 0 AND w.off_by_choice = 0
            AND ${isLinked("w")})`,
    ),
    db.update(accounts).set({ earning: 0, updatedAtMs: nowMs }).where(
      sql`user_id = ${userId} AND earning = 1 AND ${sharedBy("bank_accounts")} IN (${accepted})`,
    ),
    db.insert(earningHandovers).select(
      sql`SELECT t.fingerprint, ${nowMs}, ${nowMs}, 0, t.user_id FROM earning_transfers t
        WHERE t.fingerprint IN (${accepted}) AND t.state = 'accepted'`,
    ).onConflictDoUpdate({
      target: earningHandovers.fingerprint,
      set: {
        stoppedAtMs: nowMs,
        nextTryAtMs: nowMs,
        preferredUserId: sql`excluded.preferred_user_id`,
      },
    }),
  ];
}

function refuseStatements(db: Database, { userId, accountId, nowMs }: Answer) {
  return [
    db.update(transfers).set({ state: "refused", answeredBy: userId, answeredAtMs: nowMs }).where(
      openFor(userId, accountId, nowMs),
    ),
    noticeStatement(db, {
      id: sql`'transfer_refused:' || t.id`,
      kind: "transfer_refused",
      userId: sql`t.user_id`,
      details: NOTICE_DETAILS,
      from: sql`FROM earning_transfers t
        JOIN bank_accounts a ON ${sharedBy("a")} = t.fingerprint AND a.user_id = t.user_id
        JOIN bank_connections b ON b.id = a.connection_id
        WHERE t.state = 'refused' AND t.answered_by = ${userId} AND t.answered_at_ms = ${nowMs}
        GROUP BY t.id`,
    }, nowMs),
  ];
}

/** The open request of another user for the account that this user earns with. */
function openFor(userId: UserId, accountId: AccountId, nowMs: number): SQL {
  return sql`state = 'asked' AND expires_at_ms > ${nowMs} AND user_id <> ${userId}
    AND fingerprint = (SELECT ${sharedBy("a")} FROM bank_accounts a
      WHERE ${ownAccount(userId, accountId)} AND a.earning = 1)`;
}

export function transferRows(db: Database, random: RandomBytes) {
  return {
    /** Asks, unless a request is open or this user's last one was refused lately. */
    async askTransfer(userId: UserId, accountId: AccountId, nowMs: number): Promise<void> {
      const id = newId("etr", nowMs, random, userId);
      await inBatch(db, askStatements(db, { id, userId, accountId, nowMs }));
    },
    /**
     * Answers the open request. Accepted, the right is free from this instant and noted to pass to
     * the user who asked.
     */
    async answerTransfer(answer: Answer, accept: boolean): Promise<void> {
      await inBatch(db, accept ? acceptStatements(db, answer) : refuseStatements(db, answer));
    },
    /** Null when the account is not the user's, or not linked any more. */
    async transferPosition(
      userId: UserId,
      accountId: AccountId,
      nowMs: number,
    ): Promise<TransferPosition | null> {
      const [row] = await db.all<{
        earning: number;
        another: number;
        asked: number;
        answered: string | null;
      }>(sql`SELECT a.earning, ${anotherEarns(sharedBy("a"), sql`${userId}`)} AS another,
          EXISTS (SELECT 1 FROM earning_transfers t WHERE t.fingerprint = ${sharedBy("a")}
            AND t.state = 'asked' AND t.user_id = ${userId} AND t.expires_at_ms > ${nowMs}) AS asked,
          (SELECT t.state FROM earning_transfers t WHERE t.fingerprint = ${sharedBy("a")}
            AND t.answered_by = ${userId} ORDER BY t.answered_at_ms DESC, t.id DESC LIMIT 1) AS answered
        FROM bank_accounts a WHERE ${ownAccount(userId, accountId)}`);
      if (row === undefined) return null;
      return {
        earning: row.earning === 1,
        anotherEarns: row.another === 1,
        asked: row.asked === 1,
        answered: row.answered === null
          ? null
          : row.answered === "refused"
          ? "refused"
          : "accepted",
      };
    },
    /** Requests that nobody answered are over, and forgotten after a while. */
    async tidyTransfers(nowMs: number): Promise<void> {
      await inBatch(db, [
        db.update(transfers).set({ state: "expired" }).where(
          sql`state = 'asked' AND expires_at_ms <= ${nowMs}`,
        ),
        db.delete(transfers).where(
          sql`expires_at_ms <= ${nowMs - TRANSFERS_KEPT_MS} AND state <> 'accepted'`,
        ),
      ]);
    },
  };
}
