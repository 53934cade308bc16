-- Of several users who hold one bank account, one earns with it. `off_by_choice` is the user's own switch; an account that is off without
-- it waits for the holder who earns. `taken_rows` are keyed hashes of the rows that earlier holders recorded shortly before the account
-- began to earn here: such a row does not count a second time.
ALTER TABLE bank_accounts ADD COLUMN off_by_choice INTEGER NOT NULL DEFAULT 0 CHECK (off_by_choice IN (0, 1) AND (off_by_choice = 0 OR earning = 0));
ALTER TABLE bank_accounts ADD COLUMN taken_rows TEXT CHECK (json_valid(taken_rows));

-- The right to earn with an account is free since `stopped_at_ms` and has to pass to the next holder; the preferred one was agreed on.
CREATE TABLE earning_handovers (
  fingerprint TEXT PRIMARY KEY NOT NULL,
  stopped_at_ms INTEGER NOT NULL,
  next_try_at_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  preferred_user_id TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX earning_handovers_due ON earning_handovers (next_try_at_ms);

-- Whatever ends an account's earning (its user, the bank, an ending connection) notes the handover in the same write, so that no crash
-- and no statement of the future can forget it. A note too many does nothing.
CREATE TRIGGER earning_handover_switched AFTER UPDATE OF earning, state, off_by_choice ON bank_accounts WHEN (NEW.earning = 0 OR NEW.state <> 'enabled') AND (OLD.earning <> NEW.earning OR OLD.state <> NEW.state OR OLD.off_by_choice <> NEW.off_by_choice) BEGIN INSERT INTO earning_handovers (fingerprint, stopped_at_ms, next_try_at_ms) SELECT NEW.fingerprint, NEW.updated_at_ms, NEW.updated_at_ms WHERE EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = NEW.fingerprint AND o.user_id <> NEW.user_id) ON CONFLICT (fingerprint) DO UPDATE SET stopped_at_ms = excluded.stopped_at_ms, next_try_at_ms = excluded.next_try_at_ms, tries = 0; END;
CREATE TRIGGER earning_handover_added AFTER INSERT ON bank_accounts WHEN NEW.earning = 0 AND NEW.off_by_choice = 0 BEGIN INSERT INTO earning_handovers (fingerprint, stopped_at_ms, next_try_at_ms) SELECT NEW.fingerprint, NEW.created_at_ms, NEW.created_at_ms WHERE EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = NEW.fingerprint AND o.user_id <> NEW.user_id) AND NOT EXISTS (SELECT 1 FROM bank_accounts o JOIN bank_connections r ON r.id = o.connection_id WHERE o.fingerprint = NEW.fingerprint AND o.earning = 1 AND o.state = 'enabled' AND r.status <> 'removed') ON CONFLICT (fingerprint) DO NOTHING; END;
CREATE TRIGGER earning_handover_ended AFTER UPDATE OF status ON bank_connections WHEN NEW.status = 'removed' AND OLD.status <> 'removed' BEGIN INSERT INTO earning_handovers (fingerprint, stopped_at_ms, next_try_at_ms) SELECT DISTINCT a.fingerprint, NEW.updated_at_ms, NEW.updated_at_ms FROM bank_accounts a WHERE a.connection_id = NEW.id AND a.earning = 1 AND a.state = 'enabled' AND EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = a.fingerprint AND o.user_id <> a.user_id) ON CONFLICT (fingerprint) DO UPDATE SET stopped_at_ms = excluded.stopped_at_ms, next_try_at_ms = excluded.next_try_at_ms, tries = 0; END;

-- Until now the two reasons were one. Off because of another holder is only what cannot be anything else: never touched since it was
-- added, after another user's account, and without an earlier account of its own user whose switch it could have taken over. All else
-- stays off by choice: reading rows that a user switched off would be worse than a switch to be turned on again.
UPDATE bank_accounts SET off_by_choice = 1 WHERE earning = 0 AND NOT (
  updated_at_ms = created_at_ms
  AND EXISTS (SELECT 1 FROM bank_accounts o WHERE o.fingerprint = bank_accounts.fingerprint AND o.user_id <> bank_accounts.user_id
    AND o.created_at_ms <= bank_accounts.created_at_ms)
  AND NOT EXISTS (SELECT 1 FROM bank_accounts p WHERE p.user_id = bank_accounts.user_id AND p.id <> bank_accounts.id
    AND (p.fingerprint = bank_accounts.fingerprint OR p.weak_key = bank_accounts.weak_key)));
DELETE FROM earning_handovers;
-- Those whose earning holder has left already earn from now on.
INSERT INTO earning_handovers (fingerprint, stopped_at_ms, next_try_at_ms)
  SELECT DISTINCT fingerprint, unixepoch() * 1000, 0 FROM bank_accounts WHERE earning = 0 AND off_by_choice = 0;

-- A holder asks the one who earns to let them earn instead. Of one account one request is open at a time.
CREATE TABLE earning_transfers (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'etr_*'),
  fingerprint TEXT NOT NULL,
  user_id TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('asked', 'accepted', 'done', 'refused', 'expired', 'void')),
  asked_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > asked_at_ms),
  answered_by TEXT,
  answered_at_ms INTEGER,
  CHECK ((answered_by IS NULL) = (answered_at_ms IS NULL)),
  CHECK (state NOT IN ('accepted', 'done', 'refused') OR answered_by IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX earning_transfers_open ON earning_transfers (fingerprint) WHERE state = 'asked';
CREATE INDEX earning_transfers_by_account ON earning_transfers (fingerprint, expires_at_ms);
CREATE INDEX earning_transfers_by_expiry ON earning_transfers (expires_at_ms);

-- A user who has linked a bank corrected the birth date to one below the minimum age: nothing earns until a person has decided.
CREATE TABLE age_reviews (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'agr_*'),
  user_id TEXT NOT NULL REFERENCES users (id),
  opened_at_ms INTEGER NOT NULL,
  decide_by_ms INTEGER NOT NULL CHECK (decide_by_ms > opened_at_ms),
  decision TEXT CHECK (decision IN ('of_age', 'under_age', 'lapsed')),
  decided_by TEXT,
  decided_at_ms INTEGER,
  -- When the decision was carried out.
  closed_at_ms INTEGER,
  CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at_ms IS NULL)),
  CHECK (closed_at_ms IS NULL OR decision IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX age_reviews_open ON age_reviews (user_id) WHERE closed_at_ms IS NULL;
CREATE INDEX age_reviews_by_time ON age_reviews (opened_at_ms, id);

-- E-mails to be sent about something that happened; the id names the event, so that one event is one notice. Without an address.
CREATE TABLE notices (
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('earning_started', 'transfer_asked', 'transfer_refused', 'age_review_opened', 'age_review_resumed', 'age_review_ended')),
  -- Numbers and the bank's name for the text.
  details TEXT NOT NULL CHECK (json_valid(details)),
  created_at_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_try_at_ms INTEGER,
  sent_at_ms INTEGER,
  CHECK (sent_at_ms IS NULL OR next_try_at_ms IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX notices_due ON notices (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;
CREATE INDEX notices_by_user ON notices (user_id);
CREATE INDEX notices_by_time ON notices (created_at_ms);
