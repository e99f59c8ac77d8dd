import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type FakeClock, fakeClock, type Id, newId, seededRandom } from '@latchwork/core/base'
import { type LinkAck, linkEvents, MAX_LINK_BYTES } from '@latchwork/core/wire'
import fc from 'fast-check'
import { type Journal, openJournal, readJournal } from '../journal/index.ts'
import { nodeCrypto } from '../keys.ts'
import { type Batch, type Outbox, openOutbox } from './outbox.ts'

const START = Date.UTC(2026, 0, 5, 9)
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** A journal and its outbox that can be killed at any moment, a network that answers to the test alone, and an honest server behind it. */
interface World {
	readonly clock: FakeClock
	readonly up: Batch[]
	readonly down: LinkAck[]
	journal(): Journal
	outbox(): Outbox
	/** Event texts that the server has, by stream; `equivocations`: one sequence with two texts. */
	readonly server: { readonly streams: Map<string, string[]>; equivocations: number }
	mint(count: number, size?: number): void
	connect(): void
	disconnect(): void
	/** As kill -9 leaves it; everything under way on the network is still under way. `lost`: bytes at the end of the log that the disk forgets. */
	crash(lost?: number): void
	/** The server takes this batch and answers. */
	take(batch: Batch): void
	/** Everything arrives, in order, until nothing is pending. */
	settle(): Promise<void>
	/** Every event on the disk, by stream, is at the server, in order and once. */
	complete(): boolean
	end(): void
}

function createWorld(wrap: (outbox: Outbox) => Outbox = (outbox) => outbox): World {
	const root = mkdtempSync(join(MEMORY, 'latchwork-outbox-'))
	const clock = fakeClock(START)
	const random = seededRandom(7)
	const controller = newId('controller', START, random)
	const bank = newId('bank', START, random)
	let generation = 0
	let directory = join(root, '0')
	const up: Batch[] = []
	const down: LinkAck[] = []
	const server = { streams: new Map<string, string[]>(), equivocations: 0 }
	let journal: Journal
	let outbox: Outbox
	const open = () => {
		journal = openJournal({
			directory,
			controller,
			random,
			now: clock.now,
			context: () => ({ bank, at: clock.now(), mono: 0, clock: 'good', bundle: 0, offline: false, sha256: nodeCrypto.sha256 }),
			sealer: { sign: () => new Uint8Array(64), keyId: controller },
			standing: () => [],
		})
		outbox = wrap(openOutbox({ journal, clock, random }))
	}
	open()
	let minted = 0
	const world: World = {
		clock,
		up,
		down,
		server,
		journal: () => journal,
		outbox: () => outbox,
		mint(count, size = 0) {
			const events = Array.from({ length: count }, () => ({
				type: 'reader.online' as const,
				subject: `reader-${++minted}`,
				actor: 'edge' as const,
				data: size ? { of: 'x'.repeat(size) } : {},
			}))
			journal.commit({ events })
		},
		connect: () => outbox.resume((batch) => void up.push(batch)),
		disconnect: () => outbox.pause(),
		crash(lost = 0) {
			const next = join(root, String(++generation))
			mkdirSync(next)
			for (const name of ['edge.db', 'edge.db-wal', 'edge.mark']) copyFileSync(join(directory, name), join(next, name))
			// Nothing of a killed process runs on: its timers are cancelled, and what it writes now goes into a directory that is gone.
			outbox.stop()
			journal.close()
			rmSync(directory, { recursive: true })
			directory = next
			const log = join(directory, 'edge.db-wal')
			truncateSync(log, statSync(log).size - lost)
			open()
		},
		take(batch) {
			const { stream, first, events } = linkEvents.parse(JSON.parse(batch.text))
			assert.equal(batch.last, first + events.length - 1)
			const have = server.streams.get(stream) ?? []
			server.streams.set(stream, have)
			if (first > have.length + 1) return void down.push({ v: 1, stream, want: { from: have.length + 1, to: first - 1 } })
			events.forEach((text, i) => {
				const seq = first + i
				if (seq === have.length + 1) have.push(text)
				else if (have[seq - 1] !== text) server.equivocations += 1
			})
			down.push({ v: 1, stream, seq: have.length })
		},
		async settle() {
			world.disconnect()
			world.connect()
			for (let i = 0; outbox.state().pending > 0; i++) {
				assert.ok(i < 1_000, `still pending: ${JSON.stringify(outbox.state())}`)
				for (const batch of up.splice(0)) world.take(batch)
				for (const ack of down.splice(0)) outbox.heard(ack)
				await clock.advance(500)
			}
		},
		complete: () =>
			readJournal(directory).every(({ stream, lines }) => {
				const have = server.streams.get(stream) ?? []
				return have.length === lines.length && lines.every((bytes, i) => new TextDecoder().decode(bytes) === have[i])
			}),
		end() {
			outbox.stop()
			journal.close()
			rmSync(root, { recursive: true, force: true })
		},
	}
	return world
}

function made(t: TestContext): World {
	const world = createWorld()
	t.after(world.end)
	return world
}

