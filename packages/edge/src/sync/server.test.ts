import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sampleId, sampleSubject } from '@latchwork/core/access/testing'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { LinkCommand } from '@latchwork/core/wire'
import { createServerSide, type ServerSide } from '../testing/server-side.ts'
import { createStage, type Stage, type StageOptions } from '../testing/stage.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

async function staged(t: TestContext, options: StageOptions = {}): Promise<{ stage: Stage; server: ServerSide }> {
	let server: ServerSide | undefined
	const stage = await createStage({
		...options,
		server: (clock) => {
			server = createServerSide(clock)
			return server
		},
	})
	t.after(stage.end)
	assert.ok(server)
	if (options.started !== false) {
		await stage.until('the link', () => stage.controller().health().link?.online === true)
		await stage.until('the bundle', () => version(stage) > 0)
	}
	return { stage, server }
}

const version = (stage: Stage) => stage.controller().authority.current()?.bundle.version ?? 0
const linkEvents = (stage: Stage) => stage.types().filter((type) => type.startsWith('controller.link'))
const pending = (stage: Stage) => stage.controller().health().link?.pending

/** What the server has of the stream is what is on the disk. */
function arrived(stage: Stage, server: ServerSide): boolean {
	const { stream, seq } = stage.controller().journal.head()
	const minted = stage
		.controller()
		.journal.minted(stream, 0, seq)
		.map(({ bytes }) => new TextDecoder().decode(bytes))
	const have = server.streams.get(stream) ?? []
	return have.length === seq && minted.every((text, i) => text === have[i])
}

// ── events ──

test('every event arrives as it was minted, and says whether there was a link', async (t) => {
	const { stage, server } = await staged(t)
	await stage.borrow()
	await stage.until('all is acknowledged', () => pending(stage) === 0)
	assert.ok(arrived(stage, server))
	const loan = stage.events().find((e) => e.type === 'loan.started')
	assert.equal(loan?.offline, false)
	assert.equal(stage.events()[0]?.offline, true, 'the first event was minted before anything was said')
	const decision = stage.events().find((e) => e.type === 'decision.allowed')
	assert.deepEqual([decision?.data.offline, decision?.data.storageLevel], [false, 0])
	// The server holds it against what was revoked.
	const release = stage.events().find((e) => e.type === 'door-session.releasing')
	assert.equal(release?.data.credential, sampleId('credential', 'ana-badge'))
})

test('hours without a network: lending goes on, it is on record and on the screen once, and all of it arrives afterwards', async (t) => {
	const { stage, server } = await staged(t)
	server.network('nothing')
	await stage.clock.advance(30_000)
	assert.ok(!stage.controller().view().notices.includes('offline'), 'a short gap is nobody’s concern')
	await stage.clock.advance(MINUTE)
	assert.ok(stage.controller().view().notices.includes('offline'))
	assert.ok(stage.controller().health().problems.includes('link-lost'))
	await stage.borrow()
	await stage.bringBack()
	await stage.clock.advance(2 * HOUR)
	assert.deepEqual(linkEvents(stage), ['controller.link-lost'])
	assert.ok(
		stage
			.events()
			.filter((e) => e.type === 'loan.started')
			.every((e) => e.offline),
	)
	server.network('all')
	await stage.until('all is acknowledged', () => pending(stage) === 0, 3 * MINUTE)
	assert.ok(arrived(stage, server))
	assert.deepEqual(linkEvents(stage), ['controller.link-lost', 'controller.link-restored'])
	assert.ok(!stage.controller().view().notices.includes('offline'))
})

test('a link that flaps all night is not a line a minute', async (t) => {
	const { stage, server } = await staged(t)
	for (let i = 0; i < 60; i++) {
		server.network('nothing')
		await stage.clock.advance(20_000)
		server.network('all')
		await stage.clock.advance(20_000)
	}
	assert.ok(linkEvents(stage).length <= 4, linkEvents(stage).join())
	await stage.until('all is acknowledged', () => pending(stage) === 0, 3 * MINUTE)
	assert.ok(arrived(stage, server))
})

