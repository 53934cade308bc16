-- A user as the aggregator knows them. Written before the user is created there: the intent comes first, so a crash between creating
-- and storing is seen (`creating` that lapses) and never silently repeated.
CREATE TABLE aggregator_links (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'lnk_*'),
  user_id TEXT NOT NULL CHECK (user_id GLOB 'usr_*'),
  aggregator TEXT NOT NULL CHECK (aggregator IN ('powens', 'bridge', 'plaid')),
  state TEXT NOT NULL CHECK (state IN ('intended', 'creating', 'created', 'ending', 'ended')),
  -- How often we asked the aggregator to create this user, and the attempt that holds the right to store its answer.
  attempts INTEGER NOT NULL CHECK (attempts >= 0),
  attempt_at_ms INTEGER,
  remote_user_id TEXT,
  -- The permanent token, under the user's own key. Gone as soon as the user is gone there.
  token_cipher TEXT CHECK (token_cipher GLOB 'f1.*'),
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_try_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  CHECK ((state IN ('created', 'ending')) = (token_cipher IS NOT NULL)),
  CHECK (state NOT IN ('created', 'ending') OR remote_user_id IS NOT NULL),
  CHECK ((state = 'creating') <= (attempt_at_ms IS NOT NULL)),
  UNIQUE (aggregator, remote_user_id)
) STRICT;
CREATE UNIQUE INDEX aggregator_links_standing ON aggregator_links (user_id, aggregator) WHERE state IN ('intended', 'creating', 'created');
-- Due work: an ending to finish there, or a look at what the user has there.
CREATE INDEX aggregator_links_due ON aggregator_links (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;

-- A trip to the aggregator's page. Only the hash of `state` is kept; it comes back once and to the same user.
CREATE TABLE connection_intents (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'int_*'),
  state_hash TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL,
  session_id TEXT,
  aggregator TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('connect', 'renew')),
  connection_id TEXT REFERENCES bank_connections (id),
  redirect_uri TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
  spent_at_ms INTEGER,
  outcome TEXT CHECK (outcome IN ('returned', 'refused')),
  CHECK ((kind = 'renew') = (connection_id IS NOT NULL)),
  CHECK ((spent_at_ms IS NULL) = (outcome IS NULL))
) STRICT;
CREATE INDEX connection_intents_by_expiry ON connection_intents (expires_at_ms);
CREATE INDEX connection_intents_by_user ON connection_intents (user_id);

-- A bank linked through an aggregator. `status` and `action` are what the aggregator's state means to the user; trouble of ours is
-- `repair_reason` beside it, so that mending brings the former status back.
CREATE TABLE bank_connections (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'con_*'),
  user_id TEXT NOT NULL,
  link_id TEXT NOT NULL REFERENCES aggregator_links (id),
  aggregator TEXT NOT NULL,
  remote_connection_id TEXT NOT NULL,
  bank_id TEXT NOT NULL,
  bank_name TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('connecting', 'active', 'action_required', 'expired', 'unavailable', 'removed')),
  action TEXT NOT NULL CHECK (action IN ('none', 'renew', 'update_credentials', 'act_at_bank')),
  consent_granted_at_ms INTEGER NOT NULL,
  consent_expires_at_ms INTEGER NOT NULL,
  -- The read back to the consent date: due until one was made after the aggregator's first update.
  full_read TEXT NOT NULL CHECK (full_read IN ('due', 'done')),
  repair_reason TEXT,
  repair_since_ms INTEGER,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_try_at_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  removed_at_ms INTEGER,
  gone_remotely INTEGER NOT NULL DEFAULT 0 CHECK (gone_remotely IN (0, 1)),
  CHECK ((status = 'removed') = (removed_at_ms IS NOT NULL)),
  CHECK (status <> 'removed' OR action = 'none'),
  CHECK ((repair_reason IS NULL) = (repair_since_ms IS NULL)),
  CHECK (gone_remotely = 0 OR status = 'removed'),
  UNIQUE (aggregator, remote_connection_id)
) STRICT;
CREATE INDEX bank_connections_by_user ON bank_connections (user_id, id);
CREATE INDEX bank_connections_by_link ON bank_connections (link_id);
-- Due work: a read back, a repair, a removal to finish at the aggregator.
CREATE INDEX bank_connections_due ON bank_connections (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;

-- One aggregator account id: a generation of a bank account that its fingerprint names. No number, no name, no IBAN.
CREATE TABLE bank_accounts (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'acc_*'),
  user_id TEXT NOT NULL,
  connection_id TEXT NOT NULL REFERENCES bank_connections (id),
  aggregator TEXT NOT NULL,
  remote_account_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('checking', 'card')),
  currency TEXT CHECK (length(currency) = 3),
  ordinal INTEGER NOT NULL CHECK (ordinal >= 1),
  fingerprint TEXT NOT NULL,
  strength TEXT NOT NULL CHECK (strength IN ('iban', 'parent', 'weak')),
  earning INTEGER NOT NULL CHECK (earning IN (0, 1)),
  -- Rows dated before this instant's day are not ours to see; kept from an earlier generation of the same account.
  linked_at_ms INTEGER NOT NULL,
  -- When earning was last switched on again: what the aggregator had seen by then stays dropped.
  seen_from_ms INTEGER,
  state TEXT NOT NULL CHECK (state IN ('enabled', 'disabled', 'deleted')),
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (aggregator, remote_account_id)
) STRICT;
CREATE INDEX bank_accounts_by_connection ON bank_accounts (connection_id);
CREATE INDEX bank_accounts_by_user ON bank_accounts (user_id);
CREATE INDEX bank_accounts_by_fingerprint ON bank_accounts (fingerprint);
