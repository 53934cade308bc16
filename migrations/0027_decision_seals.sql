-- Seals (0026_row_seals.sql) of what persons decide: halts, stops of offers, reviews of purchases and of ages.
ALTER TABLE halts ADD COLUMN seal TEXT;
ALTER TABLE offer_stops ADD COLUMN seal TEXT;
ALTER TABLE reviews ADD COLUMN seal TEXT;
ALTER TABLE age_reviews ADD COLUMN seal TEXT;

-- What never changed still does not, but a row of before can be sealed and a seal renewed under another key.
DROP TRIGGER halts_fixed;
CREATE TRIGGER halts_fixed BEFORE UPDATE OF id, what, reason, begun_by, begun_at_ms, end_asked_by, end_asked_at_ms, ended_by, ended_at_ms ON halts WHEN OLD.ended_at_ms IS NOT NULL OR NEW.id IS NOT OLD.id OR NEW.what IS NOT OLD.what OR NEW.reason IS NOT OLD.reason OR NEW.begun_by IS NOT OLD.begun_by OR NEW.begun_at_ms IS NOT OLD.begun_at_ms BEGIN SELECT RAISE(ABORT, 'a halt is only ended, once'); END;
DROP TRIGGER offer_stops_fixed;
CREATE TRIGGER offer_stops_fixed BEFORE UPDATE OF offer_id, kind, state, reason, created_by, created_at_ms, approved_by, stops_at_ms ON offer_stops WHEN OLD.state <> 'waiting' OR NEW.offer_id IS NOT OLD.offer_id OR NEW.kind IS NOT OLD.kind OR NEW.reason IS NOT OLD.reason OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a stop is only approved, once'); END;
