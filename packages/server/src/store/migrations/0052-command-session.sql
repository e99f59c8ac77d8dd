-- Whose end the ledger tells: an event of a door session finds the command that opened it. Owner: space.
CREATE INDEX command_of_session ON command (tenant_id, door_session_id) WHERE state = 'accepted';
