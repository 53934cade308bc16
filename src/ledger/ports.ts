// What the ledger offers to the rest and what it takes: plain data only, since it all crosses an
// RPC boundary. The ledger knows points, rows and offer terms; it knows no person, no label in
// clear and no aggregator.
import type {
  AccountId,
  BrandId,
  ConnectionId,
  EntryId,
  OfferId,
  PurchaseId,
  UserId,
} from "../kernel/ids.ts";
import type { Result } from "../kernel/result.ts";

// ---- what comes in ------------------------------------------------------------------------------

/**
 * One aggregator account id: a generation of a real bank account, which its fingerprint names
 * (DESIGN.md section 4).
 */
export type AccountGeneration = {
  readonly accountId: AccountId;
  readonly connectionId: ConnectionId;
  /**
   * Keyed hash of the IBAN; else of the parent's IBAN and the name; else (`weak`) of user, bank and
   * name.
   */
  readonly fingerprint: string;
  readonly strength: "iban" | "parent" | "weak";
  /** Instant at which we first saw this aggregator account id. */
  readonly createdAtMs: number;
};

export type ReviewCode =
  | "amount_precision"
  | "amount_out_of_bounds"
  | "amount_missing"
  | "date_absurd"
  | "currency_unknown";

/**
 * One card row of a bank account, minimised: the label is already encrypted under the user's key.
 */
export type BankRow = {
  readonly accountId: AccountId;
  readonly externalId: string;
  readonly kind: "purchase" | "refund";
  /** Always positive; `kind` tells the direction. */
  readonly amountCents: number;
  /** ISO 4217 of the account; only EUR earns. */
  readonly currency: string;
  /** What was paid abroad, shown but never counted. */
  readonly original: { readonly amountCents: number; readonly currency: string } | null;
  readonly purchasedOn: string;
  readonly bookedOn: string | null;
  readonly state: "pending" | "booked" | "deleted";
  /** The aggregator's `last_update`; an older row never overwrites a newer one. */
  readonly lastUpdateMs: number;
  /** Ciphertext; its place is table `purchases`, column `label`, row `<accountId>:<externalId>`. */
  readonly labelCipher: string;
  /**
   * Keyed hash of the label without dates and digits: breaks ties between equal amounts, says
   * nothing by itself.
   */
  readonly labelTag: string;
  readonly brand: { readonly id: BrandId; readonly matched: string } | null;
  readonly channel: "in_store" | "online" | "unknown";
  /** Why no rule may look at the row before a person did, or null. */
  readonly review: ReviewCode | null;
};

/**
 * The terms of one immutable offer version, with the window in which it is really in force
 * (half-open, milliseconds).
 */
export type OfferTerms = {
  readonly offerId: OfferId;
  readonly version: number;
  readonly brandId: BrandId;
  readonly kind: "percent" | "fixed" | "points_per_euro" | "tiered";
  readonly rateBp: number | null;
  readonly points: number | null;
  readonly tiers: readonly { readonly fromCents: number; readonly rateBp: number }[] | null;
  readonly minCents: number | null;
  readonly maxCents: number | null;
  readonly capPointsPerPurchase: number | null;
  readonly capPointsPerUser: number | null;
  readonly capPurchasesPerUser: number | null;
  readonly period: "day" | "week" | "month" | "offer";
  readonly firstPurchaseOnly: boolean;
  readonly activation: "automatic" | "required";
  readonly activationDays: number | null;
  readonly channel: "any" | "in_store" | "online";
  /** From `starts_at`; of a later version, from its approval at the earliest. */
  readonly startsAtMs: number;
  /** Until the earlier of `ends_at` and the start of the offer's next version; null when open. */
  readonly endsAtMs: number | null;
  readonly confirmationDays: number;
  readonly budgetPoints: number | null;
  readonly priority: number;
  /** When the offer (not the version) was made: the oldest wins a tie. */
  readonly offerCreatedAtMs: number;
};

export type Programme = { readonly pointsPerEuro: number; readonly pointsExpireMonths: number };

/** A brand's offers are all handed over for the days from `from` to `to`, both included. */
export type OfferCover = { readonly brandId: BrandId; readonly from: string; readonly to: string };
/**
 * A row has to be judged whose brand's offers of that day were not handed over. Nothing was
 * changed; the same call is made again with them.
 */
