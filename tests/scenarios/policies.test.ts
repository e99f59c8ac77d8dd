import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { arrive, borrow, giveBack, leave, stateOf } from './hands.ts'
import { eventually, type Site, startSite } from './site.ts'

/** From a sentence in plain words to a door that obeys it, as somebody does it who writes their first policy. */
interface Policy {
	readonly id: string
	readonly version: number
	readonly draft: string
	readonly published?: number
	readonly changed: boolean
}
interface Outcome {
	readonly effect: 'allow' | 'deny'
	readonly reason?: string
	readonly rules: readonly { readonly rule: string; readonly policy?: string; readonly statement?: number; readonly line?: number }[]
	readonly instead: readonly { readonly change: string; readonly at?: string }[]
}
interface Check {
	readonly problem?: { readonly line: number; readonly column: number; readonly text: string }
	readonly warnings: readonly { readonly code: string; readonly text: string; readonly line?: number; readonly suggestion?: string }[]
}

const WEEKDAYS = [
	{ kind: 'take', groups: ['staff'], types: ['laptop-14'], times: { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' } },
	{ kind: 'overdue' },
]
const DAY = 86_400_000
const PATIENCE_MS = 20_000

describe('a policy', () => {
	let site: Site
	let users: Map<string, string>
	let loans: Policy
	let saturday: number
	const tokens = new Map<string, string>()
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
		const { items } = await site.api<{ items: { id: string; name: string }[] }>('GET', '/v1/users?limit=50')
		users = new Map(items.map(({ id, name }) => [name.split(' ')[0] ?? '', id]))
		const all = await site.api<{ items: (Policy & { code: string })[] }>('GET', '/v1/policies')
		loans = all.items.find(({ code }) => code === 'loans') ?? assert.fail('no policy for loans')
		// Saturday, 10:00 at the first site, whenever this runs.
		const now = await clock()
		const midnight = now - (now % DAY)
		const days = (6 - new Date(midnight).getUTCDay() + 7) % 7 || 7
		saturday = midnight + days * DAY + 9 * 3_600_000
		await site.advance((saturday - now) / 1_000)
	})
	after(async () => void (await site?.stop()))

	const clock = async () => (await stateOf(site)).clock?.now ?? assert.fail('no clock')
	const user = (name: string) => users.get(name) ?? assert.fail(`no ${name}`)
	const check = (text: object) => site.api<Check>('POST', '/v1/policy-checks', { policy: loans.id, ...text })
	const whatIf = (of: object) => site.api<{ inForce: Outcome; draft?: Outcome }>('POST', '/v1/what-if', { bank: site.bank, type: 'laptop-14', ...of })
	const read = async () => {
		loans = await site.api<Policy>('GET', `/v1/policies/${loans.id}`)
		return loans
	}
	const publish = async (more: object = {}) =>
		site.api<Policy>('POST', `/v1/policies/${loans.id}/versions`, { version: (await read()).version, ...more })
	const draft = async (text: object, token?: string) => {
		const { version } = await read()
		const answer = await fetch(`${site.ready.api}/v1/policies/${loans.id}`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${token ?? site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${version}"` },
			body: JSON.stringify(text),
		})
		assert.equal(answer.status, 200, await answer.clone().text())
		return (await answer.json()) as Policy
	}
	/** Whether the kiosk offers Ada a laptop; a bank hears of a new policy within a second or two. */
	const offered = async (): Promise<string> => {
		const choice = (await arrive(site, 0)).find((one) => one.kind === 'borrow')
		await leave(site)
		return choice === undefined ? 'not shown' : (choice.denied ?? 'offered')
	}

	test('that cannot be read is refused with its place, and what was meant', async () => {
		const misspelt = await check({ draft: 'permit (principal, action, resource)\nwhen { context.offlin };' })
		assert.equal(misspelt.problem?.line, 2)
		assert.match(misspelt.problem?.text ?? '', /offlin/)
		assert.match(misspelt.problem?.text ?? '', /offline/, 'what was meant')
		const { warnings, problem } = await check({ statements: [{ kind: 'take', groups: ['stafff'], types: ['laptop-14'] }] })
		assert.equal(problem, undefined)
		assert.deepEqual(
			warnings.filter(({ code }) => code === 'unknown-name').map(({ suggestion }) => suggestion),
			['staff'],
		)
		await assert.rejects(site.api('POST', '/v1/policy-checks', { draft: 'x'.repeat(1_000_000) }), /41[03]|400/)
		await assert.rejects(check({ draft: 'permit (principal, action, resource);', statements: WEEKDAYS }), /not both/)
		// The control.
		assert.deepEqual(await check({ statements: WEEKDAYS }).then(({ warnings, problem }) => [warnings, problem]), [[], undefined])
	})

	test('that denies everybody, opens everything or is forbidden by another is warned of before it is published', async () => {
		const codes = async (text: object) => [...new Set((await check(text)).warnings.map(({ code }) => code))].sort()
		assert.deepEqual(await codes({ draft: 'forbid (principal, action, resource);' }), ['denies-everybody'])
		assert.deepEqual(await codes({ draft: 'permit (principal, action, resource);' }), ['opens-everything'])
		// Parcels go on, and yet nobody could borrow any more: the sentence that allowed it is gone.
		const [lost] = (await check({ statements: [{ kind: 'overdue' }] })).warnings.filter(({ code }) => code === 'denies-everybody')
		assert.match(lost?.text ?? '', /nobody could take laptop-14 any more/)
		const contradiction = `permit (principal in Latchwork::Group::"visitors", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14");
permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14");
forbid (principal in Latchwork::Group::"visitors", action, resource);`
		const { warnings } = await check({ draft: contradiction })
		assert.deepEqual(
			warnings.map(({ code, line }) => [code, line]),
			[['never-applies', 1]],
		)
		await draft({ draft: 'forbid (principal, action, resource);' })
		await assert.rejects(publish(), /409.*policy-warned/s)
		assert.equal((await read()).published, 1)
	})

	test('is tried in what-if before it counts: who is refused, by which sentence, and when it would be allowed', async () => {
		const { draft: cedar } = await draft({ statements: WEEKDAYS })
		assert.match(cedar, /@id\("s1:staff:laptop-14"\)/)
		const ada = await whatIf({ user: user('Ada'), policy: loans.id })
		assert.deepEqual([ada.inForce.effect, ada.inForce.rules[0]?.rule, ada.inForce.rules[0]?.line], ['allow', 'loans/s1:staff:laptop-14', 1])
		assert.deepEqual([ada.draft?.effect, ada.draft?.reason], ['deny', 'not-authorised'])
		const monday = new Date(ada.draft?.instead.find(({ change }) => change === 'time')?.at ?? 0)
		assert.equal(monday.getUTCDay(), 1)
		const then = await whatIf({ user: user('Ada'), policy: loans.id, at: monday.toISOString() })
		assert.deepEqual([then.draft?.effect, then.draft?.rules[0]?.policy, then.draft?.rules[0]?.statement], ['allow', 'loans', 1])
		const dana = await whatIf({ user: user('Dana') })
		assert.deepEqual([dana.inForce.effect, dana.inForce.reason, dana.inForce.instead], ['deny', 'not-authorised', []])
		await assert.rejects(whatIf({ user: user('Ada'), type: 'no-such-type' }), /body.type/)
	})

	test('is replayed on what banks decided: the Saturday loan would have been refused', async () => {
		await borrow(site, 0)
		await giveBack(site, 0)
		const replay = () =>
			site.api<{
				decisions: number
				same: number
				nowDenied: { times: number; people: number }
				nowAllowed: { times: number }
				changes: { decision: { user: string; action: string }; before: string; after: string }[]
			}>('POST', `/v1/policies/${loans.id}/replays`, {})
		const seen = await eventually(replay, ({ decisions }) => decisions >= 3, 'the decisions of the loan', PATIENCE_MS)
		assert.deepEqual(seen.nowDenied, { times: 1, people: 1 })
		assert.equal(seen.nowAllowed.times, 0)
		assert.equal(seen.same, seen.decisions - 1, 'the return, and the parcel of the start')
		assert.deepEqual(
			seen.changes.map(({ decision, before, after }) => [decision.user, decision.action, before, after]),
			[[user('Ada'), 'collect', 'allow', 'not-authorised']],
		)
	})

	test('needs a second person where the organisation says so, and is obeyed by the door when it is published', async () => {
		const settings = await site.api<{ version: number }>('GET', '/v1/settings')
		const patched = await fetch(`${site.ready.api}/v1/settings`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${settings.version}"` },
			body: JSON.stringify({ policyReview: true }),
		})
		assert.equal(patched.status, 200, await patched.text())
		await assert.rejects(publish(), /approval-needed/)
		const retire = async () => {
			const headers = { authorization: `Bearer ${site.ready.token}`, 'if-match': `"${(await read()).version}"` }
			const answer = await fetch(`${site.ready.api}/v1/policies/${loans.id}`, { method: 'DELETE', headers })
			if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
		}
		const review = (verdict: string, token?: string) =>
			read().then(({ version }) => site.api<Policy>('POST', `/v1/policies/${loans.id}/reviews`, { version, verdict }, token))
		await assert.rejects(review('approved'), /somebody else/)
		await assert.rejects(retire(), /409.*approval-needed/s)
		await site.api('POST', '/v1/role-assignments', { role: 'tenant-administrator', user: user('Ben'), scope: { kind: 'tenant' } })
		const token = await tokenOf('Ben')
		await review('rejected', token)
		await assert.rejects(publish(), /rejected/)
		await review('approved', token)
		assert.equal(await offered(), 'offered', 'until it is published')
		assert.equal((await publish()).published, 2)
		await eventually(offered, (seen) => seen === 'not-authorised', 'the door to obey', PATIENCE_MS)
	})

	test('tells who can open a door, and what somebody can open', async () => {
		const { items: doors } = await site.api<{ items: { id: string; live: { asset?: string } }[] }>(
			'GET',
			`/v1/compartments?bank=${site.bank}&limit=200`,
		)
		const full = doors.find(({ live }) => live.asset?.startsWith('ast_')) ?? assert.fail('no laptop')
		const openers = async (at: string, door = full.id) =>
			(
				await site.api<{ items: { kind: string; user: string; action: string; method: string; for?: string; hint?: string }[] }>(
					'GET',
					`/v1/compartments/${door}/openers?at=${at}&limit=200`,
				)
			).items
		// A parcel that waits is taken out by whoever has its code: not by those who may put parcels in, and take them out once nobody has come.
		const parcel = doors.find(({ live }) => live.asset?.startsWith('lin_')) ?? assert.fail('no parcel')
		const takers = (await openers(new Date(saturday).toISOString(), parcel.id)).filter(({ action }) => action !== 'open-remote')
		assert.deepEqual(
			takers.map(({ kind, for: whose, hint, user: who }) => [kind, whose, hint, who]),
			[['code', 'recipient', 'J… S…', undefined]],
		)
		const weekend = await openers(new Date(saturday).toISOString())
		assert.deepEqual(
			weekend.filter(({ action }) => action === 'collect'),
			[],
		)
		const monday = await openers(new Date(saturday + 2 * DAY).toISOString())
		assert.deepEqual(
			monday
				.filter(({ action }) => action === 'collect')
				.map(({ user, method }) => [user, method])
				.sort(),
			['Ada', 'Ben', 'Chen'].map((name) => [user(name), 'badge']).sort(),
		)
		assert.ok(
			monday.some(({ action, method }) => action === 'open-remote' && method === 'remote'),
			'the administrator, from afar',
		)
		const { items: reach } = await site.api<{ items: { action: string; type?: string; effect: string; reason?: string; bank: string }[] }>(
			'GET',
			`/v1/users/${user('Ada')}/reach?bank=${site.bank}`,
		)
		assert.deepEqual(
			reach.filter(({ bank }) => bank === site.bank).map(({ action, type, effect }) => [action, type ?? '', effect]),
			[
				['collect', 'laptop-14', 'deny'],
				['deposit', '', 'allow'],
				['collect', '', 'allow'],
				['open-remote', '', 'deny'],
			],
		)
	})

	test('leaves a record of each decision, and comes back at once when it was a mistake', async () => {
		const { items } = await site.api<{ items: { user?: string; effect: string; rules: string[]; action?: string; inputsDigest?: string }[] }>(
			'GET',
			`/v1/decisions?user=${user('Ada')}&effect=allow&bank=${site.bank}`,
		)
		const taken =
			items.find(({ action, rules }) => action === 'collect' && rules.includes('loans/s1:staff:laptop-14')) ?? assert.fail(JSON.stringify(items))
		assert.match(taken.inputsDigest ?? '', /^[0-9a-f]{64}$/)
		const own = await site.api<{ items: { user: string }[] }>('GET', '/v1/me/decisions', undefined, await tokenOf('Ben'))
		assert.ok(own.items.every(({ user: of }) => of === user('Ben')))
		const back = await site.api<Policy>('POST', `/v1/policies/${loans.id}/rollbacks`, { version: (await read()).version, to: 1 })
		assert.deepEqual([back.published, back.changed], [3, true])
		await eventually(offered, (seen) => seen === 'offered', 'the door to follow', PATIENCE_MS)
		const versions = await site.api<{ items: { number: number; returnedTo?: number; reviewedBy?: string; publishedBy: string }[] }>(
			'GET',
			`/v1/policies/${loans.id}/versions`,
		)
		assert.deepEqual(
			versions.items.map(({ number, returnedTo, reviewedBy }) => [number, returnedTo, reviewedBy]),
			[
				[3, 1, undefined],
				[2, undefined, user('Ben')],
				[1, undefined, undefined],
			],
		)
	})

	test('asks for a qualification and for the approval of others, and the door follows both within seconds', async () => {
		const take = { kind: 'take', groups: ['staff'], types: ['laptop-14'] }
		const about = { types: ['laptop-14'] }
		const ben = await tokenOf('Ben')
		/** Draft, review by Ben, publish. */
		const hold = async (...sentences: object[]) => {
			await draft({ statements: [take, ...sentences] })
			await site.api('POST', `/v1/policies/${loans.id}/reviews`, { version: (await read()).version, verdict: 'approved' }, ben)
			await publish({ acceptWarnings: true })
		}
		const becomes = (wanted: string) => eventually(offered, (seen) => seen === wanted, wanted, PATIENCE_MS)
		await hold({ kind: 'qualified', qualification: 'studio', about })
		await becomes('qualification-missing')
		const path = `/v1/users/${user('Ada')}/qualifications/studio`
		await assert.rejects(site.api('PUT', path, { until: new Date(saturday - DAY).toISOString() }), /lies in the past/)
		await site.api('PUT', path, {})
		await becomes('offered')
		await site.api('DELETE', path)
		await becomes('qualification-missing')

		await hold({ kind: 'approved', people: 2, about })
		await becomes('approval-needed')
		const approval = { user: user('Ada'), type: 'laptop-14', until: new Date(saturday + 9 * DAY).toISOString() }
		await site.api('POST', '/v1/approvals', approval)
		// The same person twice is one person.
		await site.api('POST', '/v1/approvals', approval)
		assert.equal((await site.api<{ items: unknown[] }>('GET', `/v1/approvals?user=${user('Ada')}`)).items.length, 1)
		await assert.rejects(site.api('POST', '/v1/approvals', { ...approval, user: user('Ben') }, ben), /themselves/)
		const { id } = await site.api<{ id: string }>('POST', '/v1/approvals', approval, ben)
		await becomes('offered')
		await site.api('DELETE', `/v1/approvals/${id}`)
		await becomes('approval-needed')
	})

	/** Signs in as that person, and gets a token as anybody can for themselves. */
	async function tokenOf(name: string): Promise<string> {
		const known = tokens.get(name)
		if (known) return known
		const token = await newToken(name)
		tokens.set(name, token)
		return token
	}
	async function newToken(name: string): Promise<string> {
		const { version } = await site.api<{ version: number }>('GET', `/v1/users/${user(name)}`)
		const email = `${name.toLowerCase()}@fernholt.example`
		const json = { 'content-type': 'application/json' }
		const known = await fetch(`${site.ready.api}/v1/users/${user(name)}`, {
			method: 'PATCH',
			headers: { ...json, authorization: `Bearer ${site.ready.token}`, 'if-match': `"${version}"` },
			body: JSON.stringify({ email }),
		})
		assert.equal(known.status, 200, await known.text())
		const password = 'four words and a number 7'
		await site.api('PUT', `/v1/users/${user(name)}/password`, { password })
		const signed = await fetch(`${site.ready.api}/v1/sign-ins`, { method: 'POST', headers: json, body: JSON.stringify({ email, password }) })
		const cookie = signed.headers.get('set-cookie')?.split(';')[0] ?? ''
		const made = await fetch(`${site.ready.api}/v1/tokens`, {
			method: 'POST',
			headers: { ...json, cookie, origin: site.ready.api ?? '' },
			body: JSON.stringify({ name: 'test' }),
		})
		assert.equal(made.status, 201, await made.clone().text())
		return ((await made.json()) as { token: string }).token
	}
})
