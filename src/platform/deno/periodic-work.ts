// What a server does by itself: waking ledgers whose alarm is due, sweeping, and after a stop that
// was not clean asking every book for its next alarm.
import { errorClass } from "../../kernel/log.ts";
import type { Log } from "../../kernel/log.ts";
import { MINUTE_MS } from "../../kernel/time.ts";
import type { Alarms } from "./alarms.ts";
import type { LocalClock } from "./clock.ts";
import type { Ledgers } from "./ledgers.ts";
import { startLoop } from "./loops.ts";

const RING_EVERY_MS = 200;
const RING_MAX = 100;
const SWEEP_EVERY_MS = 10 * MINUTE_MS;

type PeriodicParts = {
  readonly alarms: Pick<Alarms, "wasUnclean">;
  readonly ledgers: Pick<Ledgers, "ring" | "rearmAll">;
  readonly sweep: () => Promise<void>;
  readonly movable: LocalClock | null;
  readonly log: Log;
};

/**
 * Starts waking ledgers and sweeping. `stop` waits for what runs and resolves to whether the table
 * of alarms is complete.
 */
export function startPeriodicWork(
  { alarms, ledgers, sweep, movable, log }: PeriodicParts,
): { readonly stop: () => Promise<boolean> } {
  const failed = (event: string) => (error: unknown) =>
    log.alert(event, { error: errorClass(error) });
  // Until every book was asked, this process must not mark the table of alarms as complete: the
  // next one would believe it and ask no book.
  let complete = !alarms.wasUnclean;
  const ringing = startLoop({
    firstMs: 0,
    everyMs: RING_EVERY_MS,
    failed: failed("alarms_failed"),
    round: async () => {
      movable?.refresh();
      await ledgers.ring(RING_MAX);
    },
  });
  const sweeping = startLoop({
    firstMs: MINUTE_MS,
    everyMs: SWEEP_EVERY_MS,
    failed: failed("sweep_failed"),
    round: async () => {
      movable?.refresh();
      await sweep();
    },
  });
  const abort = new AbortController();
  const rearm = async (): Promise<void> => {
    try {
      complete ||= await ledgers.rearmAll(abort.signal);
    } catch (error) {
      failed("rearm_failed")(error);
    }
  };
  const rearming = rearm();
  return {
    stop: async () => {
      abort.abort();
      await Promise.all([ringing.stop(), sweeping.stop(), rearming]);
      return complete;
    },
  };
}
