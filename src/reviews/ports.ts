// What reviews asks of other domains, and what it offers them.
import type { CatalogueView } from "../catalogue/ports.ts";
import type { UserId } from "../kernel/ids.ts";
import type { Clock } from "../kernel/time.ts";
import type { DecideEarning, LedgerOperations, LedgerPort, Programme } from "../ledger/ports.ts";

/** The ledger, as far as reviews reads and decides its rows. */
export type ReviewLedger =
  & Pick<LedgerOperations, "decideReview">
  & Pick<LedgerPort, "purchase">;

/** What judges a row. */
export type ReviewJudgement = {
  readonly ledger: ReviewLedger;
  readonly catalogue: CatalogueView;
  readonly decide: DecideEarning;
  readonly programme: Programme;
  readonly clock: Clock;
};

/** Reviews' part of an erasure. */
export type ReviewsPrivacy = {
  /** After the user's ledger is erased: an alarm could otherwise add again. May be repeated. */
  readonly erase: (userId: UserId) => Promise<void>;
};
