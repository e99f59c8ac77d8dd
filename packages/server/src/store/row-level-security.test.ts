import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import pg from 'pg'
import { type TestStore, testStore } from '../testing/index.ts'
import { sql } from './index.ts'

const random = seededRandom(20261126)
const [a, b, empty] = [1, 2, 3].map((n) => newId('tenant', Date.UTC(2026, 0, 5, 9) + n, random)) as [Id<'tenant'>, Id<'tenant'>, Id<'tenant'>]

/** Functions that act as the owner, each with why it shows nobody anything. */
const AS_OWNER = new Map([['event_month', 'makes and attaches the partition of a month; reads no row']])

describe('row-level security', () => {
	let at: TestStore
	let owner: pg.Client
	before(async () => {
		at = await testStore()
		owner = new pg.Client({ connectionString: at.url })
		await owner.connect()
		await owner.query('SET search_path = latchwork, public')
		await owner.query('CREATE TABLE guarded (tenant_id text NOT NULL, id text, label text, PRIMARY KEY (tenant_id, id))')
		await owner.query(`SELECT guard('guarded')`)
		for (const tenant of [a, b])
			await at.store.write(tenant, (tx) => tx.run(sql`INSERT INTO guarded VALUES (${tenant}, 'same', 'Laptop'), (${tenant}, 'other', 'Tablet')`))
	})
	after(async () => {
		await owner.end()
		await at.close()
	})

	test('a query without a tenant filter sees the own tenant only, though the other one has rows with the same ids', async () => {
		const all = sql<{ tenant_id: string }>`SELECT tenant_id FROM guarded`
		for (const tenant of [a, b])
			assert.deepEqual(
				(await at.store.read(tenant, (db) => db.rows(all))).map((row) => row.tenant_id),
				[tenant, tenant],
			)
		assert.deepEqual(await at.store.read(empty, (db) => db.rows(all)), [])
		// The control: the rows are there, and system work sees those of both.
		assert.equal((await at.store.system((tx) => tx.rows(all))).length, 4)
	})

	test('a write without a filter changes the own rows only; a row of another tenant cannot be made or moved there', async () => {
		assert.equal(await at.store.write(a, (tx) => tx.run(sql`UPDATE guarded SET label = 'Mine'`)), 2)
		assert.equal(await at.store.write(a, (tx) => tx.run(sql`DELETE FROM guarded WHERE tenant_id = ${b}`)), 0)
		const planted = /row-level security policy/
		await assert.rejects(
			at.store.write(a, (tx) => tx.run(sql`INSERT INTO guarded VALUES (${b}, 'planted', '')`)),
			planted,
		)
		await assert.rejects(
			at.store.write(a, (tx) => tx.run(sql`UPDATE guarded SET tenant_id = ${b} WHERE id = 'same'`)),
			planted,
		)
		assert.deepEqual(await at.store.read(b, (db) => db.rows(sql`SELECT label FROM guarded ORDER BY label`)), [
			{ label: 'Laptop' },
			{ label: 'Tablet' },
		])
	})

	test('without a tenant nothing is seen: not before the first transaction of a connection, and not after one', async () => {
		const client = new pg.Client({ connectionString: at.appUrl })
		await client.connect()
		try {
			const seen = async () => (await client.query('SELECT FROM latchwork.guarded')).rowCount
			await client.query('SET ROLE latchwork_app')
			assert.equal(await seen(), 0)
			await client.query(`BEGIN; SET LOCAL latchwork.tenant = '${a}'`)
			assert.equal(await seen(), 2)
			await client.query('COMMIT')
			assert.equal(await seen(), 0)
		} finally {
			await client.end()
		}
	})

	test('the role of requests cannot take the guard away, and its login has no other role that helps', async () => {
		const refused = [
			'ALTER TABLE guarded DISABLE ROW LEVEL SECURITY',
			'ALTER TABLE guarded NO FORCE ROW LEVEL SECURITY',
			'DROP POLICY tenant ON guarded',
			'CREATE POLICY more ON guarded USING (true)',
			'ALTER TABLE guarded OWNER TO latchwork_app',
			'TRUNCATE guarded',
			'DROP TABLE guarded',
			'CREATE TABLE latchwork.mine (id text)',
			'CREATE FUNCTION latchwork.mine() RETURNS text LANGUAGE sql AS $$ SELECT 1 $$',
			`CREATE OR REPLACE FUNCTION latchwork.tenant() RETURNS text LANGUAGE sql AS $$ SELECT '' $$`,
			`SELECT guard('guarded')`,
			'DELETE FROM migration',
			'GRANT latchwork TO latchwork_requests',
			'ALTER ROLE latchwork_app BYPASSRLS',
			'SET ROLE latchwork',
			'SET SESSION AUTHORIZATION latchwork',
			'SET SESSION AUTHORIZATION latchwork_requests; SET ROLE pg_read_all_data',
			`COPY guarded TO PROGRAM 'cat'`,
		]
		for (const statement of refused)
			await assert.rejects(
				at.store.write(a, (tx) => tx.run(sql.raw(statement))),
				(e) =>
					/permission denied|must be owner|must be able to SET ROLE|not permitted|must be a member/.test((e as Error).message) ||
					assert.fail(`${statement}: ${(e as Error).message}`),
				statement,
			)
		// Refuses instead of showing all: with the guard switched off there is no answer.
		await assert.rejects(
			at.store.write(a, async (tx) => {
				await tx.run(sql`SET LOCAL row_security = off`)
				await tx.rows(sql`SELECT 1 FROM guarded`)
			}),
			/row-level security/,
		)
		const { rows } = await owner.query(
			`SELECT rolname FROM pg_roles WHERE rolname LIKE 'latchwork\\_%' AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb)`,
		)
		assert.deepEqual(rows, [])
		const member = await owner.query(`SELECT rolname FROM pg_roles WHERE pg_has_role('latchwork_requests', oid, 'MEMBER') ORDER BY 1`)
		assert.deepEqual(
			member.rows.map((row) => row.rolname),
			['latchwork_app', 'latchwork_requests', 'latchwork_system'],
		)
	})

	test('every table with a tenant is guarded, has its tenant first in the key, and no view or function leads around it', async () => {
		assert.deepEqual(await holes(owner), [])
		await owner.query(`BEGIN;
			CREATE TABLE unguarded (tenant_id text NOT NULL, id text, PRIMARY KEY (tenant_id, id));
			CREATE TABLE halfway (tenant_id text NOT NULL, id text, PRIMARY KEY (tenant_id, id));
			ALTER TABLE halfway ENABLE ROW LEVEL SECURITY;
			CREATE TABLE keyless (id text PRIMARY KEY, tenant_id text NOT NULL);
			SELECT guard('keyless');
			CREATE TABLE opened (tenant_id text NOT NULL, id text, PRIMARY KEY (tenant_id, id));
			SELECT guard('opened');
			CREATE POLICY open ON opened USING (true);
			CREATE TABLE stray (id text PRIMARY KEY);
			GRANT SELECT (id) ON stray TO latchwork_app;
			CREATE TABLE installed (id text PRIMARY KEY);
			GRANT SELECT ON installed TO latchwork_system;
			CREATE VIEW around AS SELECT * FROM guarded;
			CREATE FUNCTION around() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM guarded $$`)
		const found = await holes(owner)
		await owner.query('ROLLBACK')
		assert.deepEqual(found.sort(), [
			'function around: runs as its owner',
			'table halfway: is not guarded',
			'table keyless: tenant_id is not first in its primary key',
			'table opened: has a policy that guard() did not make',
			'table stray: has no tenant_id, and requests may use it',
			'table unguarded: is not guarded',
			'view around: reads as its owner (security_invoker is off)',
		])
	})
})

