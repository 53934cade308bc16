-- A bank that gives an account's IBAN one month and not the next must not make two accounts of it. `weak_key` is the keyed hash of user,
-- bank and name that every account has, whatever else names it; `family` is the fingerprint under which the ledger keeps the account
-- when that is an earlier generation's and not its own.
ALTER TABLE bank_accounts ADD COLUMN weak_key TEXT;
ALTER TABLE bank_accounts ADD COLUMN family TEXT;
