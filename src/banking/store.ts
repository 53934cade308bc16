// Banking's rows in D1. The hot path reads once, by primary key or unique key, and writes only what changed. Every write is
// conditional or has a unique key, so that any of them can be the last thing that happened, or happen twice.
import { and, eq, inArray, lt, ne, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { guarded } from "../db/database.ts";
import type { Database } from "../db/database.ts";
import { aggregatorLinks, bankAccounts, bankConnections, connectionIntents } from "../db/banking-tables.ts";
import { quarantine } from "../db/platform-tables.ts";
import { newId } from "../kernel/ids.ts";
import type { AccountId, ConnectionId, SessionId, UserId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Directory, LinkedAccount, LinkedConnection } from "./directory.ts";
import { connectionUpdate, insertAccount, insertConnection, updateAccount } from "./writes-store.ts";
import type { Changes } from "./writes-store.ts";
import type { AggregatorName } from "./ports.ts";

export type Intent = typeof connectionIntents.$inferSelect;
export type Link = { readonly id: string; readonly state: Directory["linkState"]; readonly remoteUserId: string | null; readonly tokenCipher: string | null };
export type QuarantineEntry = {
  readonly provider: string; readonly event: string; readonly remoteUserId: string | null; readonly remoteConnectionId: string | null;
  readonly reason: string; readonly bodyBytes: number; readonly bodyHash: string;
};
export type DueWork = { readonly links: readonly { readonly id: string; readonly state: Directory["linkState"]; readonly tries: number }[]; readonly connections: readonly { readonly id: ConnectionId; readonly linkId: string; readonly tries: number }[] };

const links = aggregatorLinks;
const connections = bankConnections;
const accounts = bankAccounts;

type DirectoryRow = {
  aggregator: AggregatorName; link_id: string; link_state: Directory["linkState"]; tries: number; token_cipher: string | null; user_id: UserId;
  user_state: string; data_key: string; bank_data_since_ms: number | null; catalogue_version: number | null; connections: string; accounts: string;
};

// One statement. Consent counts from the first grant that no withdrawal followed. Ended links are found too: their messages are
// known to be late, not strange.
function directoryQuery(condition: ReturnType<typeof sql>) {
  return sql`SELECT l.aggregator, l.id AS link_id, l.state AS link_state, l.tries, l.token_cipher, l.user_id, u.state AS user_state, u.data_key,
    (SELECT MIN(c.at_ms) FROM consents c WHERE c.user_id = l.user_id AND c.purpose = 'bank_data' AND c.granted = 1 AND c.sequence >
      COALESCE((SELECT MAX(w.sequence) FROM consents w WHERE w.user_id = l.user_id AND w.purpose = 'bank_data' AND w.granted = 0), 0)) AS bank_data_since_ms,
    (SELECT version FROM catalogue_state WHERE id = 1) AS catalogue_version,
    (SELECT json_group_array(json_object('id', b.id, 'remoteId', b.remote_connection_id, 'bankId', b.bank_id, 'bankName', b.bank_name, 'status', b.status,
      'action', b.action, 'consentGrantedAtMs', b.consent_granted_at_ms, 'consentExpiresAtMs', b.consent_expires_at_ms, 'fullRead', b.full_read,
      'repairReason', b.repair_reason, 'repairSinceMs', b.repair_since_ms, 'tries', b.tries, 'goneRemotely', b.gone_remotely, 'updatedAtMs', b.updated_at_ms))
      FROM bank_connections b WHERE b.link_id = l.id) AS connections,
    (SELECT json_group_array(json_object('id', a.id, 'connectionId', a.connection_id, 'remoteId', a.remote_account_id, 'kind', a.kind, 'currency', a.currency,
      'ordinal', a.ordinal, 'fingerprint', a.fingerprint, 'strength', a.strength, 'earning', a.earning, 'linkedAtMs', a.linked_at_ms,
      'seenFromMs', a.seen_from_ms, 'state', a.state, 'createdAtMs', a.created_at_ms))
      FROM bank_accounts a WHERE a.user_id = l.user_id) AS accounts
    FROM aggregator_links l JOIN users u ON u.id = l.user_id WHERE ${condition}`;
}

function toConnections(connectionsJson: string, accountsJson: string): LinkedConnection[] {
  type Raw<T, K extends keyof T> = Omit<T, K> & Readonly<Record<K, number>>;
  const known = (JSON.parse(accountsJson) as Raw<LinkedAccount, "earning">[]).map((account): LinkedAccount => ({ ...account, earning: account.earning === 1 }));
  return (JSON.parse(connectionsJson) as Raw<Omit<LinkedConnection, "accounts">, "goneRemotely">[]).map((connection) => ({
    ...connection, goneRemotely: connection.goneRemotely === 1,
    accounts: known.filter((account) => account.connectionId === connection.id).sort((a, b) => a.ordinal - b.ordinal || a.createdAtMs - b.createdAtMs),
  }));
}

export type BankingStore = ReturnType<typeof bankingStore>;

/** Opens banking's rows. Failures throw `DrizzleQueryError` or `DatabaseFailure`: the caller answers 503. */
export function bankingStore(db: Database, random: RandomBytes) {
  async function directory(condition: ReturnType<typeof sql>): Promise<Directory | null> {
    const [row] = await guarded(() => db.all<DirectoryRow>(directoryQuery(condition)));
    if (row === undefined) return null;
    return {
      aggregator: row.aggregator, linkId: row.link_id, linkState: row.link_state, linkTries: row.tries, tokenCipher: row.token_cipher, userId: row.user_id,
      userActive: row.user_state === "active", dataKey: row.data_key, bankDataSinceMs: row.bank_data_since_ms,
      catalogueVersion: row.catalogue_version ?? 0, connections: toConnections(row.connections, row.accounts),
    };
  }
  async function batch(statements: readonly BatchItem<"sqlite">[]): Promise<void> {
    const [first, ...rest] = statements;
    if (first !== undefined) await guarded(() => db.batch([first, ...rest]));
  }
  const quarantineStatement = (entry: QuarantineEntry, nowMs: number) =>
    db.insert(quarantine).values({ id: newId("qua", nowMs, random), ...entry, firstAtMs: nowMs, lastAtMs: nowMs, times: 1 }).onConflictDoUpdate({
      target: [quarantine.provider, quarantine.event, quarantine.bodyHash, quarantine.reason],
      set: { lastAtMs: nowMs, times: sql`${quarantine.times} + 1`, resolvedAtMs: null },
    });

  return {
    /** The one read of a webhook. */
    directoryByRemoteUser: (aggregator: AggregatorName, remoteUserId: string) => directory(sql`l.aggregator = ${aggregator} AND l.remote_user_id = ${remoteUserId}`),
    directoryOfLink: (linkId: string) => directory(sql`l.id = ${linkId}`),

    // ---- the user at the aggregator ----
    async standingLink(userId: UserId, aggregator: AggregatorName): Promise<Link | null> {
      const [row] = await db.select().from(links).where(and(eq(links.userId, userId), eq(links.aggregator, aggregator), inArray(links.state, ["intended", "creating", "created"])));
      return row ?? null;
    },
    /** Writes the intent, unless one stands already. */
    async intendLink(userId: UserId, aggregator: AggregatorName, nowMs: number): Promise<void> {
      await db.insert(links).values({ id: newId("lnk", nowMs, random, userId), userId, aggregator, state: "intended", attempts: 0, createdAtMs: nowMs }).onConflictDoNothing();
    },
    /**
     * Takes the right to create the user there. Null when somebody else holds it; `lapsed` when an earlier holder died with it, who
     * may have left a user behind.
     */
    async takeCreation(linkId: string, nowMs: number, lapseMs: number): Promise<{ readonly attempts: number } | null> {
      const [row] = await db.update(links).set({ state: "creating", attempts: sql`${links.attempts} + 1`, attemptAtMs: nowMs })
        .where(and(eq(links.id, linkId), sql`(${links.state} = 'intended' OR (${links.state} = 'creating' AND ${links.attemptAtMs} <= ${nowMs - lapseMs}))`))
        .returning({ attempts: links.attempts });
      return row ?? null;
    },
    async releaseCreation(linkId: string, attempt: number): Promise<void> {
      await db.update(links).set({ state: "intended" }).where(and(eq(links.id, linkId), eq(links.state, "creating"), eq(links.attempts, attempt)));
    },
    /** Stores what the attempt got; false when the attempt no longer holds the right. */
    async storeCreated(linkId: string, attempt: number, remoteUserId: string, tokenCipher: string): Promise<boolean> {
      const stored = await db.update(links).set({ state: "created", remoteUserId, tokenCipher })
        .where(and(eq(links.id, linkId), eq(links.state, "creating"), eq(links.attempts, attempt))).returning({ id: links.id });
      return stored.length > 0;
    },
    /** Asks the sweep to look at the user's connections there at that time, if it is not due earlier. */
    async lookLater(linkId: string, atMs: number, tries: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: atMs, tries }).where(and(eq(links.id, linkId), eq(links.state, "created")));
    },
    async looked(linkId: string, nowMs: number): Promise<void> {
      await db.update(links).set({ nextTryAtMs: null, tries: 0 }).where(and(eq(links.id, linkId), eq(links.state, "created"), lt(links.nextTryAtMs, nowMs + 1)));
    },
    /** The local mark of an ending: connections removed, tokens kept until the aggregator has forgotten the user. */
    async beginEnding(userId: UserId, nowMs: number): Promise<readonly string[]> {
      await batch([
        db.update(connections).set({ status: "removed", action: "none", removedAtMs: nowMs, updatedAtMs: nowMs }).where(and(eq(connections.userId, userId), ne(connections.status, "removed"))),
        db.update(links).set({ state: "ending", nextTryAtMs: nowMs, tries: 0 }).where(and(eq(links.userId, userId), eq(links.state, "created"))),
        db.update(links).set({ state: "ended", endedAtMs: nowMs }).where(and(eq(links.userId, userId), eq(links.state, "intended"))),
      ]);
      const ending = await db.select({ id: links.id }).from(links).where(and(eq(links.userId, userId), eq(links.state, "ending")));
      return ending.map((row) => row.id);
    },
    /** The user no longer exists there. */
    async endLink(linkId: string, nowMs: number): Promise<void> {
      await batch([
        db.update(connections).set({ status: "removed", action: "none", removedAtMs: sql`COALESCE(${connections.removedAtMs}, ${nowMs})`, goneRemotely: 1, nextTryAtMs: null, updatedAtMs: nowMs }).where(eq(connections.linkId, linkId)),
        db.update(links).set({ state: "ended", tokenCipher: null, endedAtMs: nowMs, nextTryAtMs: null }).where(and(eq(links.id, linkId), inArray(links.state, ["created", "ending"]))),
      ]);
    },
    async postponeLink(linkId: string, tries: number, atMs: number): Promise<void> {
      await db.update(links).set({ tries, nextTryAtMs: atMs }).where(eq(links.id, linkId));
    },

    // ---- trips to the aggregator's page ----
    async addIntent(intent: { userId: UserId; sessionId: SessionId | null; aggregator: AggregatorName; kind: Intent["kind"]; connectionId: ConnectionId | null; redirectUri: string; stateHash: string; createdAtMs: number; expiresAtMs: number }): Promise<void> {
      await db.insert(connectionIntents).values({ id: newId("int", intent.createdAtMs, random, intent.userId), ...intent });
    },
    async openIntent(userId: UserId, stateHash: string, nowMs: number): Promise<Intent | null> {
      const [row] = await db.select().from(connectionIntents).where(eq(connectionIntents.stateHash, stateHash));
      return row !== undefined && row.userId === userId && row.spentAtMs === null && row.expiresAtMs > nowMs ? row : null;
    },
    /** Spends the state; false when another call did. */
    async spendIntent(id: string, outcome: "returned" | "refused", nowMs: number): Promise<boolean> {
      const spent = await db.update(connectionIntents).set({ spentAtMs: nowMs, outcome }).where(and(eq(connectionIntents.id, id), sql`${connectionIntents.spentAtMs} IS NULL`)).returning({ id: connectionIntents.id });
      return spent.length > 0;
    },
    async purgeIntents(beforeMs: number): Promise<number> {
      const gone = await db.delete(connectionIntents).where(lt(connectionIntents.expiresAtMs, beforeMs)).returning({ id: connectionIntents.id });
      return gone.length;
    },

    // ---- connections and accounts ----
    /** Everything of a user in one read, newest connection last. */
    async connectionsOf(userId: UserId): Promise<LinkedConnection[]> {
      const [row] = await guarded(() => db.all<{ connections: string; accounts: string }>(sql`SELECT
        (SELECT json_group_array(json_object('id', b.id, 'remoteId', b.remote_connection_id, 'bankId', b.bank_id, 'bankName', b.bank_name, 'status', b.status,
          'action', b.action, 'consentGrantedAtMs', b.consent_granted_at_ms, 'consentExpiresAtMs', b.consent_expires_at_ms, 'fullRead', b.full_read,
          'repairReason', b.repair_reason, 'repairSinceMs', b.repair_since_ms, 'tries', b.tries, 'goneRemotely', b.gone_remotely, 'updatedAtMs', b.updated_at_ms))
          FROM bank_connections b WHERE b.user_id = ${userId}) AS connections,
        (SELECT json_group_array(json_object('id', a.id, 'connectionId', a.connection_id, 'remoteId', a.remote_account_id, 'kind', a.kind, 'currency', a.currency,
          'ordinal', a.ordinal, 'fingerprint', a.fingerprint, 'strength', a.strength, 'earning', a.earning, 'linkedAtMs', a.linked_at_ms,
          'seenFromMs', a.seen_from_ms, 'state', a.state, 'createdAtMs', a.created_at_ms))
          FROM bank_accounts a WHERE a.user_id = ${userId}) AS accounts`));
      return row === undefined ? [] : toConnections(row.connections, row.accounts).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    /** Which link and aggregator a user's connection belongs to. */
    async linkOfConnection(userId: UserId, id: ConnectionId): Promise<{ readonly linkId: string; readonly aggregator: AggregatorName } | null> {
      const [row] = await db.select({ linkId: connections.linkId, aggregator: connections.aggregator }).from(connections).where(and(eq(connections.id, id), eq(connections.userId, userId)));
      return row ?? null;
    },
    /** What a look at the aggregator found, in one batch. Safe to apply twice and at the same time as another. */
    async apply(changes: Changes): Promise<void> {
      await batch([
        ...changes.newConnections.map((item) => insertConnection(db, changes, item, random)),
        ...changes.connections.map((item) => connectionUpdate(db, changes, item)),
        ...changes.newAccounts.map((item) => insertAccount(db, changes, item, random)),
        ...changes.accounts.map((item) => updateAccount(db, changes, item)),
      ]);
    },
    /** A connection's local end; `gone` when the aggregator has already forgotten it. Nothing happens to one that ended before. */
    async removeConnection(userId: UserId, id: ConnectionId, gone: boolean, nowMs: number): Promise<void> {
      await db.update(connections).set({ status: "removed", action: "none", removedAtMs: nowMs, goneRemotely: gone ? 1 : 0, nextTryAtMs: gone ? null : nowMs, tries: 0, updatedAtMs: nowMs })
        .where(and(eq(connections.id, id), eq(connections.userId, userId), ne(connections.status, "removed")));
    },
    async connectionGone(id: ConnectionId): Promise<void> {
      await db.update(connections).set({ goneRemotely: 1, nextTryAtMs: null }).where(and(eq(connections.id, id), eq(connections.status, "removed")));
    },
    /**
     * Switches earning. `shared` when another user's account already earns for the same bank account: checked in the same
     * statement, so that of two holders exactly one earns.
     */
    async setEarning(userId: UserId, id: AccountId, earning: boolean, nowMs: number): Promise<"done" | "shared" | "unknown"> {
      const free = sql`NOT EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = ${accounts.fingerprint} AND o.user_id <> ${userId} AND o.earning = 1 AND o.state = 'enabled' AND ${accounts.strength} <> 'weak'
        AND (SELECT status FROM bank_connections WHERE id = o.connection_id) <> 'removed')`;
      const own = and(eq(accounts.id, id), eq(accounts.userId, userId), ne(accounts.state, "deleted"));
      const done = earning
        ? await db.update(accounts).set({ earning: 1, seenFromMs: sql`CASE WHEN ${accounts.earning} = 0 THEN ${nowMs} ELSE ${accounts.seenFromMs} END`, updatedAtMs: nowMs }).where(and(own, sql`(${accounts.earning} = 1 OR ${free})`)).returning({ id: accounts.id })
        : await db.update(accounts).set({ earning: 0, updatedAtMs: nowMs }).where(own).returning({ id: accounts.id });
      if (done.length > 0) return "done";
      const [row] = await db.select({ id: accounts.id }).from(accounts).where(own);
      return row === undefined ? "unknown" : "shared";
    },

    // ---- what is open ----
    /** The full read is done, unless the connection changed since it began. */
    async fullReadDone(id: ConnectionId, seenUpdatedAtMs: number): Promise<void> {
      await db.update(connections).set({ fullRead: "done", tries: 0, nextTryAtMs: null }).where(and(eq(connections.id, id), eq(connections.fullRead, "due"), eq(connections.updatedAtMs, seenUpdatedAtMs)));
    },
    async repaired(id: ConnectionId, since: number): Promise<void> {
      await db.update(connections).set({ repairReason: null, repairSinceMs: null, tries: 0, nextTryAtMs: null }).where(and(eq(connections.id, id), eq(connections.repairSinceMs, since)));
    },
    async postpone(id: ConnectionId, tries: number, atMs: number): Promise<void> {
      await db.update(connections).set({ tries, nextTryAtMs: atMs }).where(eq(connections.id, id));
    },
    /** One user's trouble: the connection waits for a repair, the message is noted without its body; together or not at all. */
    async trouble(id: ConnectionId | null, reason: string, entry: QuarantineEntry, nowMs: number, retryAtMs: number): Promise<void> {
      await batch([
        quarantineStatement(entry, nowMs),
        ...(id === null ? [] : [db.update(connections).set({
          repairReason: reason, repairSinceMs: sql`COALESCE(${connections.repairSinceMs}, ${nowMs})`, nextTryAtMs: sql`COALESCE(${connections.nextTryAtMs}, ${retryAtMs})`,
        }).where(and(eq(connections.id, id), ne(connections.status, "removed")))]),
      ]);
    },
    async quarantine(entry: QuarantineEntry, nowMs: number): Promise<void> {
      await quarantineStatement(entry, nowMs);
    },
    /** What the sweep has to do now, oldest first. */
    async due(nowMs: number, limit: number): Promise<DueWork> {
      const [dueLinks, dueConnections] = await guarded(() => db.batch([
        db.select({ id: links.id, state: links.state, tries: links.tries }).from(links).where(sql`${links.nextTryAtMs} IS NOT NULL AND ${links.nextTryAtMs} <= ${nowMs} AND ${links.state} IN ('created', 'ending')`).orderBy(links.nextTryAtMs).limit(limit),
        db.select({ id: connections.id, linkId: connections.linkId, tries: connections.tries }).from(connections).where(sql`((${connections.status} <> 'removed' AND (${connections.fullRead} = 'due' OR ${connections.repairReason} IS NOT NULL)) OR (${connections.status} = 'removed' AND ${connections.goneRemotely} = 0)) AND ${connections.nextTryAtMs} <= ${nowMs}`).orderBy(connections.nextTryAtMs).limit(limit),
      ]));
      return { links: dueLinks, connections: dueConnections.map((row) => ({ ...row, id: row.id as ConnectionId })) };
    },
  };
}
