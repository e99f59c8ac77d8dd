-- What is asked of a controller: a domain writes the row, link follows it. Owner: space.
CREATE TABLE command (
	tenant_id text NOT NULL,
	command_id text NOT NULL,
	site_id text NOT NULL,
	bank_id text NOT NULL,
	controller_id text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('open-remote', 'restart', 'self-test', 'collect-logs')),
	compartment_id text,
	-- Code of a closed list, never free text.
	reason text,
	case_id text,
	requested_by text NOT NULL,
	issued_at bigint NOT NULL,
	expires_at bigint NOT NULL,
	state text NOT NULL CHECK (state IN ('requested', 'sent', 'accepted', 'refused', 'done', 'failed', 'expired')),
	changed_at bigint NOT NULL,
	code text,
	door_session_id text,
	outcome text,
	PRIMARY KEY (tenant_id, command_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank,
	FOREIGN KEY (tenant_id, controller_id) REFERENCES controller
);
SELECT latchwork.guard('command');
CREATE INDEX command_waiting ON command (expires_at) WHERE state IN ('requested', 'sent');
CREATE INDEX command_of_bank ON command (tenant_id, bank_id, issued_at);
