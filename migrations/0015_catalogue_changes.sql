-- Brands that are archived, offers whose words change, stops of offers, what budgets have reserved, and the reason of a review's
-- decision. Additive: rows of before have NULL.
ALTER TABLE brands ADD COLUMN archived_at_ms INTEGER;

ALTER TABLE offers ADD COLUMN description_fr TEXT CHECK (length(description_fr) BETWEEN 1 AND 2000);
ALTER TABLE offers ADD COLUMN description_en TEXT CHECK ((description_en IS NULL) = (description_fr IS NULL) AND length(description_en) BETWEEN 1 AND 2000);
ALTER TABLE offers ADD COLUMN image_url TEXT;
ALTER TABLE offers ADD COLUMN updated_at_ms INTEGER;
DROP TRIGGER offers_no_update;
CREATE TRIGGER offers_fixed BEFORE UPDATE ON offers WHEN NEW.id IS NOT OLD.id OR NEW.brand_id IS NOT OLD.brand_id OR NEW.request_key IS NOT OLD.request_key OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'only the words and the image of an offer change'); END;

-- An end that was not planned. `end_of_day`: by one person, at the end of its day in Paris; `immediate`: by two.
CREATE TABLE offer_stops (
  offer_id TEXT NOT NULL REFERENCES offers (id),
  kind TEXT NOT NULL CHECK (kind IN ('end_of_day', 'immediate')),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'in_force')),
  reason TEXT CHECK (length(reason) BETWEEN 1 AND 500),
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  approved_by TEXT CHECK (approved_by <> created_by),
  stops_at_ms INTEGER,
  PRIMARY KEY (offer_id, kind),
  CHECK ((state = 'in_force') = (stops_at_ms IS NOT NULL)),
  CHECK (kind = 'end_of_day' OR reason IS NOT NULL),
  -- Whatever the code above believes, one person alone ends nothing at once.
  CHECK ((approved_by IS NOT NULL) = (kind = 'immediate' AND state = 'in_force')),
  CHECK (kind = 'immediate' OR state = 'in_force')
) STRICT, WITHOUT ROWID;
CREATE TRIGGER offer_stops_fixed BEFORE UPDATE ON offer_stops WHEN OLD.state <> 'waiting' OR NEW.offer_id IS NOT OLD.offer_id OR NEW.kind IS NOT OLD.kind OR NEW.reason IS NOT OLD.reason OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a stop is only approved, once'); END;
CREATE TRIGGER offer_stops_no_delete BEFORE DELETE ON offer_stops BEGIN SELECT RAISE(ABORT, 'stops are not deleted'); END;

-- What an offer's budget had reserved when it last answered: for screens and alerts. The budget object alone decides.
CREATE TABLE offer_budgets (
  offer_id TEXT PRIMARY KEY NOT NULL,
  reserved_points INTEGER NOT NULL CHECK (reserved_points >= 0),
  updated_at_ms INTEGER NOT NULL,
  -- The highest share that was alerted (80 or 100), and of which budget: a raised budget is alerted anew.
  alerted_percent INTEGER NOT NULL DEFAULT 0,
  alerted_budget_points INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

ALTER TABLE reviews ADD COLUMN decision_reason TEXT CHECK (length(decision_reason) BETWEEN 1 AND 500);
