// What our side knows of one user at one aggregator, as one read gives it. Types and pure questions
// about them.
import type { AccountId, ConnectionId, UserId } from "../../kernel/ids.ts";
import type { AccountGeneration } from "../../ledger/ports.ts";
import type { StoredIdentity } from "./account-identity.ts";
import { connectionStatus, consentEnd } from "./status.ts";
import type { Action, BaseStatus } from "./status.ts";
import type { AccountWindow, AggregatorName, RemoteAccount, RemoteConnection } from "../ports.ts";
import { parisDate } from "../../kernel/time.ts";

export type TransferRequest = {
  readonly by: "you" | "other";
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
};

/** The bank of a connection whose bank the aggregator does not name. */
export const UNKNOWN_BANK = "unknown";

export type LinkedAccount = StoredIdentity & {
  readonly id: AccountId;
  readonly connectionId: ConnectionId;
  readonly remoteId: string;
  readonly kind: "checking" | "card";
  readonly currency: string | null;
  readonly ordinal: number;
  readonly earning: boolean;
  /** Its user switched it off. Off without that: another holder of the bank account earns. */
  readonly offByChoice: boolean;
  /** Its user's age is being reviewed: it does not earn meanwhile, whatever `earning` says. */
  readonly heldForAge: boolean;
  /** Keyed hashes of rows that earlier holders of the bank account recorded. */
  readonly takenRows: readonly string[];
  /** A request to earn in another holder's place that this user made, or has to answer. */
  readonly transfer: TransferRequest | null;
  readonly linkedAtMs: number;
  readonly seenFromMs: number | null;
  readonly state: "enabled" | "disabled" | "deleted";
  readonly createdAtMs: number;
  readonly goneAtMs: number | null;
};

/** A time without syncs, from the last good one on; `toMs` is null while it lasts. */
export type Gap = {
  readonly fromMs: number;
  readonly toMs: number | null;
  readonly recovered: boolean;
};

export type LinkedConnection = {
  readonly id: ConnectionId;
  readonly remoteId: string;
  readonly bankId: string;
  readonly bankName: string;
  readonly status: BaseStatus;
  readonly action: Action;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
  readonly fullRead: "due" | "done";
  readonly repairReason: string | null;
  readonly repairSinceMs: number | null;
  readonly tries: number;
  readonly goneRemotely: boolean;
  readonly updatedAtMs: number;
  /** What changed at the aggregator before this instant is recorded; null when nothing is sure. */
  readonly changesReadAtMs: number | null;
  readonly changesDueAtMs: number;
  /** When its user was last given a page that renews it; null: never. */
  readonly renewalOfferedAtMs: number | null;
  /** Oldest first. */
  readonly gaps: readonly Gap[];
  readonly accounts: readonly LinkedAccount[];
};

export type LinkedUser = {
  readonly aggregator: AggregatorName;
  readonly linkId: string;
  readonly linkState: "intended" | "creating" | "created" | "ending" | "ended";
  readonly linkTries: number;
  readonly linkCreatedAtMs: number;
  readonly tokenCipher: string | null;
  /** The token that a traded code brought, while whose it is has not been read. */
  readonly tradedTokenCipher: string | null;
  /** When the trade of the link's code began; null for links of before. */
  readonly attemptAtMs: number | null;
  /**
   * When the link's connections were first read. What appears there later was brought by no traded
   * code and is not taken in.
   */
  readonly connectionsReadAtMs: number | null;
  readonly userId: UserId;
  readonly userActive: boolean;
  readonly dataKey: string;
  /** Since when `bank_data` has been granted without interruption, or null. */
  readonly bankDataSinceMs: number | null;
  readonly catalogueVersion: number;
  readonly connections: readonly LinkedConnection[];
};

/**
 * The accounts whose rows may go on, with the day from which they count. Empty without the consent.
 */
export function earningAccounts(
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Map<string, AccountWindow> {
  const since = linkedUser.bankDataSinceMs;
  const windows = new Map<string, AccountWindow>();
  if (since === null || connection.status === "removed") return windows;
  for (const account of connection.accounts) {
    if (account.state !== "enabled" || !account.earning || account.heldForAge) continue;
    windows.set(account.remoteId, {
      currency: account.currency,
      firstDay: parisDate(Math.max(since, account.linkedAtMs)),
      seenFromMs: account.seenFromMs,
    });
  }
  return windows;
}

/** The accounts as the ledger knows them. */
export function generationsOf(
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): AccountGeneration[] {
  const all = linkedUser.connections.flatMap(({ accounts }) => accounts);
  const windows = earningAccounts(linkedUser, connection);
  return connection.accounts.map((account) => ({
    accountId: account.id,
    connectionId: connection.id,
    linkId: linkedUser.linkId,
    ownIban: account.ownIban,
    unitIban: unitIbanOf(account),
    // A bank that the aggregator does not name is no family.
    bankKey: connection.bankId === UNKNOWN_BANK
      ? `${UNKNOWN_BANK} ${connection.id}`
      : connection.bankId,
    nameTag: account.nameTag ?? "",
    parentAccountId: account.parentRemoteId === null
      ? null
      : all.find(({ remoteId }) => remoteId === account.parentRemoteId)?.id ?? null,
    earlierKeys: account.earlierKeys,
    createdAtMs: account.createdAtMs,
    goneAtMs: account.goneAtMs,
    isReadable: windows.has(account.remoteId),
  }));
}

/** A card's fingerprint holds its name as well until the account is seen again. */
function unitIbanOf({ strength, fingerprint, nameTag }: LinkedAccount): string | null {
  return strength === "iban" || (strength === "parent" && nameTag !== null) ? fingerprint : null;
}

/**
 * True when a message's hints say something else than what we hold, so that the resource must be
 * read.
 */
export function differs(
  connection: LinkedConnection,
  remote: RemoteConnection | null,
  accounts: readonly RemoteAccount[],
  nowMs: number,
): boolean {
  if (remote !== null) {
    const expiresAtMs = consentEnd(remote, connection.consentGrantedAtMs);
    if (remote.consentExpiresAtMs !== null && expiresAtMs !== connection.consentExpiresAtMs) {
      return true;
    }
    const status = connectionStatus(remote, connection, expiresAtMs, nowMs);
    if (status.status !== connection.status || status.action !== connection.action) return true;
  }
  return accounts.some((account) => {
    const ours = connection.accounts.find((known) => known.remoteId === account.remoteId);
    if (ours === undefined) return account.kind !== null && account.state === "enabled";
    return ours.state !== account.state;
  });
}
