// When the review of a user's age keeps them from earning and linking.
import { sql } from "drizzle-orm";
import type { ageReviews } from "./age-review-tables.ts";
import type { RowSeals } from "./row-seals.ts";
import { SEALED_AGE_REVIEWS } from "./sealed-tables.ts";

/** What the decision's seal covers of a review that is not closed. */
export type OpenAgeReview = Pick<
  typeof ageReviews.$inferSelect,
  "id" | "userId" | "openedAtMs" | "decision" | "decidedBy" | "decidedAtMs" | "seal"
>;

/**
 * The one review of a user (an expression of the surrounding statement) that is not closed, as
 * JSON; null without one.
 */
export function openAgeReviewOf(userId: string) {
  return sql.raw(
    `(SELECT json_object('id', g.id, 'userId', g.user_id, 'openedAtMs', g.opened_at_ms, 'decision', g.decision, 'decidedBy', g.decided_by, 'decidedAtMs', g.decided_at_ms, 'seal', g.seal)
    FROM age_reviews g WHERE g.user_id = ${userId} AND g.closed_at_ms IS NULL)`,
  );
}

/** Until a person, and nobody who only writes the database, has said that the user is of age. */
export function heldForAge(seals: RowSeals, review: OpenAgeReview | null): boolean {
  return review !== null &&
    !(review.decision === "of_age" && seals.holds(SEALED_AGE_REVIEWS, review));
}
