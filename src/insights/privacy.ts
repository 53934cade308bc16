// Insights' part of consent and erasure: the user's rows leave the statistics sample.
import type { UserId } from "../kernel/ids.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { Clock } from "../kernel/time.ts";
import type { SampleStore } from "./sample-store.ts";
import { pseudonymsOf } from "./sample.ts";

export type InsightsPrivacyDeps = {
  readonly sample: Pick<SampleStore, "remove">;
  readonly index: Keyring;
  readonly clock: Clock;
};

/**
 * Both may be repeated. Nobody finds the rows again without the index keyring: that is what the
 * pseudonyms are for.
 */
export function insightsPrivacy(deps: InsightsPrivacyDeps) {
  const leaveSample = (userId: UserId): Promise<void> =>
    deps.sample.remove(pseudonymsOf(deps.index, userId, deps.clock.nowMs()));
  return {
    statisticsWithdrawn: leaveSample,
    /** After the user's ledger is erased: an alarm could otherwise add again. */
    erase: leaveSample,
  };
}
