// A connection as its user sees it. Pure. An account's label is ours ("Compte 1"), never the bank's
// text.
import type { AccountId, ConnectionId } from "../../kernel/ids.ts";
import { parisDate } from "../../kernel/time.ts";
import type { BankingActivity } from "../../ledger/ports.ts";
import type { Action, BaseStatus } from "./status.ts";
import type { LinkedAccount, LinkedConnection, TransferRequest } from "./linked-user.ts";

export type AccountView = {
  readonly id: AccountId;
  readonly kind: "checking" | "card";
  readonly ordinal: number;
  readonly earning: boolean;
  /** Why it does not earn; null when it does. */
  readonly notEarning: "choice" | "shared" | "age_review" | null;
  readonly transfer: TransferRequest | null;
  readonly lastPurchaseOn: string | null;
};

export type ConnectionView = {
  readonly id: ConnectionId;
  readonly bank: { readonly id: string; readonly name: string };
  readonly status: BaseStatus | "needs_repair";
  readonly action: Action;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
  readonly lastSyncedAtMs: number | null;
  /** Times without syncs that are over, by Paris days. */
  readonly gaps: readonly {
    readonly from: string;
    readonly to: string;
    readonly recovered: boolean;
  }[];
  readonly accounts: readonly AccountView[];
};

/**
 * Joins our record with what the ledger knows. A consent that has run out is shown so when it is
 * read, whatever was written last.
 */
export function connectionView(
  connection: LinkedConnection,
  activity: BankingActivity,
  nowMs: number,
): ConnectionView {
  const lapsed = connection.action === "renew" && connection.consentExpiresAtMs <= nowMs;
  const base: BaseStatus = lapsed && connection.status !== "removed"
    ? "expired"
    : connection.status;
  return {
    id: connection.id,
    bank: { id: connection.bankId, name: connection.bankName },
    status: connection.repairReason !== null && base !== "removed" ? "needs_repair" : base,
    action: connection.action,
    consentGrantedAtMs: connection.consentGrantedAtMs,
    consentExpiresAtMs: connection.consentExpiresAtMs,
    lastSyncedAtMs:
      activity.connections.find((entry) => entry.connectionId === connection.id)?.lastSyncedAtMs ??
        null,
    gaps: connection.gaps.flatMap((
      { fromMs, toMs, recovered },
    ) => (toMs === null ? [] : [{ from: parisDate(fromMs), to: parisDate(toMs), recovered }])),
    accounts: connection.accounts.filter((account) => account.state === "enabled").map((
      account,
    ) => ({
      id: account.id,
      kind: account.kind,
      ordinal: account.ordinal,
      earning: notEarning(account) === null,
      notEarning: notEarning(account),
      // A request that nobody answered is over when it is read, whether or not the sweep has been
      // by.
      transfer: account.transfer !== null && account.transfer.expiresAtMs > nowMs
        ? account.transfer
        : null,
      lastPurchaseOn:
        activity.accounts.find((entry) => entry.accountId === account.id)?.lastPurchaseOn ?? null,
    })),
  };
}

function notEarning(account: LinkedAccount): AccountView["notEarning"] {
  if (account.heldForAge) return "age_review";
  if (account.earning) return null;
  return account.offByChoice ? "choice" : "shared";
}
