// Time on one server: the system's, or locally the movable clock, whose offset is the file
// `clock.json` of the data folder, which the sandbox reads too.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assert } from "../../kernel/assert.ts";
import type { Clock } from "../../kernel/time.ts";
import type { LocalClockControl } from "../compose.ts";

export type LocalClock = Clock & LocalClockControl & {
  /** Reads the file again: another process may have moved the clock. */
  readonly refresh: () => void;
};

export const systemClock: Clock = { nowMs: () => Date.now() };

/**
 * The movable clock of the local system. Never open it in production: whoever moves it matures
 * points.
 */
export function localClock(dataDir: string): LocalClock {
  const file = join(dataDir, "clock.json");
  let offsetMs = 0;
  const refresh = (): void => {
    if (!existsSync(file)) return;
    const { offset_ms: stored } = JSON.parse(readFileSync(file, "utf8")) as { offset_ms: number };
    assert(
      Number.isSafeInteger(stored) && stored >= 0,
      "clock_moved_back",
      "the local clock was asked to move back",
    );
    offsetMs = stored;
  };
  refresh();
  return {
    nowMs: () => Date.now() + offsetMs,
    refresh,
    advance: async (ms) => {
      assert(
        Number.isSafeInteger(ms) && ms >= 0,
        "clock_moved_back",
        "the local clock was asked to move back",
      );
      refresh();
      offsetMs += ms;
      writeFileSync(`${file}.new`, JSON.stringify({ offset_ms: offsetMs }));
      renameSync(`${file}.new`, file);
      return Date.now() + offsetMs;
    },
  };
}
