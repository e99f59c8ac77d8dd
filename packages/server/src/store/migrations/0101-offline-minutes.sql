-- How long a bank that is cut off still lets this person in; null: as long as it lets anybody in. Owner: people.
ALTER TABLE person ADD COLUMN offline_minutes integer CHECK (offline_minutes >= 0);
