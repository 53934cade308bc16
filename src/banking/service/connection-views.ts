// A user's connections and accounts as the user sees them: one D1 read and, when there are any, one
// ledger call.
import type { AccountId, ConnectionId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import type { LedgerError } from "../../ledger/ports.ts";
import { connectionView } from "../connections/index.ts";
import type { AccountView, ConnectionView, LinkedConnection } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";

/** These connections with what the ledger knows of them. */
export async function viewsOf(
  deps: BankingDeps,
  userId: UserId,
  connections: readonly LinkedConnection[],
): Promise<Result<ConnectionView[], LedgerError>> {
  if (connections.length === 0) return ok([]);
  const activity = await deps.ledger.bankingActivity(userId);
  if (!activity.ok) return activity;
  return ok(
    connections.map((connection) => connectionView(connection, activity.value, deps.clock.nowMs())),
  );
}

/** The user's connections, ended ones left out. */
export async function listConnections(
  deps: BankingDeps,
  userId: UserId,
): Promise<Result<ConnectionView[], LedgerError>> {
  const all = await deps.store.connectionsOf(userId);
  return viewsOf(deps, userId, all.filter((connection) => connection.status !== "removed"));
}

/** One connection, also an ended one; null when it is not the user's. */
export async function connectionDetail(
  deps: BankingDeps,
  userId: UserId,
  id: ConnectionId,
): Promise<Result<ConnectionView | null, LedgerError>> {
  const all = await deps.store.connectionsOf(userId);
  const views = await viewsOf(deps, userId, all.filter((connection) => connection.id === id));
  return views.ok ? ok(views.value[0] ?? null) : views;
}

/** One account of the user's; `not_found` when it is not theirs, or not shown any more. */
export async function accountDetail(
  deps: BankingDeps,
  userId: UserId,
  id: AccountId,
): Promise<Result<AccountView, LedgerError | { readonly code: "not_found" }>> {
  const connection = (await deps.store.connectionsOf(userId)).find((candidate) =>
    candidate.accounts.some((account) => account.id === id)
  );
  const views = await viewsOf(deps, userId, connection === undefined ? [] : [connection]);
  if (!views.ok) return views;
  const account = views.value[0]?.accounts.find((candidate) => candidate.id === id);
  return account === undefined ? err({ code: "not_found" }) : ok(account);
}