/** The certificate that every controller is shown when it dials. */
const PUBLIC = new Set(['port_authority certificate'])

/** What in the schema would show a tenant's rows to another. */
async function holes(owner: pg.Client): Promise<string[]> {
	const tables = await owner.query<{
		name: string
		written: boolean
		shown: string[]
		tenant: boolean
		used: boolean
		part: boolean
		guarded: boolean
		first: boolean
		more: boolean
	}>(`
		SELECT c.relname AS name,
			has_table_privilege('latchwork_app', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
				OR has_any_column_privilege('latchwork_app', c.oid, 'INSERT, UPDATE, REFERENCES') AS written,
			ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
				AND has_column_privilege('latchwork_app', c.oid, a.attnum, 'SELECT') ORDER BY a.attnum) AS shown,
			t.attnum IS NOT NULL AS tenant,
			c.relispartition AS part,
			has_table_privilege('latchwork_app', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
				OR has_any_column_privilege('latchwork_app', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') AS used,
			c.relrowsecurity AND (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname IN ('tenant', 'system')) = CASE WHEN c.relispartition THEN 0 ELSE 2 END
				AS guarded,
			EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname NOT IN ('tenant', 'system')) AS more,
			EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indkey[0] = t.attnum) AS first
		FROM pg_class c LEFT JOIN pg_attribute t ON t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped
		WHERE c.relnamespace = 'latchwork'::regnamespace AND c.relkind IN ('r', 'p', 'f', 'm')`)
	const views = await owner.query<{ name: string }>(`
		SELECT relname AS name FROM pg_class WHERE relnamespace = 'latchwork'::regnamespace AND relkind = 'v'
			AND NOT coalesce(reloptions @> ARRAY['security_invoker=true'] OR reloptions @> ARRAY['security_invoker=on'], false)`)
	const functions = await owner.query<{ name: string }>(
		`SELECT proname AS name FROM pg_proc WHERE pronamespace = 'latchwork'::regnamespace AND prosecdef`,
	)
	return [
		...tables.rows.flatMap(({ name, written, shown, tenant, used, part, guarded, first, more }) => {
			// Of the installation: system work only, but for what is public anyway.
			if (!tenant && !written && PUBLIC.has(`${name} ${shown}`)) return []
			if (!tenant) return used ? [`table ${name}: has no tenant_id, and requests may use it`] : []
			if (!guarded) return [`table ${name}: is not guarded`]
			if (more) return [`table ${name}: has a policy that guard() did not make`]
			// The side door of a partition is shut by a guard without any policy; its key is that of the whole.
			return first || part ? [] : [`table ${name}: tenant_id is not first in its primary key`]
		}),
		...views.rows.map(({ name }) => `view ${name}: reads as its owner (security_invoker is off)`),
		...functions.rows.filter(({ name }) => !AS_OWNER.has(name)).map(({ name }) => `function ${name}: runs as its owner`),
	]
}
