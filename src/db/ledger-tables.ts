// Drizzle's view of migrations/0004_ledger.sql and of 0006_insights.sql's `closed_counters`, for
// the queries of dashboards and audits. The outbox is the only writer.
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

/** Sums by day, brand, offer and kind. The two tables have the same columns. */
function counterTable<const Name extends string>(name: Name) {
  return sqliteTable(name, {
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
}

/** What all ledgers add up to. */
export const counters = counterTable("counters");
/** The part of it that erased ledgers left, which a rebuild cannot read from any ledger. */
export const closedCounters = counterTable("closed_counters");
