// Ending connections: first the mark here, so that nothing more is taken in, then at the
// aggregator. What fails there is finished by the sweep. Withdrawing the consent ends the user at
// the aggregator altogether, so that nothing of them stays there.
import type { ConsentListener } from "../../identity/ports.ts";
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import { errorClass } from "../../kernel/log.ts";
import { backoffMs } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import type { ReadError } from "../errors.ts";
import { accessFor } from "../reconcile/index.ts";
import { handOversOf } from "../sharing/index.ts";
import { readLast, recordEnd } from "../rows/index.ts";
import { finishTrade } from "./trade.ts";

/** Ends one connection of a user; false when the user has no such connection. Safe to repeat. */
export async function endConnection(
  deps: BankingDeps,
  userId: UserId,
  id: ConnectionId,
): Promise<boolean> {
  const link = await deps.store.linkOfConnection(userId, id);
  if (link === null) return false;
  await readBeforeEnd(deps, link.linkId, id);
  await deps.store.removeConnection(userId, id, false, deps.clock.nowMs());
  await handOversOf(deps, userId);
  const linkedUser = await deps.store.linkedUserOfLink(link.linkId);
  // It was the last one: nobody is to stay there.
  if (linkedUser?.linkState === "ending") {
    await finishEnding(deps, linkedUser);
    return true;
  }
  const connection = linkedUser?.connections.find((candidate) => candidate.id === id);
  if (linkedUser !== null && connection !== undefined && !connection.goneRemotely) {
    await finishRemoval(deps, linkedUser, connection);
  }
  return true;
}

/** Shows what is known of it for the last time, while that can be read. */
async function readBeforeEnd(deps: BankingDeps, linkId: string, id: ConnectionId): Promise<void> {
  const linkedUser = await deps.store.linkedUserOfLink(linkId);
  const connection = linkedUser?.connections.find((candidate) => candidate.id === id);
  if (linkedUser === null || connection === undefined || connection.status === "removed") return;
  try {
    await readLast(deps, linkedUser, connection);
  } catch (error) {
    deps.log.alert("bank_last_read_failed", { connection_id: id, error: errorClass(error) });
  }
}

/** Asks the aggregator to delete a connection that ended here. False: later. */
export async function finishRemoval(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Promise<boolean> {
  const access = await accessFor(deps, linkedUser);
  if (!(await recordEnd(deps, linkedUser, connection))) {
    await tryRemovalLater(deps, connection, "ledger_unavailable");
    return false;
  }
  // A link that ended took its connections along.
  if (!access.ok && linkedUser.linkState === "ended") {
    await deps.store.connectionGone(connection.id);
    return true;
  }
  const gone = access.ok
    ? await access.value.aggregator.deleteConnection(access.value.token, connection.remoteId)
    : access;
  if (gone.ok) {
    await deps.store.connectionGone(connection.id);
    return true;
  }
  await tryRemovalLater(deps, connection, gone.error.code);
  return false;
}

async function tryRemovalLater(
  deps: BankingDeps,
  { id, tries }: LinkedConnection,
  error: ReadError["code"],
): Promise<void> {
  deps.log.info("bank_removal_postponed", { connection_id: id, error });
  const retryAtMs = deps.clock.nowMs() + backoffMs(tries);
  await deps.store.postpone(id, tries + 1, retryAtMs, retryAtMs);
}

/**
 * Ends everything of a user at the aggregators; false while something is left to do there. Safe to
 * repeat.
 */
export async function endAll(deps: BankingDeps, userId: UserId): Promise<boolean> {
  const ending = await deps.store.beginEnding(userId, deps.clock.nowMs());
  await handOversOf(deps, userId);
  let finished = true;
  for (const linkId of ending) {
    const linkedUser = await deps.store.linkedUserOfLink(linkId);
    // A link that must not be used is not finished either: it stays `ending` and alerts.
    if (linkedUser === null || !(await finishEnding(deps, linkedUser))) finished = false;
  }
  return finished;
}

/** Deletes the user at the aggregator. False: later. */
export async function finishEnding(deps: BankingDeps, linkedUser: LinkedUser): Promise<boolean> {
  if (linkedUser.tradedTokenCipher !== null) return await dropTrade(deps, linkedUser.linkId);
  const isRecorded = await recordEnds(deps, linkedUser);
  const access = await accessFor(deps, linkedUser);
  const gone = access.ok ? await access.value.aggregator.deleteUser(access.value.token) : access;
  const nowMs = deps.clock.nowMs();
  if (gone.ok && isRecorded) {
    await deps.store.endLink(linkedUser.linkId, nowMs);
    return true;
  }
  const error = gone.ok ? "ledger_unavailable" : gone.error.code;
  deps.log.alert("bank_ending_postponed", { link_id: linkedUser.linkId, error });
  await deps.store.postponeLink(
    linkedUser.linkId,
    linkedUser.linkTries + 1,
    nowMs + backoffMs(linkedUser.linkTries),
  );
  return false;
}

/** The ledger waits for reads of none of them any more. False: later. */
async function recordEnds(deps: BankingDeps, linkedUser: LinkedUser): Promise<boolean> {
  let isRecorded = true;
  for (const connection of linkedUser.connections) {
    if (!(await recordEnd(deps, linkedUser, connection))) isRecorded = false;
  }
  return isRecorded;
}

/** The same for a trade that was ended before it was known whose token it brought. */
async function dropTrade(deps: BankingDeps, linkId: string): Promise<boolean> {
  await finishTrade(deps, linkId);
  return (await deps.store.linkedUserOfLink(linkId))?.tradedTokenCipher === null;
}

/** Identity's calls before and after `bank_data` is withdrawn. */
export function consentListener(
  deps: BankingDeps,
): Pick<ConsentListener, "bankDataEnding" | "bankDataWithdrawn"> {
  return {
    bankDataEnding: async (userId) => {
      const connections = await deps.store.connectionsOf(userId);
      await Promise.all(connections.map(async ({ id }) => {
        const link = await deps.store.linkOfConnection(userId, id);
        if (link !== null) await readBeforeEnd(deps, link.linkId, id);
      }));
    },
    bankDataWithdrawn: async (userId) => {
      await endAll(deps, userId);
    },
  };
}
