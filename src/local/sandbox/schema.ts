// The sandbox's tables. Two layers on purpose: what the bank knows (bank_*), and the aggregator's
// copy of it (connections, accounts, rows). A copy comes into being at a synchronisation, so the
// same bank row can exist under several ids: after opting out and in again, after an account was
// recreated, after a connection was made anew, or for two holders of one account.

const tables = `
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY, permanent INTEGER NOT NULL, created_ms INTEGER NOT NULL, deleted_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS tokens (
  token TEXT PRIMARY KEY, id_user INTEGER NOT NULL, kind TEXT NOT NULL, expires_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS webview_sessions (
  id TEXT PRIMARY KEY, id_user INTEGER NOT NULL, id_connection INTEGER, gives_code INTEGER NOT NULL, expires_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS connections (
  id INTEGER PRIMARY KEY, id_user INTEGER NOT NULL, connector_uuid TEXT NOT NULL, login TEXT NOT NULL,
  state TEXT, error_message TEXT, created_ms INTEGER NOT NULL, last_update_ms INTEGER, last_push_ms INTEGER, next_try_ms INTEGER,
  expire_ms INTEGER NOT NULL, active INTEGER NOT NULL, deleted_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS bank_accounts (
  id INTEGER PRIMARY KEY, customer TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, number TEXT NOT NULL, iban TEXT,
  parent INTEGER, balance_cents INTEGER NOT NULL, owner TEXT NOT NULL, currency TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS bank_accounts_customer ON bank_accounts (customer);
CREATE TABLE IF NOT EXISTS bank_rows (
  id INTEGER PRIMARY KEY, bank_account INTEGER NOT NULL, doc TEXT NOT NULL, books_on TEXT, removed INTEGER NOT NULL, version INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS bank_rows_account ON bank_rows (bank_account);
CREATE INDEX IF NOT EXISTS bank_rows_books_on ON bank_rows (books_on) WHERE books_on IS NOT NULL;
CREATE TABLE IF NOT EXISTS accounts (
  id INTEGER PRIMARY KEY, id_connection INTEGER NOT NULL, bank_account INTEGER NOT NULL, disabled TEXT, deleted TEXT, last_update TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS accounts_connection ON accounts (id_connection);
CREATE TABLE IF NOT EXISTS rows (
  id INTEGER PRIMARY KEY, id_account INTEGER NOT NULL, bank_row INTEGER NOT NULL, version INTEGER NOT NULL, date TEXT NOT NULL,
  doc TEXT NOT NULL, date_scraped TEXT NOT NULL, last_update TEXT NOT NULL, deleted TEXT, pushed INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS rows_account ON rows (id_account, date);
CREATE INDEX IF NOT EXISTS rows_bank_row ON rows (bank_row);
CREATE INDEX IF NOT EXISTS rows_unpushed ON rows (id_account) WHERE pushed = 0;
CREATE TABLE IF NOT EXISTS webhooks (
  id INTEGER PRIMARY KEY, event TEXT NOT NULL, id_user INTEGER NOT NULL, id_connection INTEGER, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, last_status INTEGER, last_error TEXT, created_ms INTEGER NOT NULL, signed_date TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS webhooks_state ON webhooks (state, id);
CREATE TABLE IF NOT EXISTS webhook_bodies (
  id INTEGER NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, PRIMARY KEY (id, part)
) STRICT;
CREATE TABLE IF NOT EXISTS mails (
  id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL, html TEXT, code TEXT, sent_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS mails_recipient ON mails (recipient, id);
CREATE TABLE IF NOT EXISTS faults (
  id INTEGER PRIMARY KEY, path TEXT NOT NULL, method TEXT, kind TEXT NOT NULL, remaining INTEGER NOT NULL, skip INTEGER NOT NULL,
  retry_after TEXT, delay_ms INTEGER, code TEXT, description TEXT
) STRICT;
`;

/** Creates what is missing. Safe to run at every start. */
export function createTables(sql: SqlStorage): void {
  for (const statement of tables.split(";")) {
    if (statement.trim() !== "") sql.exec(statement);
  }
}
