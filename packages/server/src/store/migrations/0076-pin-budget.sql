-- Wrong PINs of a site's local day, and until when its kiosks take none: a kiosk counts its own, nobody else sees all of them (trust.md §3.4). Owner: space.
CREATE TABLE pin_budget (
	tenant_id text NOT NULL,
	site_id text NOT NULL,
	day text NOT NULL,
	wrong integer NOT NULL,
	rest_until bigint,
	-- Banks that are connected have heard of it.
	told boolean NOT NULL DEFAULT true,
	PRIMARY KEY (tenant_id, site_id),
	FOREIGN KEY (tenant_id, site_id) REFERENCES site ON DELETE CASCADE
);
SELECT latchwork.guard('pin_budget');
CREATE INDEX pin_budget_untold ON pin_budget (tenant_id) WHERE NOT told;
