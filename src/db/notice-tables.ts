// Drizzle's view of the notices that wait to be sent, and the statement that adds one. It lies
// below the domains because a notice goes into the batch of what it is about, whichever domain
// writes that.
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import type { Database } from "./database.ts";

export const notices = sqliteTable("user_notices", {
  id: text("id").primaryKey(),
  userId: text("user_id").notNull(),
  kind: text("kind", {
    enum: [
      "earning_started",
      "transfer_asked",
      "transfer_refused",
      "age_review_opened",
      "age_review_resumed",
      "age_review_ended",
      "session_opened",
      "email_changed",
      "passkey_added",
      "passkey_removed",
      "step_up_codes_off",
      "bank_connection_ended",
    ],
  }).notNull(),
  details: text("details").notNull(),
  createdAtMs: integer("created_at_ms").notNull(),
  tries: integer("tries").notNull().default(0),
  nextTryAtMs: integer("next_try_at_ms"),
  sentAtMs: integer("sent_at_ms"),
});

export type NoticeKind = typeof notices.$inferSelect.kind;

type NewNotice = {
  /** Names the event: the same event again adds nothing. */
  readonly id: SQL;
  readonly kind: NoticeKind;
  readonly userId: SQL;
  /** A JSON object. */
  readonly details: SQL;
  /** The tables and the condition behind `SELECT ...`. */
  readonly from: SQL;
};

/** Adds a notice for each row of a query, for `db.batch`. */
export function noticeStatement(db: Database, notice: NewNotice, nowMs: number) {
  const { id, kind, userId, details, from } = notice;
  return db.insert(notices).select(
    sql`SELECT ${id}, ${userId}, ${kind}, ${details}, ${nowMs}, 0, ${nowMs}, NULL ${from}`,
  ).onConflictDoNothing();
}
