// The aggregator's resources as it writes them: users, connections, accounts, transactions,
// undocumented extra fields included, because a client must neither need them nor keep them. Reads
// the store, decides nothing.
import { connectorBody, connectorFields, connectorOf } from "./connectors.ts";
import type {
  AccountRecord,
  BankAccountRecord,
  ConnectionRecord,
  RowRecord,
  UserRecord,
} from "./model.ts";
import { parisDateTime } from "./powens-time.ts";
import type { Store } from "./store.ts";
import { docOf } from "./store.ts";
import { Amount, amountFromCents } from "./wire.ts";

const currencyNames: Record<string, readonly [string, string, number]> = {
  EUR: ["Euro", "€", 2],
  USD: ["US Dollar", "$", 2],
  GBP: ["Pound Sterling", "£", 2],
  CHF: ["Swiss Franc", "CHF", 2],
  JPY: ["Yen", "¥", 0],
};
const typeIds: Record<string, number> = { checking: 2, card: 9, livret_a: 3 };

/** A currency object; codes that the sandbox does not know get their code as name. */
function currencyBody(code: string): object {
  const [name, symbol, precision] = currencyNames[code] ?? [code, code, 2];
  return {
    id: code,
    symbol,
    prefix: false,
    crypto: false,
    precision,
    marketcap: null,
    datetime: null,
    name,
  };
}

/** A user. */
export function userBody(user: UserRecord): Record<string, unknown> {
  return { signin: parisDateTime(user.created_ms), id: user.id, platform: "sharedAccess" };
}

function formatted(text: string): string {
  return `${Number(text).toFixed(2).replace(".", ",")} €`;
}

/**
 * An account. A disabled one shows few fields: its balance, number and IBAN are nobody's business
 * yet.
 */
function accountBody(
  account: AccountRecord,
  bank: BankAccountRecord,
  connection: ConnectionRecord,
  parent: number | null,
): Record<string, unknown> {
  const shared = {
    id: account.id,
    id_connection: account.id_connection,
    id_user: connection.id_user,
    id_source: account.id_connection * 10 + 1,
    id_parent: parent,
    name: bank.name,
    type: bank.kind,
    id_type: typeIds[bank.kind] ?? 1,
    usage: "PRIV",
    disabled: account.disabled,
    deleted: account.deleted,
    last_update: account.last_update,
  };
  if (account.disabled !== null) return { ...shared, bookmarked: 0, display: true };
  const balance = amountFromCents(bank.balance_cents);
  return {
    ...shared,
    number: bank.number,
    webid: `W${bank.number}`,
    original_name: `${bank.name.toUpperCase()} ${bank.owner}`,
    balance,
    coming: bank.kind === "card" ? amountFromCents(0) : null,
    display: true,
    iban: bank.iban,
    currency: currencyBody(bank.currency),
    bookmarked: 0,
    error: null,
    ownership: "owner",
    company_name: null,
    opening_date: null,
    bic: "EXAMFRPPXXX",
    coming_balance: balance,
    formatted_balance: formatted(balance.text),
    information: { owner: bank.owner, able_to_transfer: bank.kind === "checking" },
    loan: null,
  };
}

/** The parent account's id within the same connection, for a card. */
function parentOf(
  store: Store,
  account: AccountRecord,
  bank: BankAccountRecord,
): number | null {
  if (bank.parent === null) return null;
  return store.first<{ id: number }>(
    "SELECT id FROM accounts WHERE id_connection = ? AND bank_account = ? AND deleted IS NULL ORDER BY id DESC",
    account.id_connection,
    bank.parent,
  )?.id ?? null;
}

/** An account by its record, everything else looked up. */
export function accountBodyOf(
  store: Store,
  account: AccountRecord,
  connection: ConnectionRecord,
): Record<string, unknown> {
  const bank = store.bankAccount(account.bank_account);
  return accountBody(account, bank, connection, parentOf(store, account, bank));
}

/**
 * A connection, with `connector`, `sources`, `accounts` or `all_accounts` when they are asked for.
 */
