-- A person. Everything about them is encrypted under their own data key; the CHECKs make sure that a clear value cannot be stored by
-- mistake. The e-mail is found by its keyed index.
CREATE TABLE users (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'usr_*'),
  email_index TEXT NOT NULL UNIQUE,
  email_cipher TEXT NOT NULL CHECK (email_cipher GLOB 'f1.*'),
  first_name_cipher TEXT CHECK (first_name_cipher GLOB 'f1.*'),
  last_name_cipher TEXT CHECK (last_name_cipher GLOB 'f1.*'),
  gender_cipher TEXT CHECK (gender_cipher GLOB 'f1.*'),
  birth_date_cipher TEXT CHECK (birth_date_cipher GLOB 'f1.*'),
  data_key TEXT NOT NULL CHECK (data_key GLOB 'k1.*'),
  locale TEXT NOT NULL CHECK (locale IN ('fr', 'en')),
  state TEXT NOT NULL CHECK (state IN ('active', 'erasing')),
  referral_code_given TEXT CHECK (referral_code_given GLOB '[a-z][a-z][a-z][a-z][a-z][a-z]'),
  created_at_ms INTEGER NOT NULL
) STRICT;

-- One-time codes sent by e-mail. Of one purpose and address the newest stands, whatever became of it; the code itself is a keyed hash
-- bound to id, purpose, address and session.
CREATE TABLE auth_codes (
  -- The order of arrival here, which clocks of different machines cannot disagree about.
  sequence INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL UNIQUE CHECK (id GLOB 'cod_*'),
  purpose TEXT NOT NULL CHECK (purpose IN ('sign_in', 'step_up')),
  address_index TEXT NOT NULL,
  session_id TEXT,
  code_tag TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
  used_at_ms INTEGER,
  -- The session that the code opened or strengthened: tells the statements of one batch that it was this request that used it.
  used_by TEXT,
  CHECK ((purpose = 'step_up') = (session_id IS NOT NULL)),
  CHECK ((used_at_ms IS NULL) = (used_by IS NULL))
) STRICT;
CREATE INDEX auth_codes_by_address ON auth_codes (address_index, created_at_ms);
CREATE INDEX auth_codes_by_time ON auth_codes (created_at_ms);

-- Wrong tries, one row each, so that "twenty a day" slides exactly.
CREATE TABLE auth_tries (
  id INTEGER PRIMARY KEY NOT NULL,
  code_id TEXT NOT NULL,
  address_index TEXT NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX auth_tries_by_code ON auth_tries (code_id);
CREATE INDEX auth_tries_by_address ON auth_tries (address_index, at_ms);
CREATE INDEX auth_tries_by_time ON auth_tries (at_ms);

-- A signed-in device: one family of refresh tokens, of which only the hashes of the current and the previous one are kept.
CREATE TABLE sessions (
  id TEXT PRIMARY KEY NOT NULL CHECK (id GLOB 'ses_*'),
  user_id TEXT NOT NULL REFERENCES users (id),
  generation INTEGER NOT NULL CHECK (generation >= 1),
  current_hash TEXT NOT NULL,
  previous_hash TEXT,
  rotated_at_ms INTEGER,
  auth_time_s INTEGER NOT NULL,
  amr TEXT NOT NULL CHECK (json_valid(amr)),
  device_name_cipher TEXT CHECK (device_name_cipher GLOB 'f1.*'),
  created_at_ms INTEGER NOT NULL,
  last_used_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
  ended_at_ms INTEGER,
  end_reason TEXT CHECK (end_reason IN ('signed_out', 'refresh_reused')),
  CHECK ((previous_hash IS NULL) = (rotated_at_ms IS NULL)),
  CHECK ((ended_at_ms IS NULL) = (end_reason IS NULL))
) STRICT;
CREATE INDEX sessions_by_user ON sessions (user_id, id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at_ms);

-- What a person agreed to or refused, and when. Rows are added and never changed; of each purpose the highest sequence stands.
CREATE TABLE consents (
  id TEXT NOT NULL UNIQUE,
  user_id TEXT NOT NULL REFERENCES users (id),
  purpose TEXT NOT NULL CHECK (purpose IN ('terms', 'bank_data', 'recommendations', 'statistics', 'marketing')),
  sequence INTEGER NOT NULL CHECK (sequence >= 1),
  granted INTEGER NOT NULL CHECK (granted IN (0, 1)),
  text_version TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, purpose, sequence)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER consents_no_update BEFORE UPDATE ON consents BEGIN SELECT RAISE(ABORT, 'consents is append-only'); END;

-- Who a subject of an outside issuer is here. The pair (issuer, subject) is kept as a keyed index: a subject may be an e-mail address.
CREATE TABLE identity_links (
  link_index TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX identity_links_by_user ON identity_links (user_id);