export type OffersNeeded = {
  readonly code: "offers_needed";
  readonly needed: readonly OfferCover[];
};

/** What one delivery or one read back brings for one connection. At most `RECORD_ROWS_MAX` rows. */
export type RecordBatch = {
  readonly connectionId: ConnectionId;
  /** The aggregator's time of the sync, or null for a partial batch that does not end one. */
  readonly syncedAtMs: number | null;
  readonly accounts: readonly AccountGeneration[];
  readonly rows: readonly BankRow[];
  /** Every version of the brands in `rows` that may be in force on one of their dates. */
  readonly offers: readonly OfferTerms[];
  /**
   * Where `offers` are all there are; null when they are so everywhere. Rows of earlier deliveries
   * may have to be judged again.
   */
  readonly covers: readonly OfferCover[] | null;
  readonly programme: Programme;
};

export const RECORD_ROWS_MAX = 500;
export const RECORD_BYTES_MAX = 1_048_576;

// ---- what goes out ------------------------------------------------------------------------------

/** Codes of API.md, closed. */
export type ReasonCode =
  | "offer_applied"
  | "brand_unknown"
  | "brand_without_offer"
  | "offer_not_in_force"
  | "activation_missing"
  | "below_minimum"
  | "above_maximum"
  | "cap_reached"
  | "budget_reserving"
  | "budget_exhausted"
  | "not_first_purchase"
  | "wrong_channel"
  | "not_booked_yet"
  | "duplicate"
  | "refunded"
  | "refund_applied"
  | "refund_without_purchase"
  | "account_shared"
  | "account_not_earning"
  | "currency_unsupported"
  | "held_for_review";

/**
 * What a number in a check counts, and the period it is counted in: a code alone does not tell two
 * caps apart.
 */
export type RuleMeasure =
  | "purchase_cents"
  | "least_points"
  | "points_per_purchase"
  | "points_per_period"
  | "purchases_per_period"
  /** `booked`, `pending`, `deleted` by the bank, or `lapsed`: never booked. */
  | "bank_state"
  /**
   * `ordinary`, `cleared` or `refused` by a person, or the trouble (`Review`) that nobody has
   * looked at.
   */
  | "review_result"
  | "purchase_id"
  /**
   * Points that an offer's budget should hold for the purchase, and those that it holds, or could
   * have held at most.
   */
  | "budget_points"
  /** The amount, and what refunds have left of it; the points granted, and those that stand. */
  | "kept_cents"
  | "kept_points"
  /**
   * The points granted, and those of them that were taken back: for one refund, or for all of its
   * purchase together.
   */
  | "taken_back_points"
  | "taken_back_points_together";

/** One rule that was looked at: what it needed and what it found, by `measure`. */
export type RuleCheck = {
  readonly rule: ReasonCode;
  readonly offerId: OfferId | null;
  readonly version: number | null;
  readonly passed: boolean;
  readonly needed: number | string | null;
  readonly found: number | string | null;
  readonly measure?: RuleMeasure;
  /** The `periodKey` of a cap that counts over a period. */
  readonly period?: string;
};

export type Calculation = {
  readonly baseCents: number;
  readonly rateBp: number | null;
  readonly pointsPerEuro: number;
  readonly uncapped: number;
  /** What the decision grants: zero whenever the purchase earned nothing. */
  readonly capped: number;
  /**
   * The formula that gave `uncapped`, and the offer's own points where it has any: what a sentence
   * needs to show the sum.
   */
  readonly kind?: OfferTerms["kind"];
  readonly offerPoints?: number;
};

export type Outcome = "earned" | "not_earned" | "reversed" | "waiting";

