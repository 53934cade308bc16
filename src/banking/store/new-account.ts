// How an account that the aggregator showed for the first time gets its values: a plan, column by
// column, then the insert. The plan is made of SQL and decided inside the insert, because what
// another user's request does in between must count: of two holders of one bank account who link it
// at the same moment, exactly one earns.
import { and, eq, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { alias } from "drizzle-orm/sqlite-core";
import { bankAccounts, bankConnections } from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_ACCOUNTS } from "../../db/sealed-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { addDays, parisDate, parisToMs } from "../../kernel/time.ts";
import { UNKNOWN_BANK } from "../connections/index.ts";
import type { AccountIdentity, Changes, NewAccount } from "../connections/index.ts";
import { anotherEarns, sharedBy } from "./shared-account.ts";

/** The connection that the account belongs to; `b` in the texts below. */
const connection = alias(bankConnections, "b");

/**
 * The account as it was shown; `i` in the texts below. A row to read from, because D1 binds at most
 * 100 values in one statement.
 */
function shown(changes: Changes, item: NewAccount): SQL {
  return sql`(SELECT ${changes.userId} AS user_id, ${item.ownIban} AS own_iban,
    ${item.fingerprint} AS fingerprint, ${item.strength} AS strength, ${item.nameTag} AS name_tag,
    ${item.earlierKeys[0] ?? item.fingerprint} AS earlier_key) i`;
}

/**
 * The parent account's IBAN where both have one, else the bank. Of an account that was not seen
 * since fingerprints hold no name, the fingerprint of before.
 */
const IS_SAME_FAMILY = `CASE
    WHEN i.strength <> 'weak' AND (p.strength = 'iban' OR (p.strength = 'parent' AND p.name_tag IS NOT NULL))
      THEN p.fingerprint = i.fingerprint
    WHEN i.strength <> 'weak' AND p.strength = 'parent' THEN p.fingerprint = i.earlier_key
    ELSE q.bank_id = b.bank_id AND b.bank_id <> '${UNKNOWN_BANK}' END`;

/**
 * True when `p`, an account on connection `q`, may be the same bank account: by its IBAN; where one
 * of the two has none, by its family, unless `b` lists both at the same time or one is the other's
 * card.
 */
const IS_SAME_ACCOUNT = `(p.own_iban = i.own_iban
    OR ((p.own_iban IS NULL OR i.own_iban IS NULL)
      AND NOT (p.connection_id = b.id AND p.gone_at_ms IS NULL)
      AND COALESCE(p.own_iban <> i.fingerprint, 1)
      AND NOT (p.strength = 'parent' AND COALESCE(p.fingerprint = i.own_iban, 0))
      AND ${IS_SAME_FAMILY}))`;

/** How sure it is that `p` is the account: its IBAN, else the name among the family's. */
const NEARNESS =
  "(CASE WHEN p.own_iban = i.own_iban THEN 0 WHEN p.name_tag = i.name_tag THEN 1 ELSE 2 END)";

/**
 * A value of the user's latest earlier generation of the account, the nearest first. Another login
 * at the same bank says nothing of when this one was linked.
 */
function earlierGeneration(column: string): SQL {
  return sql.raw(`(SELECT p.${column}
    FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = i.user_id AND q.status <> 'removed' AND ${IS_SAME_ACCOUNT}
      AND (p.own_iban = i.own_iban OR p.connection_id = b.id)
    ORDER BY ${NEARNESS}, p.created_at_ms DESC, p.id DESC LIMIT 1)`);
}

/**
 * Whether the account in whose place this one comes is off (`isOff` of it is 1): of those with its
 * IBAN the latest. Where only the family is known and one of several is off, nobody knows whose
 * place it takes: it starts off. An account that was followed by one of its name is no candidate.
 */
