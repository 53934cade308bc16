// Banking as its routes and the rest of the system see it: linking, listing, ending, receiving,
// sweeping.
import type { AuditEvent } from "../../audit/ports.ts";
import type { AccountId, ConnectionId, UserId } from "../../kernel/ids.ts";
import { err, ok } from "../../kernel/result.ts";
import {
  consentListener,
  endAll,
  endConnection,
  returnFromBank,
  startConnection,
  startRenewal,
} from "../linking/index.ts";
import type { CallbackInput, RenewalInput, StartInput } from "../linking/index.ts";
import type { BankingPort } from "../ports.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { approveRenewal, askRenewal, describeRenewal, renewalPage } from "../renewal/index.ts";
import { answerTransfer, askTransfer, switchEarning } from "../sharing/index.ts";
import type { QuarantineQuery } from "../store/index.ts";
import { createReceiver, replayQuarantined } from "../webhook/index.ts";
import { createBankSearch } from "./banks.ts";
import { accountDetail, connectionDetail, listConnections, viewsOf } from "./connection-views.ts";
import { sweep } from "./sweep.ts";

type Rest<F> = F extends (deps: BankingDeps, ...rest: infer R) => unknown ? R : never;

export type BankingService = ReturnType<typeof createBanking>;

/** Builds the banking service. One per isolate: it keeps the list of banks for an hour. */
export function createBanking(deps: BankingDeps) {
  const port: BankingPort = {
    endAll: (userId) => endAll(deps, userId),
    connectionIds: async (userId) =>
      (await deps.store.connectionsOf(userId)).map((connection) => connection.id),
    readAgain: async (userId) => {
      for (const connection of await deps.store.connectionsOf(userId)) {
        if (connection.status === "removed") continue;
        await deps.store.readAgain(connection.id, deps.clock.nowMs());
      }
    },
    sweep: (nowMs) => sweep(deps, nowMs),
  };

  return {
    port,
    consentListener: consentListener(deps),
    sweep: port.sweep,
    receive: createReceiver(deps),
    banks: createBankSearch(deps),
    start: (input: StartInput) => startConnection(deps, input),
    renew: (input: RenewalInput) => startRenewal(deps, input),
    async returned(input: CallbackInput) {
      const result = await returnFromBank(deps, input);
      if (!result.ok) return result;
      const views = await viewsOf(deps, input.userId, result.value.connections);
      return views.ok
        ? ok({ outcome: result.value.outcome, connections: views.value })
        : err({ code: "ledger_unavailable" as const });
    },
    list: (userId: UserId) => listConnections(deps, userId),
    detail: (userId: UserId, id: ConnectionId) => connectionDetail(deps, userId, id),
    /** Each answers with the account after it. */
    async setEarning(userId: UserId, id: AccountId, earning: boolean) {
      const done = await switchEarning(deps, userId, id, earning);
      return done.ok ? accountDetail(deps, userId, id) : done;
    },
    async askTransfer(userId: UserId, id: AccountId) {
      const done = await askTransfer(deps, userId, id);
      return done.ok ? accountDetail(deps, userId, id) : done;
    },
    async answerTransfer(userId: UserId, id: AccountId, accept: boolean) {
      const done = await answerTransfer(deps, userId, id, accept);
      return done.ok ? accountDetail(deps, userId, id) : done;
    },
    end: (userId: UserId, id: ConnectionId) => endConnection(deps, userId, id),
    tokenRenewals: {
      ask: (...asked: Rest<typeof askRenewal>) => askRenewal(deps, ...asked),
      approve: (...approved: Rest<typeof approveRenewal>) => approveRenewal(deps, ...approved),
      describe: (id: string) => describeRenewal(deps, id),
      page: (limit: number, before: string | null) => renewalPage(deps, limit, before),
    },
    quarantinePage: (query: QuarantineQuery) => deps.store.quarantinePage(query),
    replay: (id: string, eventOf: (details: AuditEvent["details"]) => AuditEvent) =>
      replayQuarantined(deps, id, eventOf),
  };
}
