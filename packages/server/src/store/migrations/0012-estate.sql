-- Where compartments stand and who commands them (api.md §4.4). Owner: estate. The label of a thing may change, its id never does.
CREATE TABLE site (
	tenant_id text NOT NULL,
	site_id text NOT NULL,
	name text NOT NULL,
	time_zone text NOT NULL,
	address text NOT NULL,
	calendar jsonb NOT NULL,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, site_id)
);
SELECT latchwork.guard('site');

CREATE TABLE area (
	tenant_id text NOT NULL,
	area_id text NOT NULL,
	site_id text NOT NULL,
	name text NOT NULL,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, area_id),
	FOREIGN KEY (tenant_id, site_id) REFERENCES site
);
CREATE INDEX area_of_site ON area (tenant_id, site_id);
SELECT latchwork.guard('area');

CREATE TABLE bank (
	tenant_id text NOT NULL,
	bank_id text NOT NULL,
	site_id text NOT NULL,
	area_id text,
	name text NOT NULL,
	help_phone text NOT NULL,
	-- As core/wire bankLayout; its doors carry the labels of the compartments, and only estate writes either.
	layout jsonb NOT NULL,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, bank_id),
	FOREIGN KEY (tenant_id, site_id) REFERENCES site,
	FOREIGN KEY (tenant_id, area_id) REFERENCES area
);
CREATE INDEX bank_of_site ON bank (tenant_id, site_id);
SELECT latchwork.guard('bank');

-- One cabinet column.
CREATE TABLE module (
	tenant_id text NOT NULL,
	module_id text NOT NULL,
	bank_id text NOT NULL,
	-- From the left, 0 first.
	position integer NOT NULL,
	name text NOT NULL,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, module_id),
	UNIQUE (tenant_id, bank_id, position) DEFERRABLE INITIALLY DEFERRED,
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank
);
SELECT latchwork.guard('module');

CREATE TABLE compartment (
	tenant_id text NOT NULL,
	compartment_id text NOT NULL,
	bank_id text NOT NULL,
	module_id text NOT NULL,
	-- The label on the door.
	number integer NOT NULL,
	size text NOT NULL CHECK (size IN ('S', 'M', 'L', 'XL')),
	accessible boolean NOT NULL,
	powered boolean NOT NULL,
	wired boolean NOT NULL,
	-- The space inside, in millimetres; absent: not measured.
	width_mm integer,
	height_mm integer,
	depth_mm integer,
	-- What people decided about its use; what the bank found out is in compartment_state.
	out_of_service text,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, compartment_id),
	UNIQUE (tenant_id, bank_id, number),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank,
	FOREIGN KEY (tenant_id, module_id) REFERENCES module
);
SELECT latchwork.guard('compartment');

CREATE TABLE controller (
	tenant_id text NOT NULL,
	controller_id text NOT NULL,
	bank_id text NOT NULL,
	name text NOT NULL,
	-- Hex SHA-256 of the certificate in use; absent before the first enrolment.
	certificate text,
	certificate_until bigint,
	revoked_at bigint,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, controller_id),
	FOREIGN KEY (tenant_id, bank_id) REFERENCES bank
);
-- One writer a fact (architecture.md §3): a bank has one controller as its authority; a revoked one makes room for the next.
CREATE UNIQUE INDEX controller_authority ON controller (tenant_id, bank_id) WHERE revoked_at IS NULL;
-- The device port knows a certificate's controller before it knows the tenant.
CREATE UNIQUE INDEX controller_by_id ON controller (controller_id);
SELECT latchwork.guard('controller');