function earlierSwitch(isOff: string): SQL {
  return sql.raw(`(SELECT CASE WHEN c.nearness = 0 THEN c.latest ELSE c.among END FROM (
    SELECT ${NEARNESS} AS nearness, MAX(${isOff}) AS among,
      MAX(p.created_at_ms * 2 + ${isOff}) % 2 AS latest
    FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
    WHERE p.user_id = i.user_id AND q.status <> 'removed' AND ${IS_SAME_ACCOUNT}
      AND NOT EXISTS (SELECT 1 FROM bank_accounts s WHERE s.connection_id = p.connection_id
        AND s.name_tag = p.name_tag AND s.created_at_ms >= p.gone_at_ms)
    GROUP BY 1 ORDER BY 1 LIMIT 1) c)`);
}

/** The number of an earlier generation on this connection, else the next one. */
const ORDINAL_IN_CONNECTION = sql.raw(`COALESCE(
    (SELECT p.ordinal FROM bank_accounts p JOIN bank_connections q ON q.id = p.connection_id
      WHERE p.connection_id = b.id AND ${IS_SAME_ACCOUNT}
      ORDER BY ${NEARNESS}, p.created_at_ms DESC LIMIT 1),
    1 + (SELECT COALESCE(MAX(s.ordinal), 0) FROM bank_accounts s WHERE s.connection_id = b.id))`);

/**
 * Adds an account once. It comes behind the changes of state in the batch: an account is recognised
 * by its name only in the place of one that ended.
 */
export function insertAccount(
  db: Database,
  changes: Changes,
  item: NewAccount,
  random: RandomBytes,
  seals: RowSeals,
) {
  const id = newId("acc", changes.nowMs, random, changes.userId);
  const { aggregator, userId, nowMs } = changes;
  const seal = seals.of(SEALED_ACCOUNTS, {
    ...accountIdentityColumns(item),
    id,
    userId,
    aggregator,
    remoteAccountId: item.remoteId,
    createdAtMs: nowMs,
  });
  return db.insert(bankAccounts).select(
    db.select(accountPlan(id, changes, item, seal)).from(connection).innerJoin(
      shown(changes, item),
      sql`1`,
    )
      .where(and(
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
function accountPlan(id: string, changes: Changes, item: NewAccount, seal: string) {
  const earlier = (column: "linked_at_ms" | "seen_from_ms" | "taken_rows"): SQL =>
    earlierGeneration(column);
  return {
    id: sql`${id}`.as("id"),
    userId: connection.userId,
    connectionId: connection.id,
    aggregator: connection.aggregator,
    remoteAccountId: sql`${item.remoteId}`.as("remoteAccountId"),
    kind: sql`${item.kind}`.as("kind"),
    currency: sql`${item.currency}`.as("currency"),
    ordinal: ORDINAL_IN_CONNECTION.as("ordinal"),
    fingerprint: sql`${item.fingerprint}`.as("fingerprint"),
    strength: sql`${item.strength}`.as("strength"),
    // Off stays off, for its reason. On does not stay on where another holder has begun to earn
    // since the former account ended.
    earning: sql`(NOT COALESCE(${earlierSwitch("1 - p.earning")}, 0)
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
    offByChoice: sql`COALESCE(${earlierSwitch("p.off_by_choice")}, 0)`.as(
      "offByChoice",
    ),
    takenRows: earlier("taken_rows").as("takenRows"),
    seal: sql`${seal}`.as("seal"),
  };
}

/** What an account's seal covers of what the aggregator showed. */
export function accountIdentityColumns(identity: AccountIdentity) {
  const { ownIban, fingerprint, strength, nameTag, parentRemoteId } = identity;
  return { ownIban, fingerprint, strength, nameTag, parentRemoteAccountId: parentRemoteId };
}

/** An account earns unless another user's account already does for the same bank account. */
function earnsAfresh(changes: Changes, item: NewAccount): SQL {
  return sql`NOT ${isTaken(changes.userId, item)}`;
}

/**
 * True when another user's account earns for the account that this one is, or is a card of.
 * Accounts not seen lately are found by the fingerprint of before.
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
