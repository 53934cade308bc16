// A renewal of all tokens as owners ask for it: one asks, another listed person approves.
import type { AuditEvent } from "../../audit/ports.ts";
import { refusesApproval } from "../../http/second-person.ts";
import type { ApprovalRefusal } from "../../http/second-person.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { AggregatorName } from "../ports.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { BankingStore, TokenRenewal } from "../store/index.ts";

/** A job and what it has still to do. */
export type RenewalView = {
  readonly renewal: TokenRenewal;
  readonly left: Awaited<ReturnType<BankingStore["tokenRenewalLeft"]>>;
};

type RenewalError = ApprovalRefusal | { readonly code: "not_found" | "conflict" };

/** Asks for new tokens. What is open for the aggregator already is answered again. */
export async function askRenewal(
  deps: BankingDeps,
  asked: { readonly aggregator: AggregatorName; readonly reason: string; readonly by: string },
  eventOf: (id: string) => AuditEvent,
): Promise<Result<RenewalView, RenewalError>> {
  const { aggregator, reason, by } = asked;
  const renewal = await deps.store.askTokenRenewal(
    { aggregator, reason, askedBy: by, askedAtMs: deps.clock.nowMs() },
    eventOf,
  );
  return renewal === null ? err({ code: "conflict" }) : ok(await viewOf(deps, renewal));
}

/** Starts a job. Repeated by the one who approved it, it changes nothing. */
export async function approveRenewal(
  deps: BankingDeps,
  id: string,
  by: { readonly operator: string; readonly listedPerson: boolean },
  event: AuditEvent,
): Promise<Result<RenewalView, RenewalError>> {
  const renewal = await deps.store.tokenRenewal(id);
  if (renewal === null) return err({ code: "not_found" });
  if (renewal.state === "waiting") {
    const refusal = refusesApproval(renewal.askedBy, by);
    if (refusal !== null) return err(refusal);
    await deps.store.approveTokenRenewal(id, by.operator, event, deps.clock.nowMs());
  }
  const after = await deps.store.tokenRenewal(id);
  return after?.approvedBy === by.operator
    ? ok(await viewOf(deps, after))
    : err({ code: "conflict" });
}

/** One job with its progress, or null. */
export async function describeRenewal(deps: BankingDeps, id: string): Promise<RenewalView | null> {
  const renewal = await deps.store.tokenRenewal(id);
  return renewal === null ? null : viewOf(deps, renewal);
}

/** A page of jobs, newest first; one more than `limit` when there is another page. */
export async function renewalPage(
  deps: BankingDeps,
  limit: number,
  before: string | null,
): Promise<readonly RenewalView[]> {
  const found = await deps.store.tokenRenewals(limit, before);
  return Promise.all(found.map((renewal) => viewOf(deps, renewal)));
}

async function viewOf(deps: BankingDeps, renewal: TokenRenewal): Promise<RenewalView> {
  return { renewal, left: await deps.store.tokenRenewalLeft(renewal) };
}
