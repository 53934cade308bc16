-- The aggregator promises only new rows in its webhooks: a row that changes under its id is seen by reading only. Per connection, what
-- changed before `changes_read_at_ms` has been recorded (NULL: nothing is sure), and when to read again.
ALTER TABLE bank_connections ADD COLUMN changes_read_at_ms INTEGER;
ALTER TABLE bank_connections ADD COLUMN changes_due_at_ms INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bank_connections_changes ON bank_connections (changes_due_at_ms) WHERE status = 'active';

-- A time without syncs: from the last good one to the one that followed a renewal, and when what lies between was read back.
CREATE TABLE bank_gaps (
  connection_id TEXT NOT NULL REFERENCES bank_connections (id),
  from_ms INTEGER NOT NULL,
  to_ms INTEGER CHECK (to_ms >= from_ms),
  recovered_at_ms INTEGER,
  PRIMARY KEY (connection_id, from_ms),
  CHECK (recovered_at_ms IS NULL OR to_ms IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- What a repair resolves is found by its connection.
CREATE INDEX quarantine_by_connection ON quarantine (remote_connection_id) WHERE resolved_at_ms IS NULL;
