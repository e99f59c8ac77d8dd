-- What was taken away since the last look is looked for at each site, many times a second, among all who are there. Owner: people.
CREATE INDEX credential_revoked ON credential (tenant_id, revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX credential_ends ON credential (tenant_id, not_after) WHERE not_after IS NOT NULL;
CREATE INDEX person_suspended ON person (tenant_id, updated_at) WHERE suspended;
