-- Things that lie in compartments and go out on loan. Owner: assets. Custody is what the banks recorded; people place things once, at the start.
CREATE TABLE asset_type (
	tenant_id text NOT NULL,
	asset_type_id text NOT NULL,
	-- As policies and bundles name it.
	code text NOT NULL,
	name text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('laptop', 'other')),
	value_class text NOT NULL CHECK (value_class IN ('normal', 'high')),
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, asset_type_id),
	UNIQUE (tenant_id, code)
);
SELECT latchwork.guard('asset_type');

CREATE TABLE asset (
	tenant_id text NOT NULL,
	asset_id text NOT NULL,
	asset_type_id text NOT NULL,
	tag text NOT NULL,
	-- Absent: as its type is called.
	name text,
	salt text NOT NULL,
	commitment text NOT NULL,
	condition text NOT NULL CHECK (condition IN ('good', 'damaged', 'missing')),
	-- Where it belongs; the bank that offers it and takes it back.
	bank_id text,
	-- Where people said that it lies, before its bank has said anything of that compartment.
	placed_in text,
	-- Who answers for it: a bank, a person's pseudonym, or the desk (`staff`).
	custodian text NOT NULL,
	custody_since bigint NOT NULL,
	-- The event that passed it on.
	stream_id text,
	seq bigint,
	retired_at bigint,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, asset_id),
	FOREIGN KEY (tenant_id, asset_type_id) REFERENCES asset_type,
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank,
	FOREIGN KEY (tenant_id, placed_in) REFERENCES compartment
);
CREATE UNIQUE INDEX asset_tag ON asset (tenant_id, tag) WHERE retired_at IS NULL;
CREATE UNIQUE INDEX asset_placed ON asset (tenant_id, placed_in) WHERE placed_in IS NOT NULL AND retired_at IS NULL;
CREATE INDEX asset_of_bank ON asset (tenant_id, bank_id);
CREATE INDEX asset_of_custodian ON asset (tenant_id, custodian);
CREATE INDEX asset_updated ON asset (tenant_id, updated_at, asset_id);
SELECT latchwork.guard('asset');
