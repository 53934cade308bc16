// What happens at the bank and in the aggregator's synchronisations: connections opened and made
// anew, accounts opted in and out, rows copied. Synchronous, so that each change is one atomic
// step; webhooks are the caller's business.
import { connectorOf } from "./connectors.ts";
import { inventHistory, seededNumbers } from "./history.ts";
import type {
  AccountKind,
  AccountRecord,
  BankAccountRecord,
  BankRowRecord,
  ConnectionRecord,
  RowRecord,
} from "./model.ts";
import { endOfMonth, markAfter, monthsBefore, parisDate, parisDateTime } from "./powens-time.ts";
import type { Store } from "./store.ts";
import { docOf } from "./store.ts";

/** A strong authentication at the bank is valid for 180 days. */
const consentMs = 180 * 86_400_000;
/** The background synchronisation runs every 24 hours. */
export const dailyMs = 86_400_000;

/** What to open: at which bank, for whom, with how much past. */
interface ConnectionRequest {
  readonly idUser: number;
  readonly connectorUuid: string;
  readonly login: string;
  readonly historyMonths: number;
  readonly nowMs: number;
}

function openBankAccount(
  store: Store,
  customer: string,
  kind: AccountKind,
  name: string,
  parent: number | null,
): number {
  const random = seededNumbers(`${customer}|${kind}`);
  const digits = (count: number) =>
    Array.from({ length: count }, () => Math.floor(random() * 10)).join("");
  const number = kind === "card" ? `497412XXXXXX8807` : `3002${digits(7)}`;
  // EX is no country: the aggregator's test connector uses it too, so that no IBAN here can belong
  // to anybody.
  const iban = kind === "card" ? null : `EX${digits(2)}30002005${digits(13)}`;
  const row = store.first<{ id: number }>(
    `INSERT INTO bank_accounts (customer, kind, name, number, iban, parent, balance_cents, owner, currency)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'EUR') RETURNING id`,
    customer,
    kind,
    name,
    number,
    iban,
    parent,
    kind === "card" ? 0 : 120_000 + Math.floor(random() * 300_000),
    "MME DURAND CAMILLE",
  );
  return row?.id ?? 0;
}

/** The last month end whose total was debited for this card, if any. */
export function summarisedUntil(store: Store, card: number): string | undefined {
  return store.setting(`summarised:${card}`);
}

/** Remembers that the card's purchases up to this month end are debited. */
export function markSummarised(store: Store, card: number, monthEnd: string): void {
  store.putSetting(`summarised:${card}`, monthEnd);
}

/**
 * The customer's accounts at the bank, made with their past when this login is seen for the first
 * time.
 */
function customerAccounts(store: Store, request: ConnectionRequest): BankAccountRecord[] {
  const customer = `${request.connectorUuid}|${request.login}`;
  const known = store.bankAccountsOf(customer);
  if (known.length > 0) return known;
  const checking = openBankAccount(store, customer, "checking", "Compte chèque", null);
  const ids: Record<AccountKind, number> = {
    checking,
    card: openBankAccount(store, customer, "card", "Carte à débit différé", checking),
    livret_a: openBankAccount(store, customer, "livret_a", "Livret A", null),
  };
  markSummarised(store, ids.card, endOfMonth(monthsBefore(parisDate(request.nowMs), 1)));
  const format = connectorOf(request.connectorUuid).format;
  for (
    const { kind, doc } of inventHistory(
      customer,
      format,
      parisDate(request.nowMs),
      request.historyMonths,
    )
  ) {
    store.addBankRow(ids[kind], doc);
  }
  return store.bankAccountsOf(customer);
}

/** Opens a connection; its accounts arrive disabled, as they do at the aggregator. */
export function openConnection(store: Store, request: ConnectionRequest): ConnectionRecord {
  const accounts = customerAccounts(store, request);
  const id = store.nextId("connections");
  store.run(
    `INSERT INTO connections (id, id_user, connector_uuid, login, created_ms, expire_ms, active) VALUES (?, ?, ?, ?, ?, ?, 1)`,
    id,
    request.idUser,
    request.connectorUuid,
    request.login,
    request.nowMs,
    request.nowMs + consentMs,
  );
  for (const account of accounts) store.addAccount(id, account.id, parisDateTime(request.nowMs));
  return store.connection(id) as ConnectionRecord;
}

/**
 * Opts an account in. Its rows come at the next synchronisation. Returns false when it was in
 * already.
 */
export function enableAccount(store: Store, account: AccountRecord): boolean {
  if (account.disabled === null) return false;
  store.run("UPDATE accounts SET disabled = NULL WHERE id = ?", account.id);
  return true;
}

/**
 * Opts an account out: the aggregator deletes its rows for good, so they would come back under new
 * ids.
 */
export function disableAccount(store: Store, account: AccountRecord, nowMs: number): boolean {
  if (account.disabled !== null) return false;
  store.run("UPDATE accounts SET disabled = ? WHERE id = ?", parisDateTime(nowMs), account.id);
  store.run("DELETE FROM rows WHERE id_account = ?", account.id);
  return true;
}

