import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startSite, temporaryData } from './site.ts'

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

/** The command as an auditor gives it. */
const latchwork = (...args: string[]): Promise<{ code: number; output: string }> =>
	new Promise((resolve) => {
		execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }))
	})

/** One way to tamper with line `i` (from 0) of the events on disk. */
type Plant = (db: DatabaseSync, i: number) => void

const bytesOf = (db: DatabaseSync, i: number) => Buffer.from(db.prepare('SELECT bytes FROM event WHERE seq = ?').get(i + 1)?.bytes as Uint8Array)
const write = (db: DatabaseSync, i: number, bytes: Uint8Array) => db.prepare('UPDATE event SET bytes = ? WHERE seq = ?').run(bytes, i + 1)

const PLANTS: Readonly<Record<string, Plant>> = {
	'a flipped bit': (db, i) => {
		const bytes = bytesOf(db, i)
		bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
		write(db, i, bytes)
	},
	'a changed fact': (db, i) => write(db, i, Buffer.from(bytesOf(db, i).toString().replace('"offline":true', '"offline":false'))),
	'two events swapped': (db, i) => {
		const [a, b] = [bytesOf(db, i), bytesOf(db, i + 1)]
		write(db, i, b)
		write(db, i + 1, a)
	},
	'an event put in': (db, i) => {
		db.prepare('UPDATE event SET seq = -seq - 1 WHERE seq > ?').run(i)
		db.exec('UPDATE event SET seq = -seq WHERE seq < 0')
		db.prepare('INSERT INTO event (stream, seq, bytes, hash, type) SELECT stream, ?, bytes, hash, type FROM event ORDER BY seq DESC LIMIT 1').run(
			i + 1,
		)
	},
	'an event taken out': (db, i) => {
		db.prepare('DELETE FROM event WHERE seq = ?').run(i + 1)
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
					plant(db, index)
					db.close()
					const { code, output } = await latchwork('ledger', 'verify', copy)
					assert.equal(code, 1, output)
					assert.match(output, new RegExp(`First bad index ${index} `), output)
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
