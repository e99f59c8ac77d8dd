import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, fromHex, seededRandom } from '@latchwork/core/base'
import type { ReaderEvent } from '../reader.ts'
import { memoryPipe } from '../transport/index.ts'
import { osdpReader } from './driver.ts'
import { osdpReaderEmulator } from './emulator.ts'

const KEY = fromHex('000102030405060708090a0b0c0d0e0f')

test('a reader with the right key comes up in the secure channel and delivers card and keys', async () => {
	const time = fakeClock()
	const clock = { ...time, random: seededRandom(1) }
	const pipe = memoryPipe()
	const emulator = osdpReaderEmulator({ address: 1, key: KEY, random: seededRandom(2), clock })
	emulator.attach(pipe.wire)
	const events: ReaderEvent[] = []
	const reader = osdpReader()
	await reader.start(pipe.transport, { address: 1, key: KEY }, clock, (event) => events.push(event))
	await time.advance(1000)
	assert.deepEqual(events, [{ kind: 'reader-up', secure: true }])
	emulator.card({ format: 1, bitCount: 26, bits: fromHex('a1b2c3c0') })
	emulator.keys('1234#')
	await time.advance(1000)
	assert.deepEqual(events.slice(1), [
		{ kind: 'card', format: 1, bitCount: 26, bits: fromHex('a1b2c3c0'), secure: true },
		{ kind: 'keys', keys: '1234#', secure: true },
	])
	await reader.stop()
	assert.equal(time.pending(), 0)
})
