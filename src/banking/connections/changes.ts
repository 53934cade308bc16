// What has to change on our side so that it says what the aggregator showed. Pure: the store
// applies it.
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import type { Keyring } from "../../kernel/keyring.ts";
import type { AggregatorName, RemoteAccount, RemoteConnection } from "../ports.ts";
import { identityAfter, identityOf } from "./account-identity.ts";
import type { AccountIdentity } from "./account-identity.ts";
import { UNKNOWN_BANK } from "./linked-user.ts";
import type { LinkedAccount, LinkedConnection, LinkedUser } from "./linked-user.ts";
import { connectionStatus, consentEnd } from "./status.ts";
import type { ConnectionStatus } from "./status.ts";

export type NewConnection = ConnectionStatus & {
  readonly remoteId: string;
  readonly bankId: string;
  readonly bankName: string;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
};
export type ConnectionChange = ConnectionStatus & {
  readonly id: ConnectionId;
  readonly consentGrantedAtMs: number;
  readonly consentExpiresAtMs: number;
  /** New accounts came, or a gap ended: rows have to be read back. */
  readonly readAgain: boolean;
  /** The last good sync before a gap that begins. */
  readonly gapFromMs: number | null;
  /** Syncs work again: a gap that lasts ends now. */
  readonly gapEnds: boolean;
};
export type NewAccount = AccountIdentity & {
  readonly remoteId: string;
  readonly remoteConnectionId: string;
  readonly kind: "checking" | "card";
  readonly currency: string | null;
};
export type AccountChange = {
  readonly remoteId: string;
  readonly state: "enabled" | "disabled" | "deleted";
  readonly currency: string | null;
  /** Null while its connection lists it. */
  readonly goneAtMs: number | null;
  /**
   * Null where the aggregator does not show it any more; else with what its seal covers beside it.
   */
  readonly identity: AccountIdentity & Pick<LinkedAccount, "id" | "createdAtMs"> | null;
};

export type Changes = {
  readonly aggregator: AggregatorName;
  readonly userId: UserId;
  readonly linkId: string;
  /** When the read began: what was written since wins over it. */
  readonly readAtMs: number;
  readonly nowMs: number;
  readonly newConnections: readonly NewConnection[];
  readonly connections: readonly ConnectionChange[];
  readonly newAccounts: readonly NewAccount[];
  readonly accounts: readonly AccountChange[];
  /** The link's connections are read for the first time. */
  readonly isFirstRead: boolean;
};

/** What our side and the aggregator's side are compared by. */
type Comparison = {
  readonly linkedUser: LinkedUser;
  readonly remote: readonly RemoteConnection[];
  readonly accounts: readonly RemoteAccount[];
  /** The connection whose consent the user comes back from renewing. */
  readonly renewed: ConnectionId | null;
  /** Accounts without an IBAN, by id there, whose rows are rows of accounts that we have. */
  readonly knownByRows: ReadonlySet<string>;
  readonly indexKeyring: Keyring;
  readonly readAtMs: number;
  readonly nowMs: number;
};

const NEVER_SHOWN: ConnectionStatus = { status: "connecting", action: "none" };

/** True when our side says the same already. */
export function isEmpty(changes: Changes): boolean {
  return !changes.isFirstRead &&
    changes.newConnections.length + changes.connections.length + changes.newAccounts.length +
          changes.accounts.length === 0;
}

/**
 * Connections that no traded code brought: made on the aggregator's page with a code of ours, which
 * was meant for a renewal and may have reached somebody else.
 */
export function unbroughtConnections(
  linkedUser: LinkedUser,
  remote: readonly RemoteConnection[],
): readonly RemoteConnection[] {
  if (linkedUser.linkState !== "created" || linkedUser.connectionsReadAtMs === null) return [];
  const known = new Set(linkedUser.connections.map((connection) => connection.remoteId));
  return remote.filter((connection) => !known.has(connection.remoteId));
}

