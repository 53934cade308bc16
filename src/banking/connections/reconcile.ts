// Looks at what a user really has at the aggregator and brings our connections and accounts in
// line. What a webhook or a redirect says is only the reason to look. Never stores a name, a number
// or an IBAN.
import { openUserCipher } from "../../kernel/keyring.ts";
import type { UserCipher } from "../../kernel/keyring.ts";
import { err, ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import { consentEnd, standingOf } from "./status.ts";
import { aggregatorOf } from "../deps.ts";
import type { BankingDeps } from "../deps.ts";
import type { Directory, LinkedConnection } from "./linked-user.ts";
import type { ReadError } from "../errors.ts";
import { fingerprintOf } from "./account-fingerprint.ts";
import type { Aggregator, RemoteAccount, RemoteConnection } from "../ports.ts";
import type { Changes } from "../store/reconcile.ts";

/** A user's access to an aggregator, with the key for what belongs to that user. */
export type Access = {
  readonly aggregator: Aggregator;
  readonly token: string;
  readonly cipher: UserCipher;
};

/**
 * What a look gave: our side brought in line, and the aggregator's answer it was brought in line
 * with.
 */
export type Look = { readonly directory: Directory; readonly remote: readonly RemoteConnection[] };

const NO_STANDING = { status: "connecting", action: "none" } as const;

/** The token's place as associated data. */
export function tokenPlace(linkId: string) {
  return { table: "aggregator_links", column: "token_cipher", row: linkId };
}

/** Opens the user's key; a key that cannot be used is that user's trouble and nobody else's. */
export async function cipherFor(
  deps: BankingDeps,
  directory: Directory,
): Promise<Result<UserCipher, ReadError>> {
  const cipher = await openUserCipher(
    deps.keyrings.encryption,
    directory.userId,
    directory.dataKey,
    deps.random,
  );
  return cipher.ok ? cipher : err({ code: "key_unusable" });
}

/** Opens the user's key and token. */
export async function accessFor(
  deps: BankingDeps,
  directory: Directory,
): Promise<Result<Access, ReadError>> {
  const aggregator = aggregatorOf(deps, directory.aggregator);
  const cipher = await cipherFor(deps, directory);
  if (!cipher.ok) return cipher;
  if (aggregator === null || directory.tokenCipher === null) return err({ code: "key_unusable" });
  const token = await cipher.value.decrypt(tokenPlace(directory.linkId), directory.tokenCipher);
  return token.ok
    ? ok({ aggregator, token: token.value, cipher: cipher.value })
    : err({ code: "key_unusable" });
}

/**
 * Reads the user's connections and accounts at the aggregator and applies the differences in one
 * batch; nothing is written when there are none. A connection that is missing there is left alone:
 * only its own deletion event, checked, ends it.
 */
export async function look(
  deps: BankingDeps,
  directory: Directory,
  access: Access,
  renewed: LinkedConnection["id"] | null = null,
): Promise<Result<Look, ReadError>> {
  const readAtMs = deps.clock.nowMs();
  const remote = await access.aggregator.connections(access.token);
  if (!remote.ok) return remote;
  const accounts = remote.value.length === 0
    ? ok([])
    : await access.aggregator.accounts(access.token);
  if (!accounts.ok) return accounts;
  const changes = changesOf(deps, directory, remote.value, accounts.value, readAtMs, renewed);
  if (isEmpty(changes)) return ok({ directory, remote: remote.value });
  await deps.store.apply(changes);
  const after = await deps.store.directoryOfLink(directory.linkId);
  return ok({ directory: after ?? directory, remote: remote.value });
}

function isEmpty(changes: Changes): boolean {
  return changes.newConnections.length + changes.connections.length + changes.newAccounts.length +
      changes.accounts.length === 0;
}

function changesOf(
  deps: BankingDeps,
  directory: Directory,
  remote: readonly RemoteConnection[],
  accounts: readonly RemoteAccount[],
  readAtMs: number,
  renewed: string | null,
): Changes {
  const nowMs = deps.clock.nowMs();
  const known = new Map(
    directory.connections.map((connection) => [connection.remoteId, connection]),
  );
  const changes = {
    newConnections: [] as Changes["newConnections"][number][],
    connections: [] as Changes["connections"][number][],
    newAccounts: [] as Changes["newAccounts"][number][],
    accounts: [] as Changes["accounts"][number][],
  };
  // Without the consent nothing new is taken in, and what was ended here stays ended.
  const mayAdd = directory.bankDataSinceMs !== null && directory.linkState === "created";
  for (const connection of remote) {
    const ours = known.get(connection.remoteId);
    if (ours?.status === "removed" || (ours === undefined && !mayAdd)) continue;
    const bankId = ours?.bankId ?? connection.bank?.id ?? "unknown";
    const own = accounts.filter((account) => account.remoteConnectionId === connection.remoteId);
    const added = mayAdd ? newAccounts(deps, directory.userId, bankId, own, ours, accounts) : [];
    changes.newAccounts.push(...added);
    changes.accounts.push(...accountChanges(own, ours));
    if (ours === undefined) {
      const grantedAtMs = nowMs;
      const expiresAtMs = consentEnd(connection, grantedAtMs);
      changes.newConnections.push({
        ...standingOf(connection, NO_STANDING, expiresAtMs, nowMs),
        remoteId: connection.remoteId,
        bankId,
        bankName: connection.bank?.name ?? "",
        consentGrantedAtMs: grantedAtMs,
        consentExpiresAtMs: expiresAtMs,
      });
    } else {
      const change = connectionChange(
        ours,
        connection,
        added.length > 0,
        ours.id === renewed,
        nowMs,
      );
      if (change !== null) changes.connections.push(change);
    }
  }
  return {
    aggregator: directory.aggregator,
    userId: directory.userId,
    linkId: directory.linkId,
    readAtMs,
    nowMs,
    ...changes,
  };
}

function connectionChange(
  ours: LinkedConnection,
  remote: RemoteConnection,
  readAgain: boolean,
  renewed: boolean,
  nowMs: number,
): Changes["connections"][number] | null {
  // A renewal is a new consent once the aggregator no longer asks for one, also when the user never
  // came back to us; so is an expiry that moved on.
  const movedOn = remote.consentExpiresAtMs !== null &&
    remote.consentExpiresAtMs > ours.consentExpiresAtMs;
  const fresh = movedOn || (remote.condition === "ok" && (renewed || ours.action === "renew"));
  const consentGrantedAtMs = fresh ? nowMs : ours.consentGrantedAtMs;
  const consentExpiresAtMs = consentEnd(remote, consentGrantedAtMs);
  const standing = standingOf(remote, ours, consentExpiresAtMs, nowMs);
  const same = standing.status === ours.status && standing.action === ours.action &&
    consentExpiresAtMs === ours.consentExpiresAtMs && !readAgain;
  if (same) return null;
  const gapEnds = standing.status === "active" && SYNCLESS.has(ours.status);
  const gapBegins = SYNCLESS.has(standing.status) && ours.status === "active";
  return {
    ...standing,
    id: ours.id,
    consentGrantedAtMs,
    consentExpiresAtMs,
    readAgain: readAgain || gapEnds,
    gapEnds,
    gapFromMs: gapBegins ? remote.lastUpdateMs : null,
  };
}

// While a connection stands so, the bank gives the aggregator nothing.
const SYNCLESS: ReadonlySet<string> = new Set(["action_required", "expired", "unavailable"]);

function newAccounts(
  deps: BankingDeps,
  userId: string,
  bankId: string,
  own: readonly RemoteAccount[],
  ours: LinkedConnection | undefined,
  siblings: readonly RemoteAccount[],
): Changes["newAccounts"][number][] {
  return own.flatMap((account) => {
    // Savings, loans and what the user did not opt in leave no trace here.
    if (account.kind === null || account.state !== "enabled") return [];
    if (ours?.accounts.some((known) => known.remoteId === account.remoteId) === true) return [];
    return [{
      ...fingerprintOf(deps.keyrings.index, userId, bankId, account, siblings),
      remoteId: account.remoteId,
      remoteConnectionId: account.remoteConnectionId,
      kind: account.kind,
      currency: account.currency,
    }];
  });
}

function accountChanges(
  own: readonly RemoteAccount[],
  ours: LinkedConnection | undefined,
): Changes["accounts"][number][] {
  return own.flatMap((account) => {
    const known = ours?.accounts.find((candidate) => candidate.remoteId === account.remoteId);
    if (known === undefined) return [];
    const currencyLearnt = known.currency === null && account.currency !== null;
    return known.state === account.state && !currencyLearnt
      ? []
      : [{ remoteId: account.remoteId, state: account.state, currency: account.currency }];
  });
}
