// Who may approve what somebody else asked for. Pure: every domain with approvals asks here.
import type { OperatorPrincipal } from "./context.ts";

/** The one who approves, by the name that records keep. */
type Approver = {
  readonly operator: OperatorPrincipal["subject"];
  readonly listedPerson: OperatorPrincipal["listedPerson"];
};

export type ApprovalRefusal = {
  /** The one who asked may not approve; nor may anybody but a person whom `ACCESS_ROLES` names. */
  readonly code: "second_person_required" | "listed_person_required";
};

function localPart(subject: string): string {
  const at = subject.lastIndexOf("@");
  return at < 0 ? subject : subject.slice(0, at);
}

/**
 * True when two operators may be one person: the same name, in whatever domain. Who has a mailbox
 * in two domains mostly has the same name in both; a wrong guess costs a third person's approval.
 */
export function mayBeSamePerson(a: string, b: string): boolean {
  return localPart(a) === localPart(b);
}

/** Why this operator may not approve what that one asked for, or null. */
export function refusesApproval(askedBy: string, by: Approver): ApprovalRefusal | null {
  if (mayBeSamePerson(askedBy, by.operator)) return { code: "second_person_required" };
  return by.listedPerson ? null : { code: "listed_person_required" };
}
