import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { type Id, isFault, newId, seededRandom } from '@latchwork/core/base'
import { verifyStream } from '@latchwork/core/ledger'
import { nodeCrypto } from '../keys.ts'
import { HISTORY_LOST, type Journal, type JournalParts, openJournal } from './journal.ts'
import { openMarkFile } from './mark.ts'
import { readJournal } from './read.ts'

const random = seededRandom(20261122)
const START = Date.UTC(2026, 0, 5, 9)
const CONTROLLER = newId('controller', START, random)
const BANK = newId('bank', START, random)

function parts(directory: string, more: Partial<JournalParts> = {}): JournalParts {
	return {
		directory,
		controller: CONTROLLER,
		random,
		now: () => START,
		context: () => ({ bank: BANK, at: START, mono: 0, clock: 'good', bundle: 0, offline: true, sha256: nodeCrypto.sha256 }),
		sealer: { sign: () => new Uint8Array(64), keyId: CONTROLLER },
		standing: () => [],
		...more,
	}
}

function folder(t: TestContext): string {
	const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'latchwork-journal-'))
	t.after(() => rmSync(path, { recursive: true, force: true }))
	return path
}

/** Ends like a killed process: nothing is checkpointed, the WAL stays as it is. */
function crashImage(from: string, to: string): void {
	mkdirSync(to, { recursive: true })
	rmSync(join(to, 'edge.db-shm'), { force: true })
	for (const name of ['edge.db', 'edge.db-wal', 'edge.mark']) copyFileSync(join(from, name), join(to, name))
}

const opened = (n: number) => ({ type: 'reader.online' as const, subject: `reader-${n}`, actor: 'edge' as const, data: { n } })
const record = (journal: Journal, n: number) => journal.commit({ events: [opened(n)], put: [{ kind: 'count', key: `${n % 7}`, body: { n } }] })

function intact(directory: string): number {
	const streams = readJournal(directory)
	for (const { stream, lines, mark } of streams) {
		const verdict = verifyStream(lines, { crypto: nodeCrypto, ...(mark && { anchor: mark }) })
		assert.ok(verdict.ok, `${stream}: ${JSON.stringify(verdict)}`)
	}
	return streams.length
}

test('a commit is all or nothing: when any part of the entry is refused, nothing of it exists, in memory and on disk', (t) => {
	const directory = folder(t)
	const journal = openJournal(parts(directory))
	const intent = { command: 'c1', session: 's1', compartment: 'k1', fence: 1 }
	journal.commit({ events: [opened(1)], put: [{ kind: 'count', key: 'a', body: 1 }], intent })
	const head = journal.head()
	const refused = { events: [opened(2)], put: [{ kind: 'count', key: 'a', body: 2 }], drop: [{ kind: 'count', key: 'b' }] }
	for (const twice of [
		{ ...intent, session: 's2', fence: 2 },
		{ ...intent, command: 'c2', fence: 2 },
		{ ...intent, command: 'c2', session: 's2' },
	])
		assert.throws(() => journal.commit({ ...refused, intent: twice }), /UNIQUE/, `one command, one session, one lease: ${JSON.stringify(twice)}`)
	assert.throws(
		() => journal.commit({ ...refused, events: [opened(2), { ...opened(3), data: { half: 0.5 } }] }),
		(e) => isFault(e, 'event-invalid'),
	)
	assert.deepEqual(journal.head(), head)
	assert.equal(journal.fact('count', 'a'), 1)
	journal.commit({ ...refused, intent: { command: 'c2', session: 's2', compartment: 'k1', fence: 2 } })
	assert.equal(journal.head().seq, head.seq + 1)
	assert.equal(journal.fact('count', 'a'), 2)
	journal.close()
	intact(directory)
})

