-- How a controller keeps its site's key, by its own word (trust.md §3.3). Owner: estate.
ALTER TABLE controller_state ADD COLUMN storage_level text CHECK (storage_level IN ('L0', 'L1'));
