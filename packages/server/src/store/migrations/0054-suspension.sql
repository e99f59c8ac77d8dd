-- From when until when somebody was suspended: what a bank did meanwhile, not knowing of it, is told from what was allowed. Owner: people.
CREATE TABLE suspension (
	tenant_id text NOT NULL,
	subject_id text NOT NULL,
	since bigint NOT NULL,
	ended_at bigint,
	PRIMARY KEY (tenant_id, subject_id, since),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
SELECT latchwork.guard('suspension');
INSERT INTO suspension (tenant_id, subject_id, since) SELECT tenant_id, subject_id, updated_at FROM person WHERE suspended;
