// The seam between the engine (which knows the books) and the earning rules (pure): what a rule may
// ask about a user's past and what it decides.
import type { OfferId } from "../../kernel/ids.ts";
import type { OfferTerms, Programme } from "./recording.ts";
import type { Calculation, ReasonCode, RuleCheck } from "./verdicts.ts";

/** The facts of a purchase that rules look at. Amounts in cents, dates in the Paris calendar. */
export type EarningFacts = {
  readonly baseCents: number;
  readonly currency: string;
  readonly purchasedOn: string;
  readonly brandId: string | null;
  readonly channel: "in_store" | "online" | "unknown";
  /** When the purchase was first recorded; absent: before any stop of an offer. */
  readonly recordedAtMs?: number;
};

/** The user's past with one offer or brand, read from the books at decision time. */
export type UsageView = {
  /** Points granted (after reversals) by this offer to purchases whose date lies in that period. */
  readonly pointsInPeriod: (offerId: OfferId, periodKey: string) => number;
  /** Purchases (not wholly reversed) rewarded by this offer whose date lies in that period. */
  readonly purchasesInPeriod: (offerId: OfferId, periodKey: string) => number;
  /** True when we recorded an earlier booked purchase at this brand. */
  readonly hasEarlierPurchase: (brandId: string) => boolean;
  /** The activation in force on that date, whole days counted, or null. */
  readonly activationOn: (
    offerId: OfferId,
    date: string,
  ) => { readonly activatedAtMs: number; readonly expiresAtMs: number | null } | null;
};

/** What the rules decide for one booked purchase. The engine posts it. */
export type Decision =
  | {
    readonly outcome: "earned" | "waiting";
    readonly points: number;
    readonly terms: OfferTerms;
    readonly periodKey: string;
    readonly calculation: Calculation;
    readonly reasons: readonly ReasonCode[];
    readonly checks: readonly RuleCheck[];
  }
  | {
    readonly outcome: "not_earned";
    readonly calculation: Calculation | null;
    readonly terms: OfferTerms | null;
    readonly reasons: readonly ReasonCode[];
    readonly checks: readonly RuleCheck[];
  };

/** The earning rules: pure, so that a dry run and a review may ask them outside of any ledger. */
export type DecideEarning = (
  facts: EarningFacts,
  terms: readonly OfferTerms[],
  usage: UsageView,
  programme: Programme,
) => Decision;
