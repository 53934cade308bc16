-- A keyed seal over the columns of a row that say whose it is or what it earns (db/row-seals.ts). NULL: made before there were seals.
ALTER TABLE users ADD COLUMN seal TEXT;
ALTER TABLE sessions ADD COLUMN seal TEXT;
ALTER TABLE consents ADD COLUMN seal TEXT;
ALTER TABLE identity_links ADD COLUMN seal TEXT;
ALTER TABLE passkeys ADD COLUMN seal TEXT;
ALTER TABLE email_changes ADD COLUMN seal TEXT;
ALTER TABLE aggregator_links ADD COLUMN seal TEXT;
ALTER TABLE bank_connections ADD COLUMN seal TEXT;
ALTER TABLE bank_accounts ADD COLUMN seal TEXT;
ALTER TABLE brands ADD COLUMN seal TEXT;
ALTER TABLE alias_changes ADD COLUMN seal TEXT;
ALTER TABLE offers ADD COLUMN seal TEXT;
ALTER TABLE offer_versions ADD COLUMN seal TEXT;
ALTER TABLE recognition_corrections ADD COLUMN seal TEXT;
ALTER TABLE correction_changes ADD COLUMN seal TEXT;

-- What never changed still does not, but a row of before can be sealed and a seal renewed under another key.
DROP TRIGGER consents_no_update;
CREATE TRIGGER consents_no_update BEFORE UPDATE OF id, user_id, purpose, sequence, granted, text_version, at_ms ON consents BEGIN SELECT RAISE(ABORT, 'consents is append-only'); END;
DROP TRIGGER alias_changes_fixed;
CREATE TRIGGER alias_changes_fixed BEFORE UPDATE OF id, brand_id, name, aliases, excluded, state, created_by, created_at_ms, approved_by, decided_at_ms ON alias_changes WHEN OLD.state <> 'waiting' OR NEW.id IS NOT OLD.id OR NEW.brand_id IS NOT OLD.brand_id OR NEW.name IS NOT OLD.name OR NEW.aliases IS NOT OLD.aliases OR NEW.excluded IS NOT OLD.excluded OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'an alias change is only decided, once'); END;
DROP TRIGGER offer_versions_fixed;
CREATE TRIGGER offer_versions_fixed BEFORE UPDATE OF offer_id, number, terms, second_person, state, request_key, created_by, created_at_ms, approved_by, approved_at_ms ON offer_versions WHEN OLD.state <> 'waiting' OR NEW.state <> 'approved' OR NEW.offer_id IS NOT OLD.offer_id OR NEW.number IS NOT OLD.number OR NEW.terms IS NOT OLD.terms OR NEW.second_person IS NOT OLD.second_person OR NEW.request_key IS NOT OLD.request_key OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a version is only approved, once'); END;
DROP TRIGGER correction_changes_fixed;
CREATE TRIGGER correction_changes_fixed BEFORE UPDATE OF id, merchant, brand_id, state, created_by, created_at_ms, approved_by, decided_at_ms ON correction_changes WHEN OLD.state <> 'waiting' OR NEW.id IS NOT OLD.id OR NEW.merchant IS NOT OLD.merchant OR NEW.brand_id IS NOT OLD.brand_id OR NEW.created_by IS NOT OLD.created_by OR NEW.created_at_ms IS NOT OLD.created_at_ms BEGIN SELECT RAISE(ABORT, 'a correction is only decided, once'); END;