test('the sequence has no gap over any number of commits, restarts and refusals, and the image equals the disk', (t) => {
	const directory = folder(t)
	let expected = 1 // stream.started
	for (let run = 0; run < 5; run++) {
		const journal = openJournal(parts(directory))
		assert.equal(journal.fresh, run === 0)
		assert.equal(journal.lost(), undefined)
		journal.facts('count')
		for (let n = 0; n < 30; n++) {
			const events = Array.from({ length: n % 4 }, () => opened(n))
			const minted = journal.commit({
				events,
				put: [{ kind: 'count', key: `${n % 7}`, body: { run, n } }],
				drop: [{ kind: 'count', key: `${(n + 1) % 7}` }],
			})
			assert.equal(minted.length, events.length)
			expected += events.length
			assert.equal(journal.head().seq, expected)
			if (n % 5 === 0) assert.throws(() => journal.commit({ events: [opened(n), { ...opened(n), data: { bad: 1.5 } }] }))
		}
		const image = new Map(journal.facts('count'))
		journal.close()
		const again = openJournal(parts(directory))
		assert.deepEqual(again.facts('count'), image)
		assert.deepEqual(
			again.events(0, 10_000).map((e) => e.seq),
			Array.from({ length: expected }, (_, i) => i + 1),
		)
		again.close()
	}
	assert.equal(intact(directory), 1)
})

test('the mark: the ring turns over, a torn or flipped slot counts as never written, a new stream is newer at a lower sequence', (t) => {
	const path = join(folder(t), 'edge.mark')
	const stream = (n: number) => `str_${String(n).padStart(36, '0')}` as Id<'stream'>
	const mark = (seq: number, of = 1) => ({ stream: stream(of), seq, hash: seq.toString(16).padStart(64, '0') })
	const marks = openMarkFile(path)
	assert.equal(marks.read(), undefined)
	for (let seq = 1; seq <= 200; seq++) {
		marks.write(mark(seq))
		assert.deepEqual(marks.read(), mark(seq))
	}
	marks.write(mark(1, 2))
	marks.close()
	const bytes = readFileSync(path)
	const slot = bytes.length / 64
	const last = 201 % 64
	for (let at = last * slot; at < (last + 1) * slot; at++) {
		for (const damage of [1, 0x80]) {
			const torn = new Uint8Array(bytes)
			torn[at] = (torn[at] ?? 0) ^ damage
			writeFileSync(path, torn)
			const again = openMarkFile(path)
			assert.deepEqual(again.read(), mark(200), `byte ${at - last * slot} of the slot`)
			again.write(mark(2, 2))
			assert.deepEqual(again.read(), mark(2, 2))
			again.close()
		}
	}
	writeFileSync(path, bytes.subarray(0, last * slot + 20))
	const short = openMarkFile(path)
	assert.deepEqual(short.read(), mark(200))
	short.close()
})

/** A journal as a killed process leaves it, and how far it had come. */
function workload(directory: string, commits: number): { stream: string; seq: number } {
	const journal = openJournal(parts(directory))
	for (let n = 0; n < commits; n++) record(journal, n)
	const { stream, seq } = journal.head()
	crashImage(directory, `${directory}/image`)
	journal.close()
	return { stream, seq }
}

const kept = (directory: string, stream: string) => readJournal(directory).find((s) => s.stream === stream)?.lines.length ?? 0

test('1,000 images with the WAL cut or flipped at any place: every acknowledged event is there, or the loss is named', (t) => {
	const directory = folder(t)
	const { stream, seq } = workload(directory, 30)
	const image = join(directory, 'image')
	const wal = readFileSync(join(image, 'edge.db-wal'))
	const chance = seededRandom(7)
	const below = (n: number) => Array.from(chance(4)).reduce((sum, byte) => sum * 256 + byte, 0) % n
	const work = join(directory, 'work')
	let whole = 0
	let named = 0
	for (let i = 0; i < 1_000; i++) {
		crashImage(image, work)
		const damaged = new Uint8Array(i % 4 === 1 ? wal.subarray(0, below(wal.length)) : wal)
		const at = below(damaged.length)
		if (i % 4 === 2) damaged[at] = (damaged[at] ?? 0) ^ (1 << below(8))
		if (i % 4 === 3) damaged.fill(0xa5, at - (at % 512), at - (at % 512) + 512)
		writeFileSync(join(work, 'edge.db-wal'), damaged)
		const journal = openJournal(parts(work))
		const lost = journal.lost()
		if (lost) {
			named++
			assert.deepEqual([lost.stream, lost.toSeq], [stream, seq])
			const events = journal.events(0, 10).map(({ event }) => event)
			assert.deepEqual(
				events.map((e) => e.type),
				['stream.started', 'stream.history-lost', 'task.created'],
			)
			assert.deepEqual(Object.keys(events[0]?.data ?? {}), ['after'])
			assert.ok(JSON.stringify(events[0]?.data).includes(`"seq":${seq},"stream":"${stream}"`), 'the new stream names the old mark')
			assert.deepEqual(events[1]?.data, { from: lost.fromSeq, to: seq })
			if (i % 7 === 0) assert.equal(lost.fromSeq, kept(work, stream) + 1, 'the range begins after the last event that is there')
		} else {
			whole++
			assert.deepEqual([journal.head().stream, journal.head().seq], [stream, seq])
			if (i % 7 === 0) assert.equal(kept(work, stream), seq)
		}
		journal.close()
	}
	assert.deepEqual({ named, whole }, { named: 750, whole: 250 }, 'each damage is noticed, and no undamaged image is suspected')
})

