-- Whom the device port lets in. Owner: link.

-- Certificate of a tenant's device authority; the key is tenant_key 'device-ca'.
CREATE TABLE device_authority (
	tenant_id text NOT NULL,
	key_id text NOT NULL,
	-- PEM.
	certificate text NOT NULL,
	created_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, key_id)
);
SELECT latchwork.guard('device_authority');

-- Every certificate that was issued to a controller: what is not here was not issued by us, whoever signed it.
CREATE TABLE device_certificate (
	tenant_id text NOT NULL,
	-- Hex SHA-256 of the DER bytes.
	fingerprint text NOT NULL,
	controller_id text NOT NULL,
	serial text NOT NULL,
	issued_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	revoked_at bigint,
	PRIMARY KEY (tenant_id, fingerprint)
);
SELECT latchwork.guard('device_certificate');
CREATE INDEX device_certificate_of ON device_certificate (tenant_id, controller_id);
CREATE INDEX device_certificate_revoked ON device_certificate (expires_at) WHERE revoked_at IS NOT NULL;

-- Public keys under which a controller signs the heads of its streams; old ones stay for what they signed.
CREATE TABLE head_key (
	tenant_id text NOT NULL,
	controller_id text NOT NULL,
	key_id text NOT NULL,
	public_key bytea NOT NULL,
	created_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, controller_id, key_id)
);
SELECT latchwork.guard('head_key');

-- Works once, for one controller, for a quarter of an hour. Only its hash is kept.
CREATE TABLE claim_token (
	tenant_id text NOT NULL,
	claim_id text NOT NULL,
	controller_id text NOT NULL,
	hash bytea NOT NULL,
	created_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	used_at bigint,
	-- A newer one of the same controller took its place.
	withdrawn_at bigint,
	PRIMARY KEY (tenant_id, claim_id)
);
SELECT latchwork.guard('claim_token');
-- A claim comes before anybody knows the tenant.
CREATE UNIQUE INDEX claim_token_hash ON claim_token (hash);
CREATE INDEX claim_token_open ON claim_token (tenant_id, controller_id) WHERE used_at IS NULL AND withdrawn_at IS NULL;

-- Of the installation, not of a tenant: what controllers trust when they dial. The key is sealed under the master key.
CREATE TABLE port_authority (
	single boolean PRIMARY KEY DEFAULT true CHECK (single),
	certificate text NOT NULL,
	sealed bytea NOT NULL,
	created_at bigint NOT NULL
);
GRANT SELECT, INSERT ON port_authority TO latchwork_system;
-- A claim token names it by its digest, so that a machine that holds nothing else knows the port by it.
GRANT SELECT (certificate) ON port_authority TO latchwork_app;
