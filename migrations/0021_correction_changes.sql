-- Corrections that would make labels count for a brand that an offer pays for: they wait for a second person. Additive.
CREATE TABLE correction_changes (
  id TEXT PRIMARY KEY NOT NULL,
  merchant TEXT NOT NULL CHECK (length(merchant) BETWEEN 1 AND 200),
  brand_id TEXT NOT NULL REFERENCES brands (id),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'approved', 'superseded')),
  created_by TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  approved_by TEXT CHECK (approved_by <> created_by),
  decided_at_ms INTEGER,
  CHECK ((state = 'waiting') = (decided_at_ms IS NULL)),
  CHECK ((state = 'approved') = (approved_by IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX correction_changes_waiting ON correction_changes (merchant) WHERE state = 'waiting';
CREATE TRIGGER correction_changes_fixed BEFORE UPDATE ON correction_changes WHEN OLD.state <> 'waiting' OR NEW.id IS NOT OLD.id OR NEW.merchant IS NOT OLD.merchant OR NEW.brand_id IS NOT OLD.brand_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a correction is only decided, once'); END;
CREATE TRIGGER correction_changes_no_delete BEFORE DELETE ON correction_changes BEGIN SELECT RAISE(ABORT, 'corrections are not deleted'); END;
