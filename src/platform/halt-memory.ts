// The halts as every ledger of this process or isolate knows them: read from D1 when something is
// due that they would defer, and kept for a few seconds, so that a morning on which a thousand lots
// mature does not ask a thousand times.
import { DAY_MS, SECOND_MS } from "../kernel/time.ts";
import type { Clock } from "../kernel/time.ts";
import type { Halt, HaltMemory } from "../ledger/ports.ts";
import type { HaltsStore } from "../operations/halts/store.ts";

/** So late a halt may be obeyed. */
const KNOWN_MS = 5 * SECOND_MS;
/** An ended halt matters as long as it may lengthen a deadline, which is at most a few months. */
const ENDED_KEPT_MS = 180 * DAY_MS;

type HaltMemoryParts = {
  readonly store: Pick<HaltsStore, "since">;
  readonly clock: Clock;
  /** Runs on, whatever happens to the clock of the local system. */
  readonly monotonicMs: () => number;
};

/** Remembers the halts for a few seconds. */
export function haltMemory({ store, clock, monotonicMs }: HaltMemoryParts): HaltMemory {
  let held: { readonly halts: readonly Halt[]; readonly readAtMs: number } | null = null;
  return {
    known: () => held !== null && monotonicMs() - held.readAtMs < KNOWN_MS ? held.halts : null,
    async refresh() {
      const readAtMs = monotonicMs();
      const found = await store.since(clock.nowMs() - ENDED_KEPT_MS);
      const halts = found.flatMap(({ what, begunAtMs: fromMs, endedAtMs: untilMs }): Halt[] =>
        what === "linking" ? [] : [{ what, fromMs, untilMs }]
      );
      held = { readAtMs, halts };
    },
  };
}
