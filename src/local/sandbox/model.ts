// The shapes that the tables hold, and the one document of a bank row. No behaviour.

/** A row of `users`. */
export interface UserRecord {
  id: number;
  permanent: number;
  created_ms: number;
  deleted_ms: number | null;
}

/** A row of `connections`. */
export interface ConnectionRecord {
  id: number;
  id_user: number;
  connector_uuid: string;
  login: string;
  state: string | null;
  error_message: string | null;
  created_ms: number;
  last_update_ms: number | null;
  last_push_ms: number | null;
  next_try_ms: number | null;
  expire_ms: number;
  active: number;
  deleted_ms: number | null;
}

/**
 * What an account is at the bank; `card` is the deferred-debit card whose parent is the checking
 * account.
 */
export type AccountKind = "checking" | "card" | "livret_a";

/** A row of `bank_accounts`: the account as the bank has it. */
export interface BankAccountRecord {
  id: number;
  customer: string;
  kind: AccountKind;
  name: string;
  number: string;
  iban: string | null;
  parent: number | null;
  balance_cents: number;
  owner: string;
  currency: string;
}

/** A row of `accounts`: the aggregator's view of a bank account within one connection. */
export interface AccountRecord {
  id: number;
  id_connection: number;
  bank_account: number;
  disabled: string | null;
  deleted: string | null;
  last_update: string | null;
}

/** The other side of a transfer or direct debit; never present on card rows. */
export interface Counterparty {
  label: string;
  account_scheme_name: string;
  account_identification: string;
  type: "creditor" | "debtor";
}

/**
 * What the bank says about one operation. Amounts are decimal texts, dates `YYYY-MM-DD` in Paris.
 */
export interface BankRowDoc {
  date: string;
  rdate: string;
  value: string;
  type: string;
  label: string;
  /** The cleaned text (`simplified_wording`). */
  clean: string;
  coming: boolean;
  card: string | null;
  counterparty: Counterparty | null;
  original_value: string | null;
  original_currency: string | null;
}

/** A row of `bank_rows`. */
export interface BankRowRecord {
  id: number;
  bank_account: number;
  doc: string;
  books_on: string | null;
  removed: number;
  version: number;
}

/** A row of `rows`: the aggregator's copy of a bank row. */
export interface RowRecord {
  id: number;
  id_account: number;
  bank_row: number;
  version: number;
  date: string;
  doc: string;
  date_scraped: string;
  last_update: string;
  deleted: string | null;
  pushed: number;
}

/** The events that the product listens to; each has its own path. */
export const webhookEvents = [
  "connection-synced",
  "connection-deleted",
  "account-enabled",
  "account-disabled",
  "account-synced",
  "user-deleted",
] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

/**
 * State of a webhook: `waiting` = its user is still temporary, `held` = kept back by a control.
 */
type WebhookState = "pending" | "delivered" | "held" | "waiting";

/** A row of `webhooks`. */
export interface WebhookRecord {
  id: number;
  event: WebhookEvent;
  id_user: number;
  id_connection: number | null;
  state: WebhookState;
  attempts: number;
  last_status: number | null;
  last_error: string | null;
  created_ms: number;
  signed_date: string;
}
