import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import {
	type Bundle,
	type LoansChange,
	NO_DELTA,
	type PersonRows,
	sealDelta,
	sealPeopleDelta,
	siteKeyMark,
	writeMintKeys,
} from '@latchwork/core/access'
import { sampleId, testKey } from '@latchwork/core/access/testing'
import { canonicalBytes, isFault, seededRandom, toHex } from '@latchwork/core/base'
import { nodeCrypto } from '../keys.ts'
import { cedarEngine } from '../policy-engine.ts'
import { createStage, type Stage, type StageOptions } from '../testing/stage.ts'

async function staged(t: TestContext, options: StageOptions = {}): Promise<Stage> {
	const stage = await createStage(options)
	t.after(stage.end)
	return stage
}

const files = (stage: Stage) => ({ bundle: join(stage.directory(), '..', 'bundle.json'), lease: join(stage.directory(), '..', 'lease.json') })
const refusals = (stage: Stage) =>
	stage
		.events()
		.filter((e) => e.type === 'bundle.refused')
		.map((e) => e.data.code)
const version = (stage: Stage) => stage.controller().authority.current()?.bundle.version
const deniedOf = (stage: Stage, kind: 'borrow' | 'return') => {
	const screen = stage.screen()
	assert.equal(screen.name, 'choose')
	return screen.name === 'choose' ? screen.choices.find((c) => c.kind === kind && c.item?.name === 'laptop')?.denied : undefined
}

test('a bundle that must not be trusted is refused once with its reason, and the kept one goes on', async (t) => {
	const stage = await staged(t)
	const other = testKey(new Uint8Array(32).fill(9))
	const cases: [code: string, put: () => void][] = [
		['bundle-rollback', () => stage.writeBundle({ version: 6 })],
		['bundle-rollback', () => stage.writeBundle({ version: 7, revoked: { epoch: 3, ids: [] } })],
		['bundle-signature', () => stage.writeBundle({ version: 8 }, other)],
		['bundle-other-bank', () => stage.writeBundle({ version: 8, bank: { ...stage.bundle().bank, id: sampleId('bank', 'elsewhere') } })],
		['bundle-malformed', () => writeFileSync(files(stage).bundle, '{"signed": 1')],
		['bundle-malformed', () => writeFileSync(files(stage).bundle, '')],
		['bundle-policy', () => stage.writeBundle({ version: 8, policies: { ...stage.bundle().policies, sets: [{ id: 'x', cedar: 'permit (oops' }] } })],
	]
	const bundle = stage.bundle()
	const expected: string[] = []
	for (const [code, put] of cases) {
		put()
		await stage.clock.advance(3_000)
		expected.push(code)
		assert.deepEqual(refusals(stage), expected)
		assert.equal(version(stage), 7, `${code}: the kept one goes on`)
		stage.writeBundle(bundle)
		await stage.clock.advance(1_000)
	}
	assert.equal(await stage.borrow(), 1)
})

test('a missing, unreadable or half-written file takes no right away, and the next good one is taken', async (t) => {
	const stage = await staged(t)
	rmSync(files(stage).bundle)
	await stage.clock.advance(2_000)
	assert.deepEqual(refusals(stage), [])
	writeFileSync(files(stage).bundle, JSON.stringify(stage.bundle()).slice(0, 500))
	await stage.clock.advance(2_000)
	assert.deepEqual(refusals(stage), ['bundle-malformed'])
	stage.writeBundle({ version: 8 })
	await stage.clock.advance(1_000)
	assert.equal(version(stage), 8)
	stage.crash()
	rmSync(files(stage).bundle)
	await stage.start()
	assert.equal(version(stage), 8, 'kept in the journal')
	stage.writeBundle({ version: 7 })
	await stage.clock.advance(1_000)
	assert.equal(version(stage), 8, 'an older one is refused after a restart too')
})

test('a lease that came before its bundle counts, an older one is refused', async (t) => {
	const stage = await staged(t, { started: false })
	stage.writeLease()
	await stage.start()
	assert.equal(stage.controller().authority.state(), 'missing')
	assert.deepEqual(stage.screen(), { name: 'out-of-service', why: 'bundle-missing' })
	stage.writeBundle({ settings: { ...stage.bundle().settings, leaseRequired: true } })
	await stage.until('the bundle is in force', () => stage.controller().authority.current() !== undefined)
	assert.notEqual(stage.controller().authority.state(), 'lease-expired')
	stage.writeLease({ issuedAt: stage.clock.now() - 3_600_000 })
	await stage.clock.advance(2_000)
	assert.deepEqual(refusals(stage), ['lease-rollback'])
})

