// Banking as its routes and the rest of the system see it: linking, listing, ending, receiving,
// sweeping.
import type { OperatorPrincipal } from "../http/context.ts";
import type { AccountId, ConnectionId, UserId } from "../kernel/ids.ts";
import { err, ok } from "../kernel/result.ts";
import type { Result } from "../kernel/result.ts";
import { HOUR_MS } from "../kernel/time.ts";
import type { LedgerError } from "../ledger/ports.ts";
import type { BankingDeps } from "./deps.ts";
import type { LinkedConnection } from "./connections/linked-user.ts";
import { consentListener, endAll, endConnection } from "./linking/disconnect.ts";
import { normaliseName } from "./connections/account-fingerprint.ts";
import { returnFromBank, startConnection, startRenewal } from "./linking/link-flow.ts";
import type { CallbackInput, StartInput } from "./linking/link-flow.ts";
import type { Bank, BankingPort } from "./ports.ts";
import { createReceiver } from "./webhook/intake.ts";
import { replayQuarantined } from "./webhook/replay.ts";
import { sweep } from "./sweep.ts";
import { connectionView } from "./connections/view.ts";
import type { AccountView, ConnectionView } from "./connections/view.ts";

export type { BankingDeps } from "./deps.ts";

const BANKS_KEPT_MS = HOUR_MS;

export type BankingService = ReturnType<typeof createBanking>;

/** Builds the banking service. One per isolate: it keeps the list of banks for an hour. */
export function createBanking(deps: BankingDeps) {
  let banks: { readonly atMs: number; readonly list: readonly Bank[] } | null = null;

  async function allBanks(): Promise<
    Result<readonly Bank[], { readonly code: "aggregator_unavailable" }>
  > {
    const nowMs = deps.clock.nowMs();
    if (banks !== null && nowMs - banks.atMs < BANKS_KEPT_MS) return ok(banks.list);
    const [first] = deps.aggregators;
    const fresh = first === undefined
      ? err({ code: "aggregator_unavailable" })
      : await first.banks();
    if (fresh.ok) banks = { atMs: nowMs, list: fresh.value };
    // An old list serves better than none.
    else if (banks === null) return err({ code: "aggregator_unavailable" });
    return ok(banks?.list ?? []);
  }

  async function views(
    userId: UserId,
    wanted: readonly LinkedConnection[],
  ): Promise<Result<ConnectionView[], LedgerError>> {
    if (wanted.length === 0) return ok([]);
    const activity = await deps.ledger.bankingActivity(userId);
    if (!activity.ok) return activity;
    return ok(
      wanted.map((connection) => connectionView(connection, activity.value, deps.clock.nowMs())),
    );
  }

  const port: BankingPort = {
    endAll: (userId) => endAll(deps, userId),
    connectionIds: async (userId) =>
      (await deps.store.connectionsOf(userId)).map((connection) => connection.id),
    sweep: (nowMs) => sweep(deps, nowMs),
  };
  const consents = consentListener(deps);

  return {
    port,
    consentListener: consents,
    sweep: port.sweep,
    receive: createReceiver(deps),
    /** Banks whose name contains the query, whatever its case and accents; by name. */
    async banks(
      query: string,
    ): Promise<Result<readonly Bank[], { readonly code: "aggregator_unavailable" }>> {
      const list = await allBanks();
      const wanted = normaliseName(query);
      return list.ok && wanted !== ""
        ? ok(list.value.filter((bank) => normaliseName(bank.name).includes(wanted)))
        : list;
    },
    start: (input: StartInput) => startConnection(deps, input),
    renew: (input: Parameters<typeof startRenewal>[1]) => startRenewal(deps, input),
    async returned(input: CallbackInput) {
      const result = await returnFromBank(deps, input);
      if (!result.ok) return result;
      const shown = await views(input.userId, result.value.connections);
      return shown.ok
        ? ok({ outcome: result.value.outcome, connections: shown.value })
        : err({ code: "ledger_unavailable" as const });
    },
    /**
     * The user's connections, ended ones left out: one D1 read and, when there are any, one ledger
     * call.
     */
    async list(userId: UserId): Promise<Result<ConnectionView[], LedgerError>> {
      const all = await deps.store.connectionsOf(userId);
      return views(userId, all.filter((connection) => connection.status !== "removed"));
    },
    /** One connection, also an ended one; null when it is not the user's. */
    async detail(
      userId: UserId,
      id: ConnectionId,
    ): Promise<Result<ConnectionView | null, LedgerError>> {
      const found = (await deps.store.connectionsOf(userId)).find((connection) =>
        connection.id === id
      );
      const shown = await views(userId, found === undefined ? [] : [found]);
      return shown.ok ? ok(shown.value[0] ?? null) : shown;
    },
    /** Switches whether an account earns. */
    async setEarning(
      userId: UserId,
      id: AccountId,
      earning: boolean,
    ): Promise<Result<AccountView, LedgerError | { readonly code: "shared" | "not_found" }>> {
      const done = await deps.store.setEarning(userId, id, earning, deps.clock.nowMs());
      if (done !== "done") return err({ code: done === "shared" ? "shared" : "not_found" });
      const connection = (await deps.store.connectionsOf(userId)).find((candidate) =>
        candidate.accounts.some((account) => account.id === id)
      );
      const shown = await views(userId, connection === undefined ? [] : [connection]);
      if (!shown.ok) return shown;
      const account = shown.value[0]?.accounts.find((candidate) => candidate.id === id);
      return account === undefined ? err({ code: "not_found" }) : ok(account);
    },
    end: (userId: UserId, id: ConnectionId) => endConnection(deps, userId, id),
    replay: (id: string, operator: OperatorPrincipal) => replayQuarantined(deps, id, operator),
  };
}
