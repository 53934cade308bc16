-- Answers kept so that a repeated request gets the first answer again. The answer is encrypted: it may hold a user's data.
CREATE TABLE idempotency_keys (
  scope TEXT PRIMARY KEY NOT NULL,
  request_hash TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done')),
  answer_cipher TEXT,
  started_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > started_at_ms),
  CHECK ((state = 'done') = (answer_cipher IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at_ms);

-- Who did what to what. Append-only: the triggers make that a property of the database. No free text, no personal data.
CREATE TABLE audit_events (
  id TEXT PRIMARY KEY NOT NULL,
  at_ms INTEGER NOT NULL,
  actor_kind TEXT NOT NULL CHECK (actor_kind IN ('operator', 'user', 'system')),
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  details TEXT NOT NULL CHECK (json_valid(details))
) STRICT;
CREATE INDEX audit_events_by_time ON audit_events (at_ms);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events BEGIN SELECT RAISE(ABORT, 'audit_events is append-only'); END;

-- What is fixed at the first start and may not change later (the rate of points to euros).
CREATE TABLE settings (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL,
  set_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Authentic messages that could not be used. No body is kept (promise P2): ids, reason, size and hash are enough to ask again.
CREATE TABLE quarantine (
  id TEXT PRIMARY KEY NOT NULL,
  provider TEXT NOT NULL,
  event TEXT NOT NULL,
  remote_user_id TEXT,
  remote_connection_id TEXT,
  reason TEXT NOT NULL,
  body_bytes INTEGER NOT NULL CHECK (body_bytes >= 0),
  body_hash TEXT NOT NULL,
  first_at_ms INTEGER NOT NULL,
  last_at_ms INTEGER NOT NULL,
  times INTEGER NOT NULL CHECK (times >= 1),
  resolved_at_ms INTEGER,
  UNIQUE (provider, event, body_hash, reason)
) STRICT;
CREATE INDEX quarantine_open ON quarantine (last_at_ms) WHERE resolved_at_ms IS NULL;
