// The accounts that a delivery describes. An account may turn out to be another listing of one we
// know: its rows are then compared with those of the listings it may share purchases with.
import type { AccountId } from "../../kernel/ids.ts";
import type { AccountGeneration, RecordBatch } from "../ports.ts";
import { integerOf, integerOrNull, textOf, textOrNull } from "../book/sql.ts";
import type { SqlRow, SqlValue } from "../book/sql.ts";
import type { Call } from "../book/call.ts";
import { familiesOf } from "./account-identity.ts";
import type { Account } from "./account-identity.ts";

export type BatchAccounts = {
  /** All accounts of the user, not only those of the batch. */
  readonly accounts: ReadonlyMap<AccountId, Account>;
  readonly families: readonly (readonly Account[])[];
  /** Numbers of the accounts whose family an account joined, left or is seen differently in. */
  readonly regrouped: ReadonlySet<number>;
};

const IDENTITY =
  "connection_id, link_id, own_iban, unit_iban, bank_key, name_tag, parent_account_id, earlier_keys, gone_at_ms";

/** Stores the accounts of the batch that are new or described differently. */
export function saveAccounts(call: Call, batch: RecordBatch): BatchAccounts {
  const before = readAccounts(call);
  const changed = batch.accounts.filter((account) =>
    saveAccount(call, before.get(account.accountId), account)
  );
  noteReadable(call, batch);
  const accounts = changed.length === 0 ? before : readAccounts(call);
  const families = familiesOf([...accounts.values()]);
  const ids = new Set(changed.map(({ accountId }) => accountId));
  const concerned = (family: readonly Account[]): boolean =>
    family.some(({ accountId }) => ids.has(accountId));
  const regrouped = changed.length === 0
    ? []
    : [...familiesOf([...before.values()]), ...families].filter(concerned).flat();
  return { accounts, families, regrouped: new Set(regrouped.map(({ accountNo }) => accountNo)) };
}

function identityOf(account: Omit<Account, "accountNo">): SqlValue[] {
  return [
    account.connectionId,
    account.linkId,
    account.ownIban,
    account.unitIban,
    account.bankKey,
    account.nameTag,
    account.parentAccountId,
    JSON.stringify(account.earlierKeys),
    account.goneAtMs,
  ];
}

/** Returns whether anything had to be written. */
function saveAccount(call: Call, stored: Account | undefined, account: AccountGeneration): boolean {
  if (stored === undefined) {
    // Books had the first two columns before those that say the same more exactly.
    call.sql.exec(
      `INSERT INTO accounts (account_id, fingerprint, strength, created_at_ms, ${IDENTITY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      account.accountId,
      account.ownIban ?? account.unitIban ?? account.bankKey,
      account.ownIban !== null ? "iban" : account.unitIban !== null ? "parent" : "weak",
      account.createdAtMs,
      ...identityOf(account),
    );
    return true;
  }
  if (JSON.stringify(identityOf(stored)) === JSON.stringify(identityOf(account))) return false;
  call.sql.exec(
    `UPDATE accounts SET (${IDENTITY}) = (?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE account_no = ?`,
    ...identityOf(account),
    stored.accountNo,
  );
  return true;
}

/** Since when reads show no rows of an account; being seen again ends that. */
function noteReadable(call: Call, { accounts }: RecordBatch): void {
  const idsOf = (isReadable: boolean): string =>
    JSON.stringify(
      accounts.filter((account) => (account.isReadable ?? true) === isReadable).map((
        { accountId },
      ) => accountId),
    );
  call.sql.exec(
    "UPDATE accounts SET unreadable_ms = NULL WHERE unreadable_ms IS NOT NULL AND account_id IN (SELECT value FROM json_each(?))",
    idsOf(true),
  );
  call.sql.exec(
    "UPDATE accounts SET unreadable_ms = ? WHERE unreadable_ms IS NULL AND account_id IN (SELECT value FROM json_each(?))",
    call.nowMs,
    idsOf(false),
  );
}

function readAccounts(call: Call): Map<AccountId, Account> {
  return new Map(
    call.sql.exec(
      `SELECT account_no, account_id, fingerprint, created_at_ms, ${IDENTITY} FROM accounts ORDER BY account_no`,
    ).map(accountFrom).map((account) => [account.accountId, account] as const),
  );
}

/** The accounts of the user when a call changes none of them. */
export function storedAccounts(call: Call): BatchAccounts {
  const accounts = readAccounts(call);
  return { accounts, families: familiesOf([...accounts.values()]), regrouped: new Set() };
}

/** All accounts of the family of that account, itself among them. */
export function familyOf(call: Call, accountNo: number): readonly Account[] {
  return familiesOf([...readAccounts(call).values()]).find((family) =>
    family.some((account) => account.accountNo === accountNo)
  ) ?? [];
}

function accountFrom(row: SqlRow): Account {
  const earlierKeys = textOrNull(row, "earlier_keys");
  return {
    accountNo: integerOf(row, "account_no"),
    accountId: textOf(row, "account_id") as AccountId,
    connectionId: textOf(row, "connection_id"),
    linkId: textOrNull(row, "link_id"),
    ownIban: textOrNull(row, "own_iban"),
    unitIban: textOrNull(row, "unit_iban"),
    bankKey: textOrNull(row, "bank_key"),
    nameTag: textOrNull(row, "name_tag"),
    parentAccountId: textOrNull(row, "parent_account_id") as AccountId | null,
    earlierKeys: earlierKeys === null
      ? [textOf(row, "fingerprint")]
      : JSON.parse(earlierKeys) as readonly string[],
    createdAtMs: integerOf(row, "created_at_ms"),
    goneAtMs: integerOrNull(row, "gone_at_ms"),
  };
}

/** Notes when a connection was last synced; an older time changes nothing. */
export function saveSync(call: Call, connectionId: string, syncedAtMs: number): void {
  call.sql.exec(
    `INSERT INTO connections (connection_id, last_synced_at_ms) VALUES (?1, ?2)
     ON CONFLICT (connection_id) DO UPDATE SET last_synced_at_ms = ?2 WHERE last_synced_at_ms < ?2`,
    connectionId,
    syncedAtMs,
  );
}
