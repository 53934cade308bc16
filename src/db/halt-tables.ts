// Table of the halts (migrations/0018_halts_and_quotas.sql, 0027_decision_seals.sql).
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const HALT_SCOPES = ["payouts", "confirmations", "linking", "offers"] as const;

export const halts = sqliteTable("halts", {
  id: text("id").primaryKey(),
  what: text("what", { enum: HALT_SCOPES }).notNull(),
  reason: text("reason").notNull(),
  begunBy: text("begun_by").notNull(),
  begunAtMs: integer("begun_at_ms").notNull(),
  endAskedBy: text("end_asked_by"),
  endAskedAtMs: integer("end_asked_at_ms"),
  endedBy: text("ended_by"),
  endedAtMs: integer("ended_at_ms"),
  seal: text("seal"),
});