test('a loss stays named over restarts until it is confirmed, and a second one during that time is named too', (t) => {
	const directory = folder(t)
	workload(directory, 20)
	const image = join(directory, 'image')
	const cut = () => writeFileSync(join(image, 'edge.db-wal'), readFileSync(join(image, 'edge.db-wal')).subarray(0, 60_000))
	cut()
	const first = openJournal(parts(image))
	const lost = first.lost()
	assert.ok(lost)
	first.close()
	const second = openJournal(parts(image))
	assert.deepEqual(second.lost(), lost)
	assert.equal(second.head().seq, 3, 'no third stream')
	for (let n = 0; n < 5; n++) record(second, n)
	const { stream, seq } = second.head()
	const before = join(directory, 'before')
	mkdirSync(before)
	// The whole second stream goes: the database is the one from before it began, the mark is not.
	crashImage(image, before)
	second.close()
	workload(join(directory, 'other'), 1)
	copyFileSync(join(directory, 'other/image/edge.db'), join(before, 'edge.db'))
	copyFileSync(join(directory, 'other/image/edge.db-wal'), join(before, 'edge.db-wal'))
	const third = openJournal(parts(before))
	assert.deepEqual(third.lost(), { stream, fromSeq: 1, toSeq: seq })
	third.commit({ events: [], drop: [HISTORY_LOST] })
	third.close()
	const fourth = openJournal(parts(before))
	assert.equal(fourth.lost(), undefined)
	fourth.close()
	assert.equal(intact(before), 3, 'the one that went is named still')
})

test('a crash between the first commit of a new stream and its mark is no second loss', (t) => {
	const directory = folder(t)
	const { seq } = workload(directory, 20)
	const image = join(directory, 'image')
	writeFileSync(join(image, 'edge.db-wal'), readFileSync(join(image, 'edge.db-wal')).subarray(0, 60_000))
	const oldMark = readFileSync(join(image, 'edge.mark'))
	const journal = openJournal(parts(image))
	assert.equal(journal.lost()?.toSeq, seq)
	const head = journal.head()
	journal.close()
	writeFileSync(join(image, 'edge.mark'), oldMark)
	const again = openJournal(parts(image))
	assert.deepEqual(again.head(), head)
	again.close()
	const marks = openMarkFile(join(image, 'edge.mark'))
	assert.deepEqual(marks.read(), head, 'the mark that was missing is written at the start')
	marks.close()
})

test('the database went and only the mark is left: the whole stream is named as lost, and it is not called fresh', (t) => {
	const directory = folder(t)
	const { stream, seq } = workload(directory, 5)
	rmSync(join(directory, 'edge.db'))
	const journal = openJournal(parts(directory))
	assert.deepEqual(journal.lost(), { stream, fromSeq: 1, toSeq: seq })
	assert.equal(journal.fresh, false)
	journal.close()
})

