// The tables of one user's book and how an older object reaches them. Migrations are append-only:
// an object that slept for a year runs all it missed when it wakes, and one whose list differs from
// ours stops rather than guess.
import { assert } from "../../kernel/assert.ts";
import { integerOf, textOf } from "./sql.ts";
import type { Sql } from "./sql.ts";

export type ObjectMigration = {
  readonly id: number;
  readonly name: string;
  readonly sql: readonly string[];
};

const FIRST_TABLES = [
  `CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE accounts (
    account_no INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL UNIQUE,
    connection_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    strength TEXT NOT NULL CHECK (strength IN ('iban', 'parent', 'weak')),
    created_at_ms INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE connections (connection_id TEXT PRIMARY KEY, last_synced_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
  `CREATE TABLE purchases (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    account_no INTEGER NOT NULL,
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('purchase', 'refund')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents BETWEEN 0 AND 1000000000),
    currency TEXT NOT NULL,
    original_cents INTEGER,
    original_currency TEXT,
    purchased_on TEXT NOT NULL,
    booked_on TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'booked', 'deleted')),
    last_update_ms INTEGER NOT NULL,
    label_cipher TEXT NOT NULL,
    label_tag TEXT NOT NULL,
    brand_id TEXT,
    brand_matched TEXT,
    channel TEXT NOT NULL CHECK (channel IN ('in_store', 'online', 'unknown')),
    review TEXT,
    was_pending INTEGER NOT NULL CHECK (was_pending IN (0, 1)),
    recorded_at_ms INTEGER NOT NULL,
    same_as INTEGER CHECK (same_as <> n),
    decided_rank INTEGER,
    outcome TEXT NOT NULL CHECK (outcome IN ('earned', 'not_earned', 'reversed', 'waiting')),
    waits_for TEXT CHECK (waits_for IN ('booking', 'review', 'budget', 'purchase')),
    offer_id TEXT,
    offer_version INTEGER,
    granted INTEGER NOT NULL CHECK (granted >= 0),
    reversed INTEGER NOT NULL CHECK (reversed BETWEEN 0 AND granted),
    lot_no INTEGER,
    refunded_cents INTEGER NOT NULL CHECK (refunded_cents BETWEEN 0 AND amount_cents),
    refund_of INTEGER,
    budget TEXT,
    verdict TEXT NOT NULL,
    due_ms INTEGER,
    CHECK ((granted > 0) = (lot_no IS NOT NULL)),
    CHECK (same_as IS NULL OR granted = reversed),
    UNIQUE (account_no, external_id)
  ) STRICT`,
  `CREATE INDEX purchases_by_day ON purchases (purchased_on, n)`,
  `CREATE INDEX purchases_due ON purchases (due_ms) WHERE due_ms IS NOT NULL`,
  `CREATE INDEX purchases_pending ON purchases (account_no) WHERE state = 'pending'`,
  `CREATE INDEX purchases_refunds ON purchases (brand_id) WHERE kind = 'refund'`,
  `CREATE TABLE transactions (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    kind TEXT NOT NULL CHECK (kind IN ('earn', 'confirm', 'cancel', 'clawback', 'hold', 'settle', 'release', 'reinstate',
      'expire', 'referral', 'goodwill', 'forfeit')),
    body TEXT NOT NULL,
    pending INTEGER NOT NULL CHECK (pending >= 0),
    available INTEGER NOT NULL CHECK (available >= 0 OR kind NOT IN ('hold', 'expire', 'forfeit')),
    held INTEGER NOT NULL CHECK (held >= 0),
    hash TEXT NOT NULL CHECK (length(hash) = 64)
  ) STRICT`,
  `CREATE TABLE lots (
    lot_no INTEGER PRIMARY KEY,
    source TEXT NOT NULL CHECK (source IN ('purchases', 'referral', 'goodwill')),
    purchase_no INTEGER,
    entry_id TEXT NOT NULL,
    reversal_id TEXT,
    brand_id TEXT,
    offer_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'available')),
    granted INTEGER NOT NULL CHECK (granted > 0),
    reversed INTEGER NOT NULL CHECK (reversed >= 0),
    expired INTEGER NOT NULL CHECK (expired >= 0),
    remaining INTEGER NOT NULL CHECK (remaining >= 0),
    confirm_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    noticed_30_ms INTEGER,
    noticed_7_ms INTEGER,
    due_ms INTEGER,
    CHECK (reversed + expired <= granted)
  ) STRICT`,
  `CREATE INDEX lots_due ON lots (state, due_ms) WHERE due_ms IS NOT NULL`,
  `CREATE INDEX lots_open ON lots (expires_at_ms) WHERE remaining > 0`,
  `CREATE TABLE holds (
    redemption_id TEXT PRIMARY KEY,
    hold_no INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'committed', 'settled', 'released', 'reinstated')),
    points INTEGER NOT NULL CHECK (points > 0),
    lots TEXT NOT NULL,
    entry_id TEXT NOT NULL,
    due_ms INTEGER,
    alerted INTEGER NOT NULL CHECK (alerted IN (0, 1))
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE requests (
    key TEXT PRIMARY KEY,
    input_hash TEXT NOT NULL,
    result TEXT NOT NULL,
    at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE activations (
    offer_id TEXT NOT NULL,
    activated_at_ms INTEGER NOT NULL,
    version INTEGER NOT NULL,
    expires_at_ms INTEGER,
    PRIMARY KEY (offer_id, activated_at_ms)
  ) STRICT, WITHOUT ROWID`,
];

// What the change feeds ask for after every call; nearly always empty.
const WAITING_ROWS = [
  "CREATE INDEX purchases_waiting ON purchases (n) WHERE waits_for IN ('review', 'purchase')",
];

// What must be projected to the statistics sample again (projection/change-feeds.ts). A trigger,
// because rows change in several places of this code, and one that forgot to say so would go
// unnoticed. It fires only for rows that may have been projected: a new row or a booking costs
// nothing.
const CHANGED = "amount_cents, brand_id, purchased_on, state, kind, currency, same_as, review";
const each = (prefix: string): string =>
  CHANGED.split(", ").map((column) => `${prefix}.${column}`).join(", ");
const SAMPLE_CHANGES = [
  "CREATE TABLE sample_changes (seq INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT",
  `CREATE TRIGGER purchases_changed AFTER UPDATE OF ${CHANGED} ON purchases
    WHEN OLD.state = 'booked' AND (OLD.brand_id IS NOT NULL OR NEW.brand_id IS NOT NULL) AND (${
    each("OLD")
  }) IS NOT (${each("NEW")})
    BEGIN INSERT INTO sample_changes (n) VALUES (NEW.n); END`,
];

// A refund may give back several purchases, and those of the other accounts of its family.
const REFUND_PARTS = ["ALTER TABLE purchases ADD COLUMN refund_parts TEXT"];

// What `last_update_ms` is worth (null: it is exact), the debit that a pending row announces, and
// the day of purchase that a person gave where the bank's cannot be true. All null in older rows.
const ROW_DAYS_AND_TIMES = [
  "ALTER TABLE purchases ADD COLUMN last_update_kind TEXT",
  "ALTER TABLE purchases ADD COLUMN announced_on TEXT",
  "ALTER TABLE purchases ADD COLUMN given_on TEXT",
];

// What says which account of a bank a listing shows. The IBAN's hash was its fingerprint so far;
// the rest is learnt when the account is seen again. `held_terms`: the offers by which a row held
// for review is judged when nobody has decided in time.
const ACCOUNT_IDENTITY = [
  ...[
    "link_id TEXT",
    "own_iban TEXT",
    "unit_iban TEXT",
    "bank_key TEXT",
    "name_tag TEXT",
    "parent_account_id TEXT",
    "earlier_keys TEXT",
    "gone_at_ms INTEGER",
  ].map((column) => `ALTER TABLE accounts ADD COLUMN ${column}`),
  "UPDATE accounts SET own_iban = fingerprint, unit_iban = fingerprint WHERE strength = 'iban'",
  "ALTER TABLE purchases ADD COLUMN held_terms TEXT",
];

// Which rows a read with the user's token has shown (purchases/sight.ts). All null in older rows,
// which so count as shown. `reads` holds one mark per connection.
const SIGHT = [
  "ALTER TABLE purchases ADD COLUMN said_ms INTEGER",
  "ALTER TABLE purchases ADD COLUMN sight_notes TEXT",
  "ALTER TABLE lots ADD COLUMN waits_until_ms INTEGER",
  "ALTER TABLE accounts ADD COLUMN unreadable_ms INTEGER",
  "CREATE TABLE reads (connection_id TEXT PRIMARY KEY, read_ms INTEGER NOT NULL, ended_ms INTEGER) STRICT, WITHOUT ROWID",
];

/**
 * Every step from an empty object to today's tables, oldest first. Never edited, only appended to.
 */
export const OBJECT_MIGRATIONS: readonly ObjectMigration[] = [
  { id: 1, name: "first_tables", sql: FIRST_TABLES },
  { id: 2, name: "waiting_rows", sql: WAITING_ROWS },
  { id: 3, name: "earlier_amounts", sql: ["ALTER TABLE purchases ADD COLUMN earlier_cents TEXT"] },
  { id: 4, name: "sample_changes", sql: SAMPLE_CHANGES },
  { id: 5, name: "refund_parts", sql: REFUND_PARTS },
  { id: 6, name: "row_days_and_times", sql: ROW_DAYS_AND_TIMES },
  { id: 7, name: "account_identity", sql: ACCOUNT_IDENTITY },
  { id: 8, name: "sight", sql: SIGHT },
];

/**
 * Brings the tables up to date, inside the caller's transaction. Throws when the object has run a
 * migration that this code does not know by the same id and name: code older than the data, or a
 * list that somebody edited.
 */
export function migrate(
  sql: Sql,
  migrations: readonly ObjectMigration[] = OBJECT_MIGRATIONS,
): void {
  sql.exec(
    "CREATE TABLE IF NOT EXISTS object_migrations (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT",
  );
  const applied = sql.exec("SELECT id, name FROM object_migrations ORDER BY id");
  assert(
    applied.length <= migrations.length,
    "migration_unknown",
    "the object has run a migration that this code does not know",
  );
  for (const [index, row] of applied.entries()) {
    const known = migrations[index];
    assert(
      known !== undefined && known.id === integerOf(row, "id") &&
        known.name === textOf(row, "name"),
      "migration_mismatch",
      "the object's migrations differ from this code's",
    );
  }
  for (const migration of migrations.slice(applied.length)) {
    for (const statement of migration.sql) sql.exec(statement);
    sql.exec(
      "INSERT INTO object_migrations (id, name) VALUES (?, ?)",
      migration.id,
      migration.name,
    );
  }
}
