import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
	acceptBundle,
	acceptDelta,
	acceptLease,
	acceptPeopleDelta,
	type Bundle,
	type DeltaMark,
	isPeopleDelta,
	NO_DELTA,
	type PinnedKeys,
	readChanges,
	verifierOf,
	withPeople,
} from '@latchwork/core/access'
import { type FakeClock, fakeClock, type Id, newId, nextMidnight, type Random, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout, readDown } from '@latchwork/core/wire'
import { draftPolicy, publishPolicy } from '../access/policy-write.ts'
import { createAsset, createAssetType, findAsset } from '../assets/index.ts'
import { caseApplier } from '../cases/index.ts'
import { nodeCrypto } from '../crypto.ts'
import {
	ALWAYS_OPEN,
	changeCompartment,
	compartmentsOf,
	createBank,
	createController,
	createSite,
	heardController,
	revokeController,
} from '../estate/index.ts'
import {
	changePerson,
	createGroup,
	createPerson,
	findPerson,
	issueBadge,
	joinGroup,
	leaveGroup,
	revokeCredential,
	siteKeyOf,
} from '../people/index.ts'
import { giveQualification } from '../people/qualification-write.ts'
import { endPinRest, pinApplier } from '../space/pin-budget-write.ts'
import { sealingKey, sql } from '../store/index.ts'
import { createTenant, publicKeysOf } from '../tenants/index.ts'
import { takesAll } from '../testing/api.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { testLoan } from '../testing/loan.ts'
import { type AuthorityNews, custodyApplier, openAuthority } from './index.ts'

const random: Random = seededRandom(77)
const master = sealingKey(random(32), random)
const people = { master, random, installation: random(32) }
/** Whatever it would do. */
const AS_IT_IS = { engine: takesAll, looked: async () => [], accept: true }
const POLICY =
	'permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14");'

