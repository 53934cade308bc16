// Insights' part of consent and erasure: what stands of a user outside their ledger.
import type { UserId } from "../kernel/ids.ts";
import type { Keyring } from "../kernel/keyring.ts";
import type { Clock } from "../kernel/time.ts";
import type { ReviewsStore } from "../reviews/store.ts";
import type { SampleStore } from "./sample-store.ts";
import { pseudonymsOf } from "./sample.ts";

export type InsightsPrivacyDeps = {
  readonly sample: Pick<SampleStore, "remove">;
  readonly reviews: Pick<ReviewsStore, "forget">;
  readonly index: Keyring;
  readonly clock: Clock;
};
export type InsightsPrivacy = ReturnType<typeof insightsPrivacy>;

/**
 * Both may be repeated. Neither is found again by anybody without the index keyring: that is what
 * the pseudonyms are for.
 */
export function insightsPrivacy(deps: InsightsPrivacyDeps) {
  const leaveSample = (userId: UserId): Promise<void> =>
    deps.sample.remove(pseudonymsOf(deps.index, userId, deps.clock.nowMs()));
  return {
    statisticsWithdrawn: leaveSample,
    /** After the user's ledger is erased: an alarm could otherwise add again. */
    async erase(userId: UserId): Promise<void> {
      await leaveSample(userId);
      await deps.reviews.forget(userId);
    },
  };
}