test('a broker without a server behind it is no link', async (t) => {
	const { stage, server } = await staged(t)
	server.mute(true)
	await stage.clock.advance(3 * MINUTE)
	assert.equal(stage.controller().health().link?.online, false)
	assert.deepEqual(linkEvents(stage), ['controller.link-lost'])
	server.mute(false)
	await stage.until('the link', () => stage.controller().health().link?.online === true, 3 * MINUTE)
})

test('where WebSockets are cut, events and authority go by HTTPS, and the other way is taken again when it is there', async (t) => {
	const { stage, server } = await staged(t)
	server.network('https')
	await stage.until('the other way', () => stage.controller().health().link?.way === 'https', 3 * MINUTE)
	await stage.borrow()
	stage.writeBundle({ version: 8 })
	await stage.until('all is acknowledged', () => pending(stage) === 0, 3 * MINUTE)
	assert.ok(arrived(stage, server))
	await stage.until('the bundle', () => version(stage) === 8, MINUTE)
	assert.deepEqual(linkEvents(stage), [])
	server.network('all')
	await stage.until('the first way', () => stage.controller().health().link?.way === 'mqtt', 3 * MINUTE)
})

test('a crash in the middle of sending loses nothing and sends nothing changed', async (t) => {
	const { stage, server } = await staged(t)
	for (let i = 0; i < 5; i++) {
		await stage.borrow()
		stage.crash()
		await stage.start()
		await stage.until('the link', () => stage.controller().health().link?.online === true)
		await stage.bringBack()
	}
	await stage.until('all is acknowledged', () => pending(stage) === 0, 3 * MINUTE)
	assert.ok(arrived(stage, server))
})

test('a stream that the server refuses shows in health, and lending goes on', async (t) => {
	const { stage, server } = await staged(t)
	const { stream } = stage.controller().journal.head()
	server.tell('acks', { v: 1, stream, refused: { seq: 3, code: 'equivocation', text: 'Event 3 was sent before with other bytes.' } })
	await stage.until('it is raised', () => stage.types().includes('stream.refused'))
	assert.ok(stage.controller().health().problems.includes('stream-refused'))
	await stage.borrow()
})

// ── authority and time ──

test('bundle and lease come by the link, by the same checks as files', async (t) => {
	const { stage } = await staged(t)
	stage.writeBundle({ version: 8, settings: { ...stage.bundle().settings, leaseRequired: true } })
	await stage.until('the bundle', () => version(stage) === 8)
	assert.equal(stage.controller().authority.state(), 'lease-expired')
	stage.writeLease()
	await stage.until('the lease', () => stage.controller().authority.state() === 'fresh')
	stage.writeLease({ issuedAt: stage.clock.now() - HOUR })
	await stage.until('it is refused', () => stage.types().includes('bundle.refused'))
	assert.deepEqual(stage.events().findLast((e) => e.type === 'bundle.refused')?.data.code, 'lease-rollback')
})

test('a notice that was missed: the lease names the newer bundle, and it is fetched; so it is after a restart', async (t) => {
	const { stage, server } = await staged(t)
	const text = (v: number) => stage.sealed({ version: v })
	server.publishBundle(text(8), { ...stage.bundle(), version: 8 }, true)
	await stage.clock.advance(5_000)
	assert.equal(version(stage), 7)
	stage.writeLease({ bundleVersion: 8 })
	await stage.until('the bundle', () => version(stage) === 8)
	server.publishBundle(text(9), { ...stage.bundle(), version: 9 }, true)
	stage.crash()
	await stage.start()
	await stage.until('the bundle', () => version(stage) === 9)
})

