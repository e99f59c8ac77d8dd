-- Sign-in to the console and the API. Owner: people. Secrets are kept as digests of 256 random bits, passwords as argon2id.
CREATE TABLE sign_in (
	tenant_id text NOT NULL,
	subject_id text NOT NULL,
	-- Digest of the e-mail address under the installation's key: looked up before the organisation is known.
	name_index bytea NOT NULL,
	password text NOT NULL,
	changed_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, subject_id),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
CREATE INDEX sign_in_name ON sign_in (name_index);
SELECT latchwork.guard('sign_in');

CREATE TABLE session (
	tenant_id text NOT NULL,
	session_id text NOT NULL,
	subject_id text NOT NULL,
	digest text NOT NULL,
	created_at bigint NOT NULL,
	seen_at bigint NOT NULL,
	idle_ms bigint NOT NULL,
	expires_at bigint NOT NULL,
	ended_at bigint,
	PRIMARY KEY (tenant_id, session_id),
	UNIQUE (tenant_id, digest),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
CREATE INDEX session_of ON session (tenant_id, subject_id);
SELECT latchwork.guard('session');

CREATE TABLE api_token (
	tenant_id text NOT NULL,
	token_id text NOT NULL,
	-- Whose rights it carries.
	subject_id text NOT NULL,
	digest text NOT NULL,
	name text NOT NULL,
	-- Null: everything that its owner may.
	permissions jsonb,
	expires_at bigint,
	last_used_at bigint,
	revoked_at bigint,
	created_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, token_id),
	UNIQUE (tenant_id, digest),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
CREATE INDEX api_token_of ON api_token (tenant_id, subject_id);
SELECT latchwork.guard('api_token');

-- Of no organisation: who tries is not known yet. Keys are digests of names and addresses under the installation's key, of unknown names too.
CREATE TABLE sign_in_try (
	key bytea PRIMARY KEY,
	failures integer NOT NULL,
	locked_until bigint NOT NULL,
	last_at bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_try TO latchwork_system;

-- The installation's own key, sealed under the master key.
CREATE TABLE installation (
	one boolean PRIMARY KEY CHECK (one),
	sealed bytea NOT NULL,
	created_at bigint NOT NULL
);
GRANT SELECT, INSERT ON installation TO latchwork_system;
