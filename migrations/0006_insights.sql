-- What operators look at across users: counters that tell the liability of any day, purchases of those who consent to statistics,
-- rows that wait for a person. Written by the ledgers' alarms; no label, and in the sample no user.

-- By how much the line changes what we owe users, by the user's account: their sums up to a day are the balances of all ledgers then.
ALTER TABLE counters ADD COLUMN pending INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counters ADD COLUMN available INTEGER NOT NULL DEFAULT 0;
ALTER TABLE counters ADD COLUMN held INTEGER NOT NULL DEFAULT 0;

-- Erased ledgers: their transactions are gone, so a rebuild keeps their head and starts from what they had added up to.
ALTER TABLE ledger_heads ADD COLUMN closed INTEGER NOT NULL DEFAULT 0 CHECK (closed IN (0, 1));
CREATE TABLE closed_counters (
  day TEXT NOT NULL,
  brand_id TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  purchases INTEGER NOT NULL,
  cents INTEGER NOT NULL,
  points INTEGER NOT NULL,
  pending INTEGER NOT NULL,
  available INTEGER NOT NULL,
  held INTEGER NOT NULL,
  PRIMARY KEY (day, brand_id, offer_id, kind)
) STRICT, WITHOUT ROWID;

-- Where long work on the projections stands: the rebuild and the patrol that looks for ledgers that D1 does not know to the end.
CREATE TABLE projection_work (
  name TEXT PRIMARY KEY NOT NULL CHECK (name IN ('rebuild', 'patrol')),
  state TEXT NOT NULL CHECK (json_valid(state)),
  updated_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Recognised purchases of users whose `statistics` consent stands. `id` is a keyed hash of the purchase's, `pseudonym` of user and
-- month; `bucket` is a part of the pseudonym, so that a user's month is in the sample as a whole or not at all.
CREATE TABLE purchase_sample (
  id TEXT PRIMARY KEY NOT NULL,
  day TEXT NOT NULL CHECK (length(day) = 10),
  brand_id TEXT NOT NULL,
  cents INTEGER NOT NULL CHECK (cents BETWEEN 0 AND 1000000000),
  pseudonym TEXT NOT NULL,
  bucket INTEGER NOT NULL CHECK (bucket BETWEEN 0 AND 65535)
) STRICT, WITHOUT ROWID;
CREATE INDEX purchase_sample_by_brand ON purchase_sample (brand_id, day, id);
CREATE INDEX purchase_sample_by_day ON purchase_sample (day);
CREATE INDEX purchase_sample_by_pseudonym ON purchase_sample (pseudonym);

-- How many rows there are (counted by the triggers: a count over the table would read all of it at every insert), and the buckets
-- that are taken: `threshold` of 65536.
CREATE TABLE purchase_sample_state (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  size INTEGER NOT NULL CHECK (size BETWEEN 0 AND 100000),
  threshold INTEGER NOT NULL CHECK (threshold BETWEEN 1 AND 65536)
) STRICT;
INSERT INTO purchase_sample_state (id, size, threshold) VALUES (1, 0, 65536);
-- The bound holds whatever the code above believes: a row too many is left out, the rest of its batch goes on.
CREATE TRIGGER purchase_sample_full BEFORE INSERT ON purchase_sample WHEN (SELECT size FROM purchase_sample_state) >= 100000 BEGIN SELECT RAISE(IGNORE); END;
CREATE TRIGGER purchase_sample_added AFTER INSERT ON purchase_sample BEGIN UPDATE purchase_sample_state SET size = size + 1; END;
CREATE TRIGGER purchase_sample_removed AFTER DELETE ON purchase_sample BEGIN UPDATE purchase_sample_state SET size = size - 1; END;
CREATE TRIGGER purchase_sample_fixed BEFORE UPDATE ON purchase_sample BEGIN SELECT RAISE(ABORT, 'the sample is not changed'); END;

-- Rows that a person must look at. What they are (amount, date, brand) stays in the ledger and is read from there.
CREATE TABLE reviews (
  purchase_id TEXT PRIMARY KEY NOT NULL,
  user_id TEXT NOT NULL,
  why TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
  opened_at_ms INTEGER NOT NULL,
  closed_at_ms INTEGER,
  -- The decision is written down before the ledger is told, so that a sweep can finish what was left open between the two.
  decision TEXT CHECK (decision IN ('count', 'refuse')),
  decided_by TEXT,
  decided_at_ms INTEGER,
  CHECK ((state = 'closed') = (closed_at_ms IS NOT NULL)),
  CHECK ((decision IS NULL) = (decided_by IS NULL) AND (decision IS NULL) = (decided_at_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reviews_open ON reviews (opened_at_ms, purchase_id) WHERE state = 'open';
CREATE INDEX reviews_by_user ON reviews (user_id);
