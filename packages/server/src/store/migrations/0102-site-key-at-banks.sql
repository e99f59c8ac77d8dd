-- Under which site key a bank's bundle is made (`siteKeyMark`; empty: that of the enrolment), and since which version: a bank that accepted that one has the key. Owner: authority.
ALTER TABLE bundle ADD COLUMN site_key text NOT NULL DEFAULT '', ADD COLUMN site_key_since bigint NOT NULL DEFAULT 0;
UPDATE bundle SET site_key = substring(convert_from(text, 'UTF8') FROM '"siteKey":"([0-9a-f]{16})"'), site_key_since = version
	WHERE convert_from(text, 'UTF8') ~ '"siteKey":"[0-9a-f]{16}"';

-- A key that was made where controllers keep none on their disks is another than what they were enrolled with, also when they may keep it later. Owner: people.
UPDATE site_key SET rotated_at = created_at
	WHERE rotated_at IS NULL AND tenant_id IN (SELECT tenant_id FROM setting WHERE chosen ->> 'siteKeyInMemory' = 'true');
