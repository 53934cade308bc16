// Reads what a user really has at the aggregator and brings our connections and accounts in line.
// What a webhook or a redirect says is only the reason to read. Never stores a name, a number or an
// IBAN.
import { ok } from "../../kernel/result.ts";
import type { Result } from "../../kernel/result.ts";
import {
  changesOf,
  isEmpty,
  renewedConnections,
  unbroughtConnections,
} from "../connections/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import type { RemoteConnection } from "../ports.ts";
import type { Access } from "./access.ts";
import type { BankingDeps } from "./deps.ts";
import { endReplaced, knownByRows } from "./renewed-accounts.ts";

/** Our side brought in line, and the aggregator's answer it was brought in line with. */
export type Reconciled = {
  readonly linkedUser: LinkedUser;
  readonly remote: readonly RemoteConnection[];
};

/**
 * Reads the user's connections and accounts at the aggregator and applies the differences in one
 * batch; nothing is written when there are none. A connection that is missing there is left alone:
 * only its own deletion event, checked, ends it. One that no traded code brought is deleted there;
 * one that shows none of its accounts after a renewal ends.
 * `renewed` is the connection whose consent the user comes back from renewing.
 */
export async function reconcile(
  deps: BankingDeps,
  before: LinkedUser,
  access: Access,
  renewed: LinkedConnection["id"] | null = null,
): Promise<Result<Reconciled, ReadError>> {
  const readAtMs = deps.clock.nowMs();
  const remote = await access.aggregator.connections(access.token);
  if (!remote.ok) return remote;
  await deleteUnbrought(deps, before, access, remote.value);
  const accounts = remote.value.length === 0
    ? ok([])
    : await access.aggregator.accounts(access.token);
  if (!accounts.ok) return accounts;
  const shown = {
    remote: remote.value,
    accounts: accounts.value,
    indexKeyring: deps.keyrings.index,
  };
  const renewals = renewedConnections({ ...shown, linkedUser: before });
  const known = await knownByRows(deps, before, access, renewals);
  if (!known.ok) return known;
  const hasEnded = await endReplaced(deps, before, renewals, known.value);
  const linkedUser = hasEnded
    ? (await deps.store.linkedUserOfLink(before.linkId)) ?? before
    : before;
  const changes = changesOf({
    ...shown,
    linkedUser,
    renewed,
    knownByRows: known.value,
    readAtMs,
    nowMs: deps.clock.nowMs(),
  });
  if (isEmpty(changes)) return ok({ linkedUser, remote: remote.value });
  await deps.store.applyChanges(changes);
  const after = await deps.store.linkedUserOfLink(linkedUser.linkId);
  return ok({ linkedUser: after ?? linkedUser, remote: remote.value });
}

/**
 * Our codes open more of the aggregator's pages than the one they were made for: whoever lures
 * somebody with one there would be shown that person's bank.
 */
async function deleteUnbrought(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  access: Access,
  remote: readonly RemoteConnection[],
): Promise<void> {
  for (const connection of unbroughtConnections(linkedUser, remote)) {
    const gone = await access.aggregator.deleteConnection(access.token, connection.remoteId);
    deps.log.alert("bank_connection_unbrought", {
      link_id: linkedUser.linkId,
      remote_connection_id: connection.remoteId,
      // What was not deleted is met again at the next read.
      error: gone.ok ? null : gone.error.code,
    });
  }
}
