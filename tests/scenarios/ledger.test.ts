import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isId } from '@latchwork/core/base'
import { openJournal } from '@latchwork/edge/journal'
import { nodeCrypto, signingKey } from '@latchwork/edge/keys'
import { startSite, temporaryData } from './site.ts'

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

/** The command as an auditor gives it. */
const latchwork = (...args: string[]): Promise<{ code: number; output: string }> =>
	new Promise((resolve) => {
		execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }))
	})

/** One way to tamper with line `i` (from 0) of the events on disk; the first bad index where it is not `i`. */
type Plant = (db: DatabaseSync, i: number) => number | undefined

const bytesOf = (db: DatabaseSync, i: number) => Buffer.from(db.prepare('SELECT bytes FROM event WHERE seq = ?').get(i + 1)?.bytes as Uint8Array)
const write = (db: DatabaseSync, i: number, bytes: Uint8Array) => void db.prepare('UPDATE event SET bytes = ? WHERE seq = ?').run(bytes, i + 1)

const PLANTS: Readonly<Record<string, Plant>> = {
	'a flipped bit': (db, i) => {
		const bytes = bytesOf(db, i)
		bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
		return write(db, i, bytes)
	},
	'a changed fact': (db, i) => write(db, i, Buffer.from(bytesOf(db, i).toString().replace('"offline":true', '"offline":false'))),
	'two events swapped': (db, i) => {
		const [a, b] = [bytesOf(db, i), bytesOf(db, i + 1)]
		write(db, i, b)
		return write(db, i + 1, a)
	},
	'an event put in': (db, i) => {
		db.prepare('UPDATE event SET seq = -seq - 1 WHERE seq > ?').run(i)
		db.exec('UPDATE event SET seq = -seq WHERE seq < 0')
		const copy = db.prepare(
			'INSERT INTO event (stream, seq, bytes, hash, type) SELECT stream, ?, bytes, hash, type FROM event ORDER BY seq DESC LIMIT 1',
		)
		return void copy.run(i + 1)
	},
	'an event taken out': (db, i) => void db.prepare('DELETE FROM event WHERE seq = ?').run(i + 1),
	'the end taken out, and the journal said to end there': (db, i) => {
		db.prepare('DELETE FROM event WHERE seq > ?').run(i)
		db.exec('DELETE FROM meta')
		const last = db.prepare('SELECT stream, seq, hash FROM event ORDER BY seq DESC LIMIT 1').get()
		if (last) db.prepare("INSERT INTO meta (key, value) VALUES ('head', ?)").run(JSON.stringify(last))
		return undefined
	},
	'all events taken out': (db) => {
		db.exec('DELETE FROM event')
		return 0
	},
	'all events taken out, and what the journal says of them': (db) => {
		db.exec('DELETE FROM event; DELETE FROM meta')
		return 0
	},
}

