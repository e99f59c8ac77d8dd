-- Roles, and the one way in which a table comes under row-level security (architecture.md §5).
-- Requests run as latchwork_app and see the tenant of their transaction; cross-tenant work runs as latchwork_system.
CREATE SCHEMA IF NOT EXISTS latchwork;
GRANT USAGE ON SCHEMA latchwork TO latchwork_app, latchwork_system;

CREATE FUNCTION latchwork.tenant() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$ SELECT current_setting('latchwork.tenant', true) $$;

-- Every table that holds a tenant's rows is guarded in the migration that creates it: SELECT latchwork.guard('site');
CREATE FUNCTION latchwork.guard(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
	EXECUTE format('CREATE POLICY tenant ON %s TO latchwork_app USING (tenant_id = latchwork.tenant()) WITH CHECK (tenant_id = latchwork.tenant())', name);
	EXECUTE format('CREATE POLICY system ON %s TO latchwork_system USING (true) WITH CHECK (true)', name);
	EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO latchwork_app, latchwork_system', name);
END $$;