test('the signed time of the server sets a wrong clock right, whether it is slow or ran ahead', async (t) => {
	const { stage, server } = await staged(t)
	assert.ok(Math.abs(stage.controller().view().now - stage.clock.now()) < 100)
	server.ahead(2 * HOUR)
	server.network('nothing')
	server.network('all')
	await stage.until('the time', () => Math.abs(stage.controller().view().now - stage.clock.now() - 2 * HOUR) < 5_000, MINUTE)
	assert.ok(stage.types().includes('controller.clock-jumped'))
	assert.ok(!stage.controller().view().notices.includes('clock-uncertain'))
	stage.clock.stepWall(24 * HOUR)
	server.ahead(-22 * HOUR)
	await stage.clock.advance(1_000)
	assert.ok(stage.controller().view().notices.includes('clock-uncertain'))
	server.network('nothing')
	server.network('all')
	await stage.until('the time', () => !stage.controller().view().notices.includes('clock-uncertain'), MINUTE)
	assert.ok(Math.abs(stage.controller().view().now - stage.clock.now() + 22 * HOUR) < 5_000)
})

// ── a badge that the bundle does not know ──

test('a person who is new today is known after one tap: the server says so, and the bundle comes in time', async (t) => {
	const { stage, server } = await staged(t)
	const all = stage.bundle()
	const newcomer = sampleSubject('cem')
	stage.writeBundle({
		version: 8,
		credentials: all.credentials.filter((c) => c.subject !== newcomer),
		subjects: all.subjects.filter((s) => s.id !== newcomer),
	})
	await stage.until('the bundle', () => version(stage) === 8)
	server.credential(() => {
		stage.clock.after(300, () => stage.writeBundle({ version: 9, credentials: all.credentials, subjects: all.subjects }))
		return { known: true, bundle: 9 }
	})
	stage.badge('cem')
	assert.deepEqual(stage.screen(), { name: 'asking' })
	await stage.shows('choose')
	assert.ok(!stage.types().includes('decision.denied'))
	const ask = server.asks.find((a) => a.kind === 'credential')
	assert.ok(ask?.kind === 'credential' && /^[0-9a-f]{64}$/.test(ask.verifier), 'the number itself stays here')
})

test('an unknown badge is refused as soon as the server does not know it either, or when nobody answers for two seconds', async (t) => {
	const { stage, server } = await staged(t)
	const all = stage.bundle()
	stage.writeBundle({ version: 8, credentials: all.credentials.filter((c) => c.subject !== sampleSubject('cem')) })
	await stage.until('the bundle', () => version(stage) === 8)
	stage.badge('cem')
	await stage.clock.advance(100)
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'unknown-credential' })
	stage.act({ kind: 'back' })
	server.credential(() => undefined)
	stage.badge('cem')
	await stage.clock.advance(1_900)
	assert.deepEqual(stage.screen(), { name: 'asking' })
	stage.badge('ana')
	assert.deepEqual(stage.screen(), { name: 'asking' }, 'one question at a time')
	await stage.clock.advance(200)
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'unknown-credential' })
	server.network('nothing')
	stage.act({ kind: 'back' })
	stage.badge('cem')
	assert.deepEqual(stage.screen(), { name: 'denied', reason: 'unknown-credential' }, 'without a link nobody is asked')
})

// ── commands ──

const random = seededRandom(5)
type OpenRemote = Extract<LinkCommand, { kind: 'open-remote' }>
function openRemote(stage: Stage, change: Partial<OpenRemote> = {}): OpenRemote {
	const issuedAt = stage.clock.now()
	return {
		v: 1,
		id: newId('command', issuedAt, random),
		bank: stage.bundle().bank.id,
		issuedAt,
		expiresAt: issuedAt + 30_000,
		by: sampleSubject('dia'),
		kind: 'open-remote',
		compartment: sampleId('compartment', '2'),
		reason: 'forgotten-badge',
		...change,
	}
}
const resultsOf = (server: ServerSide, id: Id<'command'>) =>
	server.results.filter((r) => r.id === id).map(({ state, code, end }) => [state, code ?? end].filter(Boolean).join(' '))

