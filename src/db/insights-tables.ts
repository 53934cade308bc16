// Tables of the insights domain (migrations/0006_insights.sql, 0009_insights_changes.sql). Bounds
// that must hold whatever the code believes are triggers there.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const projectionWork = sqliteTable("projection_work", {
  name: text("name", { enum: ["rebuild", "patrol"] }).primaryKey(),
  state: text("state").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
});

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
