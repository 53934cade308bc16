// Drizzle's view of the age reviews.
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
  seal: text("seal"),
});
