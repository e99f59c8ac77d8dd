-- Giving more time to collect is a permission of its own: a role or a token that could do it by case.manage goes on. Owner: access.
UPDATE role SET permissions = permissions || '["case.extend"]', version = version + 1 WHERE permissions ? 'case.manage' AND NOT permissions ? 'case.extend';
UPDATE api_token SET permissions = permissions || '["case.extend"]' WHERE permissions ? 'case.manage' AND NOT permissions ? 'case.extend';
