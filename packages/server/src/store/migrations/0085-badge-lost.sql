-- When its holder reported it lost: from then on whoever shows it may have found or stolen it. Owner: people.
ALTER TABLE credential ADD COLUMN lost_at bigint;