test('staff open a door from elsewhere: one pulse, who and why on record, the screen says so, and the end is reported', async (t) => {
	const { stage, server } = await staged(t)
	const command = openRemote(stage)
	server.send(command)
	await stage.until('the door springs open', () => stage.cabinet.door(1) === 'open')
	await stage.until('the screen says so', () => stage.controller().view().notices.includes('door-by-staff'))
	assert.deepEqual(stage.controller().view().standing, [{ number: 2, why: 'by-staff' }])
	server.send(command)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, command.id), ['accepted', 'accepted'])
	stage.cabinet.setDoor(1, 'closed')
	await stage.until('the end is reported', () => resultsOf(server, command.id).includes('done committed'))
	server.send(command)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, command.id), ['accepted', 'accepted', 'done committed', 'done committed'])
	assert.equal(stage.cabinet.pulses(1), 1)
	const releasing = stage.events().find((e) => e.type === 'door-session.releasing')
	assert.equal(releasing?.actor, command.by)
	assert.deepEqual(
		[releasing?.data.command, releasing?.data.reason, releasing?.data.act, releasing?.data.method],
		[command.id, 'forgotten-badge', 'inspect', 'remote'],
	)
	assert.equal(stage.events().find((e) => e.type === 'decision.allowed')?.data.command, command.id)
	assert.deepEqual(stage.controller().view().standing, [])
})

test('a command that is expired, early, strange or not allowed changes nothing and is refused with a code, once and for all', async (t) => {
	const { stage, server } = await staged(t)
	const now = stage.clock.now()
	const strange = sampleId('compartment', 'elsewhere')
	const cases: [string, OpenRemote | LinkCommand][] = [
		['command-expired', openRemote(stage, { issuedAt: now - 40_000, expiresAt: now - 10_000 })],
		...(['self-test', 'restart'] as const).map((kind): [string, LinkCommand] => {
			const late = openRemote(stage, { issuedAt: now - 40_000, expiresAt: now - 10_000 })
			return ['command-expired', { ...late, kind, compartment: undefined, reason: undefined } as unknown as LinkCommand]
		}),
		['time-uncertain', openRemote(stage, { issuedAt: now + 10 * MINUTE, expiresAt: now + 10 * MINUTE + 30_000 })],
		['other-bank', openRemote(stage, { bank: stage.otherBank })],
		['compartment-unknown', openRemote(stage, { compartment: strange })],
		['not-authorised', openRemote(stage, { by: sampleSubject('cem') })],
		['not-authorised', openRemote(stage, { by: 'server' })],
		['unknown-credential', openRemote(stage, { by: sampleId('subject', 'nobody') })],
		['kind-unknown', { ...openRemote(stage), kind: 'collect-logs', compartment: undefined, reason: undefined } as unknown as LinkCommand],
	]
	for (const [code, command] of cases) {
		const told = JSON.parse(JSON.stringify(command)) as LinkCommand
		server.send(told)
		server.send(told)
		await stage.clock.advance(1_000)
		assert.deepEqual(resultsOf(server, command.id), [`refused ${code}`, `refused ${code}`])
	}
	await stage.clock.advance(15_000)
	assert.equal(stage.cabinet.pulses(1), 0)
	assert.equal(stage.types().filter((type) => type === 'command.refused').length, cases.length)
	assert.equal(stage.types().filter((type) => type === 'decision.denied').length, 2)
})

test('while somebody is at the kiosk no door opens from elsewhere, and one that stands open stands in nobody’s way', async (t) => {
	const { stage, server } = await staged(t)
	stage.badge('ana')
	const first = openRemote(stage)
	server.send(first)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, first.id), ['refused kiosk-in-use'])
	assert.equal(stage.screen().name, 'choose')
	stage.act({ kind: 'finish' })
	const second = openRemote(stage)
	server.send(second)
	await stage.until('the door springs open', () => stage.cabinet.door(1) === 'open')
	const door = await stage.borrow()
	assert.notEqual(door, 2)
	const third = openRemote(stage)
	server.send(third)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, third.id), ['refused compartment-unavailable'])
	stage.cabinet.setDoor(1, 'closed')
	await stage.until('the end is reported', () => resultsOf(server, second.id).includes('done committed'))
})

