// The statements that bring what the aggregator showed into our tables. Each stands alone in a
// batch: ids of rows that the same batch makes are looked up by their unique key, never passed
// along.
import { and, eq, isNull, lte, ne, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { Database } from "../../db/database.ts";
import { bankAccounts, bankConnections, bankGaps } from "../../db/banking-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { addDays, DAY_MS, parisDate, parisToMs } from "../../kernel/time.ts";
import type { Standing } from "../connections/status.ts";
import type { Fingerprint } from "../connections/account-fingerprint.ts";
import type { AggregatorName } from "../ports.ts";

/** All of the statements or none; nothing for none. */
export async function inBatch(
  db: Database,
  statements: readonly BatchItem<"sqlite">[],
): Promise<void> {
  const [first, ...rest] = statements;
  if (first !== undefined) await db.batch([first, ...rest]);
}

export type NewConnection = Standing & {
  readonly remoteId: string;
  readonly bankId: string;
  readonly bankName: string;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
};
export type ConnectionChange = Standing & {
  readonly id: ConnectionId;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
  /** New accounts came, or a gap ended: rows have to be read back. */
  readonly readAgain: boolean;
  /** The last good sync before a gap that begins. */
  readonly gapFromMs: number | null;
  /** Syncs work again: a gap that lasts ends now. */
  readonly gapEnds: boolean;
};
export type NewAccount = Fingerprint & {
  readonly remoteId: string;
  readonly remoteConnectionId: string;
  readonly kind: "checking" | "card";
  readonly currency: string | null;
};
export type AccountChange = {
  readonly remoteId: string;
  readonly state: "enabled" | "disabled" | "deleted";
  readonly currency: string | null;
};

export type Changes = {
  readonly aggregator: AggregatorName;
  readonly userId: UserId;
  readonly linkId: string;
  /** When the look began: what changed since wins over it. */
  readonly readAtMs: number;
  readonly nowMs: number;
  readonly newConnections: readonly NewConnection[];
  readonly connections: readonly ConnectionChange[];
  readonly newAccounts: readonly NewAccount[];
  readonly accounts: readonly AccountChange[];
};

/** Adds a connection once, and only while the link stands: a withdrawal in between wins. */
export function insertConnection(
  db: Database,
  changes: Changes,
  item: NewConnection,
  random: RandomBytes,
) {
  const id = newId("con", changes.nowMs, random, changes.userId);
  // Every column in the order of banking-tables.ts: that is how an insert from a select is built.
  return db.insert(bankConnections).select(
    sql`SELECT ${id}, l.user_id, l.id, l.aggregator, ${item.remoteId}, ${item.bankId}, ${item.bankName}, ${item.status}, ${item.action},
      ${item.consentGrantedAtMs}, ${item.consentExpiresAtMs}, 'due', NULL, NULL, 0, ${changes.nowMs}, ${changes.nowMs}, ${changes.nowMs}, NULL, 0, NULL, ${
      changes.nowMs + DAY_MS
    }
    FROM aggregator_links l WHERE l.id = ${changes.linkId} AND l.state = 'created'`,
  ).onConflictDoNothing({
    target: [bankConnections.aggregator, bankConnections.remoteConnectionId],
  });
}

export function connectionUpdate(db: Database, changes: Changes, item: ConnectionChange) {
  return db.update(bankConnections).set({
    status: item.status,
    action: item.action,
    consentGrantedAtMs: item.consentGrantedAtMs,
    consentExpiresAtMs: item.consentExpiresAtMs,
    updatedAtMs: changes.nowMs,
    ...(item.readAgain ? { fullRead: "due" as const, nextTryAtMs: changes.nowMs } : {}),
  }).where(
    and(
      eq(bankConnections.id, item.id),
      ne(bankConnections.status, "removed"),
      lte(bankConnections.updatedAtMs, changes.readAtMs),
    ),
  );
}

/**
 * Opens or ends the gap that goes with a change of a connection; to stand before that change in the
 * batch, whose condition it shares.
 */
export function gapUpdates(
  db: Database,
  changes: Changes,
  item: ConnectionChange,
): BatchItem<"sqlite">[] {
  const unchanged =
    sql`SELECT 1 FROM bank_connections c WHERE c.id = ${item.id} AND c.status <> 'removed' AND c.updated_at_ms <= ${changes.readAtMs}`;
  const open = and(eq(bankGaps.connectionId, item.id), isNull(bankGaps.toMs));
  if (item.gapEnds) {
    return [
      db.update(bankGaps).set({ toMs: sql`MAX(${changes.nowMs}, ${bankGaps.fromMs})` }).where(
        and(open, sql`EXISTS (${unchanged})`),
      ),
    ];
  }
  if (item.gapFromMs === null) return [];
  return [
    db.insert(bankGaps).select(
      sql`SELECT ${item.id}, ${item.gapFromMs}, NULL, NULL WHERE EXISTS (${unchanged})
    AND NOT EXISTS (SELECT 1 FROM bank_gaps g WHERE g.connection_id = ${item.id} AND g.to_ms IS NULL)`,
    )
      // The same last good sync again: the renewal in between brought nothing, so that gap still
      // lasts.
      .onConflictDoUpdate({
        target: [bankGaps.connectionId, bankGaps.fromMs],
        set: { toMs: null, recoveredAtMs: null },
      }),
  ];
}

/**
 * Adds an account once. A new generation of an account that this user has linked already keeps its
 * date of link, its switch and its number; its rows come again as if seen for the first time, so
 * those from before it was last switched on go by their date. Otherwise it earns unless another
 * user's account does for the same bank account. To stand behind the changes of state in the batch:
 * an account is recognised by its name only in the place of one that ended.
 */
export function insertAccount(
  db: Database,
  changes: Changes,
  item: NewAccount,
  random: RandomBytes,
) {
  const id = newId("acc", changes.nowMs, random, changes.userId);
  // By fingerprint; where either of the two has no IBAN, by bank and name.
  const ended = sql`(p.state <> 'enabled' OR q.status = 'removed')`;
  const sameName =
    sql`(COALESCE(p.weak_key, p.fingerprint) = ${item.weakKey} AND (p.strength = 'weak' OR ${item.strength} = 'weak') AND ${ended})`;
  const generation = (column: ReturnType<typeof sql>, linked: ReturnType<typeof sql>) =>
    sql`(SELECT ${column} FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = ${changes.userId} AND (p.fingerprint = ${item.fingerprint} OR ${sameName}) AND ${linked} ORDER BY p.fingerprint = ${item.fingerprint} DESC, p.created_at_ms DESC, p.id DESC LIMIT 1)`;
  // What another user of the same bank account bought today has earned for that user: else one
  // account would pay each of a row of users.
  const othersDay =
    sql`CASE WHEN ${item.strength} <> 'weak' AND EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = ${item.fingerprint} AND o.user_id <> ${changes.userId})
    THEN ${parisToMs(addDays(parisDate(changes.nowMs), 1))} ELSE ${changes.nowMs} END`;
  const earlier = (column: string) =>
    generation(sql.raw(`p.${column}`), sql`q.status <> 'removed'`);
  return db.insert(bankAccounts).select(
    sql`SELECT ${id}, b.user_id, b.id, b.aggregator, ${item.remoteId}, ${item.kind}, ${item.currency},
      COALESCE((SELECT p.ordinal FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id WHERE p.connection_id = b.id AND (p.fingerprint = ${item.fingerprint} OR ${sameName}) LIMIT 1),
        1 + (SELECT COALESCE(MAX(s.ordinal), 0) FROM bank_accounts s WHERE s.connection_id = b.id)),
      ${item.fingerprint}, ${item.strength},
      COALESCE(${
      earlier("earning")
    }, ${item.strength} = 'weak' OR NOT EXISTS (SELECT 1 FROM bank_accounts o JOIN bank_connections r ON r.id = o.connection_id
        WHERE o.fingerprint = ${item.fingerprint} AND o.user_id <> ${changes.userId} AND o.earning = 1 AND o.state = 'enabled' AND r.status <> 'removed')),
      COALESCE(MAX(${earlier("linked_at_ms")}, COALESCE(${
      earlier("seen_from_ms")
    }, 0)), ${othersDay}), ${
      earlier("seen_from_ms")
    }, 'enabled', ${changes.nowMs}, ${changes.nowMs},
      ${item.weakKey}, ${generation(sql`COALESCE(p.family, p.fingerprint)`, sql`1`)}
    FROM bank_connections b WHERE b.aggregator = ${changes.aggregator} AND b.remote_connection_id = ${item.remoteConnectionId}
      AND b.user_id = ${changes.userId} AND b.status <> 'removed'`,
  ).onConflictDoNothing({ target: [bankAccounts.aggregator, bankAccounts.remoteAccountId] });
}

/**
 * Follows an account's state. Opting in again is a new link: what was bought in between is not ours
 * to see.
 */
export function updateAccount(db: Database, changes: Changes, item: AccountChange) {
  const table = bankAccounts;
  return db.update(table).set({
    state: item.state,
    currency: sql`COALESCE(${table.currency}, ${item.currency})`,
    updatedAtMs: changes.nowMs,
    linkedAtMs:
      sql`CASE WHEN ${table.state} = 'disabled' AND ${item.state} = 'enabled' THEN ${changes.nowMs} ELSE ${table.linkedAtMs} END`,
  }).where(
    and(
      eq(table.aggregator, changes.aggregator),
      eq(table.remoteAccountId, item.remoteId),
      eq(table.userId, changes.userId),
      lte(table.updatedAtMs, changes.readAtMs),
    ),
  );
}
