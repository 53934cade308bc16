// What an operator does about a quarantined message: ask the aggregator again for what it
// was about. No body was kept, so nothing is replayed literally; what a complete read records is
// all that any message could have brought.
import type { AuditEvent } from "../../audit/ports.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedUser } from "../connections/index.ts";
import { accessFor, reconcile } from "../reconcile/index.ts";
import type { QuarantinedMessage } from "../store/index.ts";
import { catchUp, PAGES_INLINE } from "../rows/index.ts";
import type { UnfinishedRead } from "../rows/index.ts";

/**
 * `scheduled`: more than one request may read; the sweep goes on with it and resolves the message.
 */
type Replayed = {
  readonly id: string;
  readonly outcome: "resolved" | "scheduled";
  readonly resolvedAtMs: number | null;
};

/**
 * - `not_found`: no such message.
 * - `nothing_to_ask`: it names nobody whom we know, or nothing that the aggregator still has.
 * - `aggregator_unavailable`, `ledger_unavailable`: to be repeated; the sweep also goes on.
 * - `still_failing`: asked and answered, but it still fails (`reason`).
 */
export type ReplayError =
  | {
    readonly code: "not_found" | "nothing_to_ask" | "aggregator_unavailable" | "ledger_unavailable";
  }
  | { readonly code: "still_failing"; readonly reason: UnfinishedRead };

/**
 * Asks again for what a quarantined message was about and resolves it when that worked. Safe to
 * repeat; a resolved one stays so. `eventOf` makes the line of the audit log that goes with it.
 */
export async function replayQuarantined(
  deps: BankingDeps,
  id: string,
  eventOf: (details: AuditEvent["details"]) => AuditEvent,
): Promise<Result<Replayed, ReplayError>> {
  const item = await deps.store.quarantined(id);
  if (item === null) return err({ code: "not_found" });
  if (item.resolvedAtMs !== null) {
    return ok({ id, outcome: "resolved", resolvedAtMs: item.resolvedAtMs });
  }
  const found = item.remoteUserId === null
    ? null
    : await deps.store.linkedUserByRemoteId(item.provider, item.remoteUserId);
  if (found === null || !found.ok || !found.value.userActive) {
    return err({ code: "nothing_to_ask" });
  }
  const linkedUser = found.value;
  // The user has left: nothing of it may be taken in any more.
  const asked = linkedUser.linkState !== "created"
    ? ok("resolved" as const)
    : item.event === "user-deleted"
    ? await askForUser(deps, linkedUser)
    : await askForRows(deps, linkedUser, item);
  if (!asked.ok) return asked;
  const nowMs = deps.clock.nowMs();
  const resolvedAtMs = asked.value === "resolved" ? nowMs : null;
  await deps.store.replayed(
    id,
    resolvedAtMs,
    eventOf({ outcome: asked.value, reason: item.reason }),
    nowMs,
  );
  return ok({ id, outcome: asked.value, resolvedAtMs });
}

async function askForUser(
  deps: BankingDeps,
  linkedUser: LinkedUser,
): Promise<Result<"resolved", ReplayError>> {
  const access = await accessFor(deps, linkedUser);
  if (!access.ok) return err(refusal(access.error.code));
  const exists = await access.value.aggregator.userExists(access.value.token);
  if (!exists.ok) return err(refusal(exists.error.code));
  if (!exists.value) await deps.store.endLink(linkedUser.linkId, deps.clock.nowMs());
  return ok("resolved");
}

async function askForRows(
  deps: BankingDeps,
  before: LinkedUser,
  item: QuarantinedMessage,
): Promise<Result<Replayed["outcome"], ReplayError>> {
  const access = await accessFor(deps, before);
  if (!access.ok) return err(refusal(access.error.code));
  const reconciled = await reconcile(deps, before, access.value);
  if (!reconciled.ok) return err(refusal(reconciled.error.code));
  const { connections } = reconciled.value.linkedUser;
  const meant = connections.filter((connection) =>
    item.remoteConnectionId === null || connection.remoteId === item.remoteConnectionId
  );
  if (meant.length === 0) return err({ code: "nothing_to_ask" });
  let outcome: Replayed["outcome"] = "resolved";
  for (const connection of meant) {
    if (connection.status === "removed") continue;
    await deps.store.readAgain(connection.id, deps.clock.nowMs());
    const fresh = await deps.store.linkedUserOfLink(before.linkId);
    const open = fresh === null ? null : await catchUp(deps, fresh, connection.id, PAGES_INLINE);
    if (open === "too_many_pages" || open === "not_yet") outcome = "scheduled";
    else if (open !== null) return err(refusal(open));
  }
  return ok(outcome);
}

function refusal(open: UnfinishedRead): ReplayError {
  switch (open) {
    case "aggregator_unavailable":
    case "ledger_unavailable":
      return { code: open };
    case "aggregator_not_found":
      return { code: "nothing_to_ask" };
    default:
      return { code: "still_failing", reason: open };
  }
}