export function connectionBody(
  store: Store,
  connection: ConnectionRecord,
  expand: readonly string[] = [],
): Record<string, unknown> {
  const connector = connectorOf(connection.connector_uuid);
  const time = (ms: number | null) => (ms === null ? null : parisDateTime(ms));
  const needsFields = connection.state === "wrongpass" ||
    connection.state === "additionalInformationNeeded";
  const body: Record<string, unknown> = {
    id: connection.id,
    id_user: connection.id_user,
    id_connector: connector.id,
    id_provider: connector.id,
    id_bank: connector.id,
    connector_uuid: connection.connector_uuid,
    state: connection.state,
    error: connection.state,
    error_message: connection.error_message,
    fields: needsFields ? connectorFields() : null,
    last_update: time(connection.last_update_ms),
    created: time(connection.created_ms),
    last_push: time(connection.last_push_ms),
    next_try: time(connection.next_try_ms),
    expire: time(connection.expire_ms),
    active: connection.active === 1,
  };
  const accounts = store.accountsOf(connection.id);
  for (const item of expand) {
    if (item === "connector" || item.startsWith("connector[")) {
      body["connector"] = connectorBody(connector, item.slice(10, -1).split(","));
    }
    if (item === "sources") body["sources"] = [sourceBody(connection)];
    if (item === "accounts") {
      body["accounts"] = accounts.filter((one) => one.disabled === null && one.deleted === null)
        .map((one) => accountBodyOf(store, one, connection));
    }
    if (item === "all_accounts") {
      body["all_accounts"] = accounts.map((one) => accountBodyOf(store, one, connection));
    }
  }
  return body;
}

/** The one source that every connection of the sandbox has. */
export function sourceBody(connection: ConnectionRecord): object {
  const time = (ms: number | null) => (ms === null ? null : parisDateTime(ms));
  return {
    id: connection.id * 10 + 1,
    id_connection: connection.id,
    id_connector_source: 1,
    name: "openapi",
    state: connection.state,
    last_update: time(connection.last_update_ms),
    disabled: null,
    created: time(connection.created_ms),
    access_expire: time(connection.expire_ms),
    expire: time(connection.expire_ms),
    next_try: time(connection.next_try_ms),
  };
}

/** The mark of a row that the aggregator shows without any time, as a control asked for. */
export const WITHOUT_TIMES = "";

/**
 * A transaction. `fresh` is true in webhooks only, where the aggregator marks rows that it sends
 * for the first time.
 */
export function transactionBody(row: RowRecord, fresh?: boolean): Record<string, unknown> {
  const doc = docOf(row);
  const value = new Amount(doc.value);
  return {
    id: row.id,
    id_account: row.id_account,
    webid: null,
    date: doc.date,
    rdate: doc.rdate,
    application_date: doc.rdate,
    vdate: null,
    bdate: doc.date,
    datetime: null,
    rdatetime: null,
    vdatetime: null,
    bdatetime: null,
    value,
    gross_value: null,
    type: doc.type,
    original_wording: doc.label,
    simplified_wording: doc.clean,
    stemmed_wording: doc.clean.toLowerCase(),
    wording: doc.clean,
    categories: [],
    id_category: 9998,
    state: "parsed",
    date_scraped: row.last_update === WITHOUT_TIMES ? null : row.date_scraped,
    last_update: row.last_update === WITHOUT_TIMES ? null : row.last_update,
    coming: doc.coming,
    active: true,
    deleted: row.deleted,
    original_value: doc.original_value === null ? null : new Amount(doc.original_value),
    original_gross_value: null,
    original_currency: doc.original_currency === null ? null : currencyBody(doc.original_currency),
    commission: null,
    commission_currency: null,
    country: null,
    card: doc.card,
    counterparty: doc.counterparty,
    id_cluster: null,
    comment: null,
    formatted_value: formatted(doc.value),
    documents_count: 0,
    informations: {},
    nopurge: 0,
    ...(fresh === undefined ? {} : { new: fresh }),
  };
}