/** The differences, connection by connection. */
export function changesOf(comparison: Comparison): Changes {
  const { linkedUser, remote, accounts, renewed, readAtMs, nowMs } = comparison;
  const known = new Map(
    linkedUser.connections.map((connection) => [connection.remoteId, connection]),
  );
  const newConnections: NewConnection[] = [];
  const connectionChanges: ConnectionChange[] = [];
  const addedAccounts: NewAccount[] = [];
  const changedAccounts: AccountChange[] = [];
  // Without the consent nothing new is taken in, and what was ended here stays ended.
  const mayAdd = linkedUser.bankDataSinceMs !== null && linkedUser.linkState === "created";
  const isFirstRead = mayAdd && linkedUser.connectionsReadAtMs === null && remote.length > 0;
  for (const connection of remote) {
    const ours = known.get(connection.remoteId);
    if (ours?.status === "removed" || (ours === undefined && !isFirstRead)) continue;
    const bankId = ours?.bankId ?? connection.bank?.id ?? UNKNOWN_BANK;
    const own = accounts.filter((account) => account.remoteConnectionId === connection.remoteId);
    const added = mayAdd ? newAccounts(comparison, bankId, own, ours) : [];
    addedAccounts.push(...added);
    changedAccounts.push(...accountChanges(comparison, own, ours));
    if (ours === undefined) newConnections.push(newConnection(connection, bankId, nowMs));
    else {
      const change = connectionChange(
        ours,
        connection,
        added.length > 0,
        ours.id === renewed,
        nowMs,
      );
      if (change !== null) connectionChanges.push(change);
    }
  }
  return {
    aggregator: linkedUser.aggregator,
    userId: linkedUser.userId,
    linkId: linkedUser.linkId,
    readAtMs,
    nowMs,
    newConnections,
    connections: connectionChanges,
    newAccounts: addedAccounts,
    accounts: changedAccounts,
    isFirstRead,
  };
}

function newConnection(remote: RemoteConnection, bankId: string, nowMs: number): NewConnection {
  const consentExpiresAtMs = consentEnd(remote, nowMs);
  return {
    ...connectionStatus(remote, NEVER_SHOWN, consentExpiresAtMs, nowMs),
    remoteId: remote.remoteId,
    bankId,
    bankName: remote.bank?.name ?? "",
    consentGrantedAtMs: nowMs,
    consentExpiresAtMs,
  };
}

function connectionChange(
  ours: LinkedConnection,
  remote: RemoteConnection,
  readAgain: boolean,
  renewed: boolean,
  nowMs: number,
): ConnectionChange | null {
  // A renewal is a new consent once the aggregator no longer asks for one, also when the user never
  // came back to us; so is an expiry that moved on.
  const movedOn = remote.consentExpiresAtMs !== null &&
    remote.consentExpiresAtMs > ours.consentExpiresAtMs;
  const fresh = movedOn || (remote.condition === "ok" && (renewed || ours.action === "renew"));
  const consentGrantedAtMs = fresh ? nowMs : ours.consentGrantedAtMs;
  const consentExpiresAtMs = consentEnd(remote, consentGrantedAtMs);
  const status = connectionStatus(remote, ours, consentExpiresAtMs, nowMs);
  const same = status.status === ours.status && status.action === ours.action &&
    consentExpiresAtMs === ours.consentExpiresAtMs && !readAgain;
  if (same) return null;
  const gapEnds = status.status === "active" && SYNCLESS.has(ours.status);
  const gapBegins = SYNCLESS.has(status.status) && ours.status === "active";
  return {
    ...status,
    id: ours.id,
    consentGrantedAtMs,
    consentExpiresAtMs,
    readAgain: readAgain || gapEnds,
    gapEnds,
    gapFromMs: gapBegins ? remote.lastUpdateMs : null,
  };
}

// In these states the bank gives the aggregator nothing.
const SYNCLESS: ReadonlySet<string> = new Set(["action_required", "expired", "unavailable"]);

function newAccounts(
  { linkedUser, accounts, knownByRows, indexKeyring }: Comparison,
  bankId: string,
  own: readonly RemoteAccount[],
  ours: LinkedConnection | undefined,
): NewAccount[] {
  const found = unknownAccounts(own, ours).map((account) => ({
    ...identityOf(indexKeyring, linkedUser.userId, bankId, account, accounts),
    remoteId: account.remoteId,
    remoteConnectionId: account.remoteConnectionId,
    kind: account.kind,
    currency: account.currency,
  }));
  return ours === undefined || ours.renewalOfferedAtMs === null
    ? found
    : found.filter((account) => knownByRows.has(account.remoteId) || isKnownAccount(account, ours));
}

/** Accounts that may earn, under ids that we do not have. */
function unknownAccounts(own: readonly RemoteAccount[], ours: LinkedConnection | undefined) {
  return own.flatMap((account) => {
    const { kind } = account;
    // Savings, loans and what the user did not opt in leave no trace here.
    if (kind === null || account.state !== "enabled") return [];
    return ours?.accounts.some((known) => known.remoteId === account.remoteId) === true
      ? []
      : [{ ...account, kind }];
  });
}

/** What a connection shows under new ids after a page that renews it was given out. */
export type RenewedConnection = {
  readonly connection: LinkedConnection;
  /** An account with an id or an IBAN of ours, or the card of one, is among what it shows. */
  readonly isKnown: boolean;
  /** Accounts that only their rows can tell: neither they nor one that went had an IBAN. */
  readonly toCompare: readonly RemoteAccount[];
};

