import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, seededRandom } from '@latchwork/core/base'
import { createCabinet } from './cabinet.ts'

function fresh() {
	const clock = fakeClock()
	return { clock, cabinet: createCabinet({ compartments: 4, clock, random: seededRandom(4) }) }
}

test('a pulse frees the latch and the spring opens the door; pushed shut it stays shut', () => {
	const { cabinet } = fresh()
	const changes: number[] = []
	const off = cabinet.onChange((index) => changes.push(index))
	assert.deepEqual([cabinet.door(1), cabinet.latchSensor(1), cabinet.pulses(1)], ['closed', 'closed', 0])
	cabinet.pulse(1)
	assert.deepEqual([cabinet.door(1), cabinet.latchSensor(1), cabinet.pulses(1)], ['open', 'open', 1])
	cabinet.pulse(1)
	cabinet.setDoor(1, 'closed')
	cabinet.setDoor(1, 'closed')
	assert.deepEqual([cabinet.door(1), cabinet.pulses(1), changes], ['closed', 2, [1, 1, 1]])
	off()
	cabinet.setDoor(1, 'open')
	assert.equal(changes.length, 3)
})

test('a thing goes in and out through an open door, or through the back wall', () => {
	const { cabinet } = fresh()
	assert.equal(cabinet.setItem(0, { present: true }), false)
	assert.equal(cabinet.item(0).present, false)
	cabinet.setDoor(0, 'open')
	assert.equal(cabinet.setItem(0, { present: true, tag: 'laptop-1' }), true)
	cabinet.setDoor(0, 'closed')
	assert.deepEqual([cabinet.item(0), cabinet.presenceSensor(0)], [{ present: true, tag: 'laptop-1' }, true])
	assert.equal(cabinet.setItem(0, { present: false }, true), true)
	assert.equal(cabinet.presenceSensor(0), false)
})

test('a stuck lock takes the pulse and keeps the door; a late one opens when its time has come', async () => {
	const { cabinet, clock } = fresh()
	cabinet.setFaults(0, { stuckLock: true, lateOpenMs: 100 })
	cabinet.pulse(0)
	cabinet.setFaults(1, { lateOpenMs: 3000 })
	cabinet.pulse(1)
	await clock.advance(2999)
	assert.deepEqual([cabinet.door(0), cabinet.pulses(0), cabinet.door(1), cabinet.pulses(1)], ['closed', 1, 'closed', 1])
	await clock.advance(1)
	assert.deepEqual([cabinet.door(0), cabinet.door(1)], ['closed', 'open'])
	cabinet.setFaults(0, {})
	cabinet.pulse(0)
	assert.equal(cabinet.door(0), 'open')
})

test('sensors lie as told, and the truth stays what it is', () => {
	const { cabinet } = fresh()
	const sensors = (index: number) => [cabinet.latchSensor(index), cabinet.presenceSensor(index), cabinet.door(index)]
	cabinet.setDoor(0, 'open')
	cabinet.setItem(0, { present: true })
	cabinet.setFaults(0, { sensor: 'stuckClosed' })
	cabinet.setItem(0, { present: false })
	assert.deepEqual(sensors(0), ['closed', true, 'open'])
	cabinet.setFaults(0, { sensor: 'stuckOpen' })
	cabinet.setDoor(0, 'closed')
	assert.deepEqual(sensors(0), ['open', false, 'closed'])
	cabinet.setFaults(0, { sensor: 'inverted' })
	assert.deepEqual(sensors(0), ['open', true, 'closed'])
	cabinet.setFaults(0, {})
	assert.deepEqual(sensors(0), ['closed', false, 'closed'])
})

test('a flapping sensor changes its mind, the same way for the same seed', async () => {
	const watch = async () => {
		const { cabinet, clock } = fresh()
		cabinet.setFaults(2, { sensor: 'flapping' })
		let seen = ''
		for (let i = 0; i < 100; i++) {
			seen += cabinet.latchSensor(2) === 'open' ? 'o' : 'c'
			await clock.advance(200)
		}
		return seen
	}
	const seen = await watch()
	assert.equal(await watch(), seen)
	const changes = [...seen].filter((state, i) => i > 0 && state !== seen[i - 1]).length
	assert.ok(changes > 25, seen)
})

test('a compartment that does not exist is a mistake of the caller', () => {
	const { cabinet } = fresh()
	assert.throws(() => cabinet.pulse(4), RangeError)
})