test('a bundle that comes to a bank whose contents are known ends the screen that waited for it', async (t) => {
	const stage = await staged(t)
	stage.crash()
	rmSync(files(stage).bundle)
	const db = new DatabaseSync(join(stage.directory(), 'edge.db'))
	db.exec("DELETE FROM fact WHERE kind = 'authority'")
	db.close()
	await stage.start()
	assert.deepEqual(stage.screen(), { name: 'out-of-service', why: 'bundle-missing' })
	stage.writeBundle()
	await stage.clock.advance(1_500)
	assert.equal(version(stage), 7)
	assert.deepEqual(stage.screen(), { name: 'attract' })
	assert.equal(await stage.borrow(), 1)
})

test('a bank alone goes on to decide about some people for a quarter of an hour after its last lease; a restart brings no new time, and a lease that is lost takes it away', async (t) => {
	const stage = await staged(t)
	const denied = (who: 'hal' | 'ivo' | 'ana') => {
		stage.badge(who)
		const reason = deniedOf(stage, 'borrow')
		stage.act({ kind: 'finish' })
		return reason
	}
	const all = () => [denied('hal'), denied('ivo'), denied('ana')]
	stage.writeLease()
	await stage.clock.advance(2_000)
	assert.deepEqual(all(), [undefined, 'lease-expired', undefined])
	await stage.clock.advance(16 * 60_000)
	assert.deepEqual(all(), ['lease-expired', 'lease-expired', undefined])
	stage.badge('hal')
	stage.choose('borrow:loan-laptop')
	const last = stage.events().findLast((e) => e.type === 'decision.denied')
	assert.deepEqual([last?.data.reason, last?.data.rules, last?.data.offline], ['lease-expired', ['builtin/offline-for'], true])
	stage.act({ kind: 'finish' })
	stage.crash()
	await stage.start()
	assert.deepEqual(all(), ['lease-expired', 'lease-expired', undefined], 'kept over the restart, as old as it is')
	stage.writeLease()
	await stage.clock.advance(2_000)
	assert.deepEqual(all(), [undefined, 'lease-expired', undefined], 'renewed')
	stage.crash()
	rmSync(files(stage).lease)
	const db = new DatabaseSync(join(stage.directory(), 'edge.db'))
	db.exec("DELETE FROM fact WHERE kind = 'authority' AND key = 'lease'")
	db.close()
	await stage.start()
	assert.deepEqual(all(), ['lease-expired', 'lease-expired', undefined], 'the bundle is the last word then, and it is older')
})

for (const expired of ['bundle-expired', 'lease-expired'] as const) {
	test(`${expired}: nothing is lent, the reason is on the screen and on record, and a return works`, async (t) => {
		const stage = await staged(t, { started: false })
		const soon = stage.clock.now() + 600_000
		stage.writeBundle(
			expired === 'bundle-expired' ? { expiresAt: soon, staleAt: soon - 60_000 } : { settings: { ...stage.bundle().settings, leaseRequired: true } },
		)
		stage.writeLease({ until: soon })
		await stage.start()
		await stage.borrow()
		await stage.clock.advance(700_000)
		assert.equal(stage.controller().authority.state(), expired)
		assert.ok(stage.controller().view().notices.includes('bundle-expired'))
		await stage.bringBack()
		stage.badge('ana')
		assert.equal(deniedOf(stage, 'borrow'), expired)
		stage.choose('borrow:loan-laptop')
		const screen = stage.screen()
		assert.ok(screen.name === 'denied' && (screen.reason === expired || screen.reason === 'nothing-available'), JSON.stringify(screen))
		const last = stage.events().findLast((e) => e.type === 'decision.denied')
		assert.deepEqual(last?.data.reason, expired)
	})
}

