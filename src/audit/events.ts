// The audit line of an operator's or the system's act: a statement that goes into the same batch as
// the act itself, so neither exists without the other.
import type { OperatorPrincipal } from "../http/context.ts";
import { newId } from "../kernel/ids.ts";
import type { RandomBytes } from "../kernel/random.ts";
import type { Database } from "../db/database.ts";
import { auditEvents } from "../db/platform-tables.ts";

export type AuditEvent = {
  readonly actorKind: "operator" | "user" | "system";
  /**
   * The operator's subject as Access names it, a user's id, or the name of a part of the system.
   */
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  /** Codes, ids and numbers only. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
};

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

export function operatorEvent(
  operator: OperatorPrincipal,
  action: string,
  target: string,
  details: AuditEvent["details"] = {},
): AuditEvent {
  return { actorKind: "operator", actor: operator.subject, action, target, details };
}
