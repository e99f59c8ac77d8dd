import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock } from '@latchwork/core/base'
import { Live, type Outside } from './live.ts'

/** A server that speaks when told to. */
function feed() {
	const clock = fakeClock()
	const opened: string[] = []
	const asked: unknown[] = []
	let on: Parameters<Outside['listen']>[1] | undefined
	const live = new Live(
		{ invalidateQueries: async (filters) => void asked.push(filters?.queryKey ?? 'all') },
		{
			listen(path, listeners) {
				opened.push(path)
				on = listeners
				return () => {
					if (on === listeners) on = undefined
				}
			},
			after: clock.after,
		},
	)
	live.open()
	const message = (sequence: string) => on?.message(JSON.stringify({ type: 'lockers.door.closed.v1', subject: 'cmp_1', sequence, bankid: 'bnk_1' }))
	return { live, clock, opened, asked, message, server: () => on }
}

test('a server that keeps the connection and says nothing is noticed, and asked again behind the last event', async () => {
	const { live, clock, opened, asked, message, server } = feed()
	server()?.up()
	assert.equal(live.state(), 'live')
	message('41')
	for (let beats = 0; beats < 20; beats++) {
		await clock.advance(5_000)
		server()?.beat()
	}
	assert.deepEqual([live.state(), opened.length], ['live', 1], 'beats are enough')
	await clock.advance(15_000)
	assert.deepEqual([live.state(), opened], ['waiting', ['/v1/events/stream', '/v1/events/stream?after=41']])
	await clock.advance(15_000)
	assert.equal(opened.length, 3, 'a new feed that says nothing is given up, too')
	asked.length = 0
	server()?.up()
	assert.deepEqual([live.state(), asked], ['live', ['all']], 'what is shown is asked for anew')
})

test('a feed that broke is left to the browser; one that was refused is asked for anew, from now on; nothing stays behind', async () => {
	const { live, clock, opened, asked, message, server } = feed()
	server()?.up()
	server()?.down(true)
	assert.equal(live.state(), 'waiting')
	server()?.up()
	message('41')
	server()?.down(false)
	await clock.advance(9_000)
	assert.deepEqual([live.state(), opened.length], ['waiting', 1])
	await clock.advance(1_000)
	server()?.down(false)
	await clock.advance(10_000)
	// Behind what was heard before may lie nothing any more.
	assert.deepEqual(opened, ['/v1/events/stream', '/v1/events/stream', '/v1/events/stream'])
	asked.length = 0
	server()?.up()
	assert.deepEqual([live.state(), asked], ['live', ['all']])
	live.close()
	assert.deepEqual([live.state(), clock.pending()], ['off', 0])
})
