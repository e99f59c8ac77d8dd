-- A draft knows who wrote it, and may be in plain words; a second person may look at it; an earlier text may come back. Owner: access.
ALTER TABLE policy ADD COLUMN name text NOT NULL DEFAULT '';
UPDATE policy SET name = code;
-- The draft in plain words, from which its Cedar text was made; null: somebody wrote Cedar.
ALTER TABLE policy ADD COLUMN statements jsonb;
-- Counts the drafts: a review is of one of them.
ALTER TABLE policy ADD COLUMN revision integer NOT NULL DEFAULT 1;
ALTER TABLE policy ADD COLUMN drafted_by text NOT NULL DEFAULT 'server';
ALTER TABLE policy ADD COLUMN drafted_at bigint NOT NULL DEFAULT 0;
UPDATE policy SET drafted_at = updated_at;
ALTER TABLE policy_version ADD COLUMN statements jsonb;
-- Who looked at the draft before; null: nobody had to.
ALTER TABLE policy_version ADD COLUMN reviewed_by text;
-- The earlier version whose text came back with this one.
ALTER TABLE policy_version ADD COLUMN returned_to integer;

CREATE TABLE policy_review (
	tenant_id text NOT NULL,
	policy_id text NOT NULL,
	revision integer NOT NULL,
	subject_id text NOT NULL,
	verdict text NOT NULL CHECK (verdict IN ('approved', 'rejected')),
	reviewed_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, policy_id, revision, subject_id),
	FOREIGN KEY (tenant_id, policy_id) REFERENCES policy
);
SELECT latchwork.guard('policy_review');

-- What was somebody refused, and what did a bank decide lately. Owner: ledger.
CREATE INDEX event_decision ON event (tenant_id, actor, month, position) WHERE type IN ('decision.allowed', 'decision.denied');
