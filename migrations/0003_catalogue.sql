-- The version of the whole catalogue. Every change of a table below adds one in the same batch, on the condition that nobody
-- else did meanwhile: what an isolate compiled under a version is exact for that version.
CREATE TABLE catalogue_state (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  version INTEGER NOT NULL CHECK (version >= 1),
  -- The version at which brands or corrections last changed: the recogniser is compiled again only then.
  brands_version INTEGER NOT NULL CHECK (brands_version BETWEEN 1 AND version)
) STRICT;
INSERT INTO catalogue_state (id, version, brands_version) VALUES (1, 1, 1);
CREATE TRIGGER catalogue_state_forward BEFORE UPDATE ON catalogue_state WHEN NEW.version <= OLD.version BEGIN SELECT RAISE(ABORT, 'the catalogue version only grows'); END;
CREATE TRIGGER catalogue_state_no_delete BEFORE DELETE ON catalogue_state BEGIN SELECT RAISE(ABORT, 'catalogue_state has one row'); END;

CREATE TABLE brands (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
  -- The name without case, accents and doubled blanks: no two brands may look the same.
  name_key TEXT NOT NULL UNIQUE CHECK (length(name_key) >= 1),
  category TEXT NOT NULL CHECK (length(category) BETWEEN 1 AND 60),
  aliases TEXT NOT NULL CHECK (json_valid(aliases) AND json_type(aliases) = 'array'),
  excluded TEXT NOT NULL CHECK (json_valid(excluded) AND json_type(excluded) = 'array'),
  website TEXT,
  logo_url TEXT,
  wikidata TEXT,
  -- Hash of operator, route and Idempotency-Key: a request that died after its commit finds its own brand again.
  request_key TEXT UNIQUE,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL CHECK (updated_at_ms >= created_at_ms)
) STRICT;
CREATE TRIGGER brands_fixed BEFORE UPDATE ON brands WHEN NEW.id IS NOT OLD.id OR NEW.request_key IS NOT OLD.request_key OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a brand keeps its id'); END;
-- Ledgers and statistics name brands for ever.
CREATE TRIGGER brands_no_delete BEFORE DELETE ON brands BEGIN SELECT RAISE(ABORT, 'brands are not deleted'); END;

-- A change of what a brand is recognised by, while an offer pays for it: waits for a second person.
CREATE TABLE alias_changes (
  id TEXT PRIMARY KEY NOT NULL,
  brand_id TEXT NOT NULL REFERENCES brands (id),
  name TEXT NOT NULL,
  aliases TEXT NOT NULL CHECK (json_valid(aliases) AND json_type(aliases) = 'array'),
  excluded TEXT NOT NULL CHECK (json_valid(excluded) AND json_type(excluded) = 'array'),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'superseded')),
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  approved_by TEXT CHECK (approved_by <> created_by),
  decided_at_ms INTEGER,
  CHECK ((state = 'waiting') = (decided_at_ms IS NULL)),
  CHECK ((state = 'approved') = (approved_by IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX alias_changes_waiting ON alias_changes (brand_id) WHERE state = 'waiting';
CREATE TRIGGER alias_changes_fixed BEFORE UPDATE ON alias_changes WHEN OLD.state <> 'waiting' OR NEW.id IS NOT OLD.id OR NEW.brand_id IS NOT OLD.brand_id OR NEW.name IS NOT OLD.name OR NEW.aliases IS NOT OLD.aliases OR NEW.excluded IS NOT OLD.excluded OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'an alias change is only decided, once'); END;
CREATE TRIGGER alias_changes_no_delete BEFORE DELETE ON alias_changes BEGIN SELECT RAISE(ABORT, 'alias changes are not deleted'); END;

CREATE TABLE offers (
  id TEXT PRIMARY KEY NOT NULL,
  brand_id TEXT NOT NULL REFERENCES brands (id),
  title_fr TEXT NOT NULL CHECK (length(title_fr) BETWEEN 1 AND 120),
  title_en TEXT NOT NULL CHECK (length(title_en) BETWEEN 1 AND 120),
  request_key TEXT UNIQUE,
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX offers_by_brand ON offers (brand_id);
CREATE TRIGGER offers_no_update BEFORE UPDATE ON offers BEGIN SELECT RAISE(ABORT, 'offers are not changed'); END;
CREATE TRIGGER offers_no_delete BEFORE DELETE ON offers BEGIN SELECT RAISE(ABORT, 'offers are not deleted'); END;

-- Terms never change: what a user was shown is what is applied. A new version replaces an old one from its start on.
CREATE TABLE offer_versions (
  offer_id TEXT NOT NULL REFERENCES offers (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  terms TEXT NOT NULL CHECK (json_valid(terms) AND json_type(terms) = 'object'),
  second_person INTEGER NOT NULL CHECK (second_person IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('approved', 'waiting')),
  request_key TEXT UNIQUE,
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  approved_by TEXT CHECK (approved_by <> created_by),
  approved_at_ms INTEGER,
  PRIMARY KEY (offer_id, number),
  CHECK ((state = 'approved') = (approved_at_ms IS NOT NULL)),
  -- Above the limits nothing is approved without a second person, whatever the code above believes.
  CHECK ((approved_by IS NOT NULL) = (state = 'approved' AND second_person = 1))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER offer_versions_in_order BEFORE INSERT ON offer_versions WHEN NEW.number <> 1 + COALESCE((SELECT MAX(number) FROM offer_versions WHERE offer_id = NEW.offer_id), 0) BEGIN SELECT RAISE(ABORT, 'versions are numbered without gaps'); END;
CREATE TRIGGER offer_versions_fixed BEFORE UPDATE ON offer_versions WHEN OLD.state <> 'waiting' OR NEW.state <> 'approved' OR NEW.offer_id IS NOT OLD.offer_id OR NEW.number IS NOT OLD.number OR NEW.terms IS NOT OLD.terms OR NEW.second_person IS NOT OLD.second_person OR NEW.request_key IS NOT OLD.request_key OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a version is only approved, once'); END;
CREATE TRIGGER offer_versions_no_delete BEFORE DELETE ON offer_versions BEGIN SELECT RAISE(ABORT, 'versions are not deleted'); END;

-- What operators said about a merchant text. The recogniser's cleaned text, never a label: a label is a user's data.
CREATE TABLE recognition_corrections (
  merchant TEXT PRIMARY KEY NOT NULL CHECK (length(merchant) BETWEEN 1 AND 200),
  -- NULL: no brand of ours.
  brand_id TEXT REFERENCES brands (id),
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL CHECK (updated_at_ms >= created_at_ms)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER recognition_corrections_no_delete BEFORE DELETE ON recognition_corrections BEGIN SELECT RAISE(ABORT, 'corrections are not deleted'); END;