test('the policies give their place in the engine back: of a replaced bundle, and when the controller stops', async (t) => {
	const taken: { release(): void }[] = []
	const fill = () => {
		try {
			for (;;) {
				const answer = cedarEngine.load({ schema: '', sets: [], exists: () => true })
				if (answer.ok) taken.push(answer.loaded)
			}
		} catch (fault) {
			assert.ok(isFault(fault, 'not-supported'))
		}
	}
	t.after(() => {
		for (const slot of taken) slot.release()
	})
	fill()
	for (const slot of taken.splice(0, 2)) slot.release() // the set in force and the next one
	for (let i = 0; i < 3; i++) {
		const stage = await staged(t)
		stage.writeBundle({ version: 8 })
		stage.controller().authority.refresh()
		assert.equal(version(stage), 8)
		stage.stop()
	}
	const before = taken.length
	fill()
	assert.equal(taken.length, before + 2)
})

const maker = testKey(new Uint8Array(32).fill(3))
function deltaText(stage: Stage, n: number, prev: string, change: string | LoansChange): string {
	const delta = {
		format: 'latchwork-delta/1' as const,
		site: stage.bundle().site.id,
		n,
		prev,
		changes: [typeof change === 'string' ? { revoke: change } : change],
		issuedAt: stage.clock.now(),
		until: stage.clock.now() + 86_400_000,
	}
	return JSON.stringify(sealDelta(delta, 'maker', maker.sign))
}
const markOf = (text: string): string => toHex(nodeCrypto.sha256(canonicalBytes((JSON.parse(text) as { signed: unknown }).signed)))
/** What the kiosk says to the badge: the reason, or that it offers something. */
const badgeSays = (stage: Stage, person: 'ana' | 'cem') => {
	stage.badge(person)
	const screen = stage.screen()
	if (screen.name === 'choose') stage.act({ kind: 'back' })
	return screen.name === 'denied' ? screen.reason : screen.name
}

test('what a delta takes away counts at once and after a crash, until a bundle that holds it comes', async (t) => {
	const stage = await staged(t)
	const take = (text: string) => stage.controller().authority.takeDelta(text)
	assert.equal(badgeSays(stage, 'ana'), 'choose')
	const first = deltaText(stage, 1, NO_DELTA.hash, sampleId('credential', 'ana-badge'))
	assert.equal(take(first), 'taken')
	assert.equal(badgeSays(stage, 'ana'), 'credential-revoked')
	await stage.clock.advance(10_000)
	assert.equal(badgeSays(stage, 'cem'), 'choose')
	stage.crash()
	await stage.start()
	assert.equal(badgeSays(stage, 'ana'), 'credential-revoked')
	assert.equal(take(first), 'taken', 'known, and so nothing happens')
	await stage.clock.advance(10_000)

	// Made before the delta: it still holds her badge, and takes nothing back.
	stage.writeBundle({ version: 8 })
	await stage.clock.advance(1_500)
	assert.equal(version(stage), 8)
	assert.equal(badgeSays(stage, 'ana'), 'credential-revoked')
	await stage.clock.advance(10_000)
	stage.writeBundle({ version: 9, deltas: { n: 1, hash: markOf(first) } })
	await stage.clock.advance(1_500)
	assert.equal(badgeSays(stage, 'ana'), 'choose', 'the server gave it back, and says that it knows of the delta')
	stage.act({ kind: 'back' })

	assert.equal(take(deltaText(stage, 3, 'a'.repeat(64), sampleId('credential', 'cem-badge'))), 'gap')
	assert.equal(badgeSays(stage, 'cem'), 'credential-revoked', 'a missing one keeps no other from counting')
})

test('a delta of a stranger or for another site is refused on record, and takes nobody a right', async (t) => {
	const stage = await staged(t)
	const forged = deltaText(stage, 1, NO_DELTA.hash, sampleId('credential', 'ana-badge')).replace('"n":1', '"n":2')
	assert.equal(stage.controller().authority.takeDelta(forged), 'refused')
	assert.deepEqual(refusals(stage), ['delta-signature'])
	assert.equal(badgeSays(stage, 'ana'), 'choose')
})