/**
 * Connections whose accounts may have been exchanged: something new is shown that may earn. One
 * that shows nothing of the kind is in trouble rather than somebody else's.
 */
export function renewedConnections(
  { linkedUser, remote, accounts, indexKeyring }: Pick<
    Comparison,
    "linkedUser" | "remote" | "accounts" | "indexKeyring"
  >,
): readonly RenewedConnection[] {
  if (linkedUser.bankDataSinceMs === null || linkedUser.linkState !== "created") return [];
  return remote.flatMap(({ remoteId }): RenewedConnection[] => {
    const connection = linkedUser.connections.find((each) => each.remoteId === remoteId);
    if (connection === undefined || connection.status === "removed") return [];
    if (connection.renewalOfferedAtMs === null || connection.accounts.length === 0) return [];
    const own = accounts.filter((account) => account.remoteConnectionId === remoteId);
    const found = unknownAccounts(own, connection).map((account) => ({
      account,
      identity: identityOf(
        indexKeyring,
        linkedUser.userId,
        connection.bankId,
        account,
        accounts,
      ),
    }));
    if (found.length === 0) return [];
    const isListed = (known: LinkedAccount): boolean =>
      own.some((account) => account.remoteId === known.remoteId);
    const weakWent = connection.accounts.some((known) =>
      known.strength === "weak" && (known.goneAtMs !== null || !isListed(known))
    );
    return [{
      connection,
      isKnown: connection.accounts.some(isListed) ||
        found.some(({ identity }) => isKnownAccount(identity, connection)),
      toCompare: weakWent
        ? found.filter(({ identity }) => identity.strength === "weak").map(({ account }) => account)
        : [],
    }];
  });
}

/**
 * The page that renews is opened with a code of ours, by whoever got its address, and shows that
 * person's accounts. So what appears afterwards is taken only as an account that this connection
 * has had, by its IBAN, or as a card of one. Others need a link of their own.
 */
function isKnownAccount(account: AccountIdentity, ours: LinkedConnection): boolean {
  return ours.accounts.some((known) =>
    (account.ownIban !== null && account.ownIban === known.ownIban) ||
    (account.strength === "parent" && known.strength !== "weak" &&
      account.fingerprint === known.fingerprint) ||
    (account.parentRemoteId !== null && account.parentRemoteId === known.remoteId)
  );
}

function accountChanges(
  comparison: Comparison,
  own: readonly RemoteAccount[],
  ours: LinkedConnection | undefined,
): AccountChange[] {
  if (ours === undefined) return [];
  const shown = own.flatMap((account) => {
    const known = ours.accounts.find((candidate) => candidate.remoteId === account.remoteId);
    return known === undefined ? [] : changeOfShown(comparison, ours, known, account);
  });
  // An empty list is a connection in trouble rather than one without accounts.
  const missing = own.length === 0
    ? []
    : ours.accounts.filter((known) =>
      known.goneAtMs === null && !own.some(({ remoteId }) => remoteId === known.remoteId)
    );
  return [
    ...shown,
    ...missing.map(({ remoteId, state, currency }) => ({
      remoteId,
      state,
      currency,
      goneAtMs: comparison.nowMs,
      identity: null,
    })),
  ];
}

function changeOfShown(
  { indexKeyring, linkedUser, accounts, nowMs }: Comparison,
  connection: LinkedConnection,
  known: LinkedAccount,
  account: RemoteAccount,
): AccountChange[] {
  const seen = identityOf(indexKeyring, linkedUser.userId, connection.bankId, account, accounts);
  const identity = identityAfter(indexKeyring, known, account, seen);
  const goneAtMs = account.state === "deleted" ? known.goneAtMs ?? nowMs : null;
  const currencyLearnt = known.currency === null && account.currency !== null;
  const isKnown = known.state === account.state && known.goneAtMs === goneAtMs &&
    !currencyLearnt && isSameIdentity(known, identity);
  const { remoteId, state, currency } = account;
  const { id, createdAtMs } = known;
  return isKnown
    ? []
    : [{ remoteId, state, currency, goneAtMs, identity: { ...identity, id, createdAtMs } }];
}

function isSameIdentity(known: LinkedAccount, seen: AccountIdentity): boolean {
  return known.ownIban === seen.ownIban && known.fingerprint === seen.fingerprint &&
    known.strength === seen.strength && known.nameTag === seen.nameTag &&
    known.parentRemoteId === seen.parentRemoteId &&
    seen.earlierKeys.every((key) => known.earlierKeys.includes(key));
}
