import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import { type Case, FINISHED, type Input, type LoadedTable, movedData, step } from '@latchwork/core/workflow'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { sql } from '@latchwork/server/store'
import { type TestApi, type TestTenant, testApi } from '@latchwork/server/testing/api'
import { type TestEdge, testEdge } from '@latchwork/server/testing/edge'
import { testLoan } from '@latchwork/server/testing/loan'

interface Opener {
	readonly kind: 'person' | 'code'
	readonly user?: string
	readonly action?: string
	readonly method?: string
	readonly code?: string
	readonly for?: string
	readonly hint?: string
	readonly rules: readonly string[]
}

/** Who can open what, on the real API with the engine that banks decide with: by what people can show, and by what lies behind the door. */
describe('who can open a door', () => {
	const random = seededRandom(41)
	let api: TestApi
	let tenant: TestTenant
	let edge: TestEdge
	let laptop: string
	const users: Record<string, string> = {}
	const names = new Map<string, string>()

	const ask = (method: string, path: string, body?: unknown, version?: number) =>
		api.ask(method, path, { token: tenant.owner.token, ...(body !== undefined && { body }), ...(version !== undefined && { version }) })
	const made = async (path: string, body: unknown) => {
		const answer = await ask('POST', path, body)
		assert.ok(answer.status === 201 || answer.status === 200, `${path}: ${answer.text}`)
		return answer.body
	}
	const publish = async (code: string, draft: string) => {
		const { id, version } = await made('/v1/policies', { code, draft })
		await made(`/v1/policies/${id}/versions`, { version, acceptWarnings: true })
		return id as string
	}
	const retire = async (id: string) => {
		const { version } = (await ask('GET', `/v1/policies/${id}`)).body
		assert.equal((await ask('DELETE', `/v1/policies/${id}?acceptWarnings=true`, undefined, version)).status, 204)
	}
	const door = (number: number) => edge.doors.get(number) ?? assert.fail(`no door ${number}`)
	const openers = async (number: number, more = '') =>
		(await ask('GET', `/v1/compartments/${door(number)}/openers?limit=200${more}`)).body.items as Opener[]
	/** In short: who, what, with what, at the bank itself. */
	const short = async (number: number, more = '') => (await all(number, more)).filter((one) => !one.includes('open-remote'))
	const all = async (number: number, more = '') =>
		(await openers(number, more))
			.map((one) => (one.kind === 'code' ? `${one.for} ${one.hint ?? ''}`.trim() : `${names.get(one.user ?? '') ?? '?'} ${one.action} ${one.method}`))
			.sort()
	const reach = async (name: string) =>
		((await ask('GET', `/v1/users/${users[name]}/reach?bank=${tenant.bank}&limit=200`)).body.items as Record<string, unknown>[]).map(
			({ outcome: _, bank: __, ...one }) => one,
		)

	before(async () => {
		api = await testApi({ engine: cedarEngine })
		tenant = await api.tenant('Fernholt Group')
		edge = await testEdge(api, tenant)
		const staff = await made('/v1/groups', { code: 'staff', name: 'Staff' })
		for (const name of ['Bare', 'Badge', 'Pin', 'Both', 'Once', 'Ended']) {
			const { id } = await made('/v1/users', { name })
			users[name] = id
			names.set(id, name)
			assert.equal((await ask('PUT', `/v1/groups/${staff.id}/members/${id}`)).status, 204)
		}
		names.set(tenant.owner.id, 'Owner')
		for (const [name, number] of [
			['Badge', '1001'],
			['Both', '1002'],
		])
			await made('/v1/credentials', { kind: 'badge', user: users[name ?? ''], number })
		for (const name of ['Pin', 'Both']) await made('/v1/credentials', { kind: 'pin', user: users[name], site: tenant.site })
		// A PIN of another site is none here, and a badge that was taken back is none anywhere.
		await made('/v1/credentials', { kind: 'pin', user: users.Bare, site: tenant.otherSite })
		const ended = await made('/v1/credentials', { kind: 'badge', user: users.Ended, number: '1003' })
		assert.equal((await ask('DELETE', `/v1/credentials/${ended.id}`, undefined, ended.version)).status, 200)
		const type = await made('/v1/asset-types', { code: 'laptop-14', name: 'Laptop' })
		laptop = (await made('/v1/assets', { type: type.id, tag: 'LT-1', bank: tenant.bank })).id
		await publish(
			'loans',
			`@id("staff-take") permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14");`,
		)
		await made('/v1/one-time-codes', { user: users.Once, bank: tenant.bank, hours: 2 })
		await edge.tell(
			{ type: 'compartment.occupied', subject: door(5), data: { item: laptop } },
			...[6, 7, 8].map((number) => ({ type: 'compartment.emptied' as const, subject: door(number), data: {} })),
		)
	})
	after(() => api?.close())

	/** An order whose parcel was put in there. */
	const parcelIn = async (number: number, recipient: object) => {
		const { delivery } = await made('/v1/deliveries', { bank: tenant.bank, label: `Order ${number}`, lines: [{ size: 'S' }], recipient })
		const row = await api.store.read(tenant.id, (db) =>
			db.first<{ body: Case; table: LoadedTable; hash: string }>(sql`SELECT c.body, t.body AS table, t.hash FROM workflow_case c
				JOIN workflow_table t ON t.tenant_id = c.tenant_id AND t.hash = c.table_hash WHERE c.tenant_id = ${db.tenant} AND c.case_id = ${delivery.id}`),
		)
		if (!row) return assert.fail('no case')
		const table = { ...row.table, hash: row.hash }
		let of = row.body
		const line = of.lines[0]?.id ?? ''
		const does = async (input: Input) => {
			const env = { now: api.clock.now(), bank: tenant.bank, facts: FINISHED }
			const stepped = step(table, of, input, env)
			if ('refused' in stepped) return assert.fail(stepped.text)
			of = stepped.case
			await edge.tell(...movedData(stepped, { input, env }).map((data) => ({ type: 'case.moved' as const, subject: delivery.id, data })))
		}
		const compartment = door(number)
		const by = newId('subject', api.clock.now(), random)
		await does({ kind: 'act', act: 'deposit', line, by: 'staff', subject: by, evidence: 4, compartment })
		await edge.tell({ type: 'compartment.occupied', subject: compartment, data: { item: line } })
		return { id: delivery.id as Id<'case'>, does }
	}

	test('is who has what the bank asks for: nobody without a badge, a PIN or a code, and both where both are asked for', async () => {
		assert.deepEqual(await short(5), ['Badge collect badge', 'Both collect badge', 'Once collect code', 'Pin collect pin'])
		const both = await publish(
			'both',
			'@reason("needs-second-factor") forbid (principal, action == Latchwork::Action::"collect", resource) unless { context.method == "badge-and-pin" };',
		)
		assert.deepEqual(await short(5), ['Both collect badge-and-pin'])
		assert.deepEqual(
			[(await reach('Badge'))[0], (await reach('Both'))[0], (await reach('Bare'))[0]],
			[
				{ action: 'collect', type: 'laptop-14', effect: 'deny', reason: 'needs-second-factor', missing: 'badge-and-pin' },
				{ action: 'collect', type: 'laptop-14', effect: 'allow', method: 'badge-and-pin' },
				{ action: 'collect', type: 'laptop-14', effect: 'deny', missing: 'badge-and-pin' },
			],
		)
		await retire(both)
		assert.deepEqual((await reach('Bare'))[0], { action: 'collect', type: 'laptop-14', effect: 'deny', missing: 'badge' })
		assert.deepEqual((await reach('Badge'))[0], { action: 'collect', type: 'laptop-14', effect: 'allow', method: 'badge' })
		// A code for some hours is none afterwards; a badge that gets an end is none after it.
		const later = `&at=${new Date(api.clock.now() + 4 * 3_600_000).toISOString()}`
		assert.deepEqual(await short(5, later), ['Badge collect badge', 'Both collect badge', 'Pin collect pin'])
	})

	test('is nobody who has as much as they may or is late; what-if and what that person can open say the same', async () => {
		const user = (users.Badge ?? assert.fail('nobody')) as Id<'subject'>
		const limit = async (maxLoans: number | null) => {
			const { version } = (await ask('GET', `/v1/users/${user}`)).body
			assert.equal((await ask('PATCH', `/v1/users/${user}`, { maxLoans }, version)).status, 200)
		}
		const said = async () => {
			const whatIf = await made('/v1/what-if', { user, bank: tenant.bank, action: 'collect', type: 'laptop-14' })
			return [whatIf.inForce.reason ?? 'allowed', (await reach('Badge'))[0]?.reason ?? 'allowed', (await short(5)).includes('Badge collect badge')]
		}
		await limit(1)
		assert.deepEqual(await said(), ['allowed', 'allowed', true])
		const loan = testLoan({ bank: tenant.bank, owner: user }, api.clock.now(), random)
		await edge.tell(...loan.take(api.clock.now()))
		assert.deepEqual(await said(), ['quota-exceeded', 'quota-exceeded', false])
		await limit(null)
		assert.deepEqual(await said(), ['allowed', 'allowed', true])
		const late = await publish(
			'late',
			'@reason("overdue-block") forbid (principal, action == Latchwork::Action::"collect", resource) when { context.overdue };',
		)
		assert.deepEqual(await said(), ['allowed', 'allowed', true])
		await api.store.write(tenant.id, (tx) =>
			tx.run(sql`UPDATE workflow_case SET due_at = ${api.clock.now() - 1} WHERE tenant_id = ${tx.tenant} AND case_id = ${loan.id}`),
		)
		assert.deepEqual(await said(), ['overdue-block', 'overdue-block', false])
		await edge.tell(...loan.giveBack(api.clock.now()))
		assert.deepEqual(await said(), ['allowed', 'allowed', true])
		await retire(late)
	})

	test('from afar is who holds the permission at that bank, whatever badge they have', async () => {
		const serve = await publish(
			'serve',
			'permit (principal in Latchwork::Group::"staff", action in [Latchwork::Action::"service", Latchwork::Action::"open-remote"], resource is Latchwork::Compartment);',
		)
		const afar = async () => (await all(5)).filter((one) => one.includes('open-remote'))
		const remote = async (name: string) => (await reach(name)).find(({ action }) => action === 'open-remote')
		assert.deepEqual(await afar(), ['Owner open-remote remote'])
		assert.deepEqual(await remote('Badge'), { action: 'open-remote', effect: 'deny', missing: 'remote' })
		const give = (scope: object) => made('/v1/role-assignments', { role: 'technician', user: users.Bare, scope })
		await give({ kind: 'site', id: tenant.otherSite })
		assert.deepEqual(await afar(), ['Owner open-remote remote'], 'at another site it is worth nothing here')
		await give({ kind: 'bank', id: tenant.bank })
		assert.deepEqual(await afar(), ['Bare open-remote remote', 'Owner open-remote remote'])
		assert.deepEqual(await remote('Bare'), { action: 'open-remote', effect: 'allow', method: 'remote' })
		await retire(serve)
	})

	test('of a parcel is its recipient and whoever has a code of it, and staff only once they are to take it out', async () => {
		const carry = await publish(
			'parcels',
			'permit (principal in Latchwork::Group::"staff", action in [Latchwork::Action::"collect", Latchwork::Action::"deposit"], resource is Latchwork::Compartment);',
		)
		assert.deepEqual(await short(6), [], 'nothing is expected, so nobody opens an empty door')
		const parcel = await parcelIn(6, { user: users.Pin })
		assert.deepEqual(await short(6), ['Pin collect pin', 'recipient'])
		assert.deepEqual(
			(await reach('Pin')).filter(({ own }) => own),
			[{ action: 'collect', own: true, doors: [6], effect: 'allow', method: 'pin' }],
		)
		assert.deepEqual(
			(await reach('Badge')).filter(({ own }) => own),
			[],
			'the control: nothing waits for others',
		)
		const delegated = await made(`/v1/deliveries/${parcel.id}/delegations`, { hint: 'H… R…' })
		assert.deepEqual(await short(6), ['Pin collect pin', 'delegate H… R…', 'recipient'])
		const text = JSON.stringify(await openers(6))
		for (const secret of [delegated.pickUpCode?.digits ?? delegated.digits, 'Order 6']) assert.ok(secret && !text.includes(secret), String(secret))
		const pages: Opener[] = []
		for (let cursor = ''; ; ) {
			const { items, next } = (await ask('GET', `/v1/compartments/${door(6)}/openers?limit=1${cursor}`)).body
			pages.push(...items)
			if (next === undefined) break
			cursor = `&cursor=${next}`
		}
		assert.deepEqual(pages, await openers(6), 'page by page the same')

		// Somebody without an account has nothing but the code.
		await parcelIn(7, { hint: 'M… K…' })
		assert.deepEqual(await short(7), ['recipient M… K…'])
		const [code] = await openers(7)
		assert.deepEqual([code?.kind, code?.rules], ['code', ['builtin/own-pick-up']])

		// A rule may keep codes away, as it may at the door.
		const noCodes = await publish('no-codes', 'forbid (principal, action, resource) when { context.method == "code" };')
		assert.deepEqual(await short(6), ['Pin collect pin'])
		await retire(noCodes)

		assert.equal((await ask('POST', `/v1/deliveries/${parcel.id}/recalls`, { reason: 'sender-asks' })).status, 201)
		assert.deepEqual(await short(6), ['Badge collect badge', 'Both collect badge', 'Once collect code', 'Pin collect pin'])
		await retire(carry)
		assert.deepEqual(await short(6), [])
	})

	test('that is empty is whoever may put in what is expected, or has something to bring back; one out of service is nobody at the bank', async () => {
		const carry = await publish(
			'drop-off',
			'permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"deposit", resource is Latchwork::Compartment) when { context.workflow == "delivery" };',
		)
		await made('/v1/deliveries', { bank: tenant.bank, label: 'Order 8', lines: [{ size: 'S' }], recipient: { hint: 'A… A…' } })
		assert.deepEqual(await short(8), ['Badge deposit badge', 'Both deposit badge', 'Once deposit code', 'Pin deposit pin'])
		await retire(carry)
		assert.deepEqual(await short(8), [])
		// What somebody has out they may bring back, whatever policies say: into a door that is large enough, and only they.
		const away = (user: string | undefined) =>
			api.store.write(tenant.id, (tx) =>
				tx.run(sql`UPDATE asset SET custodian = ${user ?? ''} WHERE tenant_id = ${tx.tenant} AND asset_id = ${laptop}`),
			)
		const empty = (await ask('GET', `/v1/compartments?bank=${tenant.bank}&limit=200`)).body.items as { number: number; size: string }[]
		const sized = (is: (size: string) => boolean) => empty.find(({ number, size }) => number > 8 && is(size))?.number ?? assert.fail('no such door')
		const [small, large] = [sized((size) => size === 'S'), sized((size) => size !== 'S')]
		await edge.tell(...[small, large].map((number) => ({ type: 'compartment.emptied' as const, subject: door(number), data: {} })))
		await away(users.Badge)
		assert.deepEqual([await short(small), await short(large)], [[], ['Badge deposit badge']])
		await away(users.Bare)
		assert.deepEqual(await short(large), [], 'nobody reads from them whose it is')
		const { version } = (await ask('GET', `/v1/compartments/${door(5)}`)).body
		const out = await ask('PATCH', `/v1/compartments/${door(5)}`, { service: { state: 'out-of-service', reason: 'broken' } }, version)
		assert.equal(out.status, 200, out.text)
		assert.deepEqual(await short(5), [])
	})
})

