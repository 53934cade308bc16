// Table of the halts (migrations/0018_halts_and_quotas.sql), and what domains may ask of it in a
// statement of their own.
import { sql } from "drizzle-orm";
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
});

/** A condition on a row of `halts`: it stops that part of the programme now. */
export function inForce(what: typeof HALT_SCOPES[number]) {
  return sql`${halts.what} = ${what} AND ${halts.endedAtMs} IS NULL`;
}
