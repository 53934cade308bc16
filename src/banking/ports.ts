// What the banking domain asks of an aggregator, and what it offers to the rest. An adapter hands
// out only what promise P2 allows: rows leave it minimised, and account identities leave
// it to be hashed, never to be stored.
import type { ConnectionId, UserId } from "../kernel/ids.ts";
import type { Result } from "../kernel/result.ts";
import type { BankRow } from "../ledger/ports.ts";
import type { AggregatorHint, RowKind } from "../recognition/ports.ts";
import type { AggregatorError } from "./errors.ts";

export type AggregatorName = "powens" | "bridge" | "plaid";

/**
 * A bank that a user can choose. `id` is the connector's stable uuid, the same in every domain of
 * the aggregator.
 */
export type Bank = {
  readonly id: string;
  readonly name: string;
  readonly color: string | null;
  readonly country: string | null;
};

/** Who has to act on a connection, whatever the aggregator calls it. */
export type RemoteCondition =
  | "ok"
  | "renew"
  | "update_credentials"
  | "act_at_bank"
  /** Brief, nobody has to act: we keep showing what we showed before. */
  | "settling"
  /** The aggregator tries again by itself. */
  | "transient"
  | "lost"
  | "unknown";

export type RemoteConnection = {
  readonly remoteId: string;
  readonly bank: { readonly id: string; readonly name: string } | null;
  readonly condition: RemoteCondition;
  /** The aggregator's last successful update, or null when there was none yet. */
  readonly lastUpdateMs: number | null;
  readonly createdAtMs: number | null;
  /** End of the bank's consent when the aggregator gives it. */
  readonly consentExpiresAtMs: number | null;
};

export type RemoteAccount = {
  readonly remoteId: string;
  readonly remoteConnectionId: string;
  /**
   * Null for everything that is neither a current account nor a card account: never stored, its
   * rows never read.
   */
  readonly kind: "checking" | "card" | null;
  readonly state: "enabled" | "disabled" | "deleted";
  /** ISO 4217, or null when the aggregator does not say. */
  readonly currency: string | null;
  /** Identity, for the fingerprint only. These three never leave memory. */
  readonly iban: string | null;
  readonly parentRemoteId: string | null;
  readonly name: string;
};

/**
 * A time as an aggregator writes it. Ambiguous: read in local time within the hour that the autumn
 * change repeats, it is `ms` or an hour later.
 */
export type StatedTime = { readonly ms: number; readonly isAmbiguous: boolean };

/**
 * One card row after minimisation: all that may go on (DESIGN.md P2). What the ledger takes of it
 * is declared once, in its `BankRow`; here the label is still in clear and no brand is recognised.
 * `amountCents` is 0 only where `review` says that the amount is missing.
 */
export type CardRow =
  & Omit<
    BankRow,
    | "accountId"
    | "labelCipher"
    | "labelTag"
    | "brand"
    | "channel"
    | "lastUpdateMs"
    | "lastUpdateKind"
  >
  & {
    readonly remoteAccountId: string;
    /** When the aggregator last changed the row; null where it does not say. */
    readonly updatedAt: StatedTime | null;
    /** When the aggregator first saw the row; null where it does not say. */
    readonly firstSeenAt: StatedTime | null;
    /** Masked and capped, in clear: to be recognised and then encrypted. */
    readonly label: string;
    readonly hint: AggregatorHint;
  };

/** From when on the rows of an account that earns are ours. */
export type AccountWindow = {
  readonly currency: string | null;
  /** First Paris day that counts: the later of the consent and the link. */
  readonly firstDay: string;
  /**
   * Rows that the aggregator saw before this instant were seen while earning was off; null when it
   * never was.
   */
  readonly seenFromMs: number | null;
};

/**
 * What the minimiser goes by. Accounts that are not named do not earn: their rows are dropped
 * unread.
 */
export type RowPolicy = {
  readonly nowMs: number;
  readonly accounts: ReadonlyMap<string, AccountWindow>;
  readonly kindOf: (label: string, hint: AggregatorHint) => RowKind;
  /** True when the label names a brand of the catalogue. */
  readonly namesBrand: (label: string) => boolean;
  readonly maskLabel: (label: string) => string;
};

/** What minimising left, and how many rows it did not let through, by cause. */
export type MinimisedRows = {
  readonly rows: readonly CardRow[];
  readonly dropped: {
    readonly beforeLink: number;
    readonly otherKind: number;
    readonly otherAccount: number;
    readonly unreadable: number;
  };
};

export type WebhookEvent =
  | "connection-synced"
  | "connection-deleted"
  | "account-enabled"
  | "account-disabled"
  | "account-synced"
  | "user-deleted";

