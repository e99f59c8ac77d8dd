-- An answer that gets lost must not cost the claim: the machine that used it, known by its key, may ask again until the claim is too old.
-- SHA-256 of the key in its certificate request (SubjectPublicKeyInfo). Owner: link.
ALTER TABLE claim_token ADD COLUMN used_by bytea;
DROP INDEX claim_token_open;
CREATE INDEX claim_token_open ON claim_token (tenant_id, controller_id) WHERE withdrawn_at IS NULL;
