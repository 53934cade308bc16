// Keeps the projections true to the ledgers: rebuilds them all when asked, and patrols a few
// ledgers at every sweep to find one whose last transactions D1 does not have. Bounded steps; each
// can be repeated.
import type { UserId } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerOperations } from "../ledger/ports.ts";
import { PATROL_EMPTY } from "./projection-work.ts";
import type { Rebuild } from "./projection-work.ts";
import type { InsightsStore } from "./store.ts";

/**
 * What one step of a rebuild did. `next` is null when it is over; `failed` counts ledgers that
 * could not be read and must be looked at.
 */
export type RebuildStep = {
  readonly rebuilt: number;
  readonly failed: number;
  readonly total: number;
  readonly totalFailed: number;
  readonly next: string | null;
};

export type ProjectionsDeps = {
  readonly store: Pick<
    InsightsStore,
    | "clearProjections"
    | "usersAfter"
    | "rebuild"
    | "saveRebuild"
    | "closeRebuild"
    | "patrol"
    | "savePatrol"
  >;
  readonly ledger: Pick<LedgerOperations, "leaf" | "reproject">;
  readonly clock: Clock;
  readonly log: Log;
  readonly stepUsers?: number;
};

export type Projections = ReturnType<typeof projections>;

// Each user costs one object call, which makes a few of its own.
const STEP_USERS = 25;
const ROUNDS_MAX = 50;
/**
 * Has one ledger project everything that D1 lacks. True when it did, or when it is erased and has
 * nothing more to project.
 */
async function projectAgain(
  ledger: ProjectionsDeps["ledger"],
  userId: UserId,
): Promise<boolean> {
  let projected = await ledger.reproject(userId);
  for (let round = 0; projected.ok && projected.value.more && round < ROUNDS_MAX; round++) {
    projected = await ledger.reproject(userId);
  }
  return projected.ok ? !projected.value.more : projected.error.code === "erased";
}

/**
 * One step of a rebuild: `after` null empties the projections first; else it goes on after that
 * user.
 */
async function rebuildStep(deps: ProjectionsDeps, after: string | null): Promise<RebuildStep> {
  const { store, clock, log, stepUsers: limit = STEP_USERS } = deps;
  const nowMs = clock.nowMs();
  let state: Rebuild = { startedAtMs: nowMs, finishedAtMs: null, rebuilt: 0, failed: 0 };
  if (after === null) await store.clearProjections(state, nowMs);
  else state = (await store.rebuild()) ?? state;
  const found = await store.usersAfter(after ?? "", limit);
  let failed = 0;
  for (const { id } of found) {
    if (await projectAgain(deps.ledger, id)) continue;
    failed += 1;
    log.alert("rebuild_ledger_failed", { user_id: id });
  }
  const last = found.at(-1);
  const next = last !== undefined && found.length === limit ? last.id : null;
  state = {
    ...state,
    rebuilt: state.rebuilt + found.length - failed,
    failed: state.failed + failed,
    finishedAtMs: next === null ? clock.nowMs() : null,
  };
  await store.saveRebuild(state, clock.nowMs());
  return {
    rebuilt: found.length - failed,
    failed,
    total: state.rebuilt,
    totalFailed: state.failed,
    next,
  };
}

/**
 * Compares the next ledgers with what D1 knows of them, and projects those that differ again. A
 * whole round after which none is left behind also ends a rebuild that somebody began before it and
 * never finished: every ledger has been projected since.
 */
async function patrolStep(deps: ProjectionsDeps): Promise<void> {
  const { store, ledger, clock, log, stepUsers: limit = STEP_USERS } = deps;
  const before = { ...PATROL_EMPTY, ...(await store.patrol()) };
  const startedAtMs = before.after === "" ? clock.nowMs() : before.startedAtMs;
  const found = await store.usersAfter(before.after, limit);
  let { behind, left } = before;
  for (const { id, sequence } of found) {
    const leaf = await ledger.leaf(id);
    if (leaf.ok && leaf.value.sequence === sequence) continue;
    behind += 1;
    // Without emptying anything: the guard in D1 takes only what comes after what it has.
    if (leaf.ok && (await projectAgain(ledger, id))) continue;
    left += 1;
    if (leaf.ok) log.alert("patrol_ledger_behind", { user_id: id });
  }
  const checked = before.checked + found.length;
  const end = found.at(-1);
  if (end !== undefined && found.length === limit) {
    return store.savePatrol({
      after: end.id,
      startedAtMs,
      checked,
      behind,
      left,
      last: before.last,
    }, clock.nowMs());
  }
  if (left === 0) await store.closeRebuild(startedAtMs, clock.nowMs());
  await store.savePatrol({
    ...PATROL_EMPTY,
    last: { checked, behind, endedAtMs: clock.nowMs() },
  }, clock.nowMs());
}

export function projections(deps: ProjectionsDeps) {
  return {
    rebuildStep: (after: string | null): Promise<RebuildStep> => rebuildStep(deps, after),
    patrolStep: (): Promise<void> => patrolStep(deps),
  };
}
