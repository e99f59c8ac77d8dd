-- Answers to writes that carried an Idempotency-Key, for a day. Owner: http. `answer` is sealed: it may hold a PIN or token that is shown once.
CREATE TABLE idempotency (
	tenant_id text NOT NULL,
	caller text NOT NULL,
	key text NOT NULL,
	digest text NOT NULL,
	at bigint NOT NULL,
	answer bytea,
	PRIMARY KEY (tenant_id, caller, key)
);
CREATE INDEX idempotency_at ON idempotency (at);
SELECT latchwork.guard('idempotency');
