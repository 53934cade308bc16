// Tables of brands, offers and corrections, as migrations/0003_catalogue.sql makes them. Rules that
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
});

export const offers = sqliteTable("offers", {
  id: text("id").primaryKey(),
  brandId: text("brand_id").notNull(),
  titleFr: text("title_fr").notNull(),
  titleEn: text("title_en").notNull(),
  requestKey: text("request_key"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
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
}, (table) => [primaryKey({ columns: [table.offerId, table.number] })]);

export const recognitionCorrections = sqliteTable("recognition_corrections", {
  merchant: text("merchant").primaryKey(),
  brandId: text("brand_id"),
  createdBy: text("created_by").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  updatedAtMs: integer("updated_at_ms").notNull(),
});
