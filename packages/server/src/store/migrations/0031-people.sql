-- People, what they show at a door, and how they sign in. Owner: people. A name is nowhere in the open: personal fields are sealed under the person's
-- own key, which is wrapped by the organisation's; without that key (erased) nothing of a person can be read again, in no backup (trust.md §1.6).
CREATE TABLE person (
	tenant_id text NOT NULL,
	-- The pseudonym under which ledger and bundles know this person.
	subject_id text NOT NULL,
	wrapped_key bytea,
	sealed bytea,
	commitment text NOT NULL,
	-- Keyed digest of the normal form of the e-mail address.
	email_index bytea,
	suspended boolean NOT NULL,
	max_loans integer,
	erased_at bigint,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, subject_id)
);
CREATE UNIQUE INDEX person_email ON person (tenant_id, email_index);
CREATE INDEX person_updated ON person (tenant_id, updated_at, subject_id);
SELECT latchwork.guard('person');

-- Keyed digests of the beginnings of the words by which a person is found.
CREATE TABLE person_word (
	tenant_id text NOT NULL,
	word bytea NOT NULL,
	subject_id text NOT NULL,
	PRIMARY KEY (tenant_id, word, subject_id),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
CREATE INDEX person_word_of ON person_word (tenant_id, subject_id);
SELECT latchwork.guard('person_word');

CREATE TABLE person_group (
	tenant_id text NOT NULL,
	group_id text NOT NULL,
	-- As policies and bundles name it.
	code text NOT NULL,
	name text NOT NULL,
	labels jsonb NOT NULL,
	external_refs jsonb NOT NULL,
	client_data jsonb NOT NULL,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, group_id),
	UNIQUE (tenant_id, code)
);
SELECT latchwork.guard('person_group');

CREATE TABLE membership (
	tenant_id text NOT NULL,
	group_id text NOT NULL,
	subject_id text NOT NULL,
	since bigint NOT NULL,
	PRIMARY KEY (tenant_id, group_id, subject_id),
	FOREIGN KEY (tenant_id, group_id) REFERENCES person_group ON DELETE CASCADE,
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person ON DELETE CASCADE
);
CREATE INDEX membership_of ON membership (tenant_id, subject_id);
SELECT latchwork.guard('membership');

CREATE TABLE credential (
	tenant_id text NOT NULL,
	credential_id text NOT NULL,
	subject_id text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('badge', 'pin')),
	-- A badge counts at every site; a PIN at this one (trust.md §0.4).
	site_id text,
	-- Normal form and salt under the person's key; of a PIN the salt alone.
	sealed bytea,
	-- Keyed digest of a badge's normal form: two people never hold one number.
	number_index bytea,
	commitment text NOT NULL,
	assurance text NOT NULL CHECK (assurance IN ('low', 'medium', 'high')),
	not_after bigint,
	revoked_at bigint,
	version integer NOT NULL,
	created_at bigint NOT NULL,
	updated_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, credential_id),
	FOREIGN KEY (tenant_id, subject_id) REFERENCES person,
	CHECK ((kind = 'pin') = (site_id IS NOT NULL))
);
CREATE UNIQUE INDEX credential_number ON credential (tenant_id, number_index) WHERE revoked_at IS NULL;
CREATE INDEX credential_of ON credential (tenant_id, subject_id);
CREATE INDEX credential_updated ON credential (tenant_id, updated_at, credential_id);
SELECT latchwork.guard('credential');

-- How a bank of the site looks a credential up (core/access verifierOf). Made when the site first needs it, gone with the credential.
CREATE TABLE credential_verifier (
	tenant_id text NOT NULL,
	site_id text NOT NULL,
	verifier text NOT NULL,
	credential_id text NOT NULL,
	PRIMARY KEY (tenant_id, site_id, verifier),
	UNIQUE (tenant_id, site_id, credential_id),
	FOREIGN KEY (tenant_id, credential_id) REFERENCES credential ON DELETE CASCADE
);
SELECT latchwork.guard('credential_verifier');

CREATE TABLE site_key (
	tenant_id text NOT NULL,
	site_id text NOT NULL,
	sealed bytea NOT NULL,
	created_at bigint NOT NULL,
	PRIMARY KEY (tenant_id, site_id)
);
SELECT latchwork.guard('site_key');
