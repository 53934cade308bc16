-- Stops of a part of the programme: begun by one owner, ended by two. Additive.
CREATE TABLE halts (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'hlt_*'),
  what TEXT NOT NULL CHECK (what IN ('payouts', 'confirmations', 'linking', 'offers')),
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  begun_by TEXT NOT NULL,
  begun_at_ms INTEGER NOT NULL,
  -- The first of the two who end it; withdrawn when somebody asks for the same halt again.
  end_asked_by TEXT,
  end_asked_at_ms INTEGER,
  ended_by TEXT CHECK (ended_by <> end_asked_by),
  ended_at_ms INTEGER CHECK (ended_at_ms >= begun_at_ms),
  CHECK ((end_asked_by IS NULL) = (end_asked_at_ms IS NULL)),
  CHECK ((ended_by IS NULL) = (ended_at_ms IS NULL)),
  CHECK (ended_by IS NULL OR end_asked_by IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX halts_in_force ON halts (what) WHERE ended_at_ms IS NULL;
CREATE INDEX halts_by_end ON halts (ended_at_ms);
CREATE TRIGGER halts_fixed BEFORE UPDATE ON halts WHEN OLD.ended_at_ms IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.what IS NOT OLD.what OR NEW.reason IS NOT OLD.reason OR NEW.begun_by IS NOT OLD.begun_by OR NEW.begun_at_ms IS NOT OLD.begun_at_ms BEGIN SELECT RAISE(ABORT, 'a halt is only ended, once'); END;
CREATE TRIGGER halts_no_delete BEFORE DELETE ON halts BEGIN SELECT RAISE(ABORT, 'halts are not deleted'); END;

-- Jobs that give every user at an aggregator a new token and end the old ones, after a leak. A job walks the links in the order of their
-- ids; what it has taken on and not finished lies in `token_renewal_links`.
CREATE TABLE token_renewals (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'rnw_*'),
  aggregator TEXT NOT NULL CHECK (aggregator IN ('powens', 'bridge', 'plaid')),
  reason TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'finished')),
  asked_by TEXT NOT NULL,
  asked_at_ms INTEGER NOT NULL,
  approved_by TEXT CHECK (approved_by <> asked_by),
  approved_at_ms INTEGER,
  reached_link_id TEXT NOT NULL DEFAULT '',
  -- 1: every link was taken on.
  walked INTEGER NOT NULL DEFAULT 0 CHECK (walked IN (0, 1)),
  renewed INTEGER NOT NULL DEFAULT 0 CHECK (renewed >= 0),
  -- Links that ended meanwhile: the aggregator has deleted their users.
  ended INTEGER NOT NULL DEFAULT 0 CHECK (ended >= 0),
  finished_at_ms INTEGER,
  CHECK ((state = 'waiting') = (approved_at_ms IS NULL)),
  CHECK ((approved_by IS NULL) = (approved_at_ms IS NULL)),
  CHECK ((state = 'finished') = (finished_at_ms IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX token_renewals_open ON token_renewals (aggregator) WHERE state <> 'finished';
CREATE TABLE token_renewal_links (
  link_id TEXT NOT NULL REFERENCES aggregator_links (id),
  renewal_id TEXT NOT NULL REFERENCES token_renewals (id),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  try_at_ms INTEGER NOT NULL,
  -- The token of before, once the link has a new one: ended a little later, so that no call in flight meets a dead token.
  old_token_cipher TEXT CHECK (old_token_cipher GLOB 'f1.*'),
  PRIMARY KEY (link_id, renewal_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_renewal_links_due ON token_renewal_links (renewal_id, try_at_ms);

-- Quotas: how much of what lasts one principal may have, counted by these indexes. Answers of before belong to nobody and lapse.
ALTER TABLE idempotency_keys ADD COLUMN principal TEXT NOT NULL DEFAULT '';
CREATE INDEX idempotency_keys_by_principal ON idempotency_keys (principal, expires_at_ms);
CREATE INDEX consents_by_user_time ON consents (user_id, at_ms);
CREATE INDEX consents_by_time ON consents (at_ms);
CREATE INDEX connection_intents_by_user_time ON connection_intents (user_id, created_at_ms);
CREATE INDEX quarantine_by_time ON quarantine (last_at_ms);
CREATE INDEX quarantine_by_remote_user ON quarantine (provider, remote_user_id, last_at_ms);
