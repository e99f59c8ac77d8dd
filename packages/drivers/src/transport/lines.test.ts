import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { fakeClock, isFault } from '@latchwork/core/base'
import { realClock } from '../testing/real-clock.ts'
import { type Attach, type EmulatedLine, listenTcp, memoryPipe, openPty, openTransport, type Transport } from './index.ts'

/** Hardware that sends back what it hears, each byte plus one. */
const plusOne: Attach = (wire) => wire.onData((bytes) => wire.write(bytes.map((byte) => byte + 1)))

/** Resolves as soon as the transport is in that state. */
const state = (transport: Transport, wanted: boolean) =>
	new Promise<void>((resolve) => {
		const off = transport.onState((open) => {
			if (open !== wanted) return
			queueMicrotask(() => off())
			resolve()
		})
	})

/** The next bytes, as many as asked for. */
const bytesFrom = (transport: Transport, count: number) =>
	new Promise<number[]>((resolve) => {
		const heard: number[] = []
		const off = transport.onData((bytes) => {
			heard.push(...bytes)
			if (heard.length < count) return
			off()
			resolve(heard)
		})
	})

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
const everyBytePlusOne = [...everyByte].map((byte) => (byte + 1) % 256)

const LINES: readonly { readonly name: string; open(attach: Attach): Promise<EmulatedLine>; readonly charTimeMs: number }[] = [
	{ name: 'a pty', open: (attach) => openPty(attach), charTimeMs: 10_000 / 19_200 },
	{ name: 'TCP', open: (attach) => listenTcp(attach), charTimeMs: 0 },
]

for (const { name, open, charTimeMs } of LINES) {
	test(`over ${name} every byte goes both ways, and the line comes back after it was lost`, async () => {
		const line = await open(plusOne)
		const transport = await openTransport(line.address, realClock)
		assert.equal(transport.charTimeMs, charTimeMs)
		const first = bytesFrom(transport, 256)
		await transport.write(everyByte)
		assert.deepEqual(await first, everyBytePlusOne)

		const lost = state(transport, false)
		await line.cut()
		await lost
		await assert.rejects(transport.write(everyByte), (error) => isFault(error, 'transport-closed'))
		await assert.rejects(transport.reopen(), (error) => isFault(error, 'transport-closed'))
		await line.restore()
		await state(transport, true)
		const second = bytesFrom(transport, 256)
		await transport.write(everyByte)
		assert.deepEqual(await second, everyBytePlusOne)

		await transport.close()
		await line.close()
	})

	test(`over ${name} a transport starts without its hardware and finds it later`, async () => {
		const line = await open(plusOne)
		await line.cut()
		const transport = await openTransport(line.address, realClock)
		await line.restore()
		await state(transport, true)
		const heard = bytesFrom(transport, 1)
		await transport.write(Uint8Array.of(1))
		assert.deepEqual(await heard, [2])
		await transport.close()
		await line.close()
	})
}

test('a closed pty leaves no file behind', async () => {
	const line = await openPty(plusOne)
	assert.ok(existsSync(line.address.path))
	await line.close()
	assert.ok(!existsSync(dirname(line.address.path)))
})

test('without socat the fault says how to install it', async () => {
	await assert.rejects(
		openPty(plusOne, 'no-such-program-here'),
		(error) => isFault(error, 'prerequisite-missing') && error.message.includes('apt-get install socat'),
	)
})

test('a gateway that takes questions and never answers is given up and dialled again', async () => {
	const fake = fakeClock()
	const clock = { mono: fake.mono, after: fake.after, random: (n: number) => new Uint8Array(n) }
	const { promise: came, resolve } = Promise.withResolvers<void>()
	let connections = 0
	const line = await listenTcp(() => {
		if (++connections === 2) resolve()
		return () => {}
	})
	const transport = await openTransport(line.address, clock)
	await fake.advance(3_600_000)
	assert.equal(connections, 1, 'a line on which nothing is asked may be quiet for ever')
	const lost = state(transport, false)
	await transport.write(Uint8Array.of(1))
	await fake.advance(5000)
	await lost
	await fake.advance(100)
	await came
	await transport.close()
	await line.close()
	assert.equal(fake.pending(), 0)
})

test('in memory nothing arrives inside the call that wrote it, nor after a cut', async () => {
	const pipe = memoryPipe()
	const heard: string[] = []
	pipe.wire.onData((bytes) => heard.push(`hardware ${bytes}`))
	pipe.transport.onData((bytes) => heard.push(`driver ${bytes}`))
	const sent = pipe.transport.write(Uint8Array.of(1))
	pipe.wire.write(Uint8Array.of(2))
	assert.deepEqual(heard, [])
	await sent
	assert.deepEqual(heard, ['hardware 1', 'driver 2'])
	pipe.wire.write(Uint8Array.of(3))
	pipe.cut()
	await assert.rejects(pipe.transport.write(Uint8Array.of(4)), (error) => isFault(error, 'transport-closed'))
	pipe.restore()
	pipe.wire.write(Uint8Array.of(5))
	await Promise.resolve()
	assert.deepEqual(heard.slice(2), ['driver 5'])
})
