-- What a person has learnt or was found fit for, by the tenant's own codes. Owner: people.
CREATE TABLE qualification (
	tenant_id text NOT NULL,
	subject_id text NOT NULL,
	code text NOT NULL,
	-- Null: for good.
	until bigint,
	given_at bigint NOT NULL,
	given_by text NOT NULL,
	PRIMARY KEY (tenant_id, subject_id, code),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
SELECT latchwork.guard('qualification');

-- One person lets another take things of a type for a while. Owner: access.
CREATE TABLE approval (
	tenant_id text NOT NULL,
	approval_id text NOT NULL,
	subject_id text NOT NULL,
	type_code text NOT NULL,
	until bigint NOT NULL,
	given_at bigint NOT NULL,
	given_by text NOT NULL,
	PRIMARY KEY (tenant_id, approval_id),
	-- The same person twice is one person.
	UNIQUE (tenant_id, subject_id, type_code, given_by),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
SELECT latchwork.guard('approval');
