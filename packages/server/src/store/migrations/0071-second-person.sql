-- An occupied compartment is opened from afar when a second person agrees (trust.md T18). Owner: space.
ALTER TABLE command DROP CONSTRAINT command_state_check;
ALTER TABLE command ADD CONSTRAINT command_state_check
	CHECK (state IN ('awaiting-approval', 'requested', 'sent', 'accepted', 'refused', 'done', 'failed', 'expired'));
-- Null: nobody had to.
ALTER TABLE command ADD COLUMN approved_by text;
CREATE INDEX command_approval ON command (expires_at) WHERE state = 'awaiting-approval';
