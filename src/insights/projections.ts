// Keeps the projections true to the ledgers: rebuilds them all when asked, and patrols a few
// ledgers at every sweep to find one that D1 does not know to its end. Bounded steps; each can be
// repeated.
import type { UserId } from "../kernel/ids.ts";
import type { Log } from "../kernel/log.ts";
import type { Clock } from "../kernel/time.ts";
import type { LedgerOperations } from "../ledger/ports.ts";
import type { InsightsStore } from "./store.ts";

export type Rebuild = {
  readonly startedAtMs: number;
  readonly finishedAtMs: number | null;
  readonly rebuilt: number;
  readonly failed: number;
};
type Round = { readonly checked: number; readonly behind: number; readonly endedAtMs: number };
/** Where the patrol is, what it has found in this round, and what the last whole round found. */
export type Patrol = {
  readonly after: string;
  readonly startedAtMs: number;
  readonly checked: number;
  readonly behind: number;
  readonly last: Round | null;
  /** Of those behind, the ledgers that could not be brought up to date. */
  readonly left: number;
};

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
export const PATROL_EMPTY: Patrol = {
  after: "",
  startedAtMs: 0,
  checked: 0,
  behind: 0,
  left: 0,
  last: null,
};

export function projections(deps: ProjectionsDeps) {
  const { store, ledger, clock, log } = deps;
  const limit = deps.stepUsers ?? STEP_USERS;

  /**
   * Lets one ledger tell D1 everything. True when it did, or when it is erased and has nothing more
   * to tell.
   */
  async function tellAgain(userId: UserId): Promise<boolean> {
    let told = await ledger.reproject(userId);
    for (let round = 0; told.ok && told.value.more && round < ROUNDS_MAX; round++) {
      told = await ledger.reproject(userId);
    }
    return told.ok ? !told.value.more : told.error.code === "erased";
  }

  return {
    /**
     * One step of a rebuild: `after` null empties the projections first; else it goes on after that
     * user.
     */
    async rebuildStep(after: string | null): Promise<RebuildStep> {
      const nowMs = clock.nowMs();
      let state: Rebuild = { startedAtMs: nowMs, finishedAtMs: null, rebuilt: 0, failed: 0 };
      if (after === null) await store.clearProjections(state, nowMs);
      else state = (await store.rebuild()) ?? state;
      const found = await store.usersAfter(after ?? "", limit);
      let failed = 0;
      for (const { id } of found) {
        if (await tellAgain(id)) continue;
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
    },

    /**
     * Compares the next ledgers with what D1 knows of them, and has those that differ tell it
     * again. A whole round after which none is left behind also ends a rebuild that somebody began
     * before it and never finished: every ledger has told all since.
     */
    async patrolStep(): Promise<void> {
      const before = { ...PATROL_EMPTY, ...(await store.patrol()) };
      const startedAtMs = before.after === "" ? clock.nowMs() : before.startedAtMs;
      const found = await store.usersAfter(before.after, limit);
      let { behind, left } = before;
      for (const { id, sequence } of found) {
        const leaf = await ledger.leaf(id);
        if (leaf.ok && leaf.value.sequence === sequence) continue;
        behind += 1;
        // Without emptying anything: the guard in D1 takes only what comes after what it has.
        if (leaf.ok && (await tellAgain(id))) continue;
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
    },
  };
}
