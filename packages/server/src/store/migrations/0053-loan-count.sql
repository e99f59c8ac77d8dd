-- How many things of the case its owner has, by the same rule as the bank counts them (core/workflow possession). Owner: cases.
ALTER TABLE workflow_case ADD COLUMN things_out integer NOT NULL DEFAULT 0;
UPDATE workflow_case SET things_out = (SELECT count(*) FROM jsonb_array_elements(body -> 'lines') line WHERE line ->> 'custodian' = owner AND line ? 'asset')
	WHERE ended_at IS NULL AND owner IS NOT NULL;
CREATE INDEX workflow_case_out ON workflow_case (tenant_id, owner) WHERE things_out > 0;

-- Whose count has changed at which bank and the other banks have not been told yet. Written in the transaction of the change itself, so that neither a
-- crash nor a busy server forgets one; `authority` tells and takes the row away. Owner: cases.
CREATE TABLE loan_news (
	tenant_id text NOT NULL,
	subject_id text NOT NULL,
	bank_id text NOT NULL,
	-- Rises with each change: one that comes while the others are being told stays.
	mark bigint NOT NULL,
	PRIMARY KEY (tenant_id, subject_id, bank_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
SELECT latchwork.guard('loan_news');
INSERT INTO loan_news (tenant_id, subject_id, bank_id, mark) SELECT DISTINCT tenant_id, owner, bank_id, 1 FROM workflow_case WHERE things_out > 0;

-- The newest delta that counted loans, and up to which delta a bundle knows them all: a bank that missed one is given a bundle with the counts. Owner: authority.
ALTER TABLE site_chain ADD COLUMN counted bigint NOT NULL DEFAULT 0;
ALTER TABLE bundle ADD COLUMN deltas bigint NOT NULL DEFAULT 0;
