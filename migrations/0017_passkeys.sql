-- Passkeys, and what they and a change of e-mail need.

-- When the user last ended all sessions: what an outside issuer issued before acts no more.
ALTER TABLE users ADD COLUMN sessions_ended_at_ms INTEGER;
-- 0: only passkeys strengthen a session, codes do not.
ALTER TABLE users ADD COLUMN step_up_codes INTEGER NOT NULL DEFAULT 1 CHECK (step_up_codes IN (0, 1));

CREATE TABLE passkeys (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'psk_*'),
  user_id TEXT NOT NULL REFERENCES users (id),
  -- As the authenticator made it, base64url: random, and of no use without the authenticator.
  credential_id TEXT NOT NULL UNIQUE,
  -- COSE, base64url.
  public_key TEXT NOT NULL,
  -- Of the authenticator, which may count or always say 0.
  counter INTEGER NOT NULL CHECK (counter >= 0),
  transports TEXT NOT NULL CHECK (json_valid(transports)),
  name_cipher TEXT CHECK (name_cipher GLOB 'f1.*'),
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX passkeys_by_user ON passkeys (user_id, id);

-- Challenges that were answered, until they would be late anyway: each is good once. One that was never answered leaves no row.
CREATE TABLE answered_challenges (
  challenge_hash TEXT PRIMARY KEY NOT NULL,
  -- What the answer made or strengthened: tells the statements of one batch that it was this request that answered.
  answered_for TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_challenges_by_time ON answered_challenges (expires_at_ms);

-- Changes of e-mail, so that the former address can undo them. For as long as it can, nobody else gets that address.
CREATE TABLE email_changes (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'emc_*'),
  user_id TEXT NOT NULL REFERENCES users (id),
  former_index TEXT NOT NULL,
  former_cipher TEXT NOT NULL CHECK (former_cipher GLOB 'f1.*'),
  changed_at_ms INTEGER NOT NULL,
  undo_until_ms INTEGER NOT NULL CHECK (undo_until_ms > changed_at_ms),
  -- The change whose undoing undid this one too: itself, or one before it.
  undone_by TEXT,
  undone_at_ms INTEGER,
  CHECK ((undone_by IS NULL) = (undone_at_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX email_changes_by_user ON email_changes (user_id, changed_at_ms);
CREATE INDEX email_changes_by_former ON email_changes (former_index, undo_until_ms);
CREATE INDEX email_changes_by_time ON email_changes (undo_until_ms);
