-- The owner of what lies there, verified on the phone, is a second person too (workflows.md X22). Owner: space.
ALTER TABLE command ADD COLUMN owner_facts text[];
ALTER TABLE command ADD COLUMN owner_tries smallint NOT NULL DEFAULT 0;
