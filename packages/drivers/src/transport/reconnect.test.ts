import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FakeClock, Fault, fakeClock, isFault } from '@latchwork/core/base'
import type { DriverClock } from './contract.ts'
import { type Dial, reconnecting } from './reconnect.ts'

/** Hardware that answers or fails by order, and says when it was dialled. */
function scripted(fake: FakeClock, jitter = 255) {
	const clock: DriverClock = { mono: fake.mono, after: fake.after, random: (n) => new Uint8Array(n).fill(jitter) }
	const state = {
		clock,
		failing: new Error('ENOENT') as Error | undefined,
		dialled: [] as number[],
		destroyed: 0,
		written: [] as string[],
		/** Confirms writes at once, unless the wire hangs. */
		hanging: false,
		events: undefined as Parameters<Dial>[0] | undefined,
	}
	const dial: Dial = async (events) => {
		state.dialled.push(fake.mono())
		if (state.failing) throw state.failing
		state.events = events
		return {
			write(bytes, written) {
				state.written.push(String(bytes))
				if (!state.hanging) written()
			},
			destroy: () => void state.destroyed++,
		}
	}
	return { state, dial, clock }
}

test('absent hardware is waited for with growing pauses, at most five seconds', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake)
	const transport = await reconnecting(dial, clock, 0)
	await fake.advance(20_000)
	const pauses = state.dialled.slice(1).map((at, i) => at - (state.dialled[i] ?? 0))
	assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
	state.failing = undefined
	const seen: boolean[] = []
	transport.onState((open) => seen.push(open))
	await fake.advance(5000)
	assert.deepEqual(seen, [false, true])
	await transport.close()
	assert.deepEqual([seen, state.destroyed, fake.pending()], [[false, true, false], 1, 0])
})

test('jitter shortens a pause to half at most', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake, 0)
	const transport = await reconnecting(dial, clock, 0)
	await fake.advance(400)
	assert.deepEqual(state.dialled, [0, 50, 150, 350])
	await transport.close()
})

test('a refusal of the operating system is thrown at the start and waited for later', async () => {
	const fake = fakeClock()
	const denied = new Fault('transport-denied', 'no permission')
	const first = scripted(fake)
	first.state.failing = denied
	await assert.rejects(reconnecting(first.dial, first.clock, 0), (error) => error === denied)
	assert.equal(fake.pending(), 0)

	const later = scripted(fake)
	later.state.failing = undefined
	const transport = await reconnecting(later.dial, later.clock, 0)
	later.state.failing = denied
	later.state.events?.lost()
	await fake.advance(1000)
	await assert.rejects(transport.reopen(), (error) => error === denied)
	later.state.failing = undefined
	await transport.reopen()
	await transport.write(Uint8Array.of(1))
	await transport.close()
})

test('a write without a line is refused before any byte leaves; one that the line took and lost resolves', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake)
	const transport = await reconnecting(dial, clock, 0)
	await assert.rejects(transport.write(Uint8Array.of(1)), (error) => isFault(error, 'transport-closed'))
	assert.deepEqual(state.written, [])
	state.failing = undefined
	await transport.reopen()
	state.hanging = true
	const taken = transport.write(Uint8Array.of(2))
	state.events?.lost()
	await taken
	assert.deepEqual(state.written, ['2'])
	await assert.rejects(transport.write(Uint8Array.of(3)), (error) => isFault(error, 'transport-closed'))
	await transport.close()
	await assert.rejects(transport.reopen(), (error) => isFault(error, 'transport-closed'))
})

test('nothing of an old connection arrives in a new one', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake)
	state.failing = undefined
	const transport = await reconnecting(dial, clock, 0)
	const heard: string[] = []
	transport.onData((bytes) => heard.push(String(bytes)))
	const old = state.events
	old?.data(Uint8Array.of(1))
	old?.lost()
	old?.lost()
	await fake.advance(200)
	assert.equal(state.dialled.length, 2)
	old?.data(Uint8Array.of(2))
	old?.lost()
	state.events?.data(Uint8Array.of(3))
	assert.deepEqual(heard, ['1', '3'])
	await transport.close()
})

test('hardware that accepts and hangs up without a word is not hammered', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake)
	state.failing = undefined
	const transport = await reconnecting(dial, clock, 0)
	transport.onState((open) => {
		if (open) queueMicrotask(() => state.events?.lost())
	})
	await fake.advance(60_000)
	assert.ok(state.dialled.length < 25, `${state.dialled.length} times in a minute`)
	await transport.close()
})

test('closing while the connection is being opened leaves nothing open', async () => {
	const fake = fakeClock()
	const { state, dial, clock } = scripted(fake)
	const { promise: gate, resolve: open } = Promise.withResolvers<void>()
	let slow = false
	const transport = await reconnecting(
		async (events) => {
			if (slow) await gate
			return dial(events)
		},
		clock,
		0,
	)
	slow = true
	state.failing = undefined
	const opening = assert.rejects(transport.reopen(), (error) => isFault(error, 'transport-closed'))
	const closing = transport.close()
	open()
	await Promise.all([opening, closing])
	assert.deepEqual([state.destroyed, fake.pending()], [1, 0])
})
