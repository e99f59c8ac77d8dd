-- Where a badge was last used, for as long as somebody may be on the way to another site: a badge at two of them at once is a copy (trust.md T4).
-- By its commitment: no row names a person or a badge. Owner: cases.
CREATE TABLE badge_use (
	tenant_id text NOT NULL,
	commitment text NOT NULL,
	site_id text NOT NULL,
	bank_id text NOT NULL,
	at bigint NOT NULL,
	PRIMARY KEY (tenant_id, commitment, site_id)
);
SELECT latchwork.guard('badge_use');
CREATE INDEX badge_use_at ON badge_use (at);
