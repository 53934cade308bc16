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
import { UNKNOWN_BANK } from "../connections/index.ts";
import type { AccountIdentity, Changes, NewAccount } from "../connections/index.ts";
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
  const earlier = (column: "linked_at_ms" | "seen_from_ms" | "taken_rows") =>
    earlierGeneration(changes, item, column);
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
    earning: sql`(NOT COALESCE(${earlierSwitch(changes, item, "1 - p.earning")}, 0)
      AND ${earnsAfresh(changes, item)})`.as(
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
    weakKey: sql`NULL`.as("weakKey"),
    family: sql`NULL`.as("family"),
    ownIban: sql`${item.ownIban}`.as("ownIban"),
    nameTag: sql`${item.nameTag}`.as("nameTag"),
    parentRemoteAccountId: sql`${item.parentRemoteId}`.as("parentRemoteAccountId"),
    earlierKeys: sql`${JSON.stringify(item.earlierKeys)}`.as("earlierKeys"),
    goneAtMs: sql`NULL`.as("goneAtMs"),
    offByChoice: sql`COALESCE(${earlierSwitch(changes, item, "p.off_by_choice")}, 0)`.as(
      "offByChoice",
    ),
    takenRows: earlier("taken_rows").as("takenRows"),
  };
}

/**
 * True when `p`, an account on connection `q`, may be the same bank account: by its IBAN; where one
 * of the two has none, by its family, unless `b` lists both at the same time or one is the other's
 * card.
 */
function isSameAccount(item: NewAccount): SQL {
  const { ownIban, fingerprint } = item;
  return sql`(p.own_iban = ${ownIban}
    OR ((p.own_iban IS NULL OR ${ownIban} IS NULL)
      AND NOT (p.connection_id = b.id AND p.gone_at_ms IS NULL)
      AND COALESCE(p.own_iban <> ${fingerprint}, 1)
      AND NOT (p.strength = 'parent' AND COALESCE(p.fingerprint = ${ownIban}, 0))
      AND ${isSameFamily(item)}))`;
}

/**
 * The parent account's IBAN where both have one, else the bank. Of an account that was not seen
 * since fingerprints hold no name, the fingerprint of before.
 */
function isSameFamily(item: NewAccount): SQL {
  return sql`CASE
    WHEN ${item.strength} <> 'weak' AND (p.strength = 'iban' OR (p.strength = 'parent' AND p.name_tag IS NOT NULL))
      THEN p.fingerprint = ${item.fingerprint}
    WHEN ${item.strength} <> 'weak' AND p.strength = 'parent' THEN p.fingerprint = ${
    item.earlierKeys[0] ?? item.fingerprint
  }
    ELSE q.bank_id = b.bank_id AND b.bank_id <> ${UNKNOWN_BANK} END`;
}

/** How sure it is that \`p\` is the account: its IBAN, else the name among the family's. */
function nearness(item: NewAccount): SQL {
  return sql`(CASE WHEN p.own_iban = ${item.ownIban} THEN 0 WHEN p.name_tag = ${item.nameTag} THEN 1 ELSE 2 END)`;
}

/**
 * A value of the user's latest earlier generation of the account, the nearest first. Another login
 * at the same bank says nothing of when this one was linked.
 */
function earlierGeneration(changes: Changes, item: NewAccount, column: string): SQL {
  return sql`(SELECT ${sql.raw(`p.${column}`)}
    FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = ${changes.userId} AND q.status <> 'removed' AND ${isSameAccount(item)}
      AND (p.own_iban = ${item.ownIban} OR p.connection_id = b.id)
    ORDER BY ${nearness(item)}, p.created_at_ms DESC, p.id DESC LIMIT 1)`;
}

/**
 * Whether the account in whose place this one comes is off (`isOff` of it is 1): of those with its
 * IBAN the latest. Where only the family is known and one of several is off, nobody knows whose
 * place it takes: it starts off. An account that was followed by one of its name is no candidate.
 */
function earlierSwitch(changes: Changes, item: NewAccount, isOff: string): SQL {
  return sql`(SELECT CASE WHEN c.nearness = 0 THEN c.latest ELSE c.among END FROM (
    SELECT ${nearness(item)} AS nearness, MAX(${sql.raw(isOff)}) AS among,
      MAX(p.created_at_ms * 2 + ${sql.raw(isOff)}) % 2 AS latest
    FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = ${changes.userId} AND q.status <> 'removed' AND ${isSameAccount(item)}
      AND NOT EXISTS (SELECT 1 FROM bank_accounts s WHERE s.connection_id = p.connection_id
        AND s.name_tag = p.name_tag AND s.created_at_ms >= p.gone_at_ms)
    GROUP BY 1 ORDER BY 1 LIMIT 1) c)`;
}

/** The number of an earlier generation on this connection, else the next one. */
function ordinalInConnection(item: NewAccount): SQL {
  return sql`COALESCE(
    (SELECT p.ordinal FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
      WHERE p.connection_id = b.id AND ${isSameAccount(item)}
      ORDER BY ${nearness(item)}, p.created_at_ms DESC LIMIT 1),
    1 + (SELECT COALESCE(MAX(s.ordinal), 0) FROM bank_accounts s WHERE s.connection_id = b.id))`;
}

/** An account earns unless another user's account already does for the same bank account. */
function earnsAfresh(changes: Changes, item: NewAccount): SQL {
  return sql`NOT ${isTaken(changes.userId, item)}`;
}

/**
 * True when another user's account earns for the account that this one is, or is a card of. Accounts
 * not seen lately are found by the fingerprint of before.
 */
export function isTaken(userId: string, item: AccountIdentity): SQL {
  const earlier = item.earlierKeys[0] ?? item.fingerprint;
  return sql`(${item.strength} <> 'weak' AND (${
    anotherEarns(sql`${item.fingerprint}`, sql`${userId}`)
  } OR ${anotherEarns(sql`${earlier}`, sql`${userId}`)}))`;
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
