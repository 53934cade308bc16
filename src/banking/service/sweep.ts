// Finishes what was left open: reads back, repairs, removals, endings, looks at users who never
// came back from the bank's page, shared accounts whose holder left; the reads that are due,
// weekly at least. In bounded steps; one user's trouble postpones that user's work and
// nobody else's.
import { isDatabaseFailure } from "../../db/database.ts";
import { assert } from "../../kernel/assert.ts";
import { errorClass } from "../../kernel/log.ts";
import { DAY_MS, HOUR_MS } from "../../kernel/time.ts";
import type { ConnectionId } from "../../kernel/ids.ts";
import { backoffMs } from "../connections/index.ts";
import type { LinkedUser } from "../connections/index.ts";
import type { BankingDeps } from "../reconcile/index.ts";
import { finishEnding, finishRemoval, finishTrade } from "../linking/index.ts";
import { accessFor, reconcile } from "../reconcile/index.ts";
import { catchUp, PAGES_SWEEP } from "../rows/index.ts";
import { renewTokens } from "../renewal/index.ts";
import { handOver } from "../sharing/index.ts";
import { LOST_TRADE_MS } from "../store/index.ts";

const STEP_ITEMS = 20;
/** A connection that still fails after so many tries is shown to operators. */
const ALERT_AFTER_TRIES = 6;
/** A read that failed is made again so much later: four background calls a day at most. */
const CHANGES_RETRY_MS = 6 * HOUR_MS;
/** Spent and late intents are kept a while to distinguish a late return from a forged one. */
const INTENTS_KEPT_MS = 30 * DAY_MS;
/** After that the aggregator has been read many times over. */
const QUARANTINE_KEPT_MS = 90 * DAY_MS;

/** One bounded round. `more`: there was as much as a round may do. */
export async function sweep(deps: BankingDeps, nowMs: number): Promise<{ more: boolean }> {
  await deps.store.purgeIntents(nowMs - INTENTS_KEPT_MS);
  await deps.store.purgeQuarantine(nowMs - QUARANTINE_KEPT_MS);
  await deps.store.forgetHints(nowMs - LOST_TRADE_MS);
  await deps.store.tidyTransfers(nowMs);
  const handovers = await deps.store.dueHandovers(nowMs, STEP_ITEMS);
  for (const item of handovers) {
    await guardedStep(
      deps,
      item.fingerprint,
      async () => void (await handOver(deps, item)),
      () => deps.store.postponeHandover(item, nowMs + backoffMs(item.tries)),
    );
  }
  const due = await deps.store.due(nowMs, STEP_ITEMS);
  for (const item of due.links) {
    await guardedStep(
      deps,
      item.id,
      () => linkStep(deps, item.id, nowMs),
      () => deps.store.postponeLink(item.id, item.tries + 1, nowMs + backoffMs(item.tries)),
    );
  }
  for (const item of due.connections) {
    await guardedStep(
      deps,
      item.id,
      () => connectionStep(deps, item.linkId, item.id),
      () => later(deps, item.id, item.tries + 1),
    );
  }
  const renewing = await renewTokens(deps, nowMs);
  return {
    more: renewing ||
      [handovers, due.links, due.connections].some((items) => items.length >= STEP_ITEMS),
  };
}

/**
 * A defect met with one user must not stop the round for the others; a failing database does stop
 * it.
 */
async function guardedStep(
  deps: BankingDeps,
  id: string,
  step: () => Promise<void>,
  postpone: () => Promise<void>,
): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (isDatabaseFailure(error)) throw error;
    deps.log.alert("bank_sweep_failed", { id, error: errorClass(error) });
    await postpone();
  }
}

async function linkStep(deps: BankingDeps, linkId: string, nowMs: number): Promise<void> {
  const linkedUser = await deps.store.linkedUserOfLink(linkId);
  assert(linkedUser !== null, "link_unusable", "a link that is due cannot be used");
  const { linkState, tradedTokenCipher, connectionsReadAtMs, attemptAtMs } = linkedUser;
  const isLate = nowMs - (attemptAtMs ?? nowMs) >= LOST_TRADE_MS;
  if (tradedTokenCipher === null && linkState !== "created" && linkState !== "ending") {
    // Nobody asks any more about a trade whose answer was lost.
    await deps.store.endTrade(linkId, nowMs);
  } else if (linkState === "created" && connectionsReadAtMs === null && isLate) {
    // The page made a user without any connection.
    await deps.store.endUnusedLink(linkId, nowMs);
  } else if (linkState === "created" || linkState === "creating") {
    if (await lookAgain(deps, linkId)) await deps.store.linkReconciled(linkId, nowMs);
    else await tryLater(deps, linkedUser, nowMs);
  } else if (!(await finishEnding(deps, linkedUser)) && linkState === "ended") {
    await tryLater(deps, linkedUser, nowMs);
  }
}

/** Goes on where a callback stopped, and brings our side in line; false: later. */
async function lookAgain(deps: BankingDeps, linkId: string): Promise<boolean> {
  const linkedUser = await finishTrade(deps, linkId);
  if (!linkedUser.ok) return linkedUser.error.code === "state_invalid";
  const access = await accessFor(deps, linkedUser.value);
  const reconciled = access.ok ? await reconcile(deps, linkedUser.value, access.value) : access;
  return reconciled.ok && reconciled.value.linkedUser.connectionsReadAtMs !== null;
}

async function tryLater(deps: BankingDeps, linkedUser: LinkedUser, nowMs: number): Promise<void> {
  await deps.store.postponeLink(
    linkedUser.linkId,
    linkedUser.linkTries + 1,
    nowMs + backoffMs(linkedUser.linkTries),
  );
}

async function connectionStep(deps: BankingDeps, linkId: string, id: ConnectionId): Promise<void> {
  const linkedUser = await deps.store.linkedUserOfLink(linkId);
  assert(linkedUser !== null, "link_unusable", "the link of a due connection cannot be used");
  const connection = linkedUser.connections.find((candidate) => candidate.id === id);
  if (connection === undefined) return;
  if (connection.status === "removed") {
    await finishRemoval(deps, linkedUser, connection);
    return;
  }
  const open = await catchUp(deps, linkedUser, id, PAGES_SWEEP);
  if (open === null) return;
  const tries = connection.tries + 1;
  if (tries >= ALERT_AFTER_TRIES && open !== "not_yet") {
    deps.log.alert("bank_connection_still_failing", { connection_id: id, error: open, tries });
  }
  await later(deps, id, tries);
}

/**
 * What is open is tried again soon; the usual read has its own, slower pace, so that trouble does
 * not multiply background calls.
 */
async function later(deps: BankingDeps, id: ConnectionId, tries: number): Promise<void> {
  const nowMs = deps.clock.nowMs();
  await deps.store.postpone(id, tries, nowMs + backoffMs(tries - 1), nowMs + CHANGES_RETRY_MS);
}
