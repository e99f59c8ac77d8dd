-- What a kiosk's reader said of a badge that staff asked for: sealed, and only for as long as they look at it. Owner: space.
ALTER TABLE command DROP CONSTRAINT command_kind_check;
ALTER TABLE command ADD CONSTRAINT command_kind_check CHECK (kind IN ('open-remote', 'restart', 'self-test', 'collect-logs', 'read-badge'));
CREATE TABLE badge_reading (
	tenant_id text NOT NULL,
	command_id text NOT NULL,
	sealed bytea NOT NULL,
	at bigint NOT NULL,
	PRIMARY KEY (tenant_id, command_id),
	FOREIGN KEY (tenant_id, command_id) REFERENCES command ON DELETE CASCADE
);
SELECT latchwork.guard('badge_reading');
CREATE INDEX badge_reading_at ON badge_reading (at);