test('what a person has on loan elsewhere counts here, after a crash too, until a bundle that holds it knows better; what they have here is never counted twice', async (t) => {
	const stage = await staged(t)
	const ana = sampleId('subject', 'ana')
	const bank = stage.bundle().bank.id
	const take = (text: string) => stage.controller().authority.takeDelta(text)
	/** She may have one loan at a time. */
	const borrowing = () => {
		stage.badge('ana')
		const denied = deniedOf(stage, 'borrow')
		stage.act({ kind: 'back' })
		return denied
	}
	assert.equal(borrowing(), undefined)
	// Her own loan here is the bank's to know, and is left out of what the others count.
	const own = deltaText(stage, 1, NO_DELTA.hash, { subject: ana, loans: 1, at: { [bank]: 1 } })
	assert.equal(take(own), 'taken')
	assert.equal(borrowing(), undefined)
	const other = deltaText(stage, 2, markOf(own), { subject: ana, loans: 1, at: { [stage.otherBank]: 1 } })
	assert.equal(take(other), 'taken')
	assert.equal(borrowing(), 'quota-exceeded')
	stage.crash()
	await stage.start()
	assert.equal(borrowing(), 'quota-exceeded')

	// Made before the second delta, and after it.
	stage.writeBundle({ version: 8, deltas: { n: 1, hash: markOf(own) } })
	await stage.clock.advance(1_500)
	assert.deepEqual([version(stage), borrowing(), stage.controller().authority.held().deltas], [8, 'quota-exceeded', 2])
	stage.writeBundle({ version: 9, deltas: { n: 2, hash: markOf(other) } })
	await stage.clock.advance(1_500)
	assert.equal(borrowing(), undefined, 'the bundle says nothing of a loan elsewhere')
	assert.equal(stage.controller().journal.facts('loans-elsewhere').size, 0, 'and what it holds is kept nowhere else')
	const subjects = stage.bundle().subjects.map((one) => (one.id === ana ? { ...one, loansElsewhere: 1 } : one))
	stage.writeBundle({ version: 10, subjects })
	await stage.clock.advance(1_500)
	assert.equal(borrowing(), 'quota-exceeded')

	// One was missed on the way: the count of the last counts, and what it takes to hold them all is a bundle.
	assert.equal(take(deltaText(stage, 4, 'a'.repeat(64), { subject: ana, loans: 0 })), 'gap')
	assert.deepEqual([borrowing(), stage.controller().authority.held().deltas], [undefined, 2])
	stage.crash()
	await stage.start()
	assert.deepEqual([borrowing(), stage.controller().authority.held().deltas], [undefined, 2])
	stage.writeBundle({ version: 11, deltas: { n: 3, hash: 'a'.repeat(64) } })
	await stage.clock.advance(1_500)
	assert.deepEqual([borrowing(), stage.controller().authority.held().deltas], [undefined, 4])
})

/** What this bundle says of somebody, as the server would tell it alone. */
const rowsIn = ({ subjects, credentials }: Bundle, id: string): PersonRows => {
	const row = subjects.find((one) => one.id === id)
	return { id: id as PersonRows['id'], ...(row && { row, credentials: credentials.filter((one) => one.subject === id) }) }
}
const peopleText = (stage: Stage, n: number, deltas: number, people: PersonRows[], bank = stage.bundle().bank.id) => {
	const now = stage.clock.now()
	return JSON.stringify(
		sealPeopleDelta({ format: 'latchwork-people/1', bank, n, deltas, people, issuedAt: now, until: now + 86_400_000 }, 'maker', maker.sign),
	)
}