// ── whatever the network does ──

const STEPS = [
	'mint',
	'mint-much',
	'deliver',
	'late',
	'drop',
	'twice',
	'answer',
	'late-answer',
	'drop-answer',
	'wait',
	'cut',
	'connect',
	'crash',
] as const
type StepName = (typeof STEPS)[number]

const oneOf = <T>(list: readonly T[], n: number): T | undefined => list[n % list.length]
const remove = <T>(list: T[], n: number): T | undefined => (list.length === 0 ? undefined : list.splice(n % list.length, 1)[0])

async function perform(world: World, name: StepName, n: number): Promise<boolean> {
	const { up, down } = world
	const deliver = (batch: Batch | undefined): boolean => {
		if (batch) world.take(batch)
		return batch !== undefined
	}
	const answer = (ack: LinkAck | undefined): boolean => {
		if (ack) world.outbox().heard(ack)
		return ack !== undefined
	}
	switch (name) {
		case 'mint':
			world.mint(1 + (n % 5))
			return true
		case 'mint-much':
			world.mint(1 + (n % 60), 3_000)
			return true
		case 'deliver':
			return deliver(up.shift())
		case 'late':
			return deliver(remove(up, n))
		case 'drop':
			return remove(up, n) !== undefined
		case 'twice':
			return deliver(oneOf(up, n))
		case 'answer':
			return answer(down.shift())
		case 'late-answer':
			return answer(remove(down, n))
		case 'drop-answer':
			return remove(down, n) !== undefined
		case 'wait':
			await world.clock.advance(n % 20_000)
			return true
		case 'cut':
			world.disconnect()
			return true
		case 'connect':
			world.connect()
			return true
		case 'crash':
			world.crash()
			return true
	}
}

async function survives(
	steps: readonly (readonly [StepName, number])[],
	wrap?: (outbox: Outbox) => Outbox,
	met?: Map<StepName, number>,
): Promise<void> {
	const world = createWorld(wrap)
	try {
		world.connect()
		for (const [name, n] of steps) if (await perform(world, name, n)) met?.set(name, (met.get(name) ?? 0) + 1)
		await world.settle()
		assert.equal(world.server.equivocations, 0)
		assert.ok(world.complete(), 'an event is missing, or in another place')
	} finally {
		world.end()
	}
}

/** Most of the time something is minted, taken and answered; else nothing is ever under way. */
const often: readonly StepName[] = ['mint', 'mint-much', 'deliver', 'deliver', 'late', 'answer', 'answer', 'connect']
const scripts = fc.array(fc.tuple(fc.constantFrom(...STEPS, ...often), fc.nat(100_000)), { minLength: 20, maxLength: 80, size: 'max' })

test('whatever is dropped, doubled, late or killed, every event arrives in order and once after dedupe', async (t) => {
	const met = new Map<StepName, number>()
	await fc.assert(
		fc.asyncProperty(scripts, (steps) => survives(steps, undefined, met)),
		{ numRuns: 150, seed: 20261125 },
	)
	t.diagnostic(`met: ${[...met].map(([name, n]) => `${name} ${n}`).join(', ')}`)
	for (const name of STEPS) assert.ok((met.get(name) ?? 0) >= 50, `${name} was met ${met.get(name) ?? 0} times`)
})

test('the property above can fail: an outbox that believes a socket, and one that forgets where it was', async () => {
	const mistake = async (wrap: (outbox: Outbox) => Outbox) => {
		const run = await fc.check(
			fc.asyncProperty(scripts, (steps) => survives(steps, wrap)),
			{ numRuns: 100, seed: 20261125, endOnFailure: true },
		)
		return run.failed
	}
	const believesTheSocket = (outbox: Outbox): Outbox => ({
		...outbox,
		resume: (send) =>
			outbox.resume((batch) => {
				send(batch)
				outbox.heard({ v: 1, stream: batch.stream, seq: batch.last })
			}),
	})
	const skipsAhead = (outbox: Outbox): Outbox => ({
		...outbox,
		heard: (ack) => outbox.heard('want' in ack ? { v: 1, stream: ack.stream, seq: ack.want.to } : ack),
	})
	assert.ok(await mistake(believesTheSocket))
	assert.ok(await mistake(skipsAhead))
})

// ── one by one ──

test('batches stay under the limit of a message, a few are under way, and the rest waits for an acknowledgement', async (t) => {
	const world = made(t)
	world.mint(100, 5_000)
	world.connect()
	assert.equal(world.up.length, 4)
	for (const { text } of world.up) assert.ok(Buffer.byteLength(text) <= MAX_LINK_BYTES)
	const [first] = world.up
	assert.ok(first)
	world.outbox().heard({ v: 1, stream: first.stream, seq: first.last })
	assert.equal(world.up.length, 5)
	world.outbox().heard({ v: 1, stream: first.stream, seq: first.last })
	assert.equal(world.up.length, 5, 'the same word again moves nothing')
	await world.settle()
	assert.ok(world.complete())
})

