// Drizzle's view of the age reviews, and when one keeps its user from earning.
import { sql } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const ageReviews = sqliteTable("age_reviews", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  openedAtMs: integer("opened_at_ms").notNull(),
  decideByMs: integer("decide_by_ms").notNull(),
  decision: text("decision", { enum: ["of_age", "under_age", "lapsed"] }),
  decidedBy: text("decided_by"),
  decidedAtMs: integer("decided_at_ms"),
  closedAtMs: integer("closed_at_ms"),
});

/**
 * True while the review of a user (an expression of the surrounding statement) keeps them from
 * earning and linking.
 */
export function heldForAge(userId: string) {
  return sql.raw(
    `EXISTS (SELECT 1 FROM age_reviews g WHERE g.user_id = ${userId} AND g.closed_at_ms IS NULL AND g.decision IS NOT 'of_age')`,
  );
}
