-- What was so when the notice became due and is not to be found out later: of a door that was opened from afar, by which roles. Owner: cases.
ALTER TABLE notice ADD COLUMN told jsonb;
