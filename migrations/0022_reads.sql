-- Rows are read weekly, also of connections that are lapsed: what a webhook said of them waits for a read, and the aggregator still
-- holds what the bank gave before.
DROP INDEX bank_connections_changes;
CREATE INDEX bank_connections_changes ON bank_connections (changes_due_at_ms) WHERE status <> 'removed';
