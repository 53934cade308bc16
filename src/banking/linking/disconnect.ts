// Ending connections: first the mark here, so that nothing more is taken in, then at the
// aggregator. What fails there is finished by the sweep. Withdrawing the consent ends the user at
// the aggregator altogether, so that nothing of them stays there.
import type { ConsentListener } from "../../identity/ports.ts";
import type { ConnectionId, UserId } from "../../kernel/ids.ts";
import { backoffMs } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import type { LinkedConnection, LinkedUser } from "../connections/index.ts";
import { accessFor } from "../reconcile/index.ts";
import { handOversOf } from "../sharing/index.ts";
import { finishTrade } from "./trade.ts";

/** Ends one connection of a user; false when the user has no such connection. Safe to repeat. */
export async function endConnection(
  deps: BankingDeps,
  userId: UserId,
  id: ConnectionId,
): Promise<boolean> {
  const link = await deps.store.linkOfConnection(userId, id);
  if (link === null) return false;
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

/** Asks the aggregator to delete a connection that ended here. False: later. */
export async function finishRemoval(
  deps: BankingDeps,
  linkedUser: LinkedUser,
  connection: LinkedConnection,
): Promise<boolean> {
  const access = await accessFor(deps, linkedUser);
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
  deps.log.info("bank_removal_postponed", { connection_id: connection.id, error: gone.error.code });
  const retryAtMs = deps.clock.nowMs() + backoffMs(connection.tries);
  await deps.store.postpone(connection.id, connection.tries + 1, retryAtMs, retryAtMs);
  return false;
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
  const access = await accessFor(deps, linkedUser);
  const gone = access.ok ? await access.value.aggregator.deleteUser(access.value.token) : access;
  const nowMs = deps.clock.nowMs();
  if (gone.ok) {
    await deps.store.endLink(linkedUser.linkId, nowMs);
    return true;
  }
  deps.log.alert("bank_ending_postponed", { link_id: linkedUser.linkId, error: gone.error.code });
  await deps.store.postponeLink(
    linkedUser.linkId,
    linkedUser.linkTries + 1,
    nowMs + backoffMs(linkedUser.linkTries),
  );
  return false;
}

/** The same for a trade that was ended before it was known whose token it brought. */
async function dropTrade(deps: BankingDeps, linkId: string): Promise<boolean> {
  await finishTrade(deps, linkId);
  return (await deps.store.linkedUserOfLink(linkId))?.tradedTokenCipher === null;
}

/** Identity's call when `bank_data` is withdrawn. */
export function consentListener(deps: BankingDeps): Pick<ConsentListener, "bankDataWithdrawn"> {
  return {
    bankDataWithdrawn: async (userId) => {
      await endAll(deps, userId);
    },
  };
}
