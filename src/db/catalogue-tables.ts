// Tables of brands, offers and corrections, as migrations/0003, 0015, 0021 and 0026 make them. Rules that
// must hold whatever the code believes (immutable versions, second person) are triggers and checks
// there.
import { integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const catalogueState = sqliteTable("catalogue_state", {
  id: integer("id").primaryKey(),
  version: integer("version").notNull(),
  brandsVersion: integer("brands_version").notNull(),
});

export const brands = sqliteTable("brands", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  nameKey: text("name_key").notNull(),
  category: text("category").notNull(),
  aliases: text("aliases", { mode: "json" }).$type<readonly string[]>().notNull(),
  excluded: text("excluded", { mode: "json" }).$type<readonly string[]>().notNull(),
  website: text("website"),
  logoUrl: text("logo_url"),
  wikidata: text("wikidata"),
  requestKey: text("request_key"),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
  archivedAtMs: integer("archived_at_ms"),
  seal: text("seal"),
});

export const aliasChanges = sqliteTable("alias_changes", {
  id: text("id").primaryKey(),
  brandId: text("brand_id").notNull(),
  name: text("name").notNull(),
  aliases: text("aliases", { mode: "json" }).$type<readonly string[]>().notNull(),
  excluded: text("excluded", { mode: "json" }).$type<readonly string[]>().notNull(),
  state: text("state", { enum: ["waiting", "approved", "superseded"] }).notNull(),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  approvedBy: text("approved_by"),
  decidedAtMs: integer("decided_at_ms"),
  seal: text("seal"),
});

export const offers = sqliteTable("offers", {
  id: text("id").primaryKey(),
  brandId: text("brand_id").notNull(),
  titleFr: text("title_fr").notNull(),
  titleEn: text("title_en").notNull(),
  requestKey: text("request_key"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  descriptionFr: text("description_fr"),
  descriptionEn: text("description_en"),
  imageUrl: text("image_url"),
  updatedAtMs: integer("updated_at_ms"),
  seal: text("seal"),
});

export const offerStops = sqliteTable("offer_stops", {
  offerId: text("offer_id").notNull(),
  kind: text("kind", { enum: ["end_of_day", "immediate"] }).notNull(),
  state: text("state", { enum: ["waiting", "in_force"] }).notNull(),
  reason: text("reason"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  approvedBy: text("approved_by"),
  stopsAtMs: integer("stops_at_ms"),
  seal: text("seal"),
}, (table) => [primaryKey({ columns: [table.offerId, table.kind] })]);

export const offerBudgets = sqliteTable("offer_budgets", {
  offerId: text("offer_id").primaryKey(),
  reservedPoints: integer("reserved_points").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
  alertedPercent: integer("alerted_percent").notNull(),
  alertedBudgetPoints: integer("alerted_budget_points").notNull(),
});

export const offerVersions = sqliteTable("offer_versions", {
  offerId: text("offer_id").notNull(),
  number: integer("number").notNull(),
  terms: text("terms").notNull(),
  secondPerson: integer("second_person", { mode: "boolean" }).notNull(),
  state: text("state", { enum: ["approved", "waiting"] }).notNull(),
  requestKey: text("request_key"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  approvedBy: text("approved_by"),
  approvedAtMs: integer("approved_at_ms"),
  seal: text("seal"),
}, (table) => [primaryKey({ columns: [table.offerId, table.number] })]);

export const recognitionCorrections = sqliteTable("recognition_corrections", {
  merchant: text("merchant").primaryKey(),
  brandId: text("brand_id"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
  seal: text("seal"),
});

export const correctionChanges = sqliteTable("correction_changes", {
  id: text("id").primaryKey(),
  merchant: text("merchant").notNull(),
  brandId: text("brand_id").notNull(),
  state: text("state", { enum: ["waiting", "approved", "superseded"] }).notNull(),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  approvedBy: text("approved_by"),
  decidedAtMs: integer("decided_at_ms"),
  seal: text("seal"),
});
