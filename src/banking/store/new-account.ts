// How an account that the aggregator showed for the first time gets its values: a plan, column by
// column, then the insert. The plan is made of SQL and decided inside the insert, because what
// another user's request does in between must count: of two holders of one bank account who link it
// at the same moment, exactly one earns.
import { and, eq, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { bankAccounts, bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { addDays, parisDate, parisToMs } from "../../kernel/time.ts";
import type { Changes, NewAccount } from "../connections/index.ts";
import { anotherEarns, sharedBy } from "./shared-account.ts";

/** The connection that the account belongs to; `b` in the texts below. */
const connection = alias(bankConnections, "b");

/**
 * Adds an account once. It comes behind the changes of state in the batch: an account is recognised
 * by its name only in the place of one that ended.
 */
export function insertAccount(
  db: Database,
  changes: Changes,
  item: NewAccount,
  random: RandomBytes,
) {
  const id = newId("acc", changes.nowMs, random, changes.userId);
  return db.insert(bankAccounts).select(
    db.select(accountPlan(id, changes, item)).from(connection).where(and(
      eq(connection.aggregator, changes.aggregator),
      eq(connection.remoteConnectionId, item.remoteConnectionId),
      eq(connection.userId, changes.userId),
      ne(connection.status, "removed"),
    )),
  ).onConflictDoNothing({ target: [bankAccounts.aggregator, bankAccounts.remoteAccountId] });
}

/**
 * The value of each column. A new generation of an account that this user has linked already keeps
 * its date of link, its switch and its number; any other starts afresh. Named by column; the
 * builder refuses another order than the table's.
 */
function accountPlan(id: string, changes: Changes, item: NewAccount) {
  const earlier = (
    column: "earning" | "linked_at_ms" | "seen_from_ms" | "off_by_choice" | "taken_rows",
  ) => earlierGeneration(changes, item, sql.raw(`p.${column}`), sql`q.status <> 'removed'`);
  return {
    id: sql`${id}`.as("id"),
    userId: connection.userId,
    connectionId: connection.id,
    aggregator: connection.aggregator,
    remoteAccountId: sql`${item.remoteId}`.as("remoteAccountId"),
    kind: sql`${item.kind}`.as("kind"),
    currency: sql`${item.currency}`.as("currency"),
    ordinal: ordinalInConnection(item).as("ordinal"),
    fingerprint: sql`${item.fingerprint}`.as("fingerprint"),
    strength: sql`${item.strength}`.as("strength"),
    // Off stays off, for its reason. On does not stay on where another holder has begun to earn since
    // the former account ended.
    earning: sql`(COALESCE(${earlier("earning")}, 1) AND ${earnsAfresh(changes, item)})`.as(
      "earning",
    ),
    // Rows of a new generation come again as if seen for the first time, so those from before it
    // was last switched on go by their date.
    linkedAtMs: sql`COALESCE(
      MAX(${earlier("linked_at_ms")}, COALESCE(${earlier("seen_from_ms")}, 0)),
      ${firstLinkedAtMs(changes, item)})`.as("linkedAtMs"),
    seenFromMs: earlier("seen_from_ms").as("seenFromMs"),
    state: sql`'enabled'`.as("state"),
    createdAtMs: sql`${changes.nowMs}`.as("createdAtMs"),
    updatedAtMs: sql`${changes.nowMs}`.as("updatedAtMs"),
    weakKey: sql`${item.weakKey}`.as("weakKey"),
    family: earlierGeneration(changes, item, sql`COALESCE(p.family, p.fingerprint)`, sql`1`).as(
      "family",
    ),
    offByChoice: sql`COALESCE(${earlier("off_by_choice")}, 0)`.as("offByChoice"),
    takenRows: earlier("taken_rows").as("takenRows"),
  };
}

/**
 * True when `p`, an account on connection `q`, is the same bank account: by fingerprint; where
 * either of the two has no IBAN, by bank and name, and only when `p` has ended.
 */
function isSameAccount(item: NewAccount): SQL {
  return sql`(p.fingerprint = ${item.fingerprint}
    OR (COALESCE(p.weak_key, p.fingerprint) = ${item.weakKey}
      AND (p.strength = 'weak' OR ${item.strength} = 'weak')
      AND (p.state <> 'enabled' OR q.status = 'removed')))`;
}

/** A value of the user's latest earlier generation of the account; the same fingerprint first. */
function earlierGeneration(changes: Changes, item: NewAccount, value: SQL, condition: SQL): SQL {
  return sql`(SELECT ${value}
    FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = ${changes.userId} AND ${isSameAccount(item)} AND ${condition}
    ORDER BY p.fingerprint = ${item.fingerprint} DESC, p.created_at_ms DESC, p.id DESC LIMIT 1)`;
}

/** The number of an earlier generation on this connection, else the next one. */
function ordinalInConnection(item: NewAccount): SQL {
  return sql`COALESCE(
    (SELECT p.ordinal FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
      WHERE p.connection_id = b.id AND ${isSameAccount(item)} LIMIT 1),
    1 + (SELECT COALESCE(MAX(s.ordinal), 0) FROM bank_accounts s WHERE s.connection_id = b.id))`;
}

/** An account earns unless another user's account already does for the same bank account. */
function earnsAfresh(changes: Changes, item: NewAccount): SQL {
  const { fingerprint, strength } = item;
  return sql`(${strength} = 'weak' OR NOT ${
    anotherEarns(sql`${fingerprint}`, sql`${changes.userId}`)
  })`;
}

/**
 * From now on; from tomorrow when another user has linked the same bank account: what was bought
 * today has earned for that user, and one account must not pay a row of users in turn.
 */
function firstLinkedAtMs(changes: Changes, item: NewAccount): SQL {
  const tomorrowMs = parisToMs(addDays(parisDate(changes.nowMs), 1));
  return sql`CASE WHEN ${item.strength} <> 'weak' AND EXISTS (
      SELECT 1 FROM bank_accounts o
      WHERE ${sharedBy("o")} = ${item.fingerprint} AND o.user_id <> ${changes.userId})
    THEN ${tomorrowMs} ELSE ${changes.nowMs} END`;
}
