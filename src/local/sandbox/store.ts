// Typed access to the sandbox's tables: one small method per question. No HTTP, no clock, no
// decision about the bank's behaviour.
import type {
  AccountRecord,
  BankAccountRecord,
  BankRowDoc,
  BankRowRecord,
  ConnectionRecord,
  RowRecord,
  UserRecord,
} from "./model.ts";

const firstIds: Record<string, number> = {
  users: 101,
  connections: 701,
  accounts: 2701,
  rows: 63_901,
  webhooks: 900_001,
};

/** The sandbox's memory. Every method is synchronous. */
export class Store {
  readonly sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.sql = sql;
  }

  /**
   * All rows that a statement gives, as the caller's type: the statement is ours, so the type is a
   * promise about the table.
   */
  all<T>(query: string, ...values: (string | number | null)[]): T[] {
    return this.sql.exec(query, ...values).toArray() as T[];
  }

  /**
   * The first row, or undefined. As with `all`, the type is the caller's promise about the table.
   */
  // A cast at each of the many call sites would say less.
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see above
  first<T>(query: string, ...values: (string | number | null)[]): T | undefined {
    return this.sql.exec(query, ...values).toArray()[0] as T | undefined;
  }

  /** Runs a write. */
  run(query: string, ...values: (string | number | null)[]): void {
    this.sql.exec(query, ...values);
  }

  /** The next id of a kind: never used again, also after deletion. */
  nextId(name: string): number {
    const row = this.first<{ value: number }>(
      "INSERT INTO counters (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
      name,
      firstIds[name] ?? 1,
    );
    return row?.value ?? 0;
  }

  setting(name: string): string | undefined {
    return this.first<{ value: string }>("SELECT value FROM settings WHERE name = ?", name)?.value;
  }

  putSetting(name: string, value: string): void {
    this.run(
      "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
      name,
      value,
    );
  }

  // Users

  addUser(permanent: boolean, nowMs: number): number {
    const id = this.nextId("users");
    this.run(
      "INSERT INTO users (id, permanent, created_ms) VALUES (?, ?, ?)",
      id,
      permanent ? 1 : 0,
      nowMs,
    );
    return id;
  }

  user(id: number): UserRecord | undefined {
    return this.first<UserRecord>("SELECT * FROM users WHERE id = ? AND deleted_ms IS NULL", id);
  }

  // Connections

  connection(id: number): ConnectionRecord | undefined {
    return this.first<ConnectionRecord>(
      "SELECT * FROM connections WHERE id = ? AND deleted_ms IS NULL",
      id,
    );
  }

  connectionsOf(idUser: number): ConnectionRecord[] {
    return this.all<ConnectionRecord>(
      "SELECT * FROM connections WHERE id_user = ? AND deleted_ms IS NULL ORDER BY id",
      idUser,
    );
  }

  newestConnection(idUser: number | null): ConnectionRecord | undefined {
    return this.first<ConnectionRecord>(
      "SELECT * FROM connections WHERE deleted_ms IS NULL AND (?1 IS NULL OR id_user = ?1) ORDER BY id DESC LIMIT 1",
      idUser,
    );
  }

  // Accounts

  account(id: number): AccountRecord | undefined {
    return this.first<AccountRecord>("SELECT * FROM accounts WHERE id = ?", id);
  }

  accountsOf(idConnection: number): AccountRecord[] {
    return this.all<AccountRecord>(
      "SELECT * FROM accounts WHERE id_connection = ? ORDER BY id",
      idConnection,
    );
  }

  bankAccount(id: number): BankAccountRecord {
    const found = this.first<BankAccountRecord>("SELECT * FROM bank_accounts WHERE id = ?", id);
    if (found === undefined) throw new Error("an account has no bank account");
    return found;
  }

  bankAccountsOf(customer: string): BankAccountRecord[] {
    return this.all<BankAccountRecord>(
      "SELECT * FROM bank_accounts WHERE customer = ? ORDER BY id",
      customer,
    );
  }

  addAccount(idConnection: number, bankAccount: number, disabled: string | null): number {
    const id = this.nextId("accounts");
    this.run(
      "INSERT INTO accounts (id, id_connection, bank_account, disabled) VALUES (?, ?, ?, ?)",
      id,
      idConnection,
      bankAccount,
      disabled,
    );
    return id;
  }

  // Rows

  addBankRow(bankAccount: number, doc: BankRowDoc, booksOn: string | null = null): number {
    const row = this.first<{ id: number }>(
      "INSERT INTO bank_rows (bank_account, doc, books_on, removed, version) VALUES (?, ?, ?, 0, 1) RETURNING id",
      bankAccount,
      JSON.stringify(doc),
      booksOn,
    );
    return row?.id ?? 0;
  }

  bankRow(id: number): BankRowRecord | undefined {
    return this.first<BankRowRecord>("SELECT * FROM bank_rows WHERE id = ?", id);
  }

  changeBankRow(id: number, doc: BankRowDoc): void {
    this.run(
      "UPDATE bank_rows SET doc = ?, version = version + 1, books_on = NULL WHERE id = ?",
      JSON.stringify(doc),
      id,
    );
  }

  removeBankRow(id: number): void {
    this.run(
      "UPDATE bank_rows SET removed = 1, version = version + 1, books_on = NULL WHERE id = ?",
      id,
    );
  }

  row(id: number): RowRecord | undefined {
    return this.first<RowRecord>("SELECT * FROM rows WHERE id = ?", id);
  }

  addBalance(bankAccount: number, cents: number): void {
    this.run(
      "UPDATE bank_accounts SET balance_cents = balance_cents + ? WHERE id = ?",
      cents,
      bankAccount,
    );
  }
}

/** The document of a row, bank's or copy. */
export function docOf(record: { readonly doc: string }): BankRowDoc {
  return JSON.parse(record.doc) as BankRowDoc;
}
