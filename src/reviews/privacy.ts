// Reviews' part of an erasure: the user's rows leave the queue, decided or not.
import type { ReviewsPrivacy } from "./ports.ts";
import type { ReviewsStore } from "./store.ts";

export function reviewsPrivacy(store: Pick<ReviewsStore, "forget">): ReviewsPrivacy {
  return { erase: (userId) => store.forget(userId) };
}