test('a door that a command opened outlives the controller, and its end is still reported', async (t) => {
	const { stage, server } = await staged(t)
	const command = openRemote(stage)
	server.send(command)
	await stage.until('the door springs open', () => stage.cabinet.door(1) === 'open')
	stage.crash()
	await stage.start()
	await stage.until('the link', () => stage.controller().health().link?.online === true)
	server.send(command)
	await stage.clock.advance(1_000)
	stage.cabinet.setDoor(1, 'closed')
	await stage.until('the end is reported', () => resultsOf(server, command.id).includes('done committed'))
	assert.equal(stage.cabinet.pulses(1), 1)
})

test('what is promised to somebody is behind a door that opens from elsewhere for that case alone', async (t) => {
	const { stage, server } = await staged(t)
	stage.cabinet.setFaults(0, { stuckLock: true })
	stage.badge('ana')
	stage.choose('borrow:loan-laptop')
	await stage.shows('not-opened')
	stage.cabinet.setFaults(0, {})
	stage.crash()
	await stage.start()
	await stage.until('the link', () => stage.controller().health().link?.online === true)
	const of = stage.events().find((e) => e.type === 'case.opened')?.subject as Id<'case'>
	const compartment = sampleId('compartment', '1')
	const other = openRemote(stage, { compartment })
	server.send(other)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, other.id), ['refused held-for-another'])
	const own = openRemote(stage, { compartment, case: of })
	server.send(own)
	await stage.until('the door springs open', () => stage.cabinet.door(0) === 'open')
	assert.equal(stage.events().findLast((e) => e.type === 'door-session.releasing')?.data.case, of)
})

test('a door that does not open is a failure; a self-test asks the boards', async (t) => {
	const { stage, server } = await staged(t)
	stage.cabinet.setFaults(1, { stuckLock: true })
	const command = openRemote(stage)
	server.send(command)
	await stage.until('the end is reported', () => resultsOf(server, command.id).includes('failed not-opened'))
	const test: LinkCommand = {
		v: 1,
		id: newId('command', stage.clock.now(), random),
		bank: stage.bundle().bank.id,
		issuedAt: stage.clock.now(),
		expiresAt: stage.clock.now() + 30_000,
		by: 'server',
		kind: 'self-test',
	}
	server.send(test)
	await stage.until('the boards were asked', () => resultsOf(server, test.id).includes('done'))
	stage.emulator.setFaults(0, { silent: true })
	const another: LinkCommand = { ...test, id: newId('command', stage.clock.now(), random) }
	server.send(another)
	server.send(another)
	await stage.until('nothing answered', () => resultsOf(server, another.id).includes('failed board-timeout'))
	await stage.clock.advance(10_000)
	assert.deepEqual(resultsOf(server, another.id), ['accepted', 'accepted', 'failed board-timeout'], 'told twice, tested once')
})

test('a restart waits for nobody’s hands, happens once, and is done when the controller is back', async (t) => {
	const { stage, server } = await staged(t)
	const restart = (): LinkCommand => {
		const issuedAt = stage.clock.now()
		return {
			v: 1,
			id: newId('command', issuedAt, random),
			bank: stage.bundle().bank.id,
			issuedAt,
			expiresAt: issuedAt + 30_000,
			by: 'server',
			kind: 'restart',
		}
	}
	stage.badge('ana')
	const first = restart()
	server.send(first)
	await stage.clock.advance(100)
	assert.deepEqual(resultsOf(server, first.id), ['refused kiosk-in-use'])
	stage.act({ kind: 'finish' })
	const second = restart()
	server.send(second)
	await stage.clock.advance(100)
	assert.deepEqual([resultsOf(server, second.id), server.restarts()], [['accepted'], 1])
	stage.stop()
	await stage.start()
	await stage.until('it is reported', () => resultsOf(server, second.id).includes('done'))
	server.send(second)
	await stage.clock.advance(100)
	assert.equal(server.restarts(), 1)
})

