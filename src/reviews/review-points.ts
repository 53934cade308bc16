// What a held row could earn when a person lets it count, and how much of that one person may grant
// alone. Pure.
import { mayBeSamePerson } from "../http/second-person.ts";
import type {
  DecideEarning,
  EarningFacts,
  OfferTerms,
  Programme,
  PurchaseView,
  ReviewWhy,
  UsageView,
} from "../ledger/ports.ts";

/** Counting a row that would earn more than this takes two persons, as an adjustment does. */
const SECOND_PERSON_POINTS = 2_000;

/** Rows whose amount replaces one that could not be read: they must earn nothing. */
export const MADE_UP: ReadonlySet<string> = new Set<ReviewWhy>([
  "amount_out_of_bounds",
  "amount_missing",
]);
/** Rows whose day cannot be true: they count on a day that a person gives. */
export const WITHOUT_DAY: ReadonlySet<string> = new Set<ReviewWhy>(["date_absurd"]);

// A user who has used up nothing and activated everything: no real one earns more.
const NOTHING_USED: UsageView = {
  pointsInPeriod: () => 0,
  purchasesInPeriod: () => 0,
  hasEarlierPurchase: () => false,
  activationOn: () => ({ activatedAtMs: 0, expiresAtMs: null }),
};

/**
 * The most that the row can earn when it counts under these offers: caps, first purchases and
 * channels can only make it less.
 */
export function pointsAtMost(
  purchase: PurchaseView,
  offers: readonly OfferTerms[],
  decide: DecideEarning,
  programme: Programme,
): number {
  if (purchase.kind === "refund") return 0;
  const facts: EarningFacts = {
    baseCents: purchase.amountCents,
    currency: purchase.currency,
    purchasedOn: purchase.purchasedOn,
    brandId: purchase.brand?.id ?? null,
    channel: "unknown",
  };
  const decision = decide(
    facts,
    offers.map((terms) => ({ ...terms, channel: "any" as const })),
    NOTHING_USED,
    programme,
  );
  return decision.outcome === "not_earned" ? 0 : decision.points;
}

type Proposal = {
  readonly proposedBy: string | null;
  readonly proposedPoints: number | null;
};

/** How many points one person may have the row earn, after what somebody else proposed. */
export function pointsAllowed({ proposedBy, proposedPoints }: Proposal, by: string | null): number {
  return proposedBy === null || (by !== null && mayBeSamePerson(proposedBy, by))
    ? SECOND_PERSON_POINTS
    : Math.max(SECOND_PERSON_POINTS, proposedPoints ?? 0);
}
