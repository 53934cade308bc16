// The local system's movable clock; production has none.
import { allUserIds } from "../../identity/store/index.ts";
import { localClockRoutes } from "../local-clock/routes.ts";
import type { Routers, Shared } from "./shared.ts";

// A ledger whose work never ends must not keep the others from theirs.
const ALARM_ROUNDS_MAX = 20;

export function composeLocalClock(shared: Shared, sweep: () => Promise<void>): Routers {
  const { localClock, clock } = shared.platform;
  if (localClock === null) return [];
  return [{
    path: "/",
    router: localClockRoutes({
      control: localClock,
      clock,
      sweep,
      runLedgers: () => runLedgers(shared),
    }),
  }];
}

/** What every ledger's alarm would do by itself: the local clock moved, so it is done now. */
async function runLedgers({ platform, db }: Shared): Promise<void> {
  for (const userId of await allUserIds(db)) {
    for (let round = 0; round < ALARM_ROUNDS_MAX; round++) {
      const done = await platform.ledger.runDue(userId);
      if (!done.ok || !done.value.more) break;
    }
  }
}
