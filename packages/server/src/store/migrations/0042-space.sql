-- Claims on space, and the codes that open it. Owner: space.

-- A compartment of a size is kept free, not a certain one: which one it becomes is chosen at the bank, where the sensors are.
CREATE TABLE reservation (
	tenant_id text NOT NULL,
	reservation_id text NOT NULL,
	bank_id text NOT NULL,
	case_id text NOT NULL,
	line_id text NOT NULL,
	size text NOT NULL CHECK (size IN ('S', 'M', 'L', 'XL')),
	accessible boolean NOT NULL,
	-- The claim ends by itself; what lies inside by then does not move.
	until bigint NOT NULL,
	created_at bigint NOT NULL,
	ended_at bigint,
	ended_why text CHECK (ended_why IN ('filled', 'released', 'expired')),
	PRIMARY KEY (tenant_id, reservation_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank
);
CREATE UNIQUE INDEX reservation_of_line ON reservation (tenant_id, line_id) WHERE ended_at IS NULL;
CREATE INDEX reservation_of_bank ON reservation (tenant_id, bank_id) WHERE ended_at IS NULL;
SELECT latchwork.guard('reservation');

-- What a recipient types. The digits are sealed and shown to those who may hand them out; banks get `verifier` only. A row outlives its code
-- by the 90 days in which the same digits are not drawn again at that bank (trust.md §3.4).
CREATE TABLE pick_up_code (
	tenant_id text NOT NULL,
	code_id text NOT NULL,
	bank_id text NOT NULL,
	case_id text NOT NULL,
	digits smallint NOT NULL,
	verifier text NOT NULL,
	commitment text NOT NULL,
	salt bytea NOT NULL,
	sealed bytea NOT NULL,
	not_after bigint NOT NULL,
	created_at bigint NOT NULL,
	used_at bigint,
	revoked_at bigint,
	PRIMARY KEY (tenant_id, code_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank
);
CREATE UNIQUE INDEX pick_up_code_verifier ON pick_up_code (tenant_id, bank_id, verifier);
CREATE INDEX pick_up_code_of_case ON pick_up_code (tenant_id, case_id);
CREATE INDEX pick_up_code_live ON pick_up_code (tenant_id, bank_id) WHERE used_at IS NULL AND revoked_at IS NULL;
SELECT latchwork.guard('pick_up_code');
