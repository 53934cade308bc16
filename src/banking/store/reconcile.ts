// The statements that bring what the aggregator showed into our tables. Each is complete by itself:
// the id of a row that the same batch makes is looked up by its unique key, never passed along.
import { and, eq, isNull, lte, ne, sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { alias } from "drizzle-orm/sqlite-core";
import {
  aggregatorLinks,
  bankAccounts,
  bankConnections,
  bankGaps,
} from "../../db/banking-tables.ts";
import type { Database } from "../../db/database.ts";
import type { RowSeals } from "../../db/row-seals.ts";
import { SEALED_ACCOUNTS, SEALED_CONNECTIONS } from "../../db/sealed-tables.ts";
import { newId } from "../../kernel/ids.ts";
import type { RandomBytes } from "../../kernel/random.ts";
import { DAY_MS } from "../../kernel/time.ts";
import type {
  AccountChange,
  AccountIdentity,
  Changes,
  ConnectionChange,
  NewConnection,
} from "../connections/index.ts";
import { anotherEarns, sharedBy } from "./shared-account.ts";
import { accountIdentityColumns, isTaken } from "./new-account.ts";

const link = alias(aggregatorLinks, "l");

/** Adds a connection once, and only while the link is active: a withdrawal in between wins. */
export function insertConnection(
  db: Database,
  changes: Changes,
  item: NewConnection,
  random: RandomBytes,
  seals: RowSeals,
) {
  const id = newId("con", changes.nowMs, random, changes.userId);
  const seal = seals.of(SEALED_CONNECTIONS, {
    ...changes,
    id,
    remoteConnectionId: item.remoteId,
    createdAtMs: changes.nowMs,
  });
  // Named by column; the builder refuses another order than the table's.
  const columns = {
    id: sql`${id}`.as("id"),
    userId: link.userId,
    linkId: link.id,
    aggregator: link.aggregator,
    remoteConnectionId: sql`${item.remoteId}`.as("remoteConnectionId"),
    bankId: sql`${item.bankId}`.as("bankId"),
    bankName: sql`${item.bankName}`.as("bankName"),
    status: sql`${item.status}`.as("status"),
    action: sql`${item.action}`.as("action"),
    consentGrantedAtMs: sql`${item.consentGrantedAtMs}`.as("consentGrantedAtMs"),
    consentExpiresAtMs: sql`${item.consentExpiresAtMs}`.as("consentExpiresAtMs"),
    fullRead: sql`'due'`.as("fullRead"),
    repairReason: sql`NULL`.as("repairReason"),
    repairSinceMs: sql`NULL`.as("repairSinceMs"),
    tries: sql`0`.as("tries"),
    nextTryAtMs: sql`${changes.nowMs}`.as("nextTryAtMs"),
    createdAtMs: sql`${changes.nowMs}`.as("createdAtMs"),
    updatedAtMs: sql`${changes.nowMs}`.as("updatedAtMs"),
    removedAtMs: sql`NULL`.as("removedAtMs"),
    goneRemotely: sql`0`.as("goneRemotely"),
    changesReadAtMs: sql`NULL`.as("changesReadAtMs"),
    changesDueAtMs: sql`${changes.nowMs + 7 * DAY_MS}`.as("changesDueAtMs"),
    renewalOfferedAtMs: sql`NULL`.as("renewalOfferedAtMs"),
    seal: sql`${seal}`.as("seal"),
  };
  return db.insert(bankConnections).select(
    db.select(columns).from(link).where(
      and(eq(link.id, changes.linkId), eq(link.state, "created")),
    ),
  ).onConflictDoNothing({
    target: [bankConnections.aggregator, bankConnections.remoteConnectionId],
  });
}

/** From now on nothing that appears under the link is taken in. */
export function firstReadUpdate(db: Database, changes: Changes) {
  return db.update(aggregatorLinks).set({
    connectionsReadAtMs: changes.nowMs,
    nextTryAtMs: null,
    tries: 0,
  }).where(
    and(
      eq(aggregatorLinks.id, changes.linkId),
      eq(aggregatorLinks.state, "created"),
      isNull(aggregatorLinks.connectionsReadAtMs),
    ),
  );
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
 * Opens or ends the gap that goes with a change of a connection. It comes before that change in the
 * batch and shares its condition.
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
      db.select({
        connectionId: bankConnections.id,
        fromMs: sql`${item.gapFromMs}`.as("fromMs"),
        toMs: sql`NULL`.as("toMs"),
        recoveredAtMs: sql`NULL`.as("recoveredAtMs"),
      }).from(bankConnections).where(
        and(
          eq(bankConnections.id, item.id),
          sql`EXISTS (${unchanged})`,
          sql`NOT EXISTS (SELECT 1 FROM bank_gaps g WHERE g.connection_id = ${item.id} AND g.to_ms IS NULL)`,
        ),
      ),
    )
      // The same last good sync again: the renewal in between brought nothing, so that gap still
      // lasts.
      .onConflictDoUpdate({
        target: [bankGaps.connectionId, bankGaps.fromMs],
        set: { toMs: null, recoveredAtMs: null },
      }),
  ];
}

function identityColumns(
  changes: Changes,
  remoteAccountId: string,
  identity: NonNullable<AccountChange["identity"]>,
  seals: RowSeals,
) {
  const { id, createdAtMs, earlierKeys } = identity;
  const columns = accountIdentityColumns(identity);
  const { aggregator, userId } = changes;
  return {
    ...columns,
    earlierKeys: JSON.stringify(earlierKeys),
    family: null,
    seal: seals.of(SEALED_ACCOUNTS, {
      ...columns,
      id,
      userId,
      aggregator,
      remoteAccountId,
      createdAtMs,
    }),
  };
}

/** True when the account turns out to be one with which another user earns. */
function provesTaken(changes: Changes, identity: AccountIdentity | null): SQL {
  return identity === null
    ? sql`0`
    : sql`(${bankAccounts.fingerprint} <> ${identity.fingerprint} AND ${
      isTaken(changes.userId, identity)
    })`;
}

/**
 * Follows an account's state and identity. Opting in again is a new link: what was bought in
 * between is not ours to see. An account that proves to be shared with another user who earns does
 * not.
 */
export function updateAccount(
  db: Database,
  changes: Changes,
  item: AccountChange,
  seals: RowSeals,
) {
  const table = bankAccounts;
  return db.update(table).set({
    state: item.state,
    currency: sql`COALESCE(${table.currency}, ${item.currency})`,
    updatedAtMs: changes.nowMs,
    goneAtMs: item.goneAtMs,
    ...(item.identity === null
      ? {}
      : identityColumns(changes, item.remoteId, item.identity, seals)),
    linkedAtMs:
      sql`CASE WHEN ${table.state} = 'disabled' AND ${item.state} = 'enabled' THEN ${changes.nowMs} ELSE ${table.linkedAtMs} END`,
    // Another holder may have begun to earn while the account was gone.
    earning:
      sql`(${table.earning} AND NOT (${item.state} = 'enabled' AND ${table.state} <> 'enabled'
      AND ${anotherEarns(sharedBy("bank_accounts"), sql`${changes.userId}`)})
      AND NOT ${provesTaken(changes, item.identity)})`,
  }).where(
    and(
      eq(table.aggregator, changes.aggregator),
      eq(table.remoteAccountId, item.remoteId),
      eq(table.userId, changes.userId),
      lte(table.updatedAtMs, changes.readAtMs),
    ),
  );
}
