// What a ledger's alarm works through, what it projects to D1, and what operators review.
import type { BrandId, OfferId, PurchaseId } from "../../kernel/ids.ts";
import type { HoldView } from "./operations.ts";
import type { OfferTerms, Programme, ReviewCode } from "./recording.ts";
import type { Balances, EntryView, PurchaseView, TransactionKind } from "./views.ts";

/**
 * What an offer's budget should hold for a purchase; answered by `budgetGranted` or `budgetDenied`.
 */
export type BudgetTask = {
  readonly purchaseId: PurchaseId;
  readonly offerId: OfferId; /** What the budget knows it by. */
  readonly key: string;
  readonly points: number;
  readonly budgetPoints: number;
};
/**
 * The budget has not that much left; `held` is what it goes on holding for the purchase, `left` the
 * most that it could have held for it.
 */
export type BudgetDenial = Pick<BudgetTask, "key" | "offerId" | "points"> & {
  readonly held: number;
  readonly left?: number;
};
/** Points of the lots that expire on one day, and how many days before the notice is sent. */
export type NoticeTask = {
  readonly daysBefore: 30 | 7;
  readonly expiresOn: string;
  readonly points: number;
  readonly lots: readonly number[];
};
export type DueReport = {
  readonly more: boolean;
  /** Redemptions whose committed hold is overdue: alerted once. */
  readonly overdueHolds: readonly string[];
  /** Points wait for days past their date because no read answers; reported once. */
  readonly arePointsUnshown: boolean;
};

/**
 * One line of the counters: what the transactions of one day, brand, offer and kind add up to.
 * Empty text where there is none.
 */
export type CounterDelta = {
  readonly day: string;
  readonly brandId: string;
  readonly offerId: string;
  readonly kind: TransactionKind;
  readonly purchases: number;
  readonly cents: number;
  readonly points: number; /** By how much the user's accounts change. */
  readonly changes: Balances;
};
/**
 * The transactions after `from` up to `through`, summed up for D1, with the head and balances at
 * `through`.
 */
export type Projection = {
  readonly from: number;
  readonly through: number;
  readonly head: string;
  readonly balances: Balances;
  readonly counters: readonly CounterDelta[];
  readonly more: boolean;
};

/** All transactions of a book and those after `from`, summed up before the book is emptied. */
export type History = {
  readonly whole: readonly CounterDelta[];
  readonly rest: readonly CounterDelta[];
  readonly leaf: Leaf;
  readonly balances: Balances;
};

/**
 * A row of the book as statistics may see it; with the user's id its number is hashed before it
 * leaves for D1. `purchase` is null when the row does not count, or no more: taken back by the
 * bank, held, unrecognised, a repeat, too old. What was projected of it must go.
 */
export type SampleItem = {
  readonly row: number;
  readonly purchase:
    | { readonly day: string; readonly brandId: BrandId; readonly cents: number }
    | null;
};
/** Rows that the sample does not know as they are now; `mark` is given back once it does. */
export type SampleChanges = { readonly items: readonly SampleItem[]; readonly mark: string };
export type ReviewWhy =
  | ReviewCode
  | "weak_account"
  | "large_reward"
  | "not_shown"
  | "refund_without_purchase";
/**
 * All rows that wait for a person or for their purchase now; `mark` is given back once D1 knows.
 */
export type ReviewChanges = {
  readonly open: readonly { readonly purchaseId: PurchaseId; readonly why: ReviewWhy }[];
  readonly mark: string;
};

/** A row a person must look at, and why. */
export type ReviewItem = { readonly purchase: PurchaseView; readonly why: ReviewWhy };
export type ReviewDecision = {
  readonly purchaseId: PurchaseId;
  readonly decision: "count" | "refuse";
  /** The day on which a row counts whose own cannot be true; only for such a row. */
  readonly purchasedOn?: string;
  readonly offers: readonly OfferTerms[];
  readonly programme: Programme;
  /** Offers are halted: the row counts, and is judged at the end of the halt. */
  readonly paused?: boolean;
  /** What was judged: should the bank have amended it since, it is not counted unseen. */
  readonly seen?: Pick<PurchaseView, "amountCents" | "purchasedOn" | "brand">;
};

export type ExportPage = {
  readonly purchases: readonly PurchaseView[];
  readonly entries: readonly EntryView[];
  readonly activations: readonly {
    readonly offerId: OfferId;
    readonly activatedAtMs: number;
    readonly expiresAtMs: number | null;
  }[];
  readonly holds: readonly HoldView[];
  readonly next: string | null;
};
export type Leaf = { readonly sequence: number; readonly head: string };
export type Verification = Leaf & { readonly broken: readonly string[] };
