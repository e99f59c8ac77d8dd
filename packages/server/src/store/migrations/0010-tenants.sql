-- Organisations, their keys, and settings that places inherit. Owner: tenants.
CREATE TABLE tenant (
	tenant_id text PRIMARY KEY,
	name text NOT NULL,
	-- First line of every checkpoint of its log; never changes.
	origin text NOT NULL,
	created_at bigint NOT NULL
);
SELECT latchwork.guard('tenant');

-- Private parts are sealed under the installation's master key; a retired key stays for what it signed.
CREATE TABLE tenant_key (
	tenant_id text NOT NULL REFERENCES tenant,
	kind text NOT NULL CHECK (kind IN ('log', 'maker', 'kek', 'device-ca')),
	key_id text NOT NULL,
	public_key bytea,
	sealed bytea NOT NULL,
	created_at bigint NOT NULL,
	retired_at bigint,
	PRIMARY KEY (tenant_id, kind, key_id)
);
CREATE UNIQUE INDEX tenant_key_in_use ON tenant_key (tenant_id, kind) WHERE retired_at IS NULL;
SELECT latchwork.guard('tenant_key');

-- One row a level and place, so that its version is that of everything set there. `place` is '' for the organisation.
CREATE TABLE setting (
	tenant_id text NOT NULL REFERENCES tenant,
	level text NOT NULL CHECK (level IN ('tenant', 'site', 'area', 'bank')),
	place text NOT NULL,
	chosen jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, level, place)
);
SELECT latchwork.guard('setting');
