// What D1 keeps about a user beside their account: the rows of the statistics sample, the rows and
// the ages that wait for a review, the notices, the passkeys,
// former addresses. The only place that knows all of it, so that no
// erasure forgets a part.
import type { IdentityStore } from "../../identity/store/index.ts";
import { insightsPrivacy } from "../../insights/privacy.ts";
import type { InsightsPrivacyDeps } from "../../insights/privacy.ts";
import type { UserId } from "../../kernel/ids.ts";
import { reviewsPrivacy } from "../../reviews/privacy.ts";
import type { ReviewsStore } from "../../reviews/store.ts";

type PrivacyDeps = InsightsPrivacyDeps & {
  readonly reviews: Pick<ReviewsStore, "forget">;
  readonly identity: Pick<
    IdentityStore,
    "forgetAgeReviews" | "forgetNotices" | "forgetPasskeys" | "forgetEmailChanges"
  >;
};

/** Both may be repeated. */
export function composePrivacy(deps: PrivacyDeps) {
  const insights = insightsPrivacy(deps);
  const reviews = reviewsPrivacy(deps.reviews);
  return {
    statisticsWithdrawn: insights.statisticsWithdrawn,
    /** After the user's ledger is erased: an alarm could otherwise add again. */
    async erase(userId: UserId): Promise<void> {
      await insights.erase(userId);
      await reviews.erase(userId);
      await deps.identity.forgetAgeReviews(userId);
      await deps.identity.forgetNotices(userId);
      await deps.identity.forgetPasskeys(userId);
      await deps.identity.forgetEmailChanges(userId);
    },
  };
}