describe('a policy that tells doors apart', () => {
	let api: TestApi
	let tenant: TestTenant
	let edge: TestEdge
	before(async () => {
		api = await testApi({ engine: cedarEngine })
		tenant = await api.tenant('Fernholt Group')
		edge = await testEdge(api, tenant)
		const staff = await made('/v1/groups', { code: 'staff', name: 'Staff' })
		const ada = await made('/v1/users', { name: 'Ada Berg' })
		assert.equal((await ask('PUT', `/v1/groups/${staff.id}/members/${ada.id}`)).status, 204)
		await made('/v1/credentials', { kind: 'badge', user: ada.id, number: '1001' })
	})
	after(() => api?.close())
	const ask = (method: string, path: string, body?: unknown, version?: number) =>
		api.ask(method, path, { token: tenant.owner.token, ...(body !== undefined && { body }), ...(version !== undefined && { version }) })
	const made = async (path: string, body: unknown) => {
		const answer = await ask('POST', path, body)
		assert.equal(answer.status, 201, `${path}: ${answer.text}`)
		return answer.body
	}
	const carry = (when: string, resource = 'resource is Latchwork::Compartment') =>
		`permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", ${resource})${when && ` when { ${when} }`};`
	const warned = async (draft: string) => (await ask('POST', '/v1/policy-checks', { draft })).body.warnings.map(({ code }: { code: string }) => code)

	test('is not said to apply never, whichever door, size, reach or number it names', async () => {
		const last = edge.doors.get(20) ?? assert.fail()
		for (const draft of [
			carry('', `resource == Latchwork::Compartment::"${last}"`),
			...['S', 'M', 'L'].map((size) => carry(`resource.size == "${size}"`)),
			...['true', 'false'].map((is) => carry(`resource.accessible == ${is}`)),
			...['resource.number == 20', '20 <= resource.number', 'resource.number > 19 && resource.number < 21', 'resource.number * 2 == 40'].map((when) =>
				carry(when),
			),
			carry('resource["number"] == 20'),
			carry('context.method == "pin"'),
			carry('context.assuranceLevel >= 3'),
		])
			assert.deepEqual(await warned(draft), [], draft)
		// The control: what can be met at no door, or by no way to be known, is still said to be.
		for (const draft of [
			carry('resource.size == "XXL"'),
			carry('resource.number == 999'),
			carry('resource.number * 2 == 41'),
			carry('context.method == "face"'),
		])
			assert.deepEqual(await warned(draft), ['never-applies'], draft)
	})

	test('is warned of when it shuts or opens all doors, and not when it does so to some', async () => {
		const { id, version } = await made('/v1/policies', { code: 'parcels', draft: carry('') })
		await made(`/v1/policies/${id}/versions`, { version })
		const first = edge.doors.get(1) ?? assert.fail()
		assert.deepEqual(await warned(`forbid (principal, action, resource == Latchwork::Compartment::"${first}");`), [])
		assert.deepEqual(await warned('forbid (principal, action, resource) when { resource is Latchwork::Compartment };'), ['denies-everybody'])
	})

	test('gives people an answer for each kind of door, and one for all where it makes no difference', async () => {
		const [{ id: ada }] = (await ask('GET', '/v1/users?search=ada')).body.items
		const takes = async () =>
			((await ask('GET', `/v1/users/${ada}/reach?bank=${tenant.bank}`)).body.items as { action: string; effect: string; doors?: number[] }[])
				.filter(({ action }) => action === 'collect')
				.map(({ effect, doors }) => [effect, doors])
		assert.deepEqual(await takes(), [['allow', undefined]])
		const { id, version } = await made('/v1/policies', {
			code: 'low',
			draft: '@reason("policy-denied") forbid (principal, action, resource is Latchwork::Compartment) when { resource.number <= 3 };',
		})
		await made(`/v1/policies/${id}/versions`, { version })
		const rest = [...edge.doors.keys()].filter((number) => number > 3).sort((a, b) => a - b)
		const rows = await takes()
		assert.deepEqual(
			rows.map(([effect, doors]) => [effect, [...((doors as number[] | undefined) ?? [])].sort((a, b) => a - b)]),
			[
				['deny', [1, 2, 3]],
				['allow', rest],
			],
		)
	})
})
