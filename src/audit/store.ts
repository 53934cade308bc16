// Writes audit events. The statement goes into the same batch as the act itself, so that neither
// exists without the other.
import { sql } from "drizzle-orm";
import type { SQL } from "drizzle-orm";
import type { Database } from "../db/database.ts";
import { auditEvents } from "../db/platform-tables.ts";
import { newId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { AuditEvent } from "./event.ts";

/** The insert statement of one audit event, for `db.batch`. */
export function auditStatement(
  db: Database,
  event: AuditEvent,
  nowMs: number,
  random: RandomBytes,
) {
  return db.insert(auditEvents).values({
    id: newId("evt", nowMs, random),
    atMs: nowMs,
    actorKind: event.actorKind,
    actor: event.actor,
    action: event.action,
    target: event.target,
    details: JSON.stringify(event.details),
  });
}

/** As `auditStatement`, of an act that the same batch does only on that condition. */
export function auditStatementWhen(
  db: Database,
  event: AuditEvent,
  nowMs: number,
  random: RandomBytes,
  condition: SQL,
) {
  return db.insert(auditEvents).select(
    sql`SELECT ${newId("evt", nowMs, random)}, ${nowMs}, ${event.actorKind}, ${event.actor},
      ${event.action}, ${event.target}, ${JSON.stringify(event.details)} WHERE ${condition}`,
  );
}
