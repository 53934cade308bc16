// What a user's book shows: purchases, entries and balances.
import type {
  AccountId,
  BrandId,
  ConnectionId,
  EntryId,
  OfferId,
  PurchaseId,
} from "../../kernel/ids.ts";
import type { Outcome, Verdict } from "./verdicts.ts";

/** A purchase or refund as the ledger shows it; the label is still encrypted. */
export type PurchaseView = {
  readonly id: PurchaseId;
  readonly accountId: AccountId;
  readonly externalId: string;
  readonly labelCipher: string;
  readonly purchasedOn: string;
  readonly bookedOn: string | null;
  readonly amountCents: number;
  readonly currency: string;
  readonly original: { readonly amountCents: number; readonly currency: string } | null;
  readonly kind: "purchase" | "refund";
  readonly state: "pending" | "booked" | "deleted";
  readonly brand: { readonly id: BrandId; readonly matched: string } | null;
  readonly verdict: Verdict;
  /** Of a refund: the purchases that it gives back and how much of each; none of a purchase. */
  readonly refundParts: readonly {
    readonly purchaseId: PurchaseId;
    readonly amountCents: number;
  }[];
};

export type Balances = {
  readonly pending: number;
  readonly available: number;
  readonly held: number;
};

export type TransactionKind =
  | "earn"
  | "confirm"
  | "cancel"
  | "clawback"
  | "hold"
  | "settle"
  | "release"
  | "reinstate"
  | "expire"
  | "referral"
  | "goodwill"
  | "forfeit";

/** Accounts of a user's book and their counterparts (DESIGN.md section 4). */
export type BookAccount =
  | "pending"
  | "available"
  | "held"
  | "programme:purchases"
  | "programme:referral"
  | "programme:goodwill"
  | "programme:redeemed"
  | "programme:expired"
  | "programme:forfeited";

export type EntryView = {
  readonly id: EntryId;
  readonly sequence: number;
  readonly kind: TransactionKind;
  readonly changes: Balances;
  readonly balances: Balances;
  readonly purchaseId: PurchaseId | null;
  /** The brand of the purchase that it is about. */
  readonly brandId: BrandId | null;
  readonly redemptionId: string | null;
  /** Sequence-bearing id of the entry that this one reverses. */
  readonly reverses: EntryId | null;
  readonly effectiveOn: string;
  readonly recordedAtMs: number;
  readonly hash: string;
};

export type PointsView = {
  readonly balances: Balances;
  readonly nextConfirmation: { readonly on: string; readonly points: number } | null;
  readonly nextExpiry: { readonly on: string; readonly points: number } | null;
  readonly sequence: number;
  readonly head: string;
};

/** What a user's first screen shows. */
export type Overview = { readonly points: PointsView; readonly entries: Page<EntryView> };

export type RecordSummary = {
  readonly recorded: number;
  readonly unchanged: number;
  readonly duplicates: number;
  readonly earnedPoints: number;
  readonly sequence: number;
  /**
   * When the connection should have been read, because of points that no read has shown or that are
   * in question; null: no earlier than usual.
   */
  readonly readByMs: number | null;
};

export type Page<T> = { readonly items: readonly T[]; readonly nextBefore: string | null };

export type PurchaseQuery = {
  readonly from: string | null;
  readonly to: string | null;
  readonly brandId: BrandId | null;
  readonly outcome: Outcome | null;
  readonly limit: number;
  /** Opaque position from `nextBefore`, or null for the first page. */
  readonly before: string | null;
};

/** An offer, and the period (kernel/time.ts) whose use is asked for. */
export type OfferQuestion = {
  readonly offerId: OfferId;
  readonly brandId: BrandId;
  readonly period: string;
};

/** The newest activation of each offer, and what the user has used of those asked about. */
export type OfferUse = {
  readonly activations: readonly {
    readonly offerId: OfferId;
    readonly activatedAtMs: number;
    readonly expiresAtMs: number | null;
  }[];
  readonly used: readonly {
    readonly offerId: OfferId;
    readonly points: number;
    readonly purchases: number;
    /** The first day after the period; null where the caps never start again. */
    readonly resetsOn: string | null;
    /** A booked purchase at the brand is recorded. */
    readonly bought: boolean;
  }[];
};

/** What the list of connections shows of the ledger's knowledge. */
export type BankingActivity = {
  readonly connections: readonly {
    readonly connectionId: ConnectionId;
    readonly lastSyncedAtMs: number;
  }[];
  readonly accounts: readonly {
    readonly accountId: AccountId;
    readonly lastPurchaseOn: string | null;
  }[];
};
