-- Codes by which somebody is known at one bank once, within a window of hours. Neither the digits nor the picture are here: both are reckoned from a key, and the
-- bank can tell them without having heard of them. Owner: people.
CREATE TABLE one_time_code (
	tenant_id text NOT NULL,
	code_id text NOT NULL,
	subject_id text NOT NULL,
	site_id text NOT NULL,
	bank_id text NOT NULL,
	-- Whose key it was made with: with another controller it is worth nothing.
	controller_id text NOT NULL,
	not_before bigint NOT NULL,
	not_after bigint NOT NULL,
	issued_by text NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	used_at bigint,
	withdrawn_at bigint,
	PRIMARY KEY (tenant_id, code_id)
);
CREATE INDEX one_time_code_updated ON one_time_code (tenant_id, updated_at, code_id);
CREATE INDEX one_time_code_bank ON one_time_code (tenant_id, bank_id, not_after);
SELECT latchwork.guard('one_time_code');

-- Who of staff was shown a pick-up code: said by them it proves nothing. Owner: space.
ALTER TABLE pick_up_code ADD COLUMN shown_to text[] NOT NULL DEFAULT '{}';
