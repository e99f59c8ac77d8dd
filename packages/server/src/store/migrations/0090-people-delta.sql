-- Of whom something has changed that banks may have to know, where ('': everywhere) and since when. Written in the transaction of the change itself, so that
-- neither a crash nor a busy server forgets one; `authority` tells and takes the row away. Owner: estate, because every domain to its right marks.
CREATE TABLE person_dirty (
	tenant_id text NOT NULL,
	subject_id text NOT NULL,
	site_id text NOT NULL,
	since bigint NOT NULL,
	-- Rises with each mark: a mark that comes while the banks are being told stays.
	mark bigint NOT NULL,
	PRIMARY KEY (tenant_id, subject_id, site_id)
);
SELECT latchwork.guard('person_dirty');

-- Deltas about people, counted for each bank: the newest, up to which one the bundle holds them, and how many people they told of since it was made. Owner: authority.
ALTER TABLE bundle ADD COLUMN people bigint NOT NULL DEFAULT 0;
ALTER TABLE bundle ADD COLUMN people_held bigint NOT NULL DEFAULT 0;
ALTER TABLE bundle ADD COLUMN people_since integer NOT NULL DEFAULT 0;
-- The controller said at its last fetch that it understands them.
ALTER TABLE bundle ADD COLUMN takes_people boolean NOT NULL DEFAULT false;
