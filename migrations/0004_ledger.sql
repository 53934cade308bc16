-- What D1 knows of the ledgers, written by the objects' outboxes only and rebuildable from them. No foreign keys: a projection
-- outlives the user row (a closed leaf stays), and offers may be retired.
CREATE TABLE ledger_heads (
  user_id TEXT PRIMARY KEY,
  last_sequence INTEGER NOT NULL CHECK (last_sequence >= 0),
  head TEXT NOT NULL CHECK (length(head) = 64),
  pending INTEGER NOT NULL CHECK (pending >= 0),
  available INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0),
  projected_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Day of recording (Europe/Paris); empty text where a transaction has no brand or no offer.
CREATE TABLE counters (
  day TEXT NOT NULL,
  brand_id TEXT NOT NULL,
  offer_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  purchases INTEGER NOT NULL,
  cents INTEGER NOT NULL,
  points INTEGER NOT NULL,
  PRIMARY KEY (day, brand_id, offer_id, kind)
) STRICT, WITHOUT ROWID;