test('an event longer than a message travels alone, for the one who sends it to find another way', async (t) => {
	const world = made(t)
	world.mint(1)
	world.mint(1, 65_100)
	world.mint(1)
	world.connect()
	await world.clock.advance(100)
	const long = world.up.filter(({ text }) => Buffer.byteLength(text) > MAX_LINK_BYTES)
	assert.deepEqual(
		long.map(({ first, last }) => last - first),
		[0],
	)
	await world.settle()
	assert.ok(world.complete())
})

test('nobody answers: the same is sent again after longer and longer, and not faster than that', async (t) => {
	const world = made(t)
	world.connect()
	const times: number[] = []
	for (let ms = 0; ms < 300_000; ms += 100) {
		if (world.up.splice(0).length > 0) times.push(world.clock.mono())
		await world.clock.advance(100)
	}
	const waits = times.slice(1).map((at, i) => at - (times[i] ?? 0))
	assert.ok(waits.length >= 4 && waits.length <= 12, JSON.stringify(waits))
	assert.ok((waits[0] ?? 0) <= 5_100 && Math.max(...waits) > 30_000, JSON.stringify(waits))
	assert.equal(world.server.streams.size, 0)
})

test('what the server has acknowledged is not sent again after a restart', async (t) => {
	const world = made(t)
	world.mint(10)
	await world.settle()
	await world.clock.advance(3_000)
	world.crash()
	world.connect()
	assert.deepEqual(world.up, [])
	world.mint(1)
	await world.clock.advance(100)
	assert.deepEqual(
		world.up.map(({ first, last }) => [first, last]),
		[[12, 12]],
	)
})

test('a stream that the server refuses is raised once, also after a restart, and sent again only when the server asks or a connection begins', async (t) => {
	const world = made(t)
	world.mint(3)
	world.connect()
	const { stream } = world.journal().head()
	const refused = { v: 1, stream, refused: { seq: 2, code: 'equivocation', text: 'Event 2 was sent before with other bytes.' } } as const
	world.outbox().heard(refused)
	world.outbox().heard(refused)
	const raised = () =>
		world
			.journal()
			.events(0, 1_000)
			.filter(({ event }) => event.type === 'stream.refused')
	assert.deepEqual(
		raised().map(({ event }) => event.data),
		[{ seq: 2, code: 'equivocation' }],
	)
	assert.deepEqual(world.outbox().state().refused, [{ stream, seq: 2, code: 'equivocation' }])
	world.up.length = 0
	world.mint(5)
	await world.clock.advance(60_000)
	assert.equal(world.up.length, 0)
	world.crash()
	world.connect()
	// What connected may be a newer server: it is asked once, and says no again.
	assert.equal(world.up.splice(0)[0]?.first, 1)
	world.outbox().heard(refused)
	await world.clock.advance(60_000)
	assert.equal(world.up.length, 0)
	assert.equal(raised().length, 1)
	world.outbox().heard({ v: 1, stream, want: { from: 1, to: 4 } })
	const [again] = [...world.up]
	assert.equal(again?.first, 1)
	assert.deepEqual(world.outbox().state().refused, [])
	await world.settle()
	assert.ok(world.complete())
})

test('a stream that was left behind when history was lost is sent as far as it is there, beside the new one', async (t) => {
	const world = made(t)
	world.mint(5)
	const before = world.journal().head()
	world.mint(5)
	world.crash(4_000)
	const { stream } = world.journal().head()
	assert.notEqual(stream, before.stream)
	assert.ok(world.journal().lost())
	world.mint(2)
	await world.settle()
	assert.ok(world.complete())
	assert.deepEqual(new Set(world.server.streams.keys()), new Set([before.stream, stream]))
	assert.ok((world.server.streams.get(before.stream)?.length ?? 0) >= before.seq)
})

test('a server that was set back asks for what it had acknowledged, and gets it', async (t) => {
	const world = made(t)
	world.mint(20)
	await world.settle()
	const { stream } = world.journal().head()
	world.server.streams.get(stream)?.splice(5)
	world.mint(1)
	await world.clock.advance(100)
	for (let i = 0; i < 10 && !world.complete(); i++) {
		for (const batch of world.up.splice(0)) world.take(batch)
		for (const ack of world.down.splice(0)) world.outbox().heard(ack)
	}
	assert.ok(world.complete())
})

test('words about strange streams, or about more than there is, prove nothing', async (t) => {
	const world = made(t)
	world.mint(2)
	world.connect()
	const { stream, seq } = world.journal().head()
	const stranger: Id<'stream'> = newId('stream', START, seededRandom(99))
	for (const ack of [{ seq: 4 }, { want: { from: 1, to: 2 } }, { refused: { seq: 1, code: 'x', text: 'x' } }])
		world.outbox().heard({ v: 1, stream: stranger, ...ack } as LinkAck)
	assert.equal(world.outbox().state().pending, seq)
	world.outbox().heard({ v: 1, stream, seq: seq + 1_000 })
	world.mint(1)
	assert.equal(world.outbox().state().pending, 1, 'the next event is sent all the same')
})
