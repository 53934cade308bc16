// What an audit event says of an operator's or the system's act.
import type { OperatorPrincipal } from "../http/context.ts";

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

/** The event of an operator's act. */
export function operatorEvent(
  operator: OperatorPrincipal,
  action: string,
  target: string,
  details: AuditEvent["details"] = {},
): AuditEvent {
  return { actorKind: "operator", actor: operator.subject, action, target, details };
}
