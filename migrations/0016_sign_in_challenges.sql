-- Codes bound to the device that asked for them. They live ten minutes and their tries count for a day, so the new tables start empty; the
-- old ones are read by nobody any more.
DELETE FROM auth_codes;
DELETE FROM auth_tries;

-- One-time codes sent by e-mail. Of one purpose and device the newest applies, whatever became of it; the code itself is a keyed hash
-- bound to id, purpose, address and device.
CREATE TABLE one_time_codes (
  -- The order of arrival here, which clocks of different machines cannot disagree about.
  sequence INTEGER PRIMARY KEY NOT NULL,
  id TEXT NOT NULL UNIQUE CHECK (id GLOB 'cod_*'),
  purpose TEXT NOT NULL CHECK (purpose IN ('sign_in', 'step_up', 'change_email')),
  address_index TEXT NOT NULL,
  -- The hash of the challenge that a device holds; with a session, the session.
  device_key TEXT NOT NULL,
  network_index TEXT NOT NULL,
  wide_network_index TEXT NOT NULL,
  -- 1: the device had signed in to this address before, or has a session.
  known INTEGER NOT NULL CHECK (known IN (0, 1)),
  -- 1: six digits; 0: ten characters.
  short INTEGER NOT NULL CHECK (short IN (0, 1)),
  code_tag TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL CHECK (expires_at_ms > created_at_ms),
  used_at_ms INTEGER,
  -- What the code opened, strengthened or changed: tells the statements of one batch that it was this request that used it.
  used_by TEXT,
  -- 1: another device has signed in to the address meanwhile.
  superseded INTEGER NOT NULL DEFAULT 0 CHECK (superseded IN (0, 1)),
  CHECK ((purpose <> 'sign_in') = (device_key GLOB 'ses_*')),
  CHECK ((used_at_ms IS NULL) = (used_by IS NULL))
) STRICT;
CREATE INDEX one_time_codes_by_device ON one_time_codes (device_key, purpose, sequence);
CREATE INDEX one_time_codes_by_address ON one_time_codes (address_index, created_at_ms);
CREATE INDEX one_time_codes_by_network ON one_time_codes (network_index, created_at_ms);
CREATE INDEX one_time_codes_by_wide_network ON one_time_codes (wide_network_index, created_at_ms);
CREATE INDEX one_time_codes_by_time ON one_time_codes (created_at_ms);

-- Wrong tries, one row each, so that "twenty a day" slides exactly.
CREATE TABLE code_tries (
  id INTEGER PRIMARY KEY NOT NULL,
  code_id TEXT NOT NULL,
  device_key TEXT NOT NULL,
  address_index TEXT NOT NULL,
  network_index TEXT NOT NULL,
  known INTEGER NOT NULL CHECK (known IN (0, 1)),
  -- 1: the try with which the tries of unknown devices passed their limit, for which an alert was raised.
  alerted INTEGER NOT NULL CHECK (alerted IN (0, 1)),
  at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX code_tries_by_code ON code_tries (code_id);
CREATE INDEX code_tries_by_device ON code_tries (device_key, at_ms);
CREATE INDEX code_tries_by_address ON code_tries (address_index, at_ms);
CREATE INDEX code_tries_of_unknown ON code_tries (at_ms) WHERE known = 0;
CREATE INDEX code_tries_by_time ON code_tries (at_ms);

-- Devices whose challenge has signed in. A challenge belongs to one address by its own signature.
CREATE TABLE known_devices (
  device_key TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL REFERENCES users (id),
  known_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX known_devices_by_user ON known_devices (user_id);
CREATE INDEX known_devices_by_time ON known_devices (used_at_ms);

-- The device that opened a session; NULL in sessions of before.
ALTER TABLE sessions ADD COLUMN device_key TEXT;

-- Notices of any kind: the code has the closed list, so that a new kind needs no new table. `notices` is read by nobody any more.
CREATE TABLE user_notices (
  -- Names the event: the same event again adds nothing.
  id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  -- Numbers, ids and the bank's name for the text.
  details TEXT NOT NULL CHECK (json_valid(details)),
  created_at_ms INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  next_try_at_ms INTEGER,
  sent_at_ms INTEGER,
  CHECK (sent_at_ms IS NULL OR next_try_at_ms IS NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO user_notices (id, user_id, kind, details, created_at_ms, tries, next_try_at_ms, sent_at_ms) SELECT id, user_id, kind, details, created_at_ms, tries, next_try_at_ms, sent_at_ms FROM notices;
DELETE FROM notices;
CREATE INDEX user_notices_due ON user_notices (next_try_at_ms) WHERE next_try_at_ms IS NOT NULL;
CREATE INDEX user_notices_by_user ON user_notices (user_id);
CREATE INDEX user_notices_by_time ON user_notices (created_at_ms);
