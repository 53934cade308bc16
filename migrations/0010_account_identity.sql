-- An account's name is no part of its identity any more. `own_iban` is the keyed hash of its own valid IBAN; `fingerprint` that of the IBAN
-- which it shares with its cards, once it was seen again (`name_tag` is set then; until then a card's fingerprint still holds the name).
-- `earlier_keys` are the fingerprints of before, by which accounts are recognised that were not seen since (a JSON list).
ALTER TABLE bank_accounts ADD COLUMN own_iban TEXT;
ALTER TABLE bank_accounts ADD COLUMN name_tag TEXT;
ALTER TABLE bank_accounts ADD COLUMN parent_remote_account_id TEXT;
ALTER TABLE bank_accounts ADD COLUMN earlier_keys TEXT;
-- Since when its connection no longer lists it: accounts listed at the same time are different ones.
ALTER TABLE bank_accounts ADD COLUMN gone_at_ms INTEGER;
UPDATE bank_accounts SET own_iban = fingerprint WHERE strength = 'iban';
UPDATE bank_accounts SET gone_at_ms = updated_at_ms WHERE state = 'deleted';
