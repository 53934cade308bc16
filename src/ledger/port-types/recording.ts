// What banking records: accounts, card rows and the offer terms they are judged under.
import type { AccountId, BrandId, ConnectionId, OfferId } from "../../kernel/ids.ts";

/**
 * One aggregator account id on one connection, with what says which account of a bank it shows
 * (DESIGN.md section 4). IBANs and names come as keyed hashes.
 */
export type AccountGeneration = {
  readonly accountId: AccountId;
  readonly connectionId: ConnectionId;
  /** The user at the aggregator: within it a row id names one row, on whatever account. */
  readonly linkId: string;
  /** Of its own IBAN; null without a valid one. */
  readonly ownIban: string | null;
  /** Of the IBAN of the account that the card belongs to, else of its own. */
  readonly unitIban: string | null;
  /** The bank: the family of an account without any IBAN. */
  readonly bankKey: string;
  /** Of the display name, which is never identity: it only chooses between equals. */
  readonly nameTag: string;
  readonly parentAccountId: AccountId | null;
  /**
   * The keys, partly made of the name, by which books knew the account before they had the members
   * above. They serve against accounts that were never seen again since.
   */
  readonly earlierKeys: readonly string[];
  /** Instant at which we first saw this aggregator account id. */
  readonly createdAtMs: number;
  /** Instant from which its connection no longer listed it, or null. */
  readonly goneAtMs: number | null;
  /** False: reads show no rows of it, since it is disabled or does not earn. Absent: they do. */
  readonly isReadable?: boolean;
};

export type ReviewCode =
  | "amount_precision"
  | "amount_out_of_bounds"
  | "amount_missing"
  | "date_absurd"
  | "currency_unknown";

/**
 * Where rows come from: read at the aggregator with the user's token. A webhook is signed by one
 * secret for all users, so its rows may show points as pending and no more.
 */
export type BatchRead = {
  /** What webhooks say from then on is not answered by this read. */
  readonly startedAtMs: number;
  /** Rows that are not known stay out: the connection is ending, and nothing new is taken in. */
  readonly knownOnly: boolean;
  /** With the last page: what the whole read covered and gave. */
  readonly complete: CompleteRead | null;
};
export type CompleteRead = {
  /** The first day of purchase of which every row was asked for. */
  readonly fromDay: string;
  /** The accounts whose rows the read would have shown. */
  readonly accountIds: readonly AccountId[];
  readonly externalIds: readonly string[];
};

/**
 * One card row of a bank account, minimised: the label is already encrypted under the user's key.
 */
export type BankRow = {
  readonly accountId: AccountId;
  readonly externalId: string;
  readonly kind: "purchase" | "refund";
  /** Always positive; `kind` gives the direction. */
  readonly amountCents: number;
  /** ISO 4217 of the account; only EUR earns. */
  readonly currency: string;
  /** What was paid abroad, shown but never counted. */
  readonly original: { readonly amountCents: number; readonly currency: string } | null;
  readonly purchasedOn: string;
  readonly bookedOn: string | null;
  /** The day on which a pending row will be debited, where the bank announces one. */
  readonly announcedOn?: string | null;
  readonly state: "pending" | "booked" | "deleted";
  /** The aggregator's `last_update`; an older row never overwrites a newer one. */
  readonly lastUpdateMs: number;
  /**
   * What `lastUpdateMs` is worth; absent: it is exact. `repeated_hour`: a local time that the
   * autumn change repeats, so it is that instant or an hour later. `unstated`: the row came by
   * webhook without any time of its own, and this is its arrival, which says nothing of its age.
   */
  readonly lastUpdateKind?: "repeated_hour" | "unstated";
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
  /**
   * A stop with immediate effect: purchases of its day or later that are recorded after it do not
   * earn. Absent when there is none.
   */
  readonly stoppedAtMs?: number;
  readonly confirmationDays: number;
  readonly budgetPoints: number | null;
  readonly priority: number;
  /** When the offer (not the version) was made: the oldest wins a tie. */
  readonly offerCreatedAtMs: number;
};

export type Programme = {
  readonly pointsPerEuro: number;
  readonly pointsExpireMonths: number;
  /**
   * A purchase that would earn more waits for a person first, but not for long. Absent: none does.
   */
  readonly reviewPoints?: number;
};

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
  /** Absent: a webhook brought the rows. */
  readonly read?: BatchRead;
  /** The connection is over: nothing of it is read any more. */
  readonly hasEnded?: boolean;
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
  /** Offers are halted: what has no points yet is judged at the end of the halt. */
  readonly paused?: boolean;
};

export const RECORD_ROWS_MAX = 500;
export const RECORD_BYTES_MAX = 1_048_576;
