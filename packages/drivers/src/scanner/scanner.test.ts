import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeClock, seededRandom } from '@latchwork/core/base'
import type { ReaderEvent, ReaderProfile } from '../reader.ts'
import { memoryPipe } from '../transport/index.ts'
import { encodeScan, type ScanDiscard, scanParser } from './codec.ts'
import { serialScanner } from './driver.ts'
import { scannerEmulator } from './emulator.ts'
import { recordedLines } from './vectors.ts'

function parse(chunks: readonly Uint8Array[], prefix?: string) {
	const codes: string[] = []
	const dropped: ScanDiscard[] = []
	const parser = scanParser({
		mono: () => 0,
		...(prefix !== undefined && { prefix }),
		onCode: (text) => codes.push(text),
		onDiscard: (why) => dropped.push(why),
	})
	for (const chunk of chunks) parser.push(chunk)
	return { codes, dropped, held: parser.held() }
}

async function started(profile: ReaderProfile = {}, emulated: Parameters<typeof scannerEmulator>[0] = {}) {
	const time = fakeClock()
	const clock = { ...time, random: seededRandom(1) }
	const pipe = memoryPipe()
	const emulator = scannerEmulator(emulated)
	emulator.attach(pipe.wire)
	const events: ReaderEvent[] = []
	const scanner = serialScanner()
	await scanner.start(pipe.transport, profile, clock, (event) => events.push(event))
	return { time, pipe, emulator, events, scanner }
}
const texts = (events: readonly ReaderEvent[]) => events.flatMap((event) => (event.kind === 'scan' ? [event.text] : []))

test('recorded lines, whole and one byte at a time', () => {
	assert.ok(recordedLines().length >= 9)
	for (const { bytes, codes, dropped } of recordedLines()) {
		for (const chunks of [[bytes], Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
			const got = parse(chunks)
			assert.equal(got.codes.join().replaceAll('\x1d', '<GS>') || '-', codes)
			assert.equal(got.dropped.join() || '-', dropped)
		}
	}
})

test('a prefix is cut off, and a line without it is no code', () => {
	assert.deepEqual(parse([encodeScan('LW-1', 'Q>'), encodeScan('LW-2'), encodeScan('', 'Q>')], 'Q>'), {
		codes: ['LW-1'],
		dropped: ['prefix', 'prefix'],
		held: 0,
	})
})

test('a line without end is bounded, dropped, and the next code is whole', () => {
	const endless = new TextEncoder().encode('9'.repeat(50_000))
	assert.equal(parse([endless]).held, 1024)
	assert.deepEqual(parse([endless, encodeScan(''), encodeScan('next')]), { codes: ['next'], dropped: ['overlong'], held: 0 })
	assert.deepEqual(parse([encodeScan('9'.repeat(1024))]).codes.length, 1)
})

test('10,000 random strings: no throw, bounded, and a good code afterwards is read', () => {
	const random = seededRandom(7)
	const parser = scanParser({ mono: () => 0, onCode: (text) => assert.match(text.replaceAll('\x1d', ''), /^[ -~]*$/), onDiscard: () => {} })
	for (let i = 0; i < 10_000; i++) {
		parser.push(random((random(1)[0] ?? 0) % 64))
		assert.ok(parser.held() <= 1024)
	}
	const got = parse([random(500), Uint8Array.of(13), encodeScan('after')])
	assert.equal(got.codes.at(-1), 'after')
})

test('a cut code is never joined with the next one', async () => {
	const { time, emulator, events, scanner } = await started()
	emulator.noise(new TextEncoder().encode('LW-12'))
	await time.advance(1000)
	assert.deepEqual(texts(events), [], 'silence does not end a code')
	emulator.scan('LW-3456')
	await time.advance(0)
	assert.deepEqual(texts(events), ['LW-3456'])
	assert.equal(scanner.stats().badFrames, 1)
	await scanner.stop()
})

test('the port goes and comes back; half a code from before is forgotten', async () => {
	const { time, pipe, emulator, events, scanner } = await started({}, { terminator: '\r\n' })
	emulator.noise(new TextEncoder().encode('LW-12'))
	await time.advance(0)
	pipe.cut()
	pipe.restore()
	emulator.scan('34')
	await time.advance(0)
	assert.deepEqual(events, [
		{ kind: 'reader-up', secure: false },
		{ kind: 'reader-down' },
		{ kind: 'reader-up', secure: false },
		{ kind: 'scan', text: '34' },
	])
	await scanner.stop()
	emulator.scan('after the end')
	await time.advance(0)
	assert.equal(events.length, 4)
	assert.equal(time.pending(), 0)
})

test('a flood of 1,000 scans a second is bounded and raises one overflow', async () => {
	const { time, emulator, events, scanner } = await started()
	for (let i = 0; i < 1000; i++) {
		emulator.scan(`LW-${i}`)
		await time.advance(1)
	}
	assert.ok(texts(events).length <= 45, `${texts(events).length} delivered`)
	assert.equal(events.filter((event) => event.kind === 'security' && event.code === 'overflow').length, 1)
	await time.advance(5000)
	emulator.scan('a person again')
	await time.advance(0)
	assert.equal(texts(events).at(-1), 'a person again')
	await scanner.stop()
})
