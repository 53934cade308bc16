// The emergency brake: parts of the programme that one owner stops at once and two start again. What
// each defers is the part's own to know (DESIGN.md section 4). Pure.
import { refusesApproval } from "../../http/second-person.ts";
import type { ApprovalRefusal } from "../../http/second-person.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";

export type HaltScope = "payouts" | "confirmations" | "linking" | "offers";

export type Halt = {
  readonly id: string;
  readonly what: HaltScope;
  readonly reason: string;
  readonly begunBy: string;
  readonly begunAtMs: number;
  /** The first of the two who end it. */
  readonly endAskedBy: string | null;
  readonly endAskedAtMs: number | null;
  readonly endedBy: string | null;
  readonly endedAtMs: number | null;
};

/** Who acts, and when. */
export type HaltActor = {
  readonly operator: string;
  readonly listedPerson: boolean;
  readonly nowMs: number;
};

type EndRefusal = ApprovalRefusal | { readonly code: "halt_ended" };

/**
 * The halt after that person asked to end it: the first is noted, the second ends it. Both are
 * listed persons, since ending one moves value. The same person again changes nothing.
 */
export function askedToEnd(halt: Halt, actor: HaltActor): Result<Halt, EndRefusal> {
  if (halt.endedAtMs !== null) {
    return halt.endedBy === actor.operator ? ok(halt) : err({ code: "halt_ended" });
  }
  if (!actor.listedPerson) return err({ code: "listed_person_required" });
  if (halt.endAskedBy === actor.operator) return ok(halt);
  if (halt.endAskedBy === null) {
    return ok({ ...halt, endAskedBy: actor.operator, endAskedAtMs: actor.nowMs });
  }
  const refusal = refusesApproval(halt.endAskedBy, actor);
  return refusal === null
    ? ok({ ...halt, endedBy: actor.operator, endedAtMs: actor.nowMs })
    : err(refusal);
}
