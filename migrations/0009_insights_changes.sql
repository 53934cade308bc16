-- Counting a held row that would earn much takes two persons: what the first one proposed, and for how many points at most.
ALTER TABLE reviews ADD COLUMN proposed_by TEXT;
ALTER TABLE reviews ADD COLUMN proposed_at_ms INTEGER;
ALTER TABLE reviews ADD COLUMN proposed_points INTEGER CHECK ((proposed_points IS NULL) = (proposed_by IS NULL) AND (proposed_points IS NULL) = (proposed_at_ms IS NULL));

-- Rows of the sample are now named by the row of the book and told again when it changes. Those here have names that nobody finds
-- again; the ledgers tell theirs anew as they wake. `purchase_sample_fixed` stays: a changed row is deleted and added, never altered.
DELETE FROM purchase_sample;