test('one person more or less is told alone: in force at once, over a crash, and until a bundle holds it', async (t) => {
	const stage = await staged(t)
	rmSync(files(stage).bundle)
	const whole = stage.bundle()
	const ana = sampleId('subject', 'ana')
	const take = (text: string) => stage.controller().authority.takeDelta(text)
	const held = () => stage.controller().authority.held().people
	const shown = () => {
		stage.badge('ana')
		const { name } = stage.screen()
		stage.act({ kind: name === 'choose' ? 'back' : 'finish' })
		return name
	}
	assert.equal(shown(), 'choose')
	const gone = peopleText(stage, 1, 0, [{ id: ana }])
	assert.equal(take(gone), 'taken')
	assert.deepEqual([shown(), held()], ['denied', 1])
	stage.crash()
	await stage.start()
	assert.deepEqual([shown(), held(), version(stage)], ['denied', 1, 7], 'kept beside the bundle')
	// Another group, which nobody had here: policies about it count from now on.
	const { row, credentials = [] } = rowsIn(whole, ana)
	const back = peopleText(stage, 2, 0, [{ id: ana, row: { ...(row ?? assert.fail()), groups: ['staff', 'tutors'] }, credentials }])
	assert.equal(take(back), 'taken')
	assert.deepEqual([shown(), held()], ['choose', 2])
	assert.equal(take(gone), 'taken', 'an older one, once more')
	assert.deepEqual([shown(), held()], ['choose', 2], 'changes nothing')
	assert.ok(Buffer.byteLength(back) < 2_048, `one person takes ${Buffer.byteLength(back)} bytes`)

	const refusedBefore = refusals(stage).length
	const foreign = testKey(new Uint8Array(32).fill(9))
	for (const text of [
		peopleText(stage, 3, 0, [{ id: ana }], sampleId('bank', 'elsewhere')),
		JSON.stringify(sealPeopleDelta(JSON.parse(peopleText(stage, 3, 0, [{ id: ana }])).signed, 'maker', foreign.sign)),
		gone.slice(0, -20),
		gone.replace('"n":1', '"n":3'),
	])
		assert.equal(take(text), 'refused')
	assert.deepEqual([shown(), held(), refusals(stage).length], ['choose', 2, refusedBefore + 4])

	// One was missed: the next counts, and what it takes to hold them all is a bundle.
	assert.equal(take(peopleText(stage, 4, 0, [{ id: ana }])), 'gap')
	assert.deepEqual([shown(), held()], ['denied', 0])
	stage.controller().authority.take('bundle', stage.sealed({ version: 8, people: 3 }))
	assert.deepEqual([shown(), held()], ['denied', 4], 'made before the last one')
	stage.controller().authority.take('bundle', stage.sealed({ version: 9, people: 4 }))
	assert.deepEqual([shown(), held()], ['choose', 4])
	assert.equal(stage.controller().journal.facts('person-told').size, 0, 'what the bundle holds is kept nowhere else')
})

/**
 * A server that takes Ana's badge away and gives it back, tells it by a delta of the site and one of the bank, of which some are lost and some
 * overtake each other, and makes bundles; a bank that crashes. Whenever the bank holds all of them, it knows of Ana what the server knows.
 */
test('whatever is lost or comes late, a bank that holds all deltas knows of a person what the server knows', async (t) => {
	const stage = await staged(t)
	rmSync(files(stage).bundle)
	const random = seededRandom(5)
	const upTo = (n: number) => (random(1)[0] ?? 0) % n
	const whole = stage.bundle()
	const ana = sampleId('subject', 'ana')
	const badge = whole.credentials.find((one) => one.subject === ana && one.kind === 'badge')?.id ?? assert.fail()
	const server = { has: true, version: 7, site: NO_DELTA as { n: number; hash: string }, people: 0 }
	const seen = { known: 0, refused: 0, behind: 0, crashed: 0, late: 0 }
	const rows = (): PersonRows => {
		const { id, row, credentials = [] } = rowsIn(whole, ana)
		return { id, row: row ?? assert.fail(), credentials: credentials.filter((one) => server.has || one.id !== badge) }
	}
	const late: string[] = []
	const deliver = (text: string) => {
		if (upTo(6) === 0) return
		if (upTo(6) === 0) return void late.push(text)
		stage.controller().authority.takeDelta(text)
	}
	for (let turn = 0; turn < 160; turn++) {
		const act = upTo(10)
		if (act < 6) {
			server.has = !server.has
			if (!server.has) {
				const text = deltaText(stage, server.site.n + 1, server.site.hash, badge)
				server.site = { n: server.site.n + 1, hash: markOf(text) }
				deliver(text)
			}
			server.people += 1
			deliver(peopleText(stage, server.people, server.site.n, [rows()]))
		} else if (act < 8) {
			server.version += 1
			const credentials = whole.credentials.filter((one) => server.has || one.id !== badge)
			const change = { version: server.version, credentials, deltas: server.site, ...(server.people > 0 && { people: server.people }) }
			stage.controller().authority.take('bundle', stage.sealed(change))
		} else if (act < 9) {
			stage.crash()
			await stage.start()
			seen.crashed++
		} else
			for (const text of late.splice(0)) {
				stage.controller().authority.takeDelta(text)
				seen.late++
			}
		const held = stage.controller().authority.held()
		if (held.people < server.people || held.deltas < server.site.n) {
			seen.behind++
			continue
		}
		stage.badge('ana')
		const { name } = stage.screen()
		assert.equal(name === 'choose', server.has, `turn ${turn}: ${name}`)
		stage.act({ kind: name === 'choose' ? 'back' : 'finish' })
		if (server.has) seen.known++
		else seen.refused++
	}
	for (const [what, times] of Object.entries(seen)) assert.ok(times >= 6, `${what}: ${times}`)
})

