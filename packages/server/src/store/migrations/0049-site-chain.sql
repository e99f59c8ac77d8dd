-- Where the chain of a site's deltas stands (core/access delta.ts). The deltas themselves are not kept: whoever missed one gets the bundle. Owner: authority.
CREATE TABLE site_chain (
	tenant_id text NOT NULL,
	site_id text NOT NULL,
	n bigint NOT NULL,
	-- Hex SHA-256 of the newest delta's signed bytes; 64 zeros before the first.
	hash text NOT NULL,
	-- Up to when was looked for what people took away; and what was told lately, so that the next look, which reaches back a little, does not tell it again.
	looked_at bigint NOT NULL,
	told jsonb NOT NULL,
	PRIMARY KEY (tenant_id, site_id),
	FOREIGN KEY (tenant_id, site_id) REFERENCES site ON DELETE CASCADE
);
SELECT latchwork.guard('site_chain');
