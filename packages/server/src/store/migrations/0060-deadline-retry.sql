-- A deadline whose work failed waits behind those that were not tried yet. Owner: cases.
ALTER TABLE deadline ADD COLUMN retry_at bigint;
DROP INDEX deadline_due;
CREATE INDEX deadline_due ON deadline ((coalesce(retry_at, due_at)));