test('a full disk opens no door from elsewhere, and a command that was refused for it is refused when there is room again', async (t) => {
	let db: DatabaseSync | undefined
	const { stage, server } = await staged(t, {
		tune: (of) => {
			db = of
		},
	})
	const fill = () => db?.exec(`PRAGMA max_page_count=${Number(Object.values(db.prepare('PRAGMA page_count').get() ?? {})[0])}`)
	fill()
	// Refusals may still fit into the last page; then none does.
	const told: OpenRemote[] = []
	const isFull = () => told.some((c) => resultsOf(server, c.id).includes('refused storage-full'))
	for (let i = 0; i < 300 && !isFull(); i++) {
		const command = openRemote(stage, { by: sampleSubject(i % 3 ? 'cem' : 'dia'), compartment: sampleId('compartment', '3') })
		told.push(command)
		server.send(command)
		await stage.clock.advance(100)
		if (stage.cabinet.door(2) === 'open') {
			// What ends a door has the space held back, of which a bound on pages knows nothing.
			db?.exec('PRAGMA max_page_count=1000000')
			stage.cabinet.setDoor(2, 'closed')
			await stage.until('the end is reported', () => resultsOf(server, command.id).includes('done committed'))
			fill()
		}
	}
	assert.ok(isFull(), 'the disk is full')
	const refused = told.find((c) => resultsOf(server, c.id).includes('refused storage-full')) ?? assert.fail()
	const before = stage.cabinet.pulses(2)
	db?.exec('PRAGMA max_page_count=1000000')
	await stage.clock.advance(1_000)
	server.send(refused)
	await stage.clock.advance(1_000)
	assert.deepEqual(new Set(resultsOf(server, refused.id)), new Set(['refused storage-full']))
	assert.equal(stage.cabinet.pulses(2), before)
})

const bundles = (server: ServerSide) => server.fetched.filter((what) => what.startsWith('bundle'))

test('a lease that names a delta which never came has the bundle fetched, which says up to where the bank knows them', async (t) => {
	const { stage, server } = await staged(t)
	stage.writeLease()
	await stage.clock.advance(10_000)
	const before = bundles(server).length
	stage.writeLease({ deltas: 3 })
	await stage.clock.advance(10_000)
	assert.deepEqual(bundles(server).slice(before), ['bundle?deltas=0&people=0'])
	const asked = before + 1
	stage.writeBundle({ version: 8, deltas: { n: 3, hash: 'a'.repeat(64) } })
	await stage.until('the bundle', () => version(stage) === 8)
	stage.writeLease({ deltas: 3, bundleVersion: 8 })
	await stage.clock.advance(10_000)
	assert.deepEqual(bundles(server).slice(asked), ['bundle?deltas=0&people=0'], 'fetched for its version, and then no more')
})

test('a bundle that is newer than the lease has the lease fetched, too: it was made for this fetch, and nobody tells of it', async (t) => {
	const { stage, server } = await staged(t)
	stage.writeLease()
	await stage.clock.advance(10_000)
	const before = server.fetched.length
	server.publishBundle(stage.sealed({ version: 8 }), { ...stage.bundle(), version: 8 })
	await stage.until('the bundle', () => version(stage) === 8)
	await stage.clock.advance(5_000)
	assert.deepEqual(server.fetched.slice(before), ['bundle?deltas=0&people=0', 'lease'])
})

test('by HTTPS alone, where no delta comes, counts are put into a bundle once in ten minutes', async (t) => {
	const { stage, server } = await staged(t)
	server.network('https')
	await stage.clock.advance(2 * MINUTE)
	const from = bundles(server).length
	await stage.clock.advance(30 * MINUTE)
	const asked = bundles(server).slice(from)
	assert.ok(asked.length > 50, `${asked.length} polls`)
	assert.equal(asked.filter((what) => what.includes('deltas')).length, 3)
})