describe('latchwork ledger verify', () => {
	const data = temporaryData()
	let events = 0

	before(async () => {
		const site = await startSite({ data })
		await site.badge(site.ready.people[0]?.badge ?? '')
		await site.screen('choose')
		await site.act({ kind: 'choose', id: 'borrow:laptop-14' })
		const { door } = await site.screen('open')
		await site.item(door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await site.stop()
	})
	after(() => rmSync(data, { recursive: true, force: true }))

	test('passes on the untouched stream, signed to its last event', async () => {
		const { code, output } = await latchwork('ledger', 'verify', data)
		assert.equal(code, 0, output)
		events = Number(/whole\. (\d+) events/.exec(output)?.[1])
		assert.ok(events > 20, output)
		assert.match(output, /signed by the controller/)
	})

	for (const [what, plant] of Object.entries(PLANTS)) {
		test(`names the first bad index after ${what}`, async () => {
			for (const index of [0, 7, events - 2]) {
				const copy = temporaryData()
				try {
					cpSync(data, copy, { recursive: true })
					const db = new DatabaseSync(join(copy, 'edge.db'))
					const first = plant(db, index) ?? index
					db.close()
					const { code, output } = await latchwork('ledger', 'verify', copy)
					assert.equal(code, 1, output)
					assert.match(output, new RegExp(`First bad index ${first} `), output)
				} finally {
					rmSync(copy, { recursive: true, force: true })
				}
			}
		})
	}

	test('names what is missing when the last event is cut off', async () => {
		const copy = temporaryData()
		cpSync(data, copy, { recursive: true })
		const db = new DatabaseSync(join(copy, 'edge.db'))
		db.exec('DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)')
		db.close()
		const { code, output } = await latchwork('ledger', 'verify', copy)
		rmSync(copy, { recursive: true, force: true })
		assert.equal(code, 1)
		assert.match(output, new RegExp(`First bad index ${events - 1} `), output)
	})

	/** A copy whose journal lost its last three events and went on in a second stream, which says so. */
	const twoStreams = (): { copy: string; streams: string[] } => {
		const copy = temporaryData()
		cpSync(data, copy, { recursive: true })
		const db = new DatabaseSync(join(copy, 'edge.db'))
		db.prepare('DELETE FROM event WHERE seq > ?').run(events - 3)
		const last = db.prepare('SELECT stream, seq, hash FROM event ORDER BY seq DESC LIMIT 1').get()
		db.prepare("UPDATE meta SET value = ? WHERE key = 'head'").run(JSON.stringify(last))
		db.exec("DELETE FROM meta WHERE key <> 'head'")
		db.close()
		const { controller, bank } = JSON.parse(readFileSync(join(copy, 'edge.json'), 'utf8'))
		assert.ok(isId('controller', controller) && isId('bank', bank))
		const { sign } = signingKey(join(copy, 'device.pem'))
		const journal = openJournal({
			directory: copy,
			controller,
			random: (n) => crypto.getRandomValues(new Uint8Array(n)),
			now: () => 0,
			context: () => ({ bank, at: 0, mono: 0, clock: 'good', bundle: 0, offline: true, sha256: nodeCrypto.sha256 }),
			sealer: { sign, keyId: controller },
			standing: () => [],
		})
		journal.sealHead()
		const streams = [String(last?.stream), journal.head().stream]
		journal.close()
		return { copy, streams }
	}

	test('names what was lost before, and whichever of two streams is taken out as a whole', async () => {
		for (const taken of [undefined, 0, 1]) {
			const { copy, streams } = twoStreams()
			const db = new DatabaseSync(join(copy, 'edge.db'))
			if (taken !== undefined) db.prepare('DELETE FROM event WHERE stream = ?').run(streams[taken] ?? '')
			db.close()
			const { code, output } = await latchwork('ledger', 'verify', copy)
			rmSync(copy, { recursive: true, force: true })
			assert.equal(code, 1, output)
			const said = streams.map((stream) => output.split('\n').find((line) => line.startsWith(stream)) ?? `nothing of ${stream}: ${output}`)
			// Without the second stream nobody outside the first one says how far it had come.
			assert.match(
				said[0] ?? '',
				taken === 0 ? /First bad index 0 \(truncated\)/ : taken === 1 ? /NOT WHOLE/ : new RegExp(`First bad index ${events - 3} `),
			)
			assert.match(said[1] ?? '', taken === 1 ? /First bad index 0 \(truncated\)/ : /whole\. 3 events/)
		}
	})

	test('a journal that is no database any more, is cut, or holds nothing is said in one sentence, by doctor too', async () => {
		const bytes = readFileSync(join(data, 'edge.db'))
		const page = bytes.subarray(0, 8192)
		const wrong: [content: Uint8Array, words: RegExp][] = [
			[Buffer.from('rubbish '.repeat(2_000)), /is damaged and proves nothing/],
			[bytes.subarray(0, bytes.length >> 1), /is damaged and proves nothing/],
			[Buffer.concat([page, Buffer.alloc(4096, 0x5a), bytes.subarray(12_288)]), /is damaged and proves nothing/],
		]
		for (const [content, words] of wrong) {
			const copy = temporaryData()
			cpSync(data, copy, { recursive: true })
			writeFileSync(join(copy, 'edge.db'), content)
			for (const command of [
				['ledger', 'verify', copy],
				['ledger', 'export', join(copy, 'out'), '--data', copy],
				['doctor', '--data', copy],
			]) {
				const { code, output } = await latchwork(...command)
				assert.equal(code, 1, output)
				assert.match(output, words)
				assert.doesNotMatch(output, /\n\s+at /)
			}
			rmSync(copy, { recursive: true, force: true })
		}
		const bare = temporaryData()
		cpSync(data, bare, { recursive: true })
		rmSync(join(bare, 'edge.mark'))
		const db = new DatabaseSync(join(bare, 'edge.db'))
		db.exec('DELETE FROM event; DELETE FROM meta')
		db.close()
		const { code, output } = await latchwork('ledger', 'verify', bare)
		rmSync(bare, { recursive: true, force: true })
		assert.equal(code, 1)
		assert.match(output, /holds no stream/)
	})

	test('doctor names a bundle that is older than the one that was accepted', async () => {
		const good = await latchwork('doctor', '--data', data)
		assert.doesNotMatch(good.output, /refused/)
		const copy = temporaryData()
		cpSync(data, copy, { recursive: true })
		const db = new DatabaseSync(join(copy, 'edge.db'))
		const accepted = JSON.parse(String(db.prepare("SELECT body FROM fact WHERE kind = 'authority' AND key = 'accepted'").get()?.body))
		const newer = JSON.stringify({ ...accepted, version: accepted.version + 1 })
		db.prepare("UPDATE fact SET body = ? WHERE kind = 'authority' AND key = 'accepted'").run(newer)
		db.close()
		const { code, output } = await latchwork('doctor', '--data', copy)
		rmSync(copy, { recursive: true, force: true })
		assert.equal(code, 1)
		assert.match(output, /BAD {2}refused: bundle-rollback\n.*is older than/)
	})

	test('an exported stream is checked by its file and the key alone, and a flipped byte in it is named', async () => {
		const file = join(data, 'stream.export')
		const made = await latchwork('ledger', 'export', file, '--data', data)
		const key = /Public key of the controller: ([0-9a-f]{64})/.exec(made.output)?.[1] ?? ''
		const good = await latchwork('ledger', 'verify', file, '--key', key)
		assert.equal(good.code, 0, good.output)
		const lines = readFileSync(file, 'utf8').split('\n')
		lines[5] = lines[5]?.replace('"mono":', '"mono":1') ?? ''
		writeFileSync(file, lines.join('\n'))
		const bad = await latchwork('ledger', 'verify', file, '--key', key)
		assert.equal(bad.code, 1)
		assert.match(bad.output, /First bad index 5 /)
	})

	test('says what to do when there is nothing to verify', async () => {
		const { code, output } = await latchwork('ledger', 'verify', join(data, 'nowhere'))
		assert.equal(code, 1)
		assert.match(output, /does not exist\. Name a data directory/)
		assert.doesNotMatch(output, /\n\s+at /)
	})
})
