import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '@latchwork/core/base'
import { type KioskAct, type KioskView, kioskExamples } from '@latchwork/core/wire'
import { connect, type Outside } from './connection.ts'

/** A controller that answers when told to. */
function fakeController() {
	const clock = fakeClock()
	const posts: { turn: number; act: KioskAct; answer(status: number): Promise<void>; fail(): Promise<void> }[] = []
	let on: Parameters<Outside['listen']>[0] | undefined
	const settle = async () => {
		for (let i = 0; i < 10; i++) await Promise.resolve()
	}
	const outside: Outside = {
		listen(listeners) {
			on = listeners
			return () => {
				on = undefined
			}
		},
		post: ({ turn, act }) =>
			new Promise((resolve, reject) =>
				posts.push({
					turn,
					act,
					answer(status) {
						resolve(status)
						return settle()
					},
					fail() {
						reject(new Error('unreachable'))
						return settle()
					},
				}),
			),
		mono: clock.mono,
		after: clock.after,
	}
	const send = (id: string, part: Partial<KioskView>) => on?.view(JSON.stringify({ ...kioskExamples.get(id), ...part }))
	return { clock, posts, outside, send, stream: () => on }
}

const keysOf = (act: KioskAct | undefined) => (act?.kind === 'keys' ? act.keys : undefined)

test('a view replaces the one before, with the moment it came', async () => {
	const { clock, outside, send } = fakeController()
	const connection = connect(outside)
	let changes = 0
	connection.subscribe(() => changes++)
	await clock.advance(700)
	send('attract', { turn: 1 })
	assert.equal(connection.get().view?.screen.name, 'attract')
	assert.equal(connection.get().arrivedAt, 700)
	send('open', { turn: 2 })
	assert.equal(connection.get().view?.screen.name, 'open')
	assert.equal(changes, 2)
})

test('a short break of the stream is not shown, a long one is, and the next view ends it', async () => {
	const { clock, outside, send, stream } = fakeController()
	const connection = connect(outside)
	send('attract', { turn: 1 })
	stream()?.down()
	await clock.advance(1000)
	stream()?.up()
	await clock.advance(60_000)
	assert.equal(connection.get().lost, false)
	stream()?.down()
	stream()?.down()
	await clock.advance(1500)
	assert.equal(connection.get().lost, true)
	assert.equal(connection.get().view?.screen.name, 'attract', 'what is known stays known')
	stream()?.up()
	send('choose', { turn: 2 })
	assert.equal(connection.get().lost, false)
	assert.equal(clock.pending(), 0)
})

test('a controller that hangs keeps its connection: after two missed beats the page says so, and the next beat ends it', async () => {
	const { clock, outside, send, stream } = fakeController()
	const connection = connect(outside)
	send('open', { turn: 1 })
	await clock.advance(60_000)
	assert.equal(connection.get().lost, false, 'a controller that never beats is not watched')
	stream()?.beat(3000)
	await clock.advance(3000)
	stream()?.beat(3000)
	await clock.advance(7400)
	assert.equal(connection.get().lost, false)
	await clock.advance(200)
	assert.equal(connection.get().lost, true)
	stream()?.beat(3000)
	assert.equal(connection.get().lost, false)
	connection.close()
	assert.equal(clock.pending(), 0)
})

test('a touch that does not arrive is said until something is heard again; one that came too late is not', async () => {
	const { outside, posts, send } = fakeController()
	const connection = connect(outside)
	send('choose', { turn: 1 })
	connection.act({ kind: 'help' })
	await posts[0]?.fail()
	assert.equal(connection.get().unheard, true)
	send('choose', { turn: 2 })
	assert.equal(connection.get().unheard, false)
	connection.act({ kind: 'help' })
	await posts[1]?.answer(409)
	assert.equal(connection.get().unheard, false, 'the next view is on its way')
	connection.act({ kind: 'help' })
	await posts[2]?.answer(500)
	assert.equal(connection.get().unheard, true)
	connection.act({ kind: 'help' })
	await posts[3]?.answer(204)
	assert.equal(connection.get().unheard, false)
})

test('an act names the turn that the person saw', () => {
	const { outside, posts, send } = fakeController()
	const connection = connect(outside)
	connection.act({ kind: 'help' })
	assert.equal(posts.length, 0, 'nothing to act on yet')
	send('attract', { turn: 7 })
	connection.act({ kind: 'start-pin' })
	assert.deepEqual(posts[0]?.act, { kind: 'start-pin' })
	assert.equal(posts[0]?.turn, 7)
})

test('digits typed faster than views come are sent in order, none twice, none lost', async () => {
	const { outside, posts, send } = fakeController()
	const connection = connect(outside)
	send('pin-empty', { turn: 1 })
	for (const digit of '2718') connection.act({ kind: 'keys', keys: digit })
	assert.equal(posts.length, 1)
	assert.equal(keysOf(posts[0]?.act), '2')
	await posts[0]?.answer(204)
	assert.equal(posts.length, 1, 'the rest waits for the turn it can answer')
	send('pin', { turn: 2 })
	assert.equal(keysOf(posts[1]?.act), '718')
	assert.equal(posts[1]?.turn, 2)
	// Somebody else made a turn in between: refused, kept, sent again with the next view.
	connection.act({ kind: 'keys', keys: '2' })
	await posts[1]?.answer(409)
	assert.equal(posts.length, 2)
	send('pin', { turn: 3 })
	assert.equal(posts[2]?.turn, 3)
	assert.equal(keysOf(posts[2]?.act), '7182')
	await posts[2]?.answer(204)
	assert.equal(posts.length, 3)
})

test('a key that changes nothing leaves the turn as it is and does not block the next', async () => {
	const { clock, outside, posts, send } = fakeController()
	const connection = connect(outside)
	send('pin', { turn: 5 })
	connection.act({ kind: 'keys', keys: '#' })
	await posts[0]?.answer(204)
	connection.act({ kind: 'keys', keys: '1' })
	assert.equal(posts.length, 1)
	await clock.advance(250)
	assert.equal(posts[1]?.turn, 5)
	assert.equal(keysOf(posts[1]?.act), '1')
})

test('keys are forgotten when the screen moves on or the controller is away', async () => {
	const { outside, posts, send } = fakeController()
	const connection = connect(outside)
	send('pin-empty', { turn: 1 })
	connection.act({ kind: 'keys', keys: '1' })
	connection.act({ kind: 'keys', keys: '2' })
	send('choose', { turn: 2 })
	await posts[0]?.answer(409)
	send('pin-empty', { turn: 3 })
	assert.equal(posts.length, 1, 'digits of one person never reach the screen of the next')
	connection.act({ kind: 'keys', keys: '3' })
	connection.act({ kind: 'keys', keys: '4' })
	await posts[1]?.fail()
	assert.equal(connection.get().unheard, true)
	send('pin-empty', { turn: 4 })
	assert.equal(posts.length, 2)
})
