-- Each connection has a user of its own at the aggregator, made by the aggregator's page and known here by the code that came back and
-- was traded for its token. So a user may have many links; those of before keep all their connections.
DROP INDEX aggregator_links_standing;
CREATE INDEX aggregator_links_by_user ON aggregator_links (user_id);
-- The token that a trade brought, while whose token it is has not been read (`remote_user_id`). Sealed like `token_cipher`, which it becomes.
ALTER TABLE aggregator_links ADD COLUMN traded_token_cipher TEXT CHECK (traded_token_cipher GLOB 'f1.*');
-- When the connections of a new link were first read. What appears there later was brought by no traded code and is never taken in.
ALTER TABLE aggregator_links ADD COLUMN connections_read_at_ms INTEGER;
-- Trades whose answer is not stored.
CREATE INDEX aggregator_links_trades ON aggregator_links (attempt_at_ms) WHERE state = 'creating';
UPDATE aggregator_links SET connections_read_at_ms = unixepoch() * 1000 WHERE state IN ('created', 'ending');
UPDATE aggregator_links SET state = 'ended', ended_at_ms = unixepoch() * 1000 WHERE state IN ('intended', 'creating');

-- What the trade of a returned code is known by: the same code is answered again, another refused. `remote_connection_id` is what the
-- redirect claimed: a hint, kept for 48 hours, that finds the aggregator's user again when the answer to the trade was lost.
ALTER TABLE connection_intents ADD COLUMN code_hash TEXT;
ALTER TABLE connection_intents ADD COLUMN link_id TEXT REFERENCES aggregator_links (id);
ALTER TABLE connection_intents ADD COLUMN remote_connection_id TEXT;
CREATE INDEX connection_intents_hints ON connection_intents (remote_connection_id) WHERE remote_connection_id IS NOT NULL;
CREATE INDEX connection_intents_by_link ON connection_intents (link_id) WHERE link_id IS NOT NULL;
-- Pages that were opened with a code of ours bring none back.
UPDATE connection_intents SET spent_at_ms = unixepoch() * 1000, outcome = 'refused' WHERE kind = 'connect' AND spent_at_ms IS NULL;

-- Since when a page may have been opened to renew the connection: accounts that appear afterwards are taken only when they are known.
ALTER TABLE bank_connections ADD COLUMN renewal_offered_at_ms INTEGER;
UPDATE bank_connections SET renewal_offered_at_ms = (SELECT MAX(i.created_at_ms) FROM connection_intents i WHERE i.connection_id = bank_connections.id);
