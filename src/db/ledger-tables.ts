// Drizzle's view of migrations/0004_ledger.sql, for the queries of dashboards and audits. The
// outbox is the only writer.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const ledgerHeads = sqliteTable("ledger_heads", {
  userId: text("user_id").primaryKey(),
  lastSequence: integer("last_sequence").notNull(),
  head: text("head").notNull(),
  pending: integer("pending").notNull(),
  available: integer("available").notNull(),
  held: integer("held").notNull(),
  projectedAtMs: integer("projected_at_ms").notNull(),
  /** True for an erased ledger, whose last leaf this is. */
  closed: integer("closed", { mode: "boolean" }).notNull(),
});

export const counters = sqliteTable("counters", {
  day: text("day").notNull(),
  brandId: text("brand_id").notNull(),
  offerId: text("offer_id").notNull(),
  kind: text("kind").notNull(),
  purchases: integer("purchases").notNull(),
  cents: integer("cents").notNull(),
  points: integer("points").notNull(),
  /** Changes of the user's accounts, added in migrations/0006_insights.sql. */
  pending: integer("pending").notNull(),
  available: integer("available").notNull(),
  held: integer("held").notNull(),
}, (table) => [primaryKey({ columns: [table.day, table.brandId, table.offerId, table.kind] })]);
