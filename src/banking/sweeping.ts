// Finishes what was left open: reads back, repairs, removals, endings, looks at users who never came back from the bank's page. In
// bounded steps; one user's trouble postpones that user's work and nobody else's.
import { isDatabaseFailure } from "../db/database.ts";
import { errorClass } from "../kernel/log.ts";
import { DAY_MS } from "../kernel/time.ts";
import { backoffMs } from "./connection.ts";
import type { BankingDeps } from "./deps.ts";
import type { Directory, LinkedConnection } from "./directory.ts";
import { finishEnding, finishRemoval } from "./ending.ts";
import type { ReadError } from "./errors.ts";
import { accessFor, look } from "./looking.ts";
import { PAGES_SWEEP, readBack } from "./recording.ts";

const STEP_ITEMS = 20;
/** A connection that still fails after so many tries is shown to operators. */
const ALERT_AFTER_TRIES = 6;
/** Spent and late intents are kept a while to tell a late return from a forged one. */
const INTENTS_KEPT_MS = 30 * DAY_MS;

/** One bounded round. `more`: there was as much as a round may do. */
export async function sweep(deps: BankingDeps, nowMs: number): Promise<{ more: boolean }> {
  await deps.store.purgeIntents(nowMs - INTENTS_KEPT_MS);
  const due = await deps.store.due(nowMs, STEP_ITEMS);
  for (const item of due.links) {
    await guardedStep(deps, item.id, () => linkStep(deps, item.id, nowMs), () => deps.store.postponeLink(item.id, item.tries + 1, nowMs + backoffMs(item.tries)));
  }
  for (const item of due.connections) {
    await guardedStep(deps, item.id, () => connectionStep(deps, item.linkId, item.id), () => deps.store.postpone(item.id, item.tries + 1, nowMs + backoffMs(item.tries)));
  }
  return { more: due.links.length >= STEP_ITEMS || due.connections.length >= STEP_ITEMS };
}

/** A defect met with one user must not stop the round for the others; a failing database does stop it. */
async function guardedStep(deps: BankingDeps, id: string, step: () => Promise<void>, postpone: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    if (isDatabaseFailure(error)) throw error;
    deps.log.alert("bank_sweep_failed", { id, error: errorClass(error) });
    await postpone();
  }
}

async function linkStep(deps: BankingDeps, linkId: string, nowMs: number): Promise<void> {
  const directory = await deps.store.directoryOfLink(linkId);
  if (directory === null) return;
  if (directory.linkState === "ending") {
    await finishEnding(deps, directory);
    return;
  }
  const access = await accessFor(deps, directory);
  const looked = access.ok ? await look(deps, directory, access.value) : access;
  if (looked.ok) await deps.store.looked(linkId, nowMs);
  else await deps.store.postponeLink(linkId, directory.linkTries + 1, nowMs + backoffMs(directory.linkTries));
}

async function connectionStep(deps: BankingDeps, linkId: string, id: string): Promise<void> {
  const directory = await deps.store.directoryOfLink(linkId);
  const connection = directory?.connections.find((candidate) => candidate.id === id);
  if (directory === null || connection === undefined) return;
  if (connection.status === "removed") {
    await finishRemoval(deps, directory, connection);
    return;
  }
  const failed = await readOpen(deps, directory, connection);
  if (failed === null) return;
  const tries = connection.tries + 1;
  if (tries >= ALERT_AFTER_TRIES && failed !== "not_yet") deps.log.alert("bank_connection_still_failing", { connection_id: id, error: failed, tries });
  await deps.store.postpone(connection.id, tries, deps.clock.nowMs() + backoffMs(connection.tries));
}

/** Looks, then reads what is open. Null when nothing is left, else why something is. */
async function readOpen(deps: BankingDeps, before: Directory, connectionBefore: LinkedConnection): Promise<ReadError["code"] | "not_yet" | "too_many_pages" | null> {
  const access = await accessFor(deps, before);
  if (!access.ok) return access.error.code;
  const looked = await look(deps, before, access.value);
  if (!looked.ok) return looked.error.code;
  const { directory, remote } = looked.value;
  const connection = directory.connections.find((candidate) => candidate.id === connectionBefore.id) ?? connectionBefore;
  const there = remote.find((candidate) => candidate.remoteId === connection.remoteId);
  if (there === undefined) return "aggregator_not_found";
  if (connection.fullRead === "due") {
    // Before the aggregator's first update there is nothing to read back.
    if (there.lastUpdateMs === null) return "not_yet";
    const read = await readBack(deps, directory, connection, access.value, null, PAGES_SWEEP);
    if (!read.ok) return read.error.code;
    if (!read.value.finished) return "too_many_pages";
    await deps.store.fullReadDone(connection.id, connection.updatedAtMs);
    if (connection.repairSinceMs !== null) await deps.store.repaired(connection.id, connection.repairSinceMs);
    return null;
  }
  if (connection.repairSinceMs !== null) {
    const read = await readBack(deps, directory, connection, access.value, connection.repairSinceMs, PAGES_SWEEP);
    if (!read.ok) return read.error.code;
    if (!read.value.finished) return "too_many_pages";
    await deps.store.repaired(connection.id, connection.repairSinceMs);
  }
  return null;
}