test('a data directory of a newer version, of another process, or that is no database is refused in words, and nothing stays open', (t) => {
	const directory = folder(t)
	const journal = openJournal(parts(directory))
	assert.throws(
		() => openJournal(parts(directory)),
		(e) => isFault(e, 'data-in-use') && e.message.includes(directory),
	)
	journal.close()
	const db = new DatabaseSync(join(directory, 'edge.db'))
	db.exec('PRAGMA user_version=999')
	db.close()
	for (let i = 0; i < 2; i++)
		assert.throws(
			() => openJournal(parts(directory)),
			(e) => isFault(e, 'data-newer') && e.message.includes('999'),
		)
	writeFileSync(join(directory, 'edge.db'), 'this is no database, whatever its name says; it goes on for a while, longer than a header\n'.repeat(20))
	assert.throws(
		() => openJournal(parts(directory)),
		(e) => isFault(e, 'journal-damaged'),
	)
	writeFileSync(join(directory, 'file'), '')
	assert.throws(
		() => openJournal(parts(join(directory, 'file'))),
		(e) => isFault(e, 'config-invalid'),
	)
})

test('the lock dies with its process, however it ends', async (t) => {
	const directory = folder(t)
	const program = `const { lockDirectory } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'lock.ts')).href)})
		const lock = lockDirectory(process.argv[1], 'edge'); console.log('held'); setInterval(() => lock, 1e6)`
	const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
	const ended = new Promise((done) => child.once('close', done))
	t.after(() => child.kill('SIGKILL'))
	await new Promise((done) => child.stdout.once('data', done))
	assert.throws(
		() => openJournal(parts(directory)),
		(e) => isFault(e, 'data-in-use'),
	)
	child.kill('SIGKILL')
	await ended
	openJournal(parts(directory)).close()
})

test('a fact that no act waits for keeps its turn: while the disk refuses, while an entry is written, and over the end of the trouble', (t) => {
	const directory = folder(t)
	let db: DatabaseSync | undefined
	let during = () => {}
	const journal = openJournal(
		parts(directory, {
			tune: (of) => {
				db = of
				of.exec('PRAGMA page_size=512')
			},
			standing: () => {
				during()
				return []
			},
		}),
	)
	const bound = (pages: number) => db?.exec(`PRAGMA max_page_count=${pages}`)
	const pages = () => Number(db?.prepare('PRAGMA page_count').get()?.page_count)
	const types = () => journal.events(1, 100).map(({ event }) => event.subject)
	during = () => {
		during = () => {}
		journal.note(opened(2))
	}
	record(journal, 1)
	assert.deepEqual(types(), ['reader-1', 'reader-2'], 'noted during a write: recorded after it')
	bound(pages())
	journal.note(opened(3), opened(4))
	journal.note(opened(5))
	assert.throws(
		() => record(journal, 6),
		(e) => isFault(e, 'journal-full'),
	)
	assert.deepEqual(types(), ['reader-1', 'reader-2'])
	bound(1_000_000)
	journal.checkStorage()
	record(journal, 7)
	assert.deepEqual(
		types().filter((s) => s.startsWith('reader')),
		['reader-1', 'reader-2', 'reader-3', 'reader-4', 'reader-5', 'reader-7'],
	)
	journal.close()
	intact(directory)
})

test('heads are signed every 64 events and when asked, and a refused signing is made up for', (t) => {
	const directory = folder(t)
	let signed = 0
	const journal = openJournal(
		parts(directory, {
			sealer: {
				sign: () => {
					signed++
					return new Uint8Array(64)
				},
				keyId: CONTROLLER,
			},
		}),
	)
	for (let n = 0; n < 130; n++) record(journal, n)
	assert.equal(signed, 2)
	journal.sealHead()
	journal.sealHead()
	assert.equal(signed, 3)
	assert.equal(readJournal(directory)[0]?.head?.seq, journal.head().seq)
	for (let n = 0; n < 62; n++) record(journal, n)
	// The 64th fails as a whole, and with it its signature.
	assert.throws(() => journal.commit({ events: [opened(1), opened(2), { ...opened(3), data: { bad: 0.5 } }] }))
	record(journal, 1)
	record(journal, 2)
	assert.equal(readJournal(directory)[0]?.head?.seq, journal.head().seq)
	journal.close()
})
