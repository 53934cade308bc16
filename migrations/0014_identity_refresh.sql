-- What the successor of a refresh token was derived from, so that the previous token gets the same successor again: the successor itself is
-- never stored. NULL before the first rotation, and in sessions that last rotated before this migration: their previous token is spent.
ALTER TABLE sessions ADD COLUMN successor_salt TEXT CHECK (successor_salt IS NULL OR previous_hash IS NOT NULL);
