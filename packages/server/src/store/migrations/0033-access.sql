-- Who may do what where through the API, and the policies of sites. Owner: access. Built-in roles are in the code (core/access permissions.ts).
CREATE TABLE role (
	tenant_id text NOT NULL,
	role_id text NOT NULL,
	name text NOT NULL,
	permissions jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, role_id),
	UNIQUE (tenant_id, name)
);
SELECT latchwork.guard('role');

CREATE TABLE role_assignment (
	tenant_id text NOT NULL,
	assignment_id text NOT NULL,
	-- Id of a role of the organisation's own, or the name of one that came with the product.
	role text NOT NULL,
	subject_id text,
	group_id text,
	scope_kind text NOT NULL CHECK (scope_kind IN ('tenant', 'site', 'area', 'bank')),
	-- '' for the organisation.
	scope_id text NOT NULL,
	created_at bigint NOT NULL,
	created_by text NOT NULL,
	PRIMARY KEY (tenant_id, assignment_id),
	CHECK ((subject_id IS NULL) <> (group_id IS NULL)),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE,
	FOREIGN KEY (tenant_id, group_id) REFERENCES person_group ON DELETE CASCADE
);
CREATE UNIQUE INDEX role_assignment_once ON role_assignment (tenant_id, role, coalesce(subject_id, group_id), scope_kind, scope_id);
CREATE INDEX role_assignment_subject ON role_assignment (tenant_id, subject_id);
CREATE INDEX role_assignment_group ON role_assignment (tenant_id, group_id);
SELECT latchwork.guard('role_assignment');

CREATE TABLE policy (
	tenant_id text NOT NULL,
	policy_id text NOT NULL,
	-- As decisions name it.
	code text NOT NULL,
	site_id text,
	bank_id text,
	draft text NOT NULL,
	-- Null: never published. Decisions are made by this text.
	published integer,
	retired_at bigint,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, policy_id),
	UNIQUE (tenant_id, code)
);
SELECT latchwork.guard('policy');

-- Every text that was ever in force.
CREATE TABLE policy_version (
	tenant_id text NOT NULL,
	policy_id text NOT NULL,
	number integer NOT NULL,
	cedar text NOT NULL,
	published_at bigint NOT NULL,
	published_by text NOT NULL,
	PRIMARY KEY (tenant_id, policy_id, number),
	FOREIGN KEY (tenant_id, policy_id) REFERENCES policy
);
SELECT latchwork.guard('policy_version');

-- Counts every change of what is in force: the bundle's policy version.
CREATE TABLE policy_epoch (
	tenant_id text NOT NULL,
	epoch integer NOT NULL,
	PRIMARY KEY (tenant_id)
);
SELECT latchwork.guard('policy_epoch');
