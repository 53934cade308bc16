// Tables that belong to no single domain: answers kept for repeats, the audit trail, settings fixed
// at the first start.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const idempotencyKeys = sqliteTable("idempotency_keys", {
  scope: text("scope").primaryKey(),
  requestHash: text("request_hash").notNull(),
  state: text("state", { enum: ["running", "done"] }).notNull(),
  answerCipher: text("answer_cipher"),
  startedAtMs: integer("started_at_ms").notNull(),
  expiresAtMs: integer("expires_at_ms").notNull(),
  principal: text("principal").notNull().default(""),
});

export const auditEvents = sqliteTable("audit_events", {
  id: text("id").primaryKey(),
  atMs: integer("at_ms").notNull(),
  actorKind: text("actor_kind", { enum: ["operator", "user", "system"] }).notNull(),
  actor: text("actor").notNull(),
  action: text("action").notNull(),
  target: text("target").notNull(),
  details: text("details").notNull(),
});

export const settings = sqliteTable("settings", {
  name: text("name").primaryKey(),
  value: text("value").notNull(),
  setAtMs: integer("set_at_ms").notNull(),
});

export const quarantine = sqliteTable("quarantine", {
  id: text("id").primaryKey(),
  provider: text("provider").notNull(),
  event: text("event").notNull(),
  remoteUserId: text("remote_user_id"),
  remoteConnectionId: text("remote_connection_id"),
  reason: text("reason").notNull(),
  bodyBytes: integer("body_bytes").notNull(),
  bodyHash: text("body_hash").notNull(),
  firstAtMs: integer("first_at_ms").notNull(),
  lastAtMs: integer("last_at_ms").notNull(),
  times: integer("times").notNull(),
  resolvedAtMs: integer("resolved_at_ms"),
});
