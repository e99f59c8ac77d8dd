import assert from 'node:assert/strict'
import type { Reader, ReaderEvent, ReaderProfile } from '../reader.ts'
import type { MakeReader, ReaderBench, ReaderCheck, ReaderLine } from '../testing/reader-bench.ts'
import { encodeScan, scanParser } from './codec.ts'
import { type ScannerEmulator, scannerEmulator } from './emulator.ts'
import { recordedLines } from './vectors.ts'

const CODE = 'LW1.8f3a.b2c4'
const PREFIX = 'Q>'
const bytesOf = (text: string) => new TextEncoder().encode(text)

interface Stage {
	readonly bench: ReaderBench
	readonly scanner: Reader
	readonly emulator: ScannerEmulator
	readonly line: ReaderLine
	readonly events: readonly ReaderEvent[]
	codes(): string[]
	count(kind: ReaderEvent['kind']): number
	soon(what: string, holds: () => boolean): Promise<void>
	up(): Promise<void>
	/** Shown now, it is the next code that comes. */
	reads(text: string): Promise<void>
}

interface Setting {
	readonly profile?: ReaderProfile
	/** The line is down when the driver starts. */
	readonly unplugged?: boolean
	readonly lines?: ReaderCheck['lines']
}

function check(item: number, name: string, play: (stage: Stage) => Promise<void>, setting: Setting = {}): ReaderCheck {
	return { item, name, lines: setting.lines ?? ['memory', 'pty', 'tcp'], run: (bench, make) => onStage(bench, make, setting, play) }
}

async function onStage(
	bench: ReaderBench,
	make: MakeReader,
	{ profile = {}, unplugged = false }: Setting,
	play: (stage: Stage) => Promise<void>,
): Promise<void> {
	const emulator = scannerEmulator({ ...(profile.prefix !== undefined && { prefix: profile.prefix }) })
	const line = await bench.open(emulator.attach)
	if (unplugged) await unplug(bench, line)
	const scanner = make()
	const events: ReaderEvent[] = []
	const codes = () => events.flatMap((event) => (event.kind === 'scan' ? [event.text] : []))
	const count = (kind: ReaderEvent['kind']) => events.filter((event) => event.kind === kind).length
	const soon = async (what: string, holds: () => boolean) =>
		assert.ok(await bench.until(holds, 12_000), `${what}; instead: ${events.map((event) => JSON.stringify(event)).join(' ')}`)
	try {
		await scanner.start(line.io, profile, bench.clock, (event) => events.push(event))
		await play({
			bench,
			scanner,
			emulator,
			line,
			events,
			codes,
			count,
			soon,
			up: () => soon('the scanner comes up', () => count('reader-up') > count('reader-down')),
			async reads(text) {
				const before = codes().length
				emulator.scan(text)
				await soon(`${text} is read`, () => codes().length > before)
				assert.deepEqual(codes().slice(before), [text], 'once and unchanged')
			},
		})
	} finally {
		await scanner.stop()
		await line.close()
	}
}

/** Until our end has noticed. */
async function unplug(bench: ReaderBench, line: ReaderLine): Promise<void> {
	let open = true
	const off = line.io.onState((state) => {
		open = state
	})
	await line.cut()
	assert.ok(await bench.until(() => !open, 12_000))
	off()
}

/** `parser` is replaced only by the controls. */
export const scannerVectors = (parser = scanParser): ReaderCheck => ({
	item: 1,
	name: 'recorded lines, and what is encoded, decode as they must',
	lines: ['memory'],
	async run() {
		assert.ok(recordedLines().length >= 9)
		for (const { bytes, codes, dropped } of recordedLines()) {
			const found = { codes: [] as string[], dropped: [] as string[] }
			parser({ mono: () => 0, onCode: (text) => found.codes.push(text), onDiscard: (why) => found.dropped.push(why) }).push(bytes)
			assert.deepEqual([found.codes.join().replaceAll('\x1d', '<GS>') || '-', found.dropped.join() || '-'], [codes, dropped])
		}
		assert.deepEqual(encodeScan(CODE, PREFIX, '\r\n'), bytesOf(`${PREFIX}${CODE}\r\n`))
	},
})

const BYTES: readonly ReaderCheck[] = [
	check(2, 'a code cut into single bytes is one code, and two in one chunk are two', async (stage) => {
		await stage.up()
		for (const byte of encodeScan(CODE)) stage.emulator.noise(Uint8Array.of(byte))
		await stage.soon('the code', () => stage.codes().length === 1)
		stage.emulator.noise(bytesOf('A-1\rB-2\r\n'))
		await stage.soon('both', () => stage.codes().length === 3)
		assert.deepEqual(stage.codes(), [CODE, 'A-1', 'B-2'])
	}),
	check(3, 'rubbish before a code, and half a code, are survived and counted', async (stage) => {
		await stage.up()
		stage.emulator.noise(Uint8Array.of(0x00, 0xff, 0x02, 0x0d))
		await stage.reads(CODE)
		stage.emulator.noise(bytesOf(CODE.slice(0, 5)))
		await stage.bench.pass(1_000)
		await stage.reads(CODE)
		assert.ok(stage.scanner.stats().badFrames >= 2)
	}),
	check(
		4,
		'a line with a byte that no code holds, one without end, and one without the prefix are refused and counted',
		async (stage) => {
			await stage.up()
			const before = stage.scanner.stats().badFrames
			stage.emulator.noise(bytesOf(`${PREFIX}LW\x07-1\r`))
			stage.emulator.noise(bytesOf(`${CODE}\r`))
			stage.emulator.noise(bytesOf(`${PREFIX}${'9'.repeat(2_000)}\r`))
			await stage.soon('all are counted', () => stage.scanner.stats().badFrames === before + 3)
			assert.deepEqual(stage.codes(), [])
			await stage.reads(CODE)
		},
		{ profile: { prefix: PREFIX } },
	),
	check(7, 'codes come unasked, one right after the other, and none is lost', async (stage) => {
		await stage.up()
		const sent = Array.from({ length: 10 }, (_, i) => `LW-${i}`)
		for (const text of sent) stage.emulator.scan(text)
		await stage.soon('all of them', () => stage.codes().length >= sent.length)
		assert.deepEqual(stage.codes(), sent)
	}),
	check(19, '10,000 random strings: no throw, nothing unprintable is read, and a good code afterwards is', async (stage) => {
		await stage.up()
		const { random } = stage.bench.clock
		for (let i = 0; i < 10_000; i++) {
			stage.emulator.noise(random(1 + ((random(1)[0] ?? 0) % 40)))
			if (i % 100 === 0) await stage.bench.pass(10)
		}
		// The noise may have used up what a person can scan in a while.
		await stage.bench.pass(10_000)
		assert.ok(stage.codes().every((text) => /^[ -~]{1,1024}$/.test(text.replaceAll('\x1d', ' '))))
		await stage.reads(CODE)
	}),
]

