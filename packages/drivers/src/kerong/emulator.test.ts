import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, fromHex, seededRandom, toHex } from '@latchwork/core/base'
import { createCabinet } from '../testing/index.ts'
import { memoryPipe } from '../transport/index.ts'
import { kr16Emulator } from './emulator.ts'

/** Two boards with four locks each on one bus, and a hand that sends hex. */
function bus() {
	const fake = fakeClock()
	const clock = { mono: fake.mono, after: fake.after, random: seededRandom(7) }
	const cabinets = [0, 1].map(() => createCabinet({ compartments: 4, clock, random: clock.random }))
	const emulator = kr16Emulator({ boards: cabinets.map((cabinet, board) => ({ board, cabinet })), clock })
	const pipe = memoryPipe()
	const detach = emulator.attach(pipe.wire)
	const heard: string[] = []
	pipe.transport.onData((bytes) => heard.push(toHex(bytes)))
	return {
		fake,
		emulator,
		cabinets,
		detach,
		/** What comes back at once. */
		async send(hex: string) {
			heard.length = 0
			await pipe.transport.write(fromHex(hex))
			await fake.advance(0)
			return [...heard]
		},
		heard,
	}
}

test('answers the vectors of the document with what its sensors say', async () => {
	const { send, cabinets } = bus()
	assert.deepEqual(await send('02 00 30 03 35'), ['0200350f0000000349'])
	assert.deepEqual(await send('02 00 31 03 36'), ['0200350f0000000349'])
	assert.deepEqual([cabinets[0]?.door(0), cabinets[0]?.pulses(0), cabinets[1]?.pulses(0)], ['open', 1, 0])
	cabinets[0]?.setItem(0, { present: true })
	assert.deepEqual(await send('02 00 30 03 35'), ['0200350e0001000349'])
	assert.deepEqual(await send('02 10 30 03 45'), ['0210350f0000000359'])
})

test('is silent to other boards, to locks that it lacks and to a wrong sum', async () => {
	const { send, cabinets } = bus()
	for (const hex of ['02 20 30 03 55', '02 0F 31 03 45', '02 F0 32 03 27', '02 00 31 03 37']) assert.deepEqual(await send(hex), [], hex)
	assert.equal(cabinets.map((cabinet) => [0, 1, 2, 3].map((i) => cabinet.pulses(i)).join()).join(), '0,0,0,0,0,0,0,0')
})

test('sets and tells its unlock time, and energises that long', async () => {
	const { send, emulator, fake } = bus()
	assert.deepEqual(await send('02 00 37 00 37 03 73'), ['02003800370374'])
	assert.deepEqual(await send('02 00 37 03 3C'), ['02003800370374'])
	await send('02 00 31 03 36')
	await fake.advance(549)
	assert.equal(emulator.energised(), true)
	await fake.advance(1)
	assert.equal(emulator.energised(), false)
})

test('unlocks all of its locks, and one after a delay', async () => {
	const { send, cabinets, fake } = bus()
	await send('02 10 33 03 48')
	assert.deepEqual(
		cabinets.map((cabinet) => [0, 1, 2, 3].map((i) => cabinet.door(i) === 'open')),
		[
			[false, false, false, false],
			[true, true, true, true],
		],
	)
	await send('02 00 39 05 03 43')
	await fake.advance(4999)
	assert.equal(cabinets[0]?.pulses(0), 0)
	await fake.advance(1)
	assert.equal(cabinets[0]?.pulses(0), 1)
})

test('a pause ends a frame: half a command is not finished by the next', async () => {
	const { send, cabinets, fake } = bus()
	await send('02 00 31')
	await fake.advance(100)
	await send('03 36')
	assert.equal(cabinets[0]?.pulses(0), 0)
	await send('02 00 31')
	await send('03 36')
	assert.equal(cabinets[0]?.pulses(0), 1)
})

test('faults of one board: silence, echo, delay, no answer to an open, noise in one direction', async () => {
	const { send, emulator, cabinets, fake, heard, detach } = bus()
	emulator.setFaults(0, { silent: true })
	assert.deepEqual([await send('02 00 30 03 35'), (await send('02 10 30 03 45')).length], [[], 1])
	emulator.setFaults(0, { echo: true })
	assert.deepEqual(await send('02 00 30 03 35'), ['0200300335', '0200350f0000000349'])
	emulator.setFaults(0, { noOpenAnswer: true })
	assert.deepEqual(await send('02 00 31 03 36'), [])
	assert.equal(cabinets[0]?.pulses(0), 1)
	emulator.setFaults(0, { corrupt: { rate: 1, direction: 'answers' } })
	const [noisy] = await send('02 00 31 03 36')
	assert.equal(cabinets[0]?.pulses(0), 2)
	assert.ok(noisy !== undefined && noisy !== '0200350e0000000348', 'damaged on its way')
	emulator.setFaults(0, { corrupt: { rate: 1, direction: 'commands' } })
	assert.deepEqual(await send('02 00 31 03 36'), [])
	assert.equal(cabinets[0]?.pulses(0), 2)
	emulator.setFaults(0, { answerDelayMs: 200 })
	assert.deepEqual(await send('02 00 30 03 35'), [])
	await fake.advance(200)
	assert.equal(heard.length, 1)
	await send('02 00 30 03 35')
	detach()
	await fake.advance(1000)
	assert.deepEqual([heard, fake.pending()], [[], 0])
})