export type Verdict = {
  readonly outcome: Outcome;
  /** Points that stand now: granted less reversed. */
  readonly points: number;
  /** The deciding reasons, the first one being the answer to "why?". */
  readonly reasons: readonly ReasonCode[];
  readonly checks: readonly RuleCheck[];
  readonly calculation: Calculation | null;
  readonly offer: { readonly id: OfferId; readonly version: number } | null;
  readonly confirmationExpectedOn: string | null;
  /** Its points have been confirmed: the day above is past. */
  readonly confirmed?: boolean;
};

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
  /** For a refund: the purchase it was set against; for a purchase: null. */
  readonly refundOf: PurchaseId | null;
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
  readonly overview: (userId: UserId, limit: number) => Promise<Result<Overview, LedgerError>>;
  readonly entries: (
    userId: UserId,
    limit: number,
    before: string | null,
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
  readonly bankingActivity: (userId: UserId) => Promise<Result<BankingActivity, LedgerError>>;
  /**
   * Writes down what is due at the clock's time (matured, expired, closed) and drains the outbox:
   * what the alarm does.
   */
  readonly runDue: (userId: UserId) => Promise<Result<{ readonly more: boolean }, LedgerError>>;
};

// ---- redemptions and grants: keyed operations ---------------------------------------------------

/**
 * What other domains ask under a request key: same key and input give the first result again, other
 * input a conflict.
 */
export type HoldState = "open" | "committed" | "settled" | "released" | "reinstated";
export type HoldInput = {
  readonly redemptionId: string;
  readonly points: number; /** Deadline of the open hold, or null. */
  readonly expiresAtMs: number | null;
};
export type HoldView = {
  readonly redemptionId: string;
  readonly state: HoldState;
  readonly points: number;
  readonly balances: Balances;
};
export type HoldError =
  | { readonly code: "points_insufficient"; readonly available: number }
  | { readonly code: "balance_negative"; readonly available: number }
  | { readonly code: "hold_unknown" }
  | { readonly code: "hold_exists" }
  | { readonly code: "hold_state"; readonly state: HoldState };

export type GrantInput = {
  readonly points: number;
  /** Names the cause: a referral, a claim, an adjustment. */
  readonly reference: string;
  readonly programme: Programme;
};
/** Referral points wait until `confirmAtMs`; goodwill is available at once. */
export type ReferralInput = GrantInput & { readonly confirmAtMs: number };
export type GrantView = {
  readonly entryId: EntryId;
  readonly points: number;
  readonly balances: Balances;
};
export type GrantError =
  | { readonly code: "grant_unknown" }
  | { readonly code: "hold_committed" }
  | { readonly code: "nothing_to_forfeit" };

export type KeyConflict = { readonly code: "idempotency_conflict" };
export type KeyedOperation =
  | ({ readonly kind: "hold" } & HoldInput)
  | { readonly kind: "commit" | "settle" | "reinstate"; readonly redemptionId: string }
  | {
    readonly kind: "release";
    readonly redemptionId: string;
    readonly cause: "cancelled" | "rejected";
  }
  | ({ readonly kind: "goodwill" } & GrantInput)
  | ({ readonly kind: "referral" } & ReferralInput)
  /** Takes back a referral or goodwill grant, by its reference. */
  | {
    readonly kind: "reverse_grant";
    readonly source: "referral" | "goodwill";
    readonly reference: string;
  }
  /** Gives up everything not committed: before an account is closed. */
  | { readonly kind: "forfeit" };

export type ActivateInput = {
  readonly offerId: OfferId;
  readonly version: number;
  readonly activationDays: number | null;
  readonly offerEndsAtMs: number | null;
};
export type Activated = {
  readonly activatedAtMs: number;
  readonly expiresAtMs: number | null;
  readonly created: boolean;
};