const LINK: readonly ReaderCheck[] = [
	check(
		15,
		'absent at the start, plugged in later',
		async (stage) => {
			await stage.bench.pass(3_000)
			assert.equal(stage.count('reader-up'), 0)
			await stage.line.restore()
			await stage.up()
			await stage.reads(CODE)
		},
		{ unplugged: true },
	),
	check(16, 'the port vanishes and returns: lost and found, and half a code from before is forgotten', async (stage) => {
		await stage.up()
		for (const time of [1, 2]) {
			stage.emulator.noise(bytesOf('LW-12'))
			await stage.bench.pass(50)
			await stage.line.cut()
			await stage.soon('it is lost', () => stage.count('reader-down') === time)
			await stage.line.restore()
			await stage.soon('it is found', () => stage.count('reader-up') === time + 1)
			await stage.reads('34')
		}
	}),
	check(17, 'its coming up is told as a state, once, and not as a reading', async (stage) => {
		await stage.up()
		await stage.bench.pass(1_000)
		assert.deepEqual(stage.events, [{ kind: 'reader-up', secure: false }])
	}),
	check(18, 'stopped, it says nothing more, whatever comes', async (stage) => {
		await stage.up()
		await stage.reads(CODE)
		const told = stage.events.length
		await stage.scanner.stop()
		stage.emulator.scan(CODE)
		await stage.bench.pass(1_000)
		assert.equal(stage.events.length, told)
	}),
	check(
		20,
		'an hour at 2 % byte errors: two codes are never read as one, and what was not touched is read',
		async (stage) => {
			await stage.up()
			const { random } = stage.bench.clock
			let [whole, before] = [0, 0]
			for (let i = 0; i < 360; i++) {
				const sent = `LW-${String(i).padStart(4, '0')}`
				const bytes = encodeScan(sent).map((byte) => ((random(1)[0] ?? 0) < 5 ? byte ^ (1 + ((random(1)[0] ?? 0) % 255)) : byte))
				const touched = bytes.join() !== encodeScan(sent).join()
				stage.emulator.noise(bytes)
				await stage.bench.pass(10_000)
				const read = stage.codes().slice(before)
				before = stage.codes().length
				// A line has no check: a changed letter is another code, which proves nothing by itself. Joined it must never be.
				assert.ok(
					read.every((text) => text.length <= sent.length),
					read.join(),
				)
				if (touched) continue
				whole++
				assert.deepEqual(read, [sent])
			}
			assert.ok(whole > 100 && whole < 360, `${whole} untouched`)
			await stage.reads(CODE)
		},
		{ lines: ['memory'] },
	),
]

const ABILITIES: readonly ReaderCheck[] = [
	check(21, 'what its caps claim, it does, and it claims no more', async (stage) => {
		await stage.up()
		assert.deepEqual(stage.scanner.caps, { card: false, keypad: false, scan: true, led: false, buzzer: false, assurance: 'plain' })
		assert.deepEqual([stage.scanner.signal, stage.scanner.rotateKey], [undefined, undefined])
		await stage.reads(CODE)
		assert.deepEqual([...new Set(stage.events.map(({ kind }) => kind))], ['reader-up', 'scan'])
	}),
	check(21, 'a flood is bounded and raises one overflow, and then a person is heard again', async (stage) => {
		await stage.up()
		const begin = stage.bench.clock.mono()
		for (let i = 0; i < 1_000; i++) {
			stage.emulator.scan(`LW-${i}`)
			if (i % 5 === 0) await stage.bench.pass(5)
		}
		const seconds = (stage.bench.clock.mono() - begin) / 1000
		assert.ok(stage.codes().length <= 33 + 10 * seconds, `${stage.codes().length} in ${seconds} s`)
		assert.ok(stage.count('security') >= 1 && stage.count('security') <= 1 + seconds / 10)
		await stage.bench.pass(5_000)
		await stage.reads('a person again')
	}),
	check(22, 'no code in any text but the reading itself', async (stage) => {
		await stage.up()
		await stage.reads(CODE)
		stage.emulator.noise(bytesOf(`${CODE}\x07\r`))
		await stage.soon('it is counted', () => stage.scanner.stats().badFrames > 0)
		const texts = JSON.stringify([stage.scanner.stats(), stage.scanner.caps, stage.events.filter(({ kind }) => kind !== 'scan')])
		assert.ok(!texts.includes(CODE.slice(3)))
	}),
]

export const scannerChecks = (): readonly ReaderCheck[] => [scannerVectors(), ...BYTES, ...LINK, ...ABILITIES].sort((a, b) => a.item - b.item)
