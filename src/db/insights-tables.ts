// Tables of the insights domain (migrations/0006_insights.sql, 0009_insights_changes.sql). Bounds
// that must hold whatever the code believes are triggers there.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const projectionWork = sqliteTable("projection_work", {
  name: text("name", { enum: ["rebuild", "patrol"] }).primaryKey(),
  state: text("state").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
});

export const closedCounters = sqliteTable("closed_counters", {
  day: text("day").notNull(),
  brandId: text("brand_id").notNull(),
  offerId: text("offer_id").notNull(),
  kind: text("kind").notNull(),
  purchases: integer("purchases").notNull(),
  cents: integer("cents").notNull(),
  points: integer("points").notNull(),
  pending: integer("pending").notNull(),
  available: integer("available").notNull(),
  held: integer("held").notNull(),
}, (table) => [primaryKey({ columns: [table.day, table.brandId, table.offerId, table.kind] })]);

export const purchaseSample = sqliteTable("purchase_sample", {
  id: text("id").primaryKey(),
  day: text("day").notNull(),
  brandId: text("brand_id").notNull(),
  cents: integer("cents").notNull(),
  pseudonym: text("pseudonym").notNull(),
  bucket: integer("bucket").notNull(),
});

export const purchaseSampleState = sqliteTable("purchase_sample_state", {
  id: integer("id").primaryKey(),
  size: integer("size").notNull(),
  threshold: integer("threshold").notNull(),
});

export const reviews = sqliteTable("reviews", {
  purchaseId: text("purchase_id").primaryKey(),
  userId: text("user_id").notNull(),
  why: text("why").notNull(),
  state: text("state", { enum: ["open", "closed"] }).notNull(),
  openedAtMs: integer("opened_at_ms").notNull(),
  closedAtMs: integer("closed_at_ms"),
  decision: text("decision", { enum: ["count", "refuse"] }),
  decidedBy: text("decided_by"),
  decidedAtMs: integer("decided_at_ms"),
  proposedBy: text("proposed_by"),
  proposedAtMs: integer("proposed_at_ms"),
  proposedPoints: integer("proposed_points"),
});
