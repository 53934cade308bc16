// What the ledger offers to the rest and what it takes: plain data only, since it all crosses an
// RPC boundary. The ledger knows points, rows and offer terms; it knows no person, no label in
// clear and no aggregator.
import type { ConnectionId, OfferId, PurchaseId, UserId } from "../kernel/ids.ts";
import type { Result } from "../kernel/result.ts";
import type {
  ExportPage,
  Leaf,
  ReviewDecision,
  ReviewItem,
  Verification,
} from "./port-types/alarm.ts";
import type {
  GrantError,
  GrantView,
  HoldError,
  HoldView,
  KeyConflict,
  KeyedOperation,
} from "./port-types/operations.ts";
import type { OffersNeeded, RecordBatch } from "./port-types/recording.ts";
import type {
  BankingActivity,
  EntryView,
  OfferQuestion,
  OfferUse,
  Overview,
  Page,
  PointsView,
  PurchaseQuery,
  PurchaseView,
  RecordSummary,
} from "./port-types/views.ts";

export type * from "./port-types/alarm.ts";
export type * from "./port-types/earning.ts";
export type * from "./port-types/halts.ts";
export type * from "./port-types/operations.ts";
export * from "./port-types/recording.ts";
export type * from "./port-types/transfer.ts";
export type * from "./port-types/verdicts.ts";
export type * from "./port-types/views.ts";

/**
 * Why a ledger call gave nothing.
 * - `ledger_unavailable`: the platform failed or is overloaded everywhere; the same call may be
 *   repeated.
 * - `ledger_refused`: this user's ledger will not do it (invariant broken, object overloaded);
 *   others are not concerned.
 * - `erased`: the user is gone.
 */
export type LedgerError = { readonly code: "ledger_unavailable" } | {
  readonly code: "ledger_refused";
} | { readonly code: "erased" };

/** The ledger as other domains see it: one call, one object, one user. */
export type LedgerPort = {
  readonly record: (
    userId: UserId,
    batch: RecordBatch,
  ) => Promise<Result<RecordSummary, LedgerError | OffersNeeded>>;
  readonly points: (userId: UserId) => Promise<Result<PointsView, LedgerError>>;
  /** Balances and the newest entries in one call of the object, both of one moment. */
  readonly overview: (
    userId: UserId,
    input: { readonly limit: number },
  ) => Promise<Result<Overview, LedgerError>>;
  readonly entries: (
    userId: UserId,
    page: { readonly limit: number; readonly before: string | null },
  ) => Promise<Result<Page<EntryView>, LedgerError>>;
  readonly purchases: (
    userId: UserId,
    query: PurchaseQuery,
  ) => Promise<Result<Page<PurchaseView>, LedgerError>>;
  readonly purchase: (
    userId: UserId,
    id: PurchaseId,
  ) => Promise<Result<PurchaseView | null, LedgerError>>;
  readonly activate: (
    userId: UserId,
    activation: {
      readonly offerId: OfferId;
      readonly version: number;
      readonly activationDays: number | null;
      readonly offerEndsAtMs: number | null;
    },
  ) => Promise<
    Result<
      {
        readonly activatedAtMs: number;
        readonly expiresAtMs: number | null;
        readonly created: boolean;
      },
      LedgerError
    >
  >;
  readonly activations: (
    userId: UserId,
  ) => Promise<
    Result<
      readonly {
        readonly offerId: OfferId;
        readonly activatedAtMs: number;
        readonly expiresAtMs: number | null;
      }[],
      LedgerError
    >
  >;
  /** Activations and use of offers in one call of the object. */
  readonly offerUse: (
    userId: UserId,
    input: { readonly offers: readonly OfferQuestion[] },
  ) => Promise<Result<OfferUse, LedgerError>>;
  readonly bankingActivity: (userId: UserId) => Promise<Result<BankingActivity, LedgerError>>;
  /** The day of the oldest row of the connection that a read has still to show, or null. */
  readonly unconfirmedSince: (
    userId: UserId,
    connectionId: ConnectionId,
  ) => Promise<Result<string | null, LedgerError>>;
  /**
   * Writes down what is due at the clock's time (matured, expired, closed) and drains the outbox:
   * what the alarm does.
   */
  readonly runDue: (userId: UserId) => Promise<Result<{ readonly more: boolean }, LedgerError>>;
};

/** The ledger as redemptions, operators, privacy and audits see it, beside `LedgerPort`. */
export type LedgerOperations = {
  readonly operate: (
    userId: UserId,
    input: { readonly key: string; readonly operation: KeyedOperation },
  ) => Promise<Result<HoldView | GrantView, HoldError | GrantError | KeyConflict | LedgerError>>;
  readonly reviews: (userId: UserId) => Promise<Result<readonly ReviewItem[], LedgerError>>;
  readonly decideReview: (
    userId: UserId,
    decision: ReviewDecision,
  ) => Promise<
    Result<
      PurchaseView,
      | LedgerError
      | OffersNeeded
      | {
        readonly code:
          | "review_unknown"
          | "review_not_countable"
          | "review_amended"
          | "review_day_required"
          | "review_day_invalid";
      }
    >
  >;
  readonly exportPage: (
    userId: UserId,
    cursor: string | null,
  ) => Promise<Result<ExportPage, LedgerError>>;
  readonly verify: (userId: UserId) => Promise<Result<Verification, LedgerError>>;
  /** Projects everything to D1 again from zero, after its rows of this user are gone. */
  readonly reproject: (userId: UserId) => Promise<Result<{ readonly more: boolean }, LedgerError>>;
  readonly leaf: (userId: UserId) => Promise<Result<Leaf, LedgerError>>;
  /** Empties the ledger for good and answers its last leaf; the same leaf when repeated. */
  readonly erase: (userId: UserId) => Promise<Result<Leaf, LedgerError>>;
};
