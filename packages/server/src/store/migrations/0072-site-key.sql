-- A site's key can be another than the one that its controllers were enrolled with: then bundles name it, and it comes beside them. Owner: people.
ALTER TABLE site_key ADD COLUMN rotated_at bigint;