describe('authority', () => {
	let db: TestStore
	before(async () => {
		db = await testStore()
	})
	after(() => db.close())

	/** A tenant with a site, a bank that has a controller, somebody of staff with a badge, and a policy in force. */
	async function organisation(clock: FakeClock) {
		const now = clock.now()
		const tenant = newId('tenant', now, random)
		const change = { actor: 'server', now, ...people } as const
		const made = await db.store.write(tenant, async (tx) => {
			await createTenant(tx, { name: 'Org', host: 'log.example' }, { now, random, master })
			const site = await createSite(tx, change, {
				name: 'Site',
				timeZone: 'Europe/Berlin',
				address: '',
				calendar: {
					schedules: [{ id: 'week', weekly: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] }],
					openingHours: 'week',
					closures: [],
				},
			})
			const bank = await createBank(tx, change, { site: site.id, name: 'Bank', helpPhone: '110', layout: exampleLayout })
			const controller = await createController(tx, change, { bank: bank.id, name: 'Box' })
			const [staff, others] = [
				await createGroup(tx, change, { code: 'staff', name: 'Staff' }),
				await createGroup(tx, change, { code: 'others', name: 'O' }),
			]
			const person = await createPerson(tx, change, { personal: { name: 'Ada', labels: {}, externalRefs: [], clientData: {} } })
			const stranger = await createPerson(tx, change, { personal: { name: 'Bob', labels: {}, externalRefs: [], clientData: {} } })
			await joinGroup(tx, change, staff.id, person.id)
			await joinGroup(tx, change, others.id, stranger.id)
			const badge = await issueBadge(tx, change, { subject: person.id, number: '12345678' })
			const other = await issueBadge(tx, change, { subject: stranger.id, number: '87654321' })
			const type = await createAssetType(tx, change, { code: 'laptop-14', name: 'Laptop', kind: 'laptop', valueClass: 'normal' })
			const [first] = await compartmentsOf(tx, bank.id)
			const asset = await createAsset(tx, change, { type: type.id, tag: 'LT-1', bank: bank.id, compartment: first?.id })
			const policy = await draftPolicy(tx, change, { code: 'loans' }, { draft: POLICY })
			await publishPolicy(tx, change, policy.id, 1, AS_IT_IS)
			return {
				site: site.id,
				bank: bank.id,
				controller: controller.id,
				staff: staff.id,
				person: person.id,
				stranger: stranger.id,
				badge: badge.id,
				other: other.id,
				asset: asset.id,
				first: first?.id ?? assert.fail(),
			}
		})
		const keys: PinnedKeys = new Map((await db.store.read(tenant, (tx) => publicKeysOf(tx, 'maker'))).map((k) => [k.keyId, k.publicKey]))
		return { tenant, change, keys, ...made }
	}

	/** An authority that acts when the test says so; what it tells controllers is kept. */
	function authority(clock: FakeClock) {
		const news: AuthorityNews[] = []
		const lines: Readonly<Record<string, unknown>>[] = []
		const pace = { mono: clock.mono, after: () => () => {} }
		return {
			news,
			lines,
			of: openAuthority({
				store: db.store,
				clock,
				pace,
				people,
				crypto: nodeCrypto,
				publish: (one) => news.push(one),
				reaches: () => true,
				log: (line) => lines.push(line),
			}),
		}
	}
	type Org = Awaited<ReturnType<typeof organisation>>
	async function accepted(of: ReturnType<typeof authority>['of'], { tenant, bank, keys }: Org, now: number): Promise<Bundle> {
		const current = await of.current(tenant, bank)
		assert.ok(current, 'there is a bundle')
		const answer = acceptBundle(current.text, { keys, crypto: nodeCrypto, bank, now })
		assert.ok(answer.ok, answer.ok ? '' : answer.text)
		assert.deepEqual([answer.digest, answer.bundle.version], [current.digest, current.version])
		return answer.bundle
	}

	it('tells a bank what it may decide by, signed, with the lease for it, and says nothing again while nothing changes', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		await of.turn()
		const mine = () => news.filter((one) => one.bank === org.bank)
		assert.deepEqual(
			mine().map((one) => one.kind),
			['bundle', 'lease'],
		)
		const bundle = await accepted(of, org, clock.now())
		assert.deepEqual(
			bundle.subjects.map((s) => s.id),
			[org.person],
		)
		assert.deepEqual(
			bundle.credentials.map((c) => c.id),
			[org.badge],
		)
		const siteKey = await db.store.read(org.tenant, (tx) => siteKeyOf(tx, org.site, people))
		assert.equal(bundle.credentials[0]?.verifier.length, verifierOf(siteKey ?? new Uint8Array(), nodeCrypto, 'badge', 'x').length)
		assert.deepEqual(bundle.initialContents, [{ compartment: org.first, asset: org.asset }])
		assert.equal(bundle.settings.openingHours, 'week')
		const [, lease] = mine()
		assert.ok(lease?.kind === 'lease')
		const answer = acceptLease(lease.lease, { keys: org.keys, crypto: nodeCrypto, bank: org.bank })
		assert.ok(answer.ok && answer.lease.bundleVersion === bundle.version)
		await of.turn()
		await db.store.write(org.tenant, (tx) => changeCompartment(tx, org.change, org.first, 1, { powered: true }))
		await of.turn()
		assert.equal(mine().length, 2, 'a change that no bundle shows is no news')
		await db.store.write(org.tenant, (tx) => changeCompartment(tx, org.change, org.first, 2, { outOfService: 'cleaning' }))
		await of.turn()
		const next = await accepted(of, org, clock.now())
		assert.deepEqual([next.version, next.bank.compartments.filter((c) => c.outOfService).map((c) => c.id)], [bundle.version + 1, [org.first]])
	})

	it('a revoked badge is gone from the next bundle at once, and only there', async () => {
		const clock = fakeClock()
		const [org, neighbour, { of, news }] = [await organisation(clock), await organisation(clock), authority(clock)]
		await of.turn()
		const before = await accepted(of, neighbour, clock.now())
		news.length = 0
		await db.store.write(org.tenant, (tx) => revokeCredential(tx, org.change, org.badge, 1))
		await of.turn()
		assert.deepEqual([...new Set(news.map((one) => one.bank))], [org.bank])
		const bundle = await accepted(of, org, clock.now())
		assert.deepEqual([bundle.credentials, bundle.revoked.epoch], [[], 1])
		// The control: the other organisation has the same badge number, and its own row stays.
		assert.deepEqual(await accepted(of, neighbour, clock.now()), before)
		assert.equal(before.credentials.length, 1)
		assert.equal(await of.current(neighbour.tenant, org.bank), undefined)
	})

	it('who holds something stays known when their rights are gone, and becomes known when nobody knew of their rights', async () => {
		const clock = fakeClock()
		const [org, { of }] = [await organisation(clock), authority(clock)]
		await of.turn()
		const stream = newId('stream', clock.now(), random)
		const apply = (seq: number, from: string, to: string) => heard(org, org, clock, { stream, seq, from, to })
		const known = async () => (await accepted(of, org, clock.now())).subjects.map((s) => s.id)
		await apply(5, org.bank, org.person)
		await db.store.write(org.tenant, (tx) => leaveGroup(tx, org.change, org.staff, org.person))
		await of.turn()
		assert.deepEqual(await known(), [org.person])
		await apply(6, org.person, org.bank)
		await apply(7, org.bank, org.stranger)
		await of.turn()
		assert.deepEqual(await known(), [org.stranger])
		await apply(8, org.stranger, org.bank)
		await clock.advance(13 * 3_600_000)
		await of.turn()
		assert.deepEqual(await known(), [])
	})

	it('what is taken away, given back and taken away again is told again; more than fit into one delta come with the next', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		await db.store.write(org.tenant, (tx) =>
			heardController(tx, { controller: org.controller, bank: org.bank, now: clock.now(), online: true }, random),
		)
		await of.turn()
		const told = async () => {
			news.length = 0
			await of.takeAway()
			return news.flatMap((one) =>
				one.kind === 'delta'
					? (JSON.parse(one.delta) as { signed: { changes: { revoke: string }[] } }).signed.changes.map(({ revoke }) => revoke)
					: [],
			)
		}
		const suspend = async (suspended: boolean) => {
			await clock.advance(1_000)
			const change = { ...org.change, now: clock.now() }
			await db.store.write(org.tenant, async (tx) => {
				const { version } = (await findPerson(tx, org.person, people)) ?? assert.fail()
				await changePerson(tx, change, org.person, version, { suspended })
			})
		}
		for (let round = 0; round < 2; round++) {
			await suspend(true)
			assert.deepEqual(await told(), [org.person])
			assert.deepEqual(await told(), [], 'said once')
			await suspend(false)
		}
		await clock.advance(1_000)
		const many = await db.store.write(org.tenant, async (tx) => {
			const change = { ...org.change, now: clock.now() }
			const ids: Id<'credential'>[] = []
			for (let i = 0; i < 401; i++) ids.push((await issueBadge(tx, change, { subject: org.person, number: String(20_000_000 + i) })).id)
			for (const id of ids) await revokeCredential(tx, change, id, 1)
			return ids
		})
		const [first, second] = [await told(), await told()]
		assert.deepEqual([first.length, second.length], [400, 1])
		assert.deepEqual([...first, ...second].toSorted(), (many as string[]).toSorted())
		const chain = await db.store.read(org.tenant, (tx) =>
			tx.first<{ lookedAt: number }>(sql`SELECT looked_at AS "lookedAt" FROM site_chain WHERE tenant_id = ${org.tenant}`),
		)
		assert.equal(chain?.lookedAt, Math.floor(clock.now()), 'all is told up to now')
	})

	it('an organisation whose key cannot be read keeps no other from its leases and revocations', async () => {
		const clock = fakeClock()
		const [broken, well, { of, news, lines }] = [await organisation(clock), await organisation(clock), authority(clock)]
		for (const { tenant, bank, controller } of [broken, well])
			await db.store.write(tenant, (tx) => heardController(tx, { controller, bank, now: clock.now(), online: true }, random))
		await of.turn()
		await clock.advance(1_000)
		for (const org of [broken, well])
			await db.store.write(org.tenant, (tx) => revokeCredential(tx, { ...org.change, now: clock.now() }, org.badge, 1))
		await db.store.write(broken.tenant, (tx) => tx.run(sql`UPDATE tenant_key SET sealed = ${Buffer.alloc(60)} WHERE tenant_id = ${broken.tenant}`))
		news.length = 0
		for (let round = 0; round < 3; round++) await of.takeAway()
		assert.deepEqual(
			news.map((one) => [one.kind, one.bank]),
			[['delta', well.bank]],
		)
		assert.equal(lines.filter(({ tenant }) => tenant === broken.tenant).length, 1, 'said once')
		news.length = 0
		await of.leases()
		assert.ok(news.some((one) => one.kind === 'lease' && one.bank === well.bank))
		assert.ok(!news.some((one) => one.bank === broken.bank))
	})

	/** Custody of the organisation's asset as a bank recorded it. */
	const heard = (
		org: { tenant: Id<'tenant'>; asset: Id<'asset'> },
		{ bank, site }: { bank: Id<'bank'>; site: Id<'site'> },
		clock: FakeClock,
		{ stream, seq, from, to }: { stream: Id<'stream'>; seq: number; from: string; to: string },
	) => {
		const [now, data] = [clock.now(), { case: 'cas_1', line: 'lin_1', from, to }]
		const place = { stream, seq, prev: '', bank, at: now, mono: 0, clock: 'good', bundle: 1, offline: true } as const
		const event: StreamEvent = { v: 1, ...place, type: 'custody.transferred', subject: org.asset, actor: 'edge', data }
		return db.store.write(org.tenant, (tx) => custodyApplier({ random })(tx, [event], { sender: undefined as never, bank, site, now }))
	}

	it('a thing that another bank claims, or that somebody gives who did not have it, stays where it was known to be, and people are told', async () => {
		const clock = fakeClock()
		const org = await organisation(clock)
		const other = await db.store.write(org.tenant, async (tx) => ({
			site: org.site,
			bank: (await createBank(tx, org.change, { site: org.site, name: 'Second', helpPhone: '1', layout: exampleLayout })).id,
		}))
		const [stream, theirs] = [newId('stream', clock.now(), random), newId('stream', clock.now(), random)]
		const custodian = async () => {
			const asset = await db.store.read(org.tenant, (tx) => findAsset(tx, org.asset))
			return [asset?.custodian, asset?.bank]
		}
		const tasks = (bank: Id<'bank'>) =>
			db.store.read(org.tenant, async (tx) =>
				(
					await tx.rows<{ kind: string; asset: string | null }>(
						sql`SELECT kind, detail ->> 'asset' AS asset FROM task WHERE tenant_id = ${org.tenant} AND bank_id = ${bank} ORDER BY kind`,
					)
				).map(({ kind, asset }) => [kind, asset]),
			)
		await heard(org, org, clock, { stream, seq: 5, from: org.bank, to: org.person })
		await heard(org, other, clock, { stream: theirs, seq: 5, from: org.person, to: other.bank })
		assert.deepEqual(await custodian(), [org.person, org.bank], 'another bank does not get it by saying so')
		assert.deepEqual([await tasks(org.bank), await tasks(other.bank)], [[['foreign-record', org.asset]], [['foreign-record', null]]])
		await heard(org, org, clock, { stream: newId('stream', clock.now(), random), seq: 5, from: org.bank, to: org.stranger })
		assert.deepEqual(await custodian(), [org.person, org.bank], 'nobody gives what somebody else has')
		const both = ['custody-gap', 'foreign-record'].map((kind) => [kind, org.asset])
		assert.deepEqual(await tasks(org.bank), both)
		await heard(org, org, clock, { stream, seq: 6, from: org.person, to: org.bank })
		assert.deepEqual([await custodian(), await tasks(org.bank)], [[org.bank, org.bank], both])
	})

	it('what is taken away reaches every connected bank of the site before any bundle is made, and the next bundle says that it holds it', async () => {
		const clock = fakeClock()
		const [org, neighbour, { of, news }] = [await organisation(clock), await organisation(clock), authority(clock)]
		const second = await db.store.write(org.tenant, async (tx) => {
			const bank = await createBank(tx, org.change, { site: org.site, name: 'Second', helpPhone: '1', layout: exampleLayout })
			return { bank: bank.id, controller: (await createController(tx, org.change, { bank: bank.id, name: 'Box 2' })).id }
		})
		for (const { tenant, bank, controller } of [org, neighbour, { ...second, tenant: org.tenant }])
			await db.store.write(tenant, (tx) => heardController(tx, { controller, bank, now: clock.now(), online: true }, random))
		await of.takeAway()
		await of.turn()
		news.length = 0
		await clock.advance(1_000)
		const [first, ...others] = [org.badge, org.other]
		await db.store.write(org.tenant, (tx) => revokeCredential(tx, { ...org.change, now: clock.now() }, first, 1))
		await of.takeAway()
		assert.deepEqual(
			news.map((one) => [one.kind, one.bank]).toSorted(),
			[
				['delta', org.bank],
				['delta', second.bank],
			].toSorted(),
		)
		const taken = (one: AuthorityNews | undefined, mark: DeltaMark) => {
			assert.ok(one?.kind === 'delta')
			const answer = acceptDelta(one.delta, { keys: org.keys, crypto: nodeCrypto, site: org.site, now: clock.now(), mark })
			assert.ok(answer.ok && !answer.known && !answer.gap)
			return answer
		}
		const one = taken(news[0], NO_DELTA)
		assert.deepEqual(one.delta.changes, [{ revoke: first }])
		await of.takeAway()
		assert.equal(news.length, 2, 'said once')
		await of.turn()
		assert.deepEqual((await accepted(of, org, clock.now())).deltas, one.mark)
		news.length = 0
		await clock.advance(1_000)
		for (const id of others) await db.store.write(org.tenant, (tx) => revokeCredential(tx, { ...org.change, now: clock.now() }, id, 1))
		await of.takeAway()
		assert.deepEqual(taken(news[0], one.mark).delta.changes, [{ revoke: org.other }])
		// It concerns nobody who has a row there, so no bundle is made for it.
		news.length = 0
		await of.turn()
		assert.deepEqual(news, [])
	})

	/** Two sites: one with two banks that are connected, and one with a third. */
	async function estate(clock: FakeClock) {
		const org = await organisation(clock)
		const others = await db.store.write(org.tenant, async (tx) => {
			const far = await createSite(tx, org.change, { name: 'Far', timeZone: 'Europe/London', address: '', calendar: ALWAYS_OPEN })
			const made = []
			for (const site of [org.site, far.id]) {
				const bank = await createBank(tx, org.change, { site, name: 'More', helpPhone: '1', layout: exampleLayout })
				made.push({ site, bank: bank.id, controller: (await createController(tx, org.change, { bank: bank.id, name: 'Box' })).id })
			}
			await publishPolicy(
				tx,
				org.change,
				(await draftPolicy(tx, org.change, { code: 'all' }, { draft: 'permit (principal, action, resource);' })).id,
				1,
				AS_IT_IS,
			)
			return made
		})
		const [one, two, far] = [org, ...others] as const
		assert.ok(one && two && far)
		const hear = (of: typeof far, online: boolean) =>
			db.store.write(org.tenant, (tx) => heardController(tx, { controller: of.controller, bank: of.bank, now: clock.now(), online }, random))
		for (const bank of [one, two, far]) await hear(bank, true)
		/** What a bank records is taken in, in one transaction. */
		const record = (of: typeof far, events: readonly StreamEvent[]) =>
			db.store.write(org.tenant, (tx) =>
				caseApplier({ random, master })(tx, events, { sender: undefined as never, bank: of.bank, site: of.site, now: clock.now() }),
			)
		const loan = (of: typeof far, owner: Id<'subject'> = org.person) => testLoan({ bank: of.bank, owner }, clock.now(), random)
		return { org, one, two, far, hear, record, loan }
	}
	/** What a bank was told of loans, newest last: whose, and how many elsewhere. */
	const toldOf = (news: readonly AuthorityNews[], { site, bank }: { site: Id<'site'>; bank: Id<'bank'> }, keys: PinnedKeys, now: number) =>
		news.flatMap((one) => {
			if (one.kind !== 'delta' || one.bank !== bank) return []
			const answer = acceptDelta(one.delta, { keys, crypto: nodeCrypto, site, now, mark: NO_DELTA })
			assert.ok(answer.ok)
			return readChanges(answer.delta, bank).loans.map(({ subject, elsewhere }) => [subject, elsewhere] as const)
		})

	it('what somebody has on loan at one bank is told to all others, of that site and of another, and makes no bundle; given back, it is told again', async () => {
		const clock = fakeClock()
		const [{ org, one, two, far, record, loan }, { of, news }] = [await estate(clock), authority(clock)]
		await of.turn()
		news.length = 0
		const told = (bank: typeof far) => toldOf(news, bank, org.keys, clock.now())
		const [first, second] = [loan(one), loan(far)]
		await record(one, first.take(clock.now()))
		await of.tellLoans()
		assert.deepEqual([told(one), told(two), told(far)], [[[org.person, 0]], [[org.person, 1]], [[org.person, 1]]])
		await of.tellLoans()
		assert.equal(news.length, 3, 'said once')
		await record(far, second.take(clock.now()))
		await of.tellLoans()
		assert.deepEqual(
			[told(one).at(-1), told(two).at(-1)],
			[
				[org.person, 1],
				[org.person, 2],
			],
		)
		assert.equal(told(far).length, 1, 'the only bank of its site knows what happened there')
		const text = news.map((n) => (n.kind === 'delta' && n.bank !== far.bank ? n.delta : '')).join('')
		assert.ok(!text.includes(far.bank), 'banks of other sites are not named')
		await record(one, first.giveBack(clock.now()))
		await of.tellLoans()
		assert.deepEqual(
			[told(one).at(-1), told(two).at(-1), told(far).at(-1)],
			[
				[org.person, 1],
				[org.person, 1],
				[org.person, 0],
			],
		)
		await of.turn()
		assert.deepEqual([...new Set(news.map((n) => n.kind))], ['delta'], 'no bundle was made for any of it')
	})

	it('one person is told alone to banks that take it; who missed it gets a bundle, and an import makes bundles', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		const { tenant, bank, site, change, staff, stranger, keys } = org
		const act = <T>(work: Parameters<typeof db.store.write<T>>[1]) => db.store.write(tenant, work)
		const bundle = async (people?: number) => {
			const found = (await of.current(tenant, bank, { deltas: 0, people })) ?? assert.fail()
			const answer = acceptBundle(found.text, { keys, crypto: nodeCrypto, bank, now: clock.now() })
			assert.ok(answer.ok)
			return answer.bundle
		}
		const lease = async () => {
			const answer = acceptLease((await of.lease(tenant, bank)) ?? '', { keys, crypto: nodeCrypto, bank })
			return answer.ok ? answer.lease : assert.fail(answer.code)
		}
		const told = () =>
			news.splice(0).map((one) => {
				if (one.kind !== 'delta' || !isPeopleDelta(one.delta)) return one.kind
				const { tenant: _, controller, ...said } = one
				assert.deepEqual([controller, readDown('authority', Buffer.from(JSON.stringify({ v: 1, ...said }))).ok], [org.controller, true])
				assert.ok(Buffer.byteLength(JSON.stringify({ v: 1, ...one })) < 2_048, `${Buffer.byteLength(one.delta)} bytes`)
				const answer = acceptPeopleDelta(one.delta, { keys, crypto: nodeCrypto, bank, now: clock.now() })
				return answer.ok ? answer.delta : assert.fail(answer.code)
			})
		await act((tx) => heardController(tx, { controller: org.controller, bank, now: clock.now(), online: true }, random))
		await of.turn()
		let known = await bundle()
		assert.equal(known.version, 1)
		news.length = 0
		// A controller of an older release does not say how far it knows of people: it is given bundles.
		await act((tx) => joinGroup(tx, change, staff, stranger))
		await of.turn()
		assert.deepEqual(told(), ['bundle', 'lease'])
		assert.deepEqual([(await bundle()).version, (await bundle()).subjects.length, (await lease()).people], [2, 2, undefined])

		// It was given a newer program.
		known = await bundle(0)
		assert.deepEqual([known.version, known.people, told()], [2, undefined, []])
		await act((tx) => leaveGroup(tx, change, staff, stranger))
		await of.turn()
		const [gone] = told()
		assert.ok(typeof gone === 'object')
		assert.deepEqual([gone.n, gone.people], [1, [{ id: stranger }]])
		assert.deepEqual([(await bundle(1)).version, (await lease()).people], [2, 1], 'who knows it needs no bundle')
		known = withPeople(known, gone.people)

		await act((tx) => joinGroup(tx, change, staff, stranger))
		await act((tx) => giveQualification(tx, change, stranger, 'forklift', undefined))
		await of.turn()
		const [back] = told()
		assert.ok(typeof back === 'object' && back.n === 2)
		known = withPeople(known, back.people)
		// What was told is what a bundle made now says, person by person.
		const missed = await bundle(1)
		assert.deepEqual([missed.version, missed.people, missed.deltas?.n], [3, 2, known.deltas?.n])
		const rows = ({ subjects, credentials }: Bundle) => [...subjects, ...credentials].map((row) => JSON.stringify(row)).sort()
		assert.deepEqual(rows(known), rows(missed))
		assert.equal(rows(missed).length, 4)
		assert.equal((await bundle(2)).version, 3, 'made once')
		assert.deepEqual(told(), ['bundle', 'lease'])

		// Their own time without the server, and everybody's again.
		for (const [offlineMinutes, offlineFor] of [
			[15, 900_000],
			[null, undefined],
		] as const) {
			await act(async (tx) => {
				const { version } = (await findPerson(tx, stranger, people)) ?? assert.fail()
				await changePerson(tx, change, stranger, version, { offlineMinutes })
			})
			await of.turn()
			const [row, ...more] = told()
			assert.ok(typeof row === 'object' && more.length === 0)
			assert.deepEqual(
				row.people.map((one) => [one.id, one.row?.offlineFor]),
				[[stranger, offlineFor]],
			)
		}

		// Taken away: at the site first, and then the rows.
		await act((tx) => revokeCredential(tx, change, org.other, 1))
		await of.takeAway()
		await of.tellPeople()
		const [away, less] = told()
		assert.ok(away === 'delta' && typeof less === 'object')
		assert.deepEqual([less.deltas, less.people[0]?.credentials], [1, undefined])

		// A PIN of one site, a badge that ends: nobody's bundle is made, until it does end.
		await act((tx) => issueBadge(tx, change, { subject: stranger, number: '5555', notAfter: clock.now() + 60_000 }))
		await of.turn()
		assert.ok(typeof told()[0] === 'object')
		await clock.advance(61_000)
		await of.turn()
		assert.ok(told().includes('bundle'))
		assert.ok(!(await bundle(9)).credentials.some(({ subject }) => subject === stranger))

		// An import, and somebody in so many groups that no message takes it.
		news.length = 0
		await act(async (tx) => {
			for (let i = 0; i < 65; i++) await createPerson(tx, change, { personal: { name: `P${i}`, labels: {}, externalRefs: [], clientData: {} } })
		})
		await act((tx) => joinGroup(tx, change, staff, org.person).catch(() => undefined))
		await of.turn()
		assert.ok(!told().some((one) => typeof one === 'object'))
		await act(async (tx) => {
			for (let i = 0; i < 400; i++)
				await joinGroup(tx, change, (await createGroup(tx, change, { code: `g${i}${'x'.repeat(76)}`, name: 'G' })).id, org.person)
		})
		await of.turn()
		assert.deepEqual(told(), ['bundle', 'lease'])
		assert.equal((await bundle(9)).subjects.find(({ id }) => id === org.person)?.groups.length, 401)
		assert.ok(site)
	})

	it('of people told of while the bundle is being made, none is lost', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		const { tenant, bank, change, staff, stranger } = org
		await of.turn()
		await of.current(tenant, bank, { people: 0 })
		news.length = 0
		let release = () => {}
		const held = new Promise<void>((done) => {
			release = done
		})
		let locked = () => {}
		const begun = new Promise<void>((done) => {
			locked = done
		})
		// Somebody composes: it has read the people already.
		const composing = db.store.write(tenant, async (tx) => {
			await tx.run(sql`SELECT 1 FROM bundle WHERE tenant_id = ${tenant} AND bank_id = ${bank} FOR UPDATE`)
			locked()
			await held
		})
		await begun
		await db.store.write(tenant, (tx) => joinGroup(tx, change, staff, stranger))
		await of.tellPeople()
		assert.deepEqual(news, [], 'nothing can be said of that bundle now')
		release()
		await composing
		await of.turn()
		assert.deepEqual(
			news.map(({ kind }) => kind),
			['bundle', 'lease'],
		)
		assert.match((await of.current(tenant, bank, { people: 0 }))?.text ?? '', new RegExp(stranger))
	})

	it('a bank that missed what was told gets a bundle with the true counts, and one that knows it all does not', async () => {
		const clock = fakeClock()
		const [{ org, one, two, far, record, loan, hear }, { of, news }] = [await estate(clock), authority(clock)]
		await of.turn()
		await hear(two, false)
		const [first, back] = [loan(one), loan(far)]
		await record(one, first.take(clock.now()))
		await record(far, back.take(clock.now()))
		await of.tellLoans()
		await record(far, back.giveBack(clock.now()))
		await of.tellLoans()
		assert.ok(!news.some((n) => n.kind === 'delta' && n.bank === two.bank))
		const bundleOf = async (bank: typeof far, deltas?: number) => {
			const text = (await of.current(org.tenant, bank.bank, { deltas }))?.text ?? ''
			const answer = acceptBundle(text, { keys: org.keys, crypto: nodeCrypto, bank: bank.bank, now: clock.now() })
			assert.ok(answer.ok)
			return {
				version: answer.bundle.version,
				deltas: answer.bundle.deltas?.n,
				elsewhere: answer.bundle.subjects.find((s) => s.id === org.person)?.loansElsewhere,
			}
		}
		assert.deepEqual(await bundleOf(two), { version: 1, deltas: undefined, elsewhere: undefined }, 'who asks for no counts gets none')
		assert.equal((await bundleOf(one, 2)).version, 1)
		assert.deepEqual(await bundleOf(two, 0), { version: 2, deltas: 2, elsewhere: 1 })
		assert.deepEqual(await bundleOf(two, 0), { version: 2, deltas: 2, elsewhere: 1 }, 'made once')
		const lease = acceptLease((await of.lease(org.tenant, two.bank)) ?? '', { keys: org.keys, crypto: nodeCrypto, bank: two.bank })
		assert.ok(lease.ok && lease.lease.deltas === 2)
	})

	it('no count is lost: not by a rollback, not by a server that dies before it has told, and two servers that tell at once end with the truth', async () => {
		const clock = fakeClock()
		const [{ org, one, two, far, record, loan }, a, b] = [await estate(clock), authority(clock), authority(clock)]
		await a.of.turn()
		const told = (bank: typeof far) => toldOf([...a.news, ...b.news], bank, org.keys, clock.now())
		await assert.rejects(
			db.store.write(org.tenant, async (tx) => {
				await caseApplier({ random, master })(tx, loan(one).take(clock.now()), {
					sender: undefined as never,
					bank: one.bank,
					site: one.site,
					now: clock.now(),
				})
				throw new Error('the server died here')
			}),
		)
		await a.of.tellLoans()
		assert.deepEqual(told(two), [])
		// Taken in by one process that then dies; told by another.
		const loans = [one, far, one, far].map((at) => [at, loan(at)] as const)
		for (const [at, one] of loans) await record(at, one.take(clock.now()))
		await b.of.tellLoans()
		assert.deepEqual(told(two), [[org.person, 4]])
		await Promise.all(loans.map(([at, one]) => record(at, one.giveBack(clock.now())).then(() => Promise.all([a.of.tellLoans(), b.of.tellLoans()]))))
		await Promise.all([a.of.tellLoans(), b.of.tellLoans()])
		const last = [...a.news, ...b.news]
			.flatMap((n) =>
				n.kind === 'delta' && n.bank === two.bank ? [JSON.parse(n.delta) as { signed: { n: number; changes: { loans: number }[] } }] : [],
			)
			.toSorted((x, y) => x.signed.n - y.signed.n)
		assert.deepEqual(
			last.map((d) => d.signed.n),
			last.map((_, i) => i + 1),
			'each number once, and none missing',
		)
		assert.equal(last.at(-1)?.signed.changes[0]?.loans, 0)
	})

	it('who is suspended and let in again before a bundle was made of it is let in at the bank, too', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		await db.store.write(org.tenant, (tx) =>
			heardController(tx, { controller: org.controller, bank: org.bank, now: clock.now(), online: true }, random),
		)
		await of.turn()
		const before = await accepted(of, org, clock.now())
		const suspend = async (suspended: boolean) => {
			await clock.advance(100)
			await db.store.write(org.tenant, async (tx) => {
				const { version } = (await findPerson(tx, org.person, people)) ?? assert.fail()
				await changePerson(tx, { ...org.change, now: clock.now() }, org.person, version, { suspended })
			})
		}
		await suspend(true)
		await of.takeAway()
		const delta = news.at(-1)
		assert.ok(delta?.kind === 'delta' && delta.delta.includes(org.person))
		await suspend(false)
		await of.takeAway()
		await of.turn()
		const after = await accepted(of, org, clock.now())
		const who = (of: Bundle) => of.subjects.map(({ id, blocked }) => [id, blocked])
		assert.deepEqual([after.version, after.deltas?.n, who(after)], [before.version + 1, 1, who(before)])
	})

	it('two servers at once make one version of one content', async () => {
		const clock = fakeClock()
		const org = await organisation(clock)
		const [one, two] = [authority(clock), authority(clock)]
		await Promise.all([one.of.turn(), two.of.turn(), one.of.renew(org.tenant, org.site, org.bank), two.of.renew(org.tenant, org.site, org.bank)])
		const told = [...one.news, ...two.news].filter((n) => n.bank === org.bank && n.kind === 'bundle')
		assert.equal(told.length, 1)
		assert.equal((await accepted(one.of, org, clock.now())).version, 1)
	})

	it('a bundle is made anew long before it expires', async () => {
		const clock = fakeClock()
		const [org, { of }] = [await organisation(clock), authority(clock)]
		await of.turn()
		const first = await accepted(of, org, clock.now())
		await clock.advance(11 * 3_600_000)
		await of.turn()
		assert.equal((await accepted(of, org, clock.now())).version, first.version)
		await clock.advance(2 * 3_600_000)
		await of.turn()
		const second = await accepted(of, org, clock.now())
		assert.deepEqual([second.version, second.expiresAt - second.issuedAt], [first.version + 1, first.expiresAt - first.issuedAt])
	})

	it('a credential that ends by itself is gone in time', async () => {
		const clock = fakeClock()
		const [org, { of }] = [await organisation(clock), authority(clock)]
		const until = clock.now() + 3_600_000
		await db.store.write(org.tenant, (tx) => issueBadge(tx, org.change, { subject: org.person, number: '11223344', notAfter: until }))
		await of.turn()
		assert.equal((await accepted(of, org, clock.now())).credentials.length, 2)
		await clock.advance(3_600_001)
		await of.turn()
		assert.deepEqual(
			(await accepted(of, org, clock.now())).credentials.map((c) => c.id),
			[org.badge],
		)
	})

	it('a bank that cannot be composed keeps what it has and holds up nobody; it is told of once', async () => {
		const clock = fakeClock()
		const [org, { of, news, lines }] = [await organisation(clock), authority(clock)]
		const well = await db.store.write(org.tenant, async (tx) => {
			const bank = await createBank(tx, org.change, { site: org.site, name: 'Second', helpPhone: '1', layout: exampleLayout })
			await createController(tx, org.change, { bank: bank.id, name: 'Box 2' })
			return bank.id
		})
		await db.store.write(org.tenant, (tx) => tx.run(sql`UPDATE bank SET help_phone = '' WHERE bank_id = ${org.bank}`))
		await of.turn()
		await of.turn()
		assert.deepEqual([...new Set(news.filter((one) => one.tenant === org.tenant).map((one) => one.bank))], [well])
		assert.equal(lines.filter((line) => line.bank === org.bank).length, 1)
		await db.store.write(org.tenant, (tx) => tx.run(sql`UPDATE bank SET help_phone = '110' WHERE bank_id = ${org.bank}`))
		await clock.advance(31_000)
		await of.turn()
		assert.ok(news.some((one) => one.bank === org.bank))
	})

	it('leases go to the banks that are connected, each minute, by the clock', async () => {
		const clock = fakeClock()
		const org = await organisation(clock)
		const news: AuthorityNews[] = []
		let beat: (() => void) | undefined
		let loops = 0
		const pace = {
			mono: clock.mono,
			after: (_: number, run: () => void) => {
				// The first of the three is that of bundles and leases.
				loops++
				if (loops === 1 || loops > 3) beat = run
				return () => {}
			},
		}
		const of = openAuthority({
			store: db.store,
			clock,
			pace,
			people,
			crypto: nodeCrypto,
			publish: (one) => news.push(one),
			reaches: () => true,
			log: () => {},
		})
		const mine = () => news.filter((one) => one.bank === org.bank && one.kind === 'lease')
		/** One beat, to its end: it has asked for the next one. */
		const once = async () => {
			const run = beat ?? assert.fail('no beat is due')
			beat = undefined
			run()
			while (!beat) await new Promise((resolve) => setImmediate(resolve))
		}
		await once()
		assert.equal(mine().length, 1, 'with its bundle')
		await clock.advance(60_000)
		await once()
		assert.equal(mine().length, 1, 'it is not connected')
		const heard = { controller: org.controller, bank: org.bank, now: clock.now(), online: true }
		await db.store.write(org.tenant, (tx) => heardController(tx, heard, random))
		await clock.advance(60_000)
		await once()
		await once()
		assert.equal(mine().length, 2)
		const [, last] = mine()
		assert.ok(last?.kind === 'lease')
		const answer = acceptLease(last.lease, { keys: org.keys, crypto: nodeCrypto, bank: org.bank })
		assert.ok(answer.ok && answer.lease.until === clock.now() + 1_800_000)

		// Wrong PINs beyond the budget of the site: connected banks hear at the next beat, not at the next minute.
		const wrong = (count: number) =>
			Array.from(
				{ length: count },
				() => ({ type: 'decision.denied', at: clock.now(), data: { method: 'pin', reason: 'wrong-pin' } }) as unknown as StreamEvent,
			)
		const apply = (count: number) =>
			db.store.write(org.tenant, (tx) =>
				pinApplier({ random })(tx, wrong(count), { site: org.site, bank: org.bank, now: clock.now() } as Parameters<
					ReturnType<typeof pinApplier>
				>[2]),
			)
		const lease = () => {
			const told = mine().at(-1)
			assert.ok(told?.kind === 'lease')
			const read = acceptLease(told.lease, { keys: org.keys, crypto: nodeCrypto, bank: org.bank })
			assert.ok(read.ok)
			return read.lease
		}
		await apply(299)
		await once()
		assert.equal(mine().length, 2, 'the control: one below it nothing is told')
		await apply(1)
		await once()
		assert.equal(mine().length, 3)
		assert.equal(lease().pinsRestUntil, nextMidnight(clock.now(), 'Europe/Berlin'))
		await db.store.write(org.tenant, (tx) => endPinRest(tx, org.site, { actor: org.person, now: clock.now(), random }))
		await once()
		assert.deepEqual([mine().length, lease().pinsRestUntil], [4, undefined])
		await of.stop()
	})

	it('composes and tells nothing of itself where nothing reaches controllers, and leaves all of it to whoever has the link', async () => {
		const clock = fakeClock()
		const org = await organisation(clock)
		/** The next beat of each loop. */
		function process(reaches: () => boolean) {
			const news: AuthorityNews[] = []
			let beats: (() => void)[] = []
			const pace = {
				mono: clock.mono,
				after: (_: number, run: () => void) => {
					beats.push(run)
					return () => {}
				},
			}
			const publish = (one: AuthorityNews) => news.push(one)
			const of = openAuthority({ store: db.store, clock, pace, people, crypto: nodeCrypto, publish, reaches, log: () => {} })
			return {
				of,
				told: () => news.filter((one) => one.bank === org.bank).map((one) => one.kind),
				async beat() {
					const all = beats
					beats = []
					for (const run of all) run()
					while (beats.length < all.length) await new Promise((resolve) => setImmediate(resolve))
				},
			}
		}
		let linkIsThere = false
		const [there, here] = [process(() => !linkIsThere), process(() => linkIsThere)]
		await there.beat()
		assert.deepEqual(there.told(), ['bundle', 'lease'])
		linkIsThere = true
		await db.store.write(org.tenant, (tx) => revokeCredential(tx, org.change, org.badge, 1))
		await there.beat()
		assert.deepEqual(there.told(), ['bundle', 'lease'], 'nothing is spent where nobody hears it')
		await here.beat()
		assert.ok(here.told().includes('bundle'), JSON.stringify(here.told()))
		await Promise.all([there.of.stop(), here.of.stop()])
	})

	it('a bank without a controller has no bundle, and the next controller gets a new one', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		await of.turn()
		await db.store.write(org.tenant, (tx) => revokeController(tx, org.change, org.controller, 1))
		await clock.advance(80 * 3_600_000)
		news.length = 0
		await of.turn()
		assert.deepEqual(
			news.filter((one) => one.bank === org.bank),
			[],
		)
		const next = await db.store.write(org.tenant, (tx) => createController(tx, { ...org.change, now: clock.now() }, { bank: org.bank, name: 'Box' }))
		await of.turn()
		assert.deepEqual(
			news.filter((one) => one.bank === org.bank && one.controller === next.id).map((one) => one.kind),
			['bundle', 'lease'],
		)
		assert.ok((await accepted(of, org, clock.now())).expiresAt > clock.now())
	})

	it('a change that is rolled back marks nothing', async () => {
		const clock = fakeClock()
		const [org, { of, news }] = [await organisation(clock), authority(clock)]
		await of.turn()
		news.length = 0
		await assert.rejects(
			db.store.write(org.tenant, async (tx) => {
				await revokeCredential(tx, org.change, org.badge, 1)
				throw new Error('the server died here')
			}),
		)
		await of.turn()
		assert.deepEqual(
			news.filter((one) => one.bank === org.bank),
			[],
		)
		const id: Id<'credential'> = org.badge
		assert.deepEqual(
			(await accepted(of, org, clock.now())).credentials.map((c) => c.id),
			[id],
		)
	})
})
