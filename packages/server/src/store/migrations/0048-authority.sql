-- What each bank may decide by, as it was signed last. Owner: authority.
CREATE TABLE bundle (
	tenant_id text NOT NULL,
	bank_id text NOT NULL,
	-- 0: being composed for the first time.
	version bigint NOT NULL,
	-- Hex SHA-256 of the content without version and times: whether anything changed.
	content_digest text NOT NULL,
	-- Hex SHA-256 of the signed bytes: what the controller says that it accepted.
	digest text NOT NULL,
	-- The signed document, as it is handed out.
	text bytea NOT NULL,
	issued_at bigint NOT NULL,
	stale_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	-- When it has to be looked at again although nothing was marked: it grows old, or something in it ends by itself.
	due_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, bank_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
CREATE INDEX bundle_due ON bundle (due_at);
SELECT latchwork.guard('bundle');
