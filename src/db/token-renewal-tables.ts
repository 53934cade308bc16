// Tables of the jobs that renew tokens (migrations/0018_halts_and_quotas.sql).
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const tokenRenewals = sqliteTable("token_renewals", {
  id: text("id").primaryKey(),
  aggregator: text("aggregator", { enum: ["powens", "bridge", "plaid"] }).notNull(),
  reason: text("reason").notNull(),
  state: text("state", { enum: ["waiting", "running", "finished"] }).notNull(),
  askedBy: text("asked_by").notNull(),
  askedAtMs: integer("asked_at_ms").notNull(),
  approvedBy: text("approved_by"),
  approvedAtMs: integer("approved_at_ms"),
  reachedLinkId: text("reached_link_id").notNull().default(""),
  walked: integer("walked").notNull().default(0),
  renewed: integer("renewed").notNull().default(0),
  ended: integer("ended").notNull().default(0),
  finishedAtMs: integer("finished_at_ms"),
});

export const tokenRenewalLinks = sqliteTable("token_renewal_links", {
  linkId: text("link_id").notNull(),
  renewalId: text("renewal_id").notNull(),
  tries: integer("tries").notNull().default(0),
  tryAtMs: integer("try_at_ms").notNull(),
  oldTokenCipher: text("old_token_cipher"),
}, (table) => [primaryKey({ columns: [table.linkId, table.renewalId] })]);
