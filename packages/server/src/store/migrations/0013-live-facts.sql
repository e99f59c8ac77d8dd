-- What the banks say about themselves, as the newest event of each tells it. Owner: estate. Written from edge streams only, but for
-- `reserved_for`, which is the server's to say.

-- How far each stream has been taken in: an event that comes twice changes nothing.
CREATE TABLE stream_applied (
	tenant_id text NOT NULL,
	stream_id text NOT NULL,
	bank_id text NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (tenant_id, stream_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
SELECT latchwork.guard('stream_applied');

-- Three layers that never mix (workflows.md §3.0): the door, what its space may be used for, and whose case lies in it (owned by cases).
CREATE TABLE compartment_state (
	tenant_id text NOT NULL,
	compartment_id text NOT NULL,
	bank_id text NOT NULL,
	-- Layer 1. `shown`: what the door was when it was last seen; `door` is unknown while nobody sees it.
	door text NOT NULL CHECK (door IN ('open', 'closed', 'unknown')),
	shown text NOT NULL CHECK (shown IN ('open', 'closed')),
	alarm text CHECK (alarm IN ('forced', 'opened-while-down', 'opened-late', 'left-open', 'stuck')),
	sensor_reliable boolean NOT NULL,
	session_id text,
	session_state text CHECK (session_state IN ('releasing', 'opened', 'closed')),
	session_act text,
	session_subject text,
	-- Layer 2.
	allocation text NOT NULL CHECK (allocation IN ('available', 'reserved', 'in-use', 'occupied', 'pending-inspection', 'quarantined', 'out-of-service')),
	hold text CHECK (hold IN ('pending-inspection', 'quarantined', 'out-of-service')),
	hold_why text,
	reserved_for text,
	-- What lies inside; with `unknown`, `asset_id` is what was last known to.
	content text NOT NULL CHECK (content IN ('empty', 'item', 'unknown')),
	asset_id text,
	-- Since when door, allocation and content are as they are, by the bank's clock.
	since bigint NOT NULL,
	-- The event that made it so.
	stream_id text,
	seq bigint,
	PRIMARY KEY (tenant_id, compartment_id),
	FOREIGN KEY (tenant_id, compartment_id) REFERENCES compartment ON DELETE CASCADE
);
CREATE INDEX compartment_state_of_bank ON compartment_state (tenant_id, bank_id);
CREATE INDEX compartment_state_of_asset ON compartment_state (tenant_id, asset_id) WHERE asset_id IS NOT NULL;
SELECT latchwork.guard('compartment_state');

CREATE TABLE bank_state (
	tenant_id text NOT NULL,
	bank_id text NOT NULL,
	-- The present life of the controller's database; a late rest of an older one changes no live fact.
	stream_id text,
	-- Link.
	online boolean NOT NULL,
	seen_at bigint,
	-- Raw: heartbeats are missing (90 s); confirmed: long enough to act on (10 min). Both end when it is heard again.
	silent_since bigint,
	outage_confirmed_at bigint,
	-- What it decides by.
	bundle_version integer NOT NULL,
	bundle_digest text,
	bundle_expires_at bigint,
	bundle_refused text,
	-- What it is made of, by name: {"bus-a/0": {"up": true, "since": …}}.
	boards jsonb NOT NULL,
	readers jsonb NOT NULL,
	storage text NOT NULL CHECK (storage IN ('good', 'low')),
	clock text NOT NULL CHECK (clock IN ('good', 'uncertain')),
	history_lost boolean NOT NULL,
	tampered boolean NOT NULL,
	-- Newest event, by the bank's clock.
	event_at bigint,
	PRIMARY KEY (tenant_id, bank_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank ON DELETE CASCADE
);
-- The sweep for outages looks at every tenant's banks, and only at those that may have become silent.
CREATE INDEX bank_state_silent ON bank_state (seen_at) WHERE outage_confirmed_at IS NULL;
SELECT latchwork.guard('bank_state');

CREATE TABLE controller_state (
	tenant_id text NOT NULL,
	controller_id text NOT NULL,
	online boolean NOT NULL,
	seen_at bigint NOT NULL,
	software text,
	-- Last sequence that it says it has, of which stream.
	stream_id text,
	seq bigint,
	PRIMARY KEY (tenant_id, controller_id),
	FOREIGN KEY (tenant_id, controller_id) REFERENCES controller ON DELETE CASCADE
);
SELECT latchwork.guard('controller_state');