// ---- what the alarm and operators work through --------------------------------------------------

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
/** Points of the lots that expire on one day, and how many days before the user is told. */
export type NoticeTask = {
  readonly daysBefore: 30 | 7;
  readonly expiresOn: string;
  readonly points: number;
  readonly lots: readonly number[];
};
export type DueReport = {
  readonly more: boolean; /** Redemptions whose committed hold is overdue: told once. */
  readonly overdueHolds: readonly string[];
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
 * bank, held, unrecognised, a repeat, too old. What was told of it must go.
 */
export type SampleItem = {
  readonly row: number;
  readonly purchase:
    | { readonly day: string; readonly brandId: BrandId; readonly cents: number }
    | null;
};
/** Rows that the sample does not know as they are now; `mark` is given back once it does. */
export type SampleNews = { readonly items: readonly SampleItem[]; readonly mark: string };
export type ReviewWhy = ReviewCode | "weak_account" | "refund_without_purchase";
/**
 * All rows that wait for a person or for their purchase now; `mark` is given back once D1 knows.
 */
export type ReviewNews = {
  readonly open: readonly { readonly purchaseId: PurchaseId; readonly why: ReviewWhy }[];
  readonly mark: string;
};

/** A row a person must look at, and why. */
export type ReviewItem = { readonly purchase: PurchaseView; readonly why: ReviewWhy };
export type ReviewDecision = {
  readonly purchaseId: PurchaseId;
  readonly decision: "count" | "refuse";
  readonly offers: readonly OfferTerms[];
  readonly programme: Programme;
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

/** The ledger as redemptions, operators, privacy and audits see it, beside `LedgerPort`. */
export type LedgerOperations = {
  readonly operate: (
    userId: UserId,
    key: string,
    operation: KeyedOperation,
  ) => Promise<Result<HoldView | GrantView, HoldError | GrantError | KeyConflict | LedgerError>>;
  readonly reviews: (userId: UserId) => Promise<Result<readonly ReviewItem[], LedgerError>>;
  readonly decideReview: (
    userId: UserId,
    decision: ReviewDecision,
  ) => Promise<
    Result<
      PurchaseView,
      | LedgerError
      | { readonly code: "review_unknown" }
      | { readonly code: "review_not_countable" }
      | { readonly code: "review_amended" }
    >
  >;
  readonly exportPage: (
    userId: UserId,
    cursor: string | null,
  ) => Promise<Result<ExportPage, LedgerError>>;
  readonly verify: (userId: UserId) => Promise<Result<Verification, LedgerError>>;
  /** Tells D1 everything again from zero, after its rows of this user are gone. */
  readonly reproject: (userId: UserId) => Promise<Result<{ readonly more: boolean }, LedgerError>>;
  readonly leaf: (userId: UserId) => Promise<Result<Leaf, LedgerError>>;
  /** Empties the ledger for good and answers its last leaf; the same leaf when repeated. */
  readonly erase: (userId: UserId) => Promise<Result<Leaf, LedgerError>>;
};

// ---- moving whole objects between runtimes (transfer.ts) ----------------------------------------

export type TransferKind = "ledger" | "budget";
export type BookPart = {
  readonly table: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
};
/**
 * What an object was when its copy ended: the last sequence and head (a budget: points reserved and
 * nothing) and a hash of all rows.
 */
export type BookSeal = {
  readonly sequence: number;
  readonly head: string;
  readonly digest: string;
};
export type DumpedPage = {
  readonly parts: readonly BookPart[];
  readonly next: string | null;
  readonly seal: BookSeal | null;
};
export type StagedPage = {
  readonly archive: string;
  readonly number: number;
  readonly parts: readonly BookPart[];
};
export type ExpectedBook = {
  readonly archive: string;
  readonly pages: number;
  readonly seal: BookSeal;
};
export type TransferFailure = {
  readonly code:
    | "changed"
    | "incomplete"
    | "not_empty"
    | "mismatch"
    | "ledger_refused"
    | "unavailable";
};

/** Whole objects as raw rows, for the operator who moves the system. Never throws. */
export type LedgerTransfer = {
  readonly dump: (
    kind: TransferKind,
    id: string,
    cursor: string | null,
  ) => Promise<Result<DumpedPage, TransferFailure>>;
  readonly stage: (
    kind: TransferKind,
    id: string,
    page: StagedPage,
  ) => Promise<Result<null, TransferFailure>>;
  readonly close: (
    kind: TransferKind,
    id: string,
    expected: ExpectedBook,
  ) => Promise<Result<null, TransferFailure>>;
  /** Sets the alarm of a loaded ledger. */
  readonly arm: (userId: string) => Promise<Result<null, TransferFailure>>;
};

/** The facts of a purchase that rules look at. Amounts in cents, dates in the Paris calendar. */
export type EarningFacts = {
  readonly baseCents: number;
  readonly currency: string;
  readonly purchasedOn: string;
  readonly brandId: string | null;
  readonly channel: "in_store" | "online" | "unknown";
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