test('a site key comes with the bundle that needs it, both or neither; without it the bundle before stays', async (t) => {
	const stage = await staged(t)
	rmSync(files(stage).bundle)
	const key = new Uint8Array(32).fill(5)
	const mark = siteKeyMark(key, nodeCrypto)
	const take = (version: number, given?: Uint8Array) =>
		stage.controller().authority.take('bundle', stage.sealed({ version, siteKey: mark }), given && { siteKey: given })
	const held = () => stage.controller().authority.current()?.siteKey
	const first = held()
	assert.equal(take(8), true)
	assert.deepEqual([version(stage), refusals(stage), held()], [7, ['bundle-site-key'], first])
	take(8, new Uint8Array(32).fill(6))
	assert.equal(version(stage), 7, 'another key is not the one')
	take(8, key)
	assert.deepEqual([version(stage), held()], [8, key])
	stage.crash()
	await stage.start()
	assert.deepEqual([version(stage), held()], [8, key], 'kept with the bundle')
	take(9)
	assert.deepEqual([version(stage), held()], [9, key], 'it need not come again')
	stage.controller().authority.take('bundle', stage.sealed({ version: 10 }))
	assert.deepEqual([version(stage), held()], [10, first], 'a bundle without a name goes by the key of the enrolment')
})

test('L1: a key that is to be in memory alone is on no disk; after a start nobody is known until it has come again', async (t) => {
	const stage = await staged(t)
	rmSync(files(stage).bundle)
	const key = new Uint8Array(32).fill(5)
	const mark = siteKeyMark(key, nodeCrypto)
	const { settings } = stage.bundle()
	const sealed = (version: number, siteKeyInMemory: boolean) =>
		stage.sealed({ version, siteKey: mark, settings: { ...settings, ...(siteKeyInMemory && { siteKeyInMemory }) } })
	const mintKeys = new Map([[3, new Uint8Array(32).fill(7)]])
	const take = (text: string, given?: Uint8Array) => stage.controller().authority.take('bundle', text, given && { siteKey: given, mintKeys })
	const held = () => stage.controller().authority.current()?.siteKey
	const level = () => stage.controller().authority.current()?.storageLevel
	const onDisk = (what: string) =>
		readdirSync(stage.directory()).filter((name) => readFileSync(join(stage.directory(), name)).includes(what)).length > 0
	take(sealed(8, false), key)
	assert.deepEqual([held(), onDisk('05'.repeat(32)), onDisk(writeMintKeys(mintKeys))], [key, true, true], 'the control: at L0 both are found')

	assert.equal(level(), 0)

	const other = new Uint8Array(32).fill(9)
	const inMemory = (version: number) =>
		stage.sealed({ version, siteKey: siteKeyMark(other, nodeCrypto), settings: { ...settings, siteKeyInMemory: true } })
	const text = inMemory(9)
	take(text, other)
	assert.deepEqual([version(stage), held(), level()], [9, other, 1])
	assert.equal(stage.controller().journal.fact('authority', 'site-key'), undefined, 'the one that lay there is forgotten')
	assert.equal(stage.controller().journal.fact('authority', 'mint-keys'), undefined, 'and those for one-time codes')
	assert.deepEqual(stage.controller().authority.current()?.mintKeys, mintKeys)
	stage.crash()
	await stage.start()
	assert.deepEqual([held(), stage.controller().authority.state(), refusals(stage)], [undefined, 'missing', []])
	for (const name of readdirSync(stage.directory())) assert.ok(!readFileSync(join(stage.directory(), name)).includes('09'.repeat(32)), name)
	stage.badge('ana')
	assert.deepEqual(stage.screen(), { name: 'out-of-service', why: 'bundle-missing' })
	take(text, other)
	assert.deepEqual([version(stage), held(), level()], [9, other, 1], 'the same bundle, once its key is there')
	await stage.shows('attract')
	stage.badge('ana')
	assert.notEqual(stage.screen().name, 'out-of-service')
})
