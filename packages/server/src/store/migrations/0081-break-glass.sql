-- In an emergency one person opens occupied compartments of a bank alone, for minutes (trust.md T18). Owner: space.
CREATE TABLE break_glass (
	tenant_id text NOT NULL,
	break_glass_id text NOT NULL,
	subject_id text NOT NULL,
	bank_id text NOT NULL,
	-- Code of a closed list, never free text.
	reason text NOT NULL,
	started_at bigint NOT NULL,
	until bigint NOT NULL,
	PRIMARY KEY (tenant_id, break_glass_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
SELECT latchwork.guard('break_glass');
CREATE INDEX break_glass_live ON break_glass (tenant_id, subject_id, bank_id, until);
