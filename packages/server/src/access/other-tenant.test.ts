import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Route } from '../http/index.ts'
import { type Answered, type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { SAMPLES, type Sample } from '../testing/api-samples.ts'

/**
 * A second organisation that holds rows with the very ids and labels of the first: an answer that is not refused is about its own rows, and not one
 * byte of the first one's is read or changed (issue 3, done when 4). Every table with a tenant stands in one of the two lists, or the test fails: whoever
 * makes a table says here whether its rows can be the other one's as well.
 */
const DOUBLED = [
	'badge_use',
	'api_token',
	'approval',
	'area',
	'asset',
	'asset_type',
	'bank',
	'bank_state',
	'break_glass',
	'bundle_dirty',
	'case_event',
	'case_number',
	'case_session',
	'case_step',
	'claim_token',
	'command',
	'compartment',
	'compartment_state',
	'controller',
	'controller_state',
	'cursor',
	'deadline',
	'head_key',
	'idempotency',
	'loan_news',
	'membership',
	'module',
	'notice',
	'one_time_code',
	'person_dirty',
	'person_group',
	'pick_up_code',
	'pin_budget',
	'policy',
	'policy_epoch',
	'policy_review',
	'policy_version',
	'qualification',
	'reservation',
	'role',
	'role_assignment',
	'setting',
	'sign_in',
	'site',
	'site_chain',
	'stream_applied',
	'suspension',
	'task',
	'workflow_case',
	'workflow_table',
]
/** Their bytes name their organisation, are signed or sealed for it, or are of a person whose row is. */
const NOT_DOUBLED = [
	'badge_reading',
	'bundle',
	'credential',
	'credential_verifier',
	'device_authority',
	'device_certificate',
	'person',
	'person_word',
	'session',
	'site_key',
	'tenant',
	'tenant_key',
	// The ledger's own test does it with its streams.
	'checkpoint',
	'event',
	'event_pending',
	'ledger_head',
	'ledger_month',
	'ledger_tile',
	'stream',
]
/** What is wrong with the two lists, given the tables that there are. */
function unlisted(tables: readonly string[]): string[] {
	const listed = [...DOUBLED, ...NOT_DOUBLED]
	return [
		...tables.filter((name) => !listed.includes(name)).map((name) => `${name} is in neither list`),
		...listed.filter((name) => !tables.includes(name)).map((name) => `there is no table ${name}`),
		...DOUBLED.filter((name) => NOT_DOUBLED.includes(name)).map((name) => `${name} is in both lists`),
	]
}
/** When all that the first organisation has was made, as the database says once its rows have been doubled: nobody else's answer may hold it. */
const MARK = Date.UTC(2001, 1, 3, 4, 5, 6)
const MARKED = '2001-02-03T04:05:06'

describe('another organisation with the same ids and labels', () => {
	let api: TestApi
	let owner: pg.Client
	let acme: TestTenant
	let rival: TestTenant
	let tables: readonly { name: string; columns: readonly string[] }[]
	before(async () => {
		api = await testApi()
		owner = new pg.Client({ connectionString: api.database })
		await owner.connect()
		await owner.query('SET search_path TO latchwork')
		acme = await api.tenant('Acme')
		rival = await api.tenant('Rival')
		const { rows } = await owner.query<{ name: string; columns: string[] }>(`
			SELECT c.relname AS name, array_agg(a.attname::text) AS columns FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
			WHERE c.relnamespace = 'latchwork'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
			GROUP BY c.relname HAVING 'tenant_id' = ANY (array_agg(a.attname::text)) ORDER BY 1`)
		tables = rows
	})
	after(async () => {
		await owner?.end()
		await api?.close()
	})

	/** Of every row of the organisation, in every table. */
	async function digest(tenant: string): Promise<Record<string, string>> {
		const found: Record<string, string> = {}
		for (const { name } of tables) {
			const { rows } = await owner.query(
				`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest FROM "${name}" t WHERE tenant_id = $1`,
				[tenant],
			)
			found[name] = rows[0].digest
		}
		return found
	}

	/** The rows of the first one once more, as the other one's. */
	async function double(): Promise<{ doubled: number; single: readonly string[] }> {
		let doubled = 0
		const single: string[] = []
		await owner.query('SET session_replication_role = replica')
		for (const { name, columns } of tables.filter(({ name }) => DOUBLED.includes(name))) {
			const others = columns.filter((column) => column !== 'tenant_id').map((column) => `"${column}"`)
			const { rowCount } = await owner
				.query(`INSERT INTO "${name}" (tenant_id, ${others}) SELECT $2, ${others} FROM "${name}" WHERE tenant_id = $1`, [acme.id, rival.id])
				.catch((cause: Error & { code?: string; constraint?: string }) => {
					// What is one of its kind in the whole installation cannot be the other's as well.
					assert.equal(cause.code, '23505', cause.message)
					single.push(cause.constraint ?? name)
					return { rowCount: 0 }
				})
			doubled += rowCount ?? 0
		}
		for (const { name, columns } of tables)
			for (const column of ['created_at', 'updated_at'])
				if (columns.includes(column)) await owner.query(`UPDATE "${name}" SET ${column} = $2 WHERE tenant_id = $1`, [acme.id, MARK])
		await owner.query('SET session_replication_role = origin')
		return { doubled, single }
	}

	const nameOf = ({ method, path }: Route) => `${method} ${path}`
	const send = ({ method, path }: Route, { params, query, body, version }: Sample, token: string): Promise<Answered> => {
		const address = path.replaceAll(/\{(\w+)\}|\*/g, (whole, name = whole) => params?.[name] ?? '')
		return api.ask(method, address + (query ? `?${query}` : ''), { token, version, ...(body !== undefined && { body }) })
	}
	const isSuccess = ({ status }: Answered) => status >= 200 && status < 300
	/** Bytes of its rows, or that they are there at all. */
	const shows = ({ text }: Answered) => text.includes(acme.id) || text.includes(MARKED)

	test('every table with a tenant is known here, and one that nobody knows, or that is gone, is named', () => {
		const names = tables.map(({ name }) => name)
		assert.deepEqual(unlisted(names), [])
		assert.deepEqual(unlisted([...names.filter((name) => name !== 'area'), 'event_note']), [
			'event_note is in neither list',
			'there is no table area',
		])
	})

	test('reads and changes nothing of the first, whatever id it puts wherever; its own same calls succeed', async (t) => {
		const asked: { route: Route; sample: Sample }[] = []
		for (const route of api.routes) {
			const make = SAMPLES[nameOf(route)]
			if (route.permission === 'public' || !make) continue
			asked.push({ route, sample: await make({ api, tenant: acme, sender: acme.owner }) })
		}
		await api.sign(acme.id)
		await api.sign(rival.id)
		const { doubled, single } = await double()
		const before = await digest(acme.id)
		const own = await digest(rival.id)

		let refused = 0
		let about = 0
		/** A row of the first, even under the other’s name, opens nothing: it is sealed for its organisation. */
		let sealed = 0
		const wrong: string[] = []
		for (const { route, sample } of asked.toSorted((a, b) => Number(a.route.method === 'DELETE') - Number(b.route.method === 'DELETE'))) {
			const answer = await send(route, sample, rival.owner.token)
			if (isSuccess(answer)) about++
			else refused++
			if (answer.body?.code === 'sealed-unreadable') sealed++
			else if (answer.status >= 500) wrong.push(`${nameOf(route)}: ${answer.text}`)
			if (shows(answer)) wrong.push(`${nameOf(route)}: ${answer.status} ${answer.text.slice(0, 300)}`)
		}
		assert.deepEqual(wrong, [])
		assert.deepEqual(await digest(acme.id), before, 'not one byte of the first is another')

		// The controls: the other one's calls did reach rows, its own; the first one's rows are there and do show what was looked for.
		const changed = Object.entries(await digest(rival.id)).filter(([name, seen]) => seen !== own[name])
		let shown = 0
		for (const { route, sample } of asked.filter(({ route }) => route.method === 'GET')) {
			const answer = await send(route, sample, acme.owner.token)
			if (isSuccess(answer) && shows(answer)) shown++
		}
		t.diagnostic(
			`${doubled} rows with the ids of the first (none where ${single.join(', ')} forbid it); ${asked.length} routes with its ids: 0 showed or changed it, ${about} did well on the other’s own rows (${changed.length} tables changed), ${refused} found nothing, ${sealed} of them because it is sealed for the first; ${shown} show it to its own people`,
		)
		assert.ok(
			sealed > 0 && doubled > 100 && about > 50 && changed.length > 10 && shown > 15,
			JSON.stringify({ doubled, about, changed: changed.length, shown }),
		)
	})

	test('filters, cursors and live events that begin at a place of the first lead to nothing of it', async (t) => {
		await api.ask('POST', '/v1/sites', { token: rival.owner.token, body: { name: 'Of its own', timeZone: 'Europe/Berlin' } })
		await api.sign(rival.id)
		const query = [
			`bank=${acme.bank}`,
			`site=${acme.site}`,
			`subject=${acme.site}`,
			`subject=${acme.owner.id}`,
			'after=0',
			'before=100000&order=falling',
		]
		for (const one of query) {
			const foreign = await api.ask('GET', `/v1/events?limit=200&${one}`, { token: rival.owner.token })
			assert.equal(foreign.status, 200)
			assert.ok(!shows(foreign), one)
		}
		const first = await api.ask('GET', '/v1/events?limit=2', { token: acme.owner.token })
		const along = await api.ask('GET', `/v1/events?limit=200&cursor=${encodeURIComponent(first.body.next)}`, { token: rival.owner.token })
		assert.ok(isSuccess(along) && !shows(along) && along.text.includes(rival.id), 'a cursor of the first goes on in the other’s own log')
		const heard = { first: 0, other: 0 }
		for (const [name, tenant] of [
			['first', acme],
			['other', rival],
		] as const) {
			const stop = new AbortController()
			const headers = { authorization: `Bearer ${tenant.owner.token}`, 'last-event-id': '0' }
			const feed = await fetch(`${api.url}/v1/events/stream`, { headers, signal: stop.signal })
			let text = ''
			for await (const part of feed.body ?? []) {
				text += Buffer.from(part as Uint8Array).toString()
				if (text.includes('tenantid')) break
			}
			stop.abort()
			const strange = name === 'first' ? rival : acme
			assert.ok(!text.includes(strange.id))
			heard[name] = text.split('tenantid').length - 1
		}
		for (const file of ['checkpoint', 'tile/entries/000', 'tile/entries/000.p/1']) {
			const theirs = await api.ask('GET', `/v1/audit/log/${file}`, { token: rival.owner.token })
			assert.ok(!shows(theirs), file)
		}
		t.diagnostic(`live: ${JSON.stringify(heard)}`)
		assert.ok(heard.first > 0 && heard.other > 0)
	})
})
