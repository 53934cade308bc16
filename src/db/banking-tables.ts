// Tables of the banking domain (migrations/0005_banking.sql, 0007_banking_changes.sql,
// 0008_banking_families.sql, 0010_account_identity.sql, 0013_shared_accounts.sql,
// 0020_bank_link_codes.sql, 0026_row_seals.sql). Nothing here names a person or an account: ids, hashes, ciphertexts.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const aggregatorLinks = sqliteTable("aggregator_links", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  aggregator: text("aggregator", { enum: ["powens", "bridge", "plaid"] }).notNull(),
  state: text("state", { enum: ["intended", "creating", "created", "ending", "ended"] }).notNull(),
  attempts: integer("attempts").notNull(),
  attemptAtMs: integer("attempt_at_ms"),
  remoteUserId: text("remote_user_id"),
  tokenCipher: text("token_cipher"),
  tries: integer("tries").notNull().default(0),
  nextTryAtMs: integer("next_try_at_ms"),
  createdAtMs: integer("created_at_ms").notNull(),
  endedAtMs: integer("ended_at_ms"),
  tradedTokenCipher: text("traded_token_cipher"),
  connectionsReadAtMs: integer("connections_read_at_ms"),
  seal: text("seal"),
});

export const connectionIntents = sqliteTable("connection_intents", {
  id: text("id").primaryKey(),
  stateHash: text("state_hash").notNull(),
  userId: text("user_id").notNull(),
  sessionId: text("session_id"),
  aggregator: text("aggregator", { enum: ["powens", "bridge", "plaid"] }).notNull(),
  kind: text("kind", { enum: ["connect", "renew"] }).notNull(),
  connectionId: text("connection_id"),
  redirectUri: text("redirect_uri").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
  spentAtMs: integer("spent_at_ms"),
  outcome: text("outcome", { enum: ["returned", "refused"] }),
  codeHash: text("code_hash"),
  linkId: text("link_id"),
  remoteConnectionId: text("remote_connection_id"),
});

export const bankConnections = sqliteTable("bank_connections", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  linkId: text("link_id").notNull(),
  aggregator: text("aggregator", { enum: ["powens", "bridge", "plaid"] }).notNull(),
  remoteConnectionId: text("remote_connection_id").notNull(),
  bankId: text("bank_id").notNull(),
  bankName: text("bank_name").notNull(),
  status: text("status", {
    enum: ["connecting", "active", "action_required", "expired", "unavailable", "removed"],
  }).notNull(),
  action: text("action", { enum: ["none", "renew", "update_credentials", "act_at_bank"] })
    .notNull(),
  consentGrantedAtMs: integer("consent_granted_at_ms").notNull(),
  consentExpiresAtMs: integer("consent_expires_at_ms").notNull(),
  fullRead: text("full_read", { enum: ["due", "done"] }).notNull(),
  repairReason: text("repair_reason"),
  repairSinceMs: integer("repair_since_ms"),
  tries: integer("tries").notNull().default(0),
  nextTryAtMs: integer("next_try_at_ms"),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
  removedAtMs: integer("removed_at_ms"),
  goneRemotely: integer("gone_remotely").notNull().default(0),
  changesReadAtMs: integer("changes_read_at_ms"),
  changesDueAtMs: integer("changes_due_at_ms").notNull().default(0),
  renewalOfferedAtMs: integer("renewal_offered_at_ms"),
  seal: text("seal"),
});

export const bankGaps = sqliteTable("bank_gaps", {
  connectionId: text("connection_id").notNull(),
  fromMs: integer("from_ms").notNull(),
  toMs: integer("to_ms"),
  recoveredAtMs: integer("recovered_at_ms"),
}, (table) => [primaryKey({ columns: [table.connectionId, table.fromMs] })]);

export const bankAccounts = sqliteTable("bank_accounts", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  connectionId: text("connection_id").notNull(),
  aggregator: text("aggregator", { enum: ["powens", "bridge", "plaid"] }).notNull(),
  remoteAccountId: text("remote_account_id").notNull(),
  kind: text("kind", { enum: ["checking", "card"] }).notNull(),
  currency: text("currency"),
  ordinal: integer("ordinal").notNull(),
  fingerprint: text("fingerprint").notNull(),
  strength: text("strength", { enum: ["iban", "parent", "weak"] }).notNull(),
  earning: integer("earning").notNull(),
  linkedAtMs: integer("linked_at_ms").notNull(),
  seenFromMs: integer("seen_from_ms"),
  state: text("state", { enum: ["enabled", "disabled", "deleted"] }).notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
  weakKey: text("weak_key"),
  family: text("family"),
  ownIban: text("own_iban"),
  nameTag: text("name_tag"),
  parentRemoteAccountId: text("parent_remote_account_id"),
  earlierKeys: text("earlier_keys"),
  goneAtMs: integer("gone_at_ms"),
  offByChoice: integer("off_by_choice").notNull().default(0),
  takenRows: text("taken_rows"),
  seal: text("seal"),
});

export const earningHandovers = sqliteTable("earning_handovers", {
  fingerprint: text("fingerprint").primaryKey(),
  stoppedAtMs: integer("stopped_at_ms").notNull(),
  nextTryAtMs: integer("next_try_at_ms").notNull(),
  tries: integer("tries").notNull().default(0),
  preferredUserId: text("preferred_user_id"),
});

export const earningTransfers = sqliteTable("earning_transfers", {
  id: text("id").primaryKey(),
  fingerprint: text("fingerprint").notNull(),
  userId: text("user_id").notNull(),
  state: text("state", { enum: ["asked", "accepted", "done", "refused", "expired", "void"] })
    .notNull(),
  askedAtMs: integer("asked_at_ms").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
  answeredBy: text("answered_by"),
  answeredAtMs: integer("answered_at_ms"),
});
