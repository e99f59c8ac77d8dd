-- Banks whose bundle may no longer say what is true. Written in the transaction of the change itself, so that neither a crash nor a
-- busy server forgets one; `authority` composes and takes the row away. Owner: estate, because every domain to its right marks.
CREATE TABLE bundle_dirty (
	tenant_id text NOT NULL,
	bank_id text NOT NULL,
	since bigint NOT NULL,
	-- Rises with each mark: a mark that comes while the bundle is being composed stays.
	mark bigint NOT NULL,
	PRIMARY KEY (tenant_id, bank_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
SELECT latchwork.guard('bundle_dirty');