test('a badge is read for whoever gives it: nobody is identified by it, its number is in no record, and what cannot be used is told', async (t) => {
	const { stage, server } = await staged(t)
	const ask = (): LinkCommand => {
		const issuedAt = stage.clock.now()
		return {
			v: 1,
			id: newId('command', issuedAt, random),
			bank: stage.bundle().bank.id,
			issuedAt,
			expiresAt: issuedAt + 30_000,
			by: sampleSubject('ana'),
			kind: 'read-badge',
		}
	}
	const tap = (hex: string, bitCount = 32) =>
		stage.controller().readers.event({ kind: 'card', format: 0, bitCount, bits: Buffer.from(hex, 'hex'), secure: true }, sampleId('reader', 'one'))
	const first = ask()
	server.send(first)
	await stage.shows('badge-reading')
	stage.pin('12345678')
	stage.scan('LW1.x.y')
	assert.deepEqual(stage.screen(), { name: 'badge-reading', state: 'waiting' }, 'nothing but a badge counts')
	const remote = openRemote(stage)
	server.send(remote)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, remote.id), ['refused kiosk-in-use'], 'somebody stands there')
	const before = stage.types().length
	tap('9c55e021')
	tap('11223344')
	assert.deepEqual(stage.screen(), { name: 'badge-reading', state: 'read' })
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, first.id), ['accepted', 'done'])
	assert.deepEqual(server.results.findLast(({ id }) => id === first.id)?.reading, { number: 'hex:32:9c55e021', family: 'osdp', secure: true })
	assert.deepEqual(stage.types().slice(before), [], 'no visit, no decision')
	server.send(first)
	await stage.clock.advance(1_000)
	assert.deepEqual([resultsOf(server, first.id).at(-1), server.results.at(-1)?.reading], ['done', undefined], 'told once')
	assert.ok(!JSON.stringify([...stage.controller().journal.facts('command')]).includes('9c55e021'))
	stage.act({ kind: 'finish' })
	assert.equal(stage.screen().name, 'attract')

	const random8 = ask()
	server.send(random8)
	await stage.shows('badge-reading')
	tap('08112233')
	assert.deepEqual(stage.screen(), { name: 'badge-reading', state: 'unusable' })
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, random8.id), ['accepted', 'failed badge-random-uid'])

	const nobody = ask()
	server.send(nobody)
	await stage.clock.advance(1_000)
	assert.deepEqual(stage.screen(), { name: 'badge-reading', state: 'waiting' }, 'one card after the other, with no touch in between')
	const meanwhile = ask()
	server.send(meanwhile)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, meanwhile.id), ['refused kiosk-in-use'])
	await stage.clock.advance(60_000)
	assert.deepEqual(resultsOf(server, nobody.id), ['accepted', 'failed no-badge'])
	assert.equal(stage.screen().name, 'attract')

	stage.badge('ana')
	const inUse = ask()
	server.send(inUse)
	await stage.clock.advance(1_000)
	assert.deepEqual(resultsOf(server, inUse.id), ['refused kiosk-in-use'])
	stage.act({ kind: 'finish' })

	const cut = ask()
	server.send(cut)
	await stage.shows('badge-reading')
	stage.crash()
	await stage.start()
	await stage.clock.advance(5_000)
	assert.equal(resultsOf(server, cut.id).at(-1), 'failed interrupted')
	assert.equal(stage.screen().name, 'attract')
})

test('at a new connection the newest results are told again, and not so many that events behind them are dropped', async (t) => {
	const { stage, server } = await staged(t)
	const now = stage.clock.now()
	const all: Id<'command'>[] = []
	for (let n = 0; n < 40; n++) {
		const late = openRemote(stage, { id: newId('command', now + n, random), issuedAt: now - 40_000, expiresAt: now - 10_000 })
		all.push(late.id)
		server.send(late)
	}
	await stage.clock.advance(1_000)
	assert.deepEqual(
		all.map((id) => resultsOf(server, id).length),
		all.map(() => 1),
	)
	const before = server.results.length
	server.network('nothing')
	await stage.clock.advance(5_000)
	server.network('all')
	await stage.until('it is back', () => server.results.length > before)
	await stage.clock.advance(1_000)
	assert.deepEqual(
		server.results.slice(before).map(({ id }) => id),
		all.slice(-32),
	)
})

