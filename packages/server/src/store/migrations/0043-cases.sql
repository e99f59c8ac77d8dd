-- Runs of workflows. Owner: cases.

-- A case keeps the table that it began with (architecture.md §3).
CREATE TABLE workflow_table (
	tenant_id text NOT NULL,
	hash text NOT NULL,
	workflow text NOT NULL,
	body jsonb NOT NULL,
	created_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, hash)
);
SELECT latchwork.guard('workflow_table');

-- Numbers that people say to each other: DL-00017.
CREATE TABLE case_number (
	tenant_id text NOT NULL,
	workflow text NOT NULL,
	last integer NOT NULL,
	PRIMARY KEY (tenant_id, workflow)
);
SELECT latchwork.guard('case_number');

CREATE TABLE workflow_case (
	tenant_id text NOT NULL,
	case_id text NOT NULL,
	number text NOT NULL,
	workflow text NOT NULL,
	table_hash text NOT NULL,
	site_id text NOT NULL,
	-- Offered at one bank at a time.
	bank_id text NOT NULL,
	-- What staff know it by; never a person's name.
	label text NOT NULL,
	hint text,
	owner text,
	-- State of the reducer, for filters, beside the whole of it: core/workflow Case as JSON.
	state text NOT NULL,
	body jsonb NOT NULL,
	-- What the reducer does not know of its lines, by line id: label, tag, size, accessible.
	lines jsonb NOT NULL,
	-- One writer a fact: from its first act at the bank on the case moves there, and here only orders are given.
	at_bank boolean NOT NULL,
	recalled_at bigint,
	orders jsonb NOT NULL,
	-- Two histories of one case: what the bank did and what was known here (X10). A person settles it.
	conflict text,
	-- Contact of somebody who has no account, sealed.
	recipient bytea,
	due_at bigint,
	opened_at bigint NOT NULL,
	ended_at bigint,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, case_id),
	UNIQUE (tenant_id, number),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank,
	FOREIGN KEY (tenant_id, table_hash) REFERENCES workflow_table
);
CREATE INDEX workflow_case_open ON workflow_case (tenant_id, bank_id, workflow) WHERE ended_at IS NULL;
CREATE INDEX workflow_case_owner ON workflow_case (tenant_id, owner);
CREATE INDEX workflow_case_updated ON workflow_case (tenant_id, updated_at, case_id);
SELECT latchwork.guard('workflow_case');

-- A step of which not all moves have arrived: the first event carries what it was made of, the others are compared with what it led to here.
CREATE TABLE case_step (
	tenant_id text NOT NULL,
	case_id text NOT NULL,
	version integer NOT NULL,
	expected jsonb NOT NULL,
	PRIMARY KEY (tenant_id, case_id)
);
SELECT latchwork.guard('case_step');

-- Which records of a bank belong to a case, besides those that name it as their subject.
CREATE TABLE case_event (
	tenant_id text NOT NULL,
	case_id text NOT NULL,
	stream_id text NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (tenant_id, case_id, stream_id, seq)
);
SELECT latchwork.guard('case_event');
CREATE TABLE case_session (
	tenant_id text NOT NULL,
	session_id text NOT NULL,
	case_id text NOT NULL,
	PRIMARY KEY (tenant_id, session_id)
);
SELECT latchwork.guard('case_session');

-- What a person must do. Made by the workflow, by a bank that found something, or by two truths that meet.
CREATE TABLE task (
	tenant_id text NOT NULL,
	task_id text NOT NULL,
	kind text NOT NULL,
	site_id text NOT NULL,
	bank_id text NOT NULL,
	compartment_id text,
	case_id text,
	detail jsonb NOT NULL,
	opened_at bigint NOT NULL,
	done_at bigint,
	done_by text,
	done_how text,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, task_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank
);
CREATE INDEX task_open ON task (tenant_id, opened_at) WHERE done_at IS NULL;
CREATE INDEX task_of_case ON task (tenant_id, case_id) WHERE case_id IS NOT NULL;
SELECT latchwork.guard('task');

-- What somebody is to be told, and when it became due; who carries it there is `connect`.
CREATE TABLE notice (
	tenant_id text NOT NULL,
	notice_id text NOT NULL,
	case_id text NOT NULL,
	kind text NOT NULL,
	-- The occasion: the same one never makes two notices, whether the bank or the clock says it first.
	occasion text NOT NULL,
	due_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, notice_id),
	FOREIGN KEY (tenant_id, case_id) REFERENCES workflow_case
);
CREATE UNIQUE INDEX notice_occasion ON notice (tenant_id, case_id, kind, occasion);
SELECT latchwork.guard('notice');

-- What becomes due, by the injected clock (architecture.md §5). A row is taken away in the transaction that does it.
CREATE TABLE deadline (
	tenant_id text NOT NULL,
	key text NOT NULL,
	due_at bigint NOT NULL,
	kind text NOT NULL,
	ref text NOT NULL,
	PRIMARY KEY (tenant_id, key)
);
CREATE INDEX deadline_due ON deadline (due_at);
SELECT latchwork.guard('deadline');
