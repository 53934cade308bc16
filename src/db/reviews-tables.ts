// Drizzle's view of the reviews queue. The ledgers' alarms fill it, operators decide its rows.
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

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
  purchasedOn: text("purchased_on"),
  proposedBy: text("proposed_by"),
  proposedAtMs: integer("proposed_at_ms"),
  proposedPoints: integer("proposed_points"),
  decisionReason: text("decision_reason"),
  seal: text("seal"),
});