/**
 * The aggregator lost the account and found it again under another id, with all its rows under new
 * ids.
 */
export function recreateAccount(
  store: Store,
  account: AccountRecord,
  disabled: boolean,
  nowMs: number,
): number {
  const now = parisDateTime(nowMs);
  store.run("UPDATE accounts SET deleted = ?, last_update = ? WHERE id = ?", now, now, account.id);
  store.run(
    "UPDATE rows SET deleted = ?, last_update = ? WHERE id_account = ? AND deleted IS NULL",
    now,
    now,
    account.id,
  );
  return store.addAccount(account.id_connection, account.bank_account, disabled ? now : null);
}

/** Forgets a connection at the aggregator; the bank keeps everything. */
export function closeConnection(store: Store, connection: ConnectionRecord, nowMs: number): void {
  store.run("UPDATE connections SET deleted_ms = ?, active = 0 WHERE id = ?", nowMs, connection.id);
  store.run(
    "DELETE FROM rows WHERE id_account IN (SELECT id FROM accounts WHERE id_connection = ?)",
    connection.id,
  );
}

/** Forgets a user, with tokens and connections. */
export function closeUser(store: Store, idUser: number, nowMs: number): void {
  for (const connection of store.connectionsOf(idUser)) closeConnection(store, connection, nowMs);
  store.run("DELETE FROM tokens WHERE id_user = ?", idUser);
  store.run("UPDATE users SET deleted_ms = ? WHERE id = ?", nowMs, idUser);
}

/** Puts a connection into a state of the aggregator's list; null is healthy. */
export function setConnectionState(
  store: Store,
  connection: ConnectionRecord,
  state: string | null,
  message: string | null,
  nowMs: number,
): void {
  store.run(
    "UPDATE connections SET state = ?, error_message = ?, next_try_ms = ? WHERE id = ?",
    state,
    message,
    state === null ? nowMs + dailyMs : null,
    connection.id,
  );
}

/** The user proved himself at the bank again: healthy for another 180 days. */
export function renewConsent(store: Store, connection: ConnectionRecord, nowMs: number): void {
  setConnectionState(store, connection, null, null, nowMs);
  store.run(
    "UPDATE connections SET expire_ms = ?, active = 1 WHERE id = ?",
    nowMs + consentMs,
    connection.id,
  );
}

function copyAccount(store: Store, account: AccountRecord, now: string): void {
  const missing = store.all<BankRowRecord>(
    `SELECT b.* FROM bank_rows b LEFT JOIN rows r ON r.bank_row = b.id AND r.id_account = ?1
     WHERE b.bank_account = ?2 AND b.removed = 0 AND r.id IS NULL ORDER BY b.id`,
    account.id,
    account.bank_account,
  );
  for (const row of missing) {
    store.run(
      "INSERT INTO rows (id, id_account, bank_row, version, date, doc, date_scraped, last_update, pushed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)",
      store.nextId("rows"),
      account.id,
      row.id,
      row.version,
      docOf(row).date,
      row.doc,
      now,
      now,
    );
  }
  const changed = store.all<BankRowRecord & { copy: number; dated: string }>(
    `SELECT b.*, r.id AS copy, r.last_update AS dated FROM rows r JOIN bank_rows b ON b.id = r.bank_row
     WHERE r.id_account = ?1 AND r.version <> b.version AND r.deleted IS NULL`,
    account.id,
  );
  for (const row of changed) {
    store.run(
      "UPDATE rows SET version = ?, date = ?, doc = ?, last_update = ?, deleted = ? WHERE id = ?",
      row.version,
      docOf(row).date,
      row.doc,
      markAfter(row.dated, now),
      row.removed === 1 ? now : null,
      row.copy,
    );
  }
}

/**
 * One successful synchronisation: the copies of all opted-in accounts follow the bank. A connection
 * that is not healthy is left as it is: what the bank has meanwhile waits. Returns whether it ran.
 */
export function synchronise(store: Store, idConnection: number, nowMs: number): boolean {
  const connection = store.connection(idConnection);
  if (connection === undefined || connection.state !== null) return false;
  const now = parisDateTime(nowMs);
  for (const account of store.accountsOf(idConnection)) {
    if (account.disabled !== null || account.deleted !== null) continue;
    copyAccount(store, account, now);
    store.run("UPDATE accounts SET last_update = ? WHERE id = ?", now, account.id);
  }
  store.run(
    "UPDATE connections SET last_update_ms = ?, next_try_ms = ? WHERE id = ?",
    nowMs,
    nowMs + dailyMs,
    idConnection,
  );
  return true;
}

/** The copies that no webhook has carried yet, oldest first, and marks them as carried. */
export function takeNewRows(store: Store, idAccount: number): RowRecord[] {
  const rows = store.all<RowRecord>(
    "SELECT * FROM rows WHERE id_account = ? AND pushed = 0 ORDER BY id",
    idAccount,
  );
  store.run("UPDATE rows SET pushed = 1 WHERE id_account = ? AND pushed = 0", idAccount);
  return rows;
}