test('a clock that is moved while the server is there is set right within half a minute', async (t) => {
	const { stage, server } = await staged(t)
	const truth = stage.clock.now()
	stage.clock.stepWall(6 * 60 * MINUTE)
	server.ahead(-6 * 60 * MINUTE)
	assert.equal(stage.controller().health().clock.uncertain, true)
	await stage.clock.advance(31_000)
	const { now, uncertain } = stage.controller().health().clock
	assert.deepEqual([uncertain, Math.abs(now - truth) < MINUTE], [false, true])
})

// ── the long sleep (trust.md §3.8) ──

test('nine months without power, and past every grace: it says what is needed, takes things back and gives nothing out; a code typed at the kiosk lets it in anew, and all goes on as one', async (t) => {
	const { stage, server } = await staged(t)
	await stage.borrow()
	await stage.until('all is acknowledged', () => pending(stage) === 0)
	const { stream, seq } = stage.controller().journal.head()
	stage.stop()
	stage.clock.stepWall(270 * 24 * HOUR)
	server.shutOut('3141592653')
	await stage.start()
	const notices = () => stage.controller().view().notices
	await stage.until('it is refused', () => notices().includes('claim-needed'), 3 * MINUTE)
	assert.ok(notices().includes('bundle-expired'))
	await stage.bringBack()
	stage.badge('ana')
	const screen = stage.screen()
	assert.ok(screen.name === 'choose' && screen.choices.every(({ denied }) => denied !== undefined), JSON.stringify(screen))
	stage.act({ kind: 'finish' })

	stage.act({ kind: 'start-claim' })
	assert.equal(stage.screen().name, 'attract', 'nobody comes upon it who does not look for it')
	stage.act({ kind: 'help' })
	assert.deepEqual(stage.screen(), { name: 'help', claim: true })
	stage.act({ kind: 'start-claim' })
	const before = stage.controller().journal.head()
	stage.act({ kind: 'keys', keys: '31415926#' })
	assert.deepEqual(stage.screen(), { name: 'claim', entered: 8, length: 10, state: 'typing' }, 'half a code is not sent')
	stage.act({ kind: 'keys', keys: '54' })
	await stage.until('an answer', () => stateOf(stage) === 'refused')
	assert.deepEqual(stage.controller().journal.head(), before, 'a wrong code changes nothing')
	assert.ok(notices().includes('claim-needed'))
	server.network('nothing')
	stage.pin('3141592653')
	await stage.until('an answer', () => stateOf(stage) === 'unreachable')
	server.network('all')
	stage.pin('3141592653')
	await stage.until('an answer', () => stateOf(stage) === 'accepted')
	stage.act({ kind: 'finish' })
	// What the server signs from then on.
	const now = stage.clock.now()
	stage.writeBundle({ version: 9, issuedAt: now, staleAt: now + HOUR, expiresAt: now + 24 * HOUR })
	await stage.until('the bundle', () => version(stage) === 9, 3 * MINUTE)
	await stage.until('all is acknowledged', () => pending(stage) === 0, 3 * MINUTE)
	assert.ok(!notices().includes('claim-needed') && !notices().includes('clock-uncertain'))
	await stage.borrow()
	await stage.until('all is acknowledged', () => pending(stage) === 0)
	const head = stage.controller().journal.head()
	assert.deepEqual([head.stream, head.seq > seq, arrived(stage, server)], [stream, true, true], 'one stream from before the sleep on, nothing lost')
	stage.act({ kind: 'help' })
	assert.deepEqual(stage.screen(), { name: 'help' }, 'a bank that is let in offers no code')
})
const stateOf = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'claim' && screen.state
}