/**
 * An authentic message, understood. What it says of states is a hint; its rows come out minimised
 * only.
 */
export type WebhookMessage = {
  readonly remoteUserId: string;
  readonly remoteConnectionId: string | null;
  readonly connection: RemoteConnection | null;
  readonly accounts: readonly RemoteAccount[];
  readonly minimise: (policy: RowPolicy) => MinimisedRows;
};

/** The signature of a delivery as its headers carry it, well formed but not yet verified. */
export type SignedDelivery = { readonly date: string; readonly signature: Uint8Array<ArrayBuffer> };

export type WebviewRequest = {
  readonly flow: "connect" | "reconnect";
  readonly locale: "fr" | "en";
  readonly redirectUri: string;
  /** Ours for renewing. Null for linking: the page then makes a user and gives a code back. */
  readonly code: string | null;
  readonly state: string;
  readonly bankId: string | null;
  readonly remoteConnectionId: string | null;
};

/** Where to read rows: from a day on, or the next page of an earlier answer. */
export type RowPosition = { readonly sinceDay: string } | { readonly next: string };

/**
 * One aggregator. Every method returns its failures; none throws for what the network or the
 * aggregator may do.
 */
export type Aggregator = {
  readonly name: AggregatorName;
  readonly events: readonly WebhookEvent[];
  /**
   * Trades the code that a user brought back for a permanent token. Works once per code and is
   * never repeated by itself: after a lost answer nobody holds the token.
   */
  readonly tradeCode: (code: string) => Promise<Result<string, AggregatorError>>;
  /** The id of the user whose token it is. */
  readonly remoteUserOf: (token: string) => Promise<Result<string, AggregatorError>>;
  /** A token for a known user, without the user. Only for a user of no link, to delete it. */
  readonly renewToken: (remoteUserId: string) => Promise<Result<string, AggregatorError>>;
  /** Ends one token; the user and its other tokens stay. Succeeds also when it has ended. */
  readonly revokeToken: (token: string) => Promise<Result<null, AggregatorError>>;
  /** A single-use code that opens the aggregator's own page for this user. */
  readonly temporaryCode: (token: string) => Promise<Result<string, AggregatorError>>;
  readonly webviewUrl: (request: WebviewRequest) => string;
  readonly banks: () => Promise<Result<readonly Bank[], AggregatorError>>;
  readonly userExists: (token: string) => Promise<Result<boolean, AggregatorError>>;
  readonly connections: (
    token: string,
  ) => Promise<Result<readonly RemoteConnection[], AggregatorError>>;
  /** Every account of the user, also disabled and deleted ones; empty when there is none. */
  readonly accounts: (token: string) => Promise<Result<readonly RemoteAccount[], AggregatorError>>;
  readonly rows: (
    token: string,
    position: RowPosition,
    policy: RowPolicy,
  ) => Promise<Result<MinimisedRows & { readonly next: string | null }, AggregatorError>>;
  /** Succeeds also when it is already gone. */
  readonly deleteConnection: (
    token: string,
    remoteConnectionId: string,
  ) => Promise<Result<null, AggregatorError>>;
  readonly deleteUser: (token: string) => Promise<Result<null, AggregatorError>>;
  /**
   * The signature headers, or null when one is missing or malformed: such a request is refused
   * unread.
   */
  readonly signedDelivery: (
    headers: { readonly get: (name: string) => string | null },
  ) => SignedDelivery | null;
  /** True when the bytes carry a signature of ours for that event's path, in constant time. */
  readonly verifyWebhook: (
    event: WebhookEvent,
    delivery: SignedDelivery,
    bytes: Uint8Array,
  ) => boolean;
  /** Reads a verified body; null when it is not understood. */
  readonly readWebhook: (event: WebhookEvent, bytes: Uint8Array) => WebhookMessage | null;
};

/** What other domains may ask of banking. */
export type BankingPort = {
  /**
   * Ends everything of a user at the aggregators, local mark first; safe to repeat. False while
   * something is left to do there.
   */
  readonly endAll: (userId: UserId) => Promise<boolean>;
  /** Has everything of a user's connections read once more; safe to repeat. */
  readonly readAgain: (userId: UserId) => Promise<void>;
  /** Which connections a user has: for the export and for operators. */
  readonly connectionIds: (userId: UserId) => Promise<readonly ConnectionId[]>;
  /** Finishes what was left open, in bounded steps. `more`: call again soon. */
  readonly sweep: (nowMs: number) => Promise<{ readonly more: boolean }>;
};
