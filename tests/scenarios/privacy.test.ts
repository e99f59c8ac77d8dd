import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { scanForPersonalData } from '@latchwork/core/ledger'
import { readJournal } from '@latchwork/edge/journal'
import { borrow, giveBack, leave, person, recordOf } from './hands.ts'
import { type Site, startSite } from './site.ts'

/** SECURITY.md: names, badge numbers and PINs do not reach the edge's journal or ledger. Held against the bytes on the disk. */
describe('what the disk tells', () => {
	let site: Site
	before(async () => {
		site = await startSite()
	})
	after(async () => void (await site?.stop()))

	const STRANGER = '31337'
	const MISTYPED = '98765432'

	/** Everything that the controller keeps of what happened, as bytes: the files as they lie there, each value of each row, each event. */
	function kept(): Map<string, Uint8Array> {
		const { dataDir } = site.ready
		const files = ['edge.db', 'edge.db-wal', 'edge.mark'].map((name) => join(dataDir, name)).filter((path) => existsSync(path))
		// A text that fills several pages is cut into pieces in the file; in its row it is whole.
		const db = new DatabaseSync(join(dataDir, 'edge.db'), { readOnly: true, timeout: 5_000 }) // a controller that starts keeps it locked while it recovers
		try {
			const tables = db
				.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")
				.all()
				.map((r) => String(r.name))
			const rows = tables.map((name) => {
				const values = db
					.prepare(`SELECT * FROM "${name}"`)
					.all()
					.flatMap((row) => Object.values(row))
				return [
					`table ${name}`,
					Buffer.concat(values.flatMap((v) => [v instanceof Uint8Array ? v : Buffer.from(String(v)), Buffer.from('\n')])),
				] as const
			})
			const events = readJournal(dataDir).flatMap(({ lines }) => lines.map((line, i) => [`event ${i}`, line] as const))
			return new Map([...files.map((path) => [path.slice(dataDir.length + 1), readFileSync(path)] as const), ...rows, ...events])
		} finally {
			db.close()
		}
	}

	test('after a loan, a return, a wrong PIN, a code and an unknown badge nothing on the disk names a person, a badge, a PIN or a code', async () => {
		const record = recordOf(site)
		await borrow(site, 0)
		await giveBack(site, 0)
		await site.badge(STRANGER)
		await site.screen('denied')
		await leave(site)
		const code = (await site.codes(1))[0] ?? assert.fail('no code')
		await site.scan(code)
		await site.screen('choose')
		await leave(site)
		await site.keypad(`${MISTYPED}#`)
		await site.until((v) => v.screen.name === 'pin' && v.screen.wrong, 'the wrong PIN')
		await leave(site)
		for (const type of ['custody.transferred', 'decision.denied']) assert.ok(record.types().includes(type), `${type} happened: ${record.types()}`)

		const codes = (await Promise.all(site.ready.people.map((_, n) => site.codes(n)))).flat().flatMap((text) => [text, ...text.split('.').slice(1)])
		const needles = new Set([...site.ready.people.flatMap((p) => [p.name, ...p.name.split(' '), p.badge, p.pin]), ...codes, STRANGER, MISTYPED])
		const looked = [...needles].filter((needle) => needle.length >= 4)
		const places = kept()
		for (const place of ['edge.db-wal', 'edge.mark', 'table event', 'table fact', 'event 0']) assert.ok(places.has(place), `${place} was looked at`)
		for (const [place, bytes] of places) assert.deepEqual(scanForPersonalData(bytes, looked), [], place)
	})

	test("the same look finds each of them where they are: in the file of the bundle's maker, and planted into the journal's bytes", () => {
		const maker = readFileSync(join(site.ready.dataDir, 'demo.json'))
		const wal = kept().get('edge.db-wal') ?? assert.fail()
		for (const n of site.ready.people.keys()) {
			const { name, badge, pin } = person(site, n)
			assert.deepEqual(scanForPersonalData(maker, [name, badge, pin]), [name, badge, pin])
			for (const needle of [name, badge, pin]) {
				const planted = Uint8Array.from(wal)
				planted.set(Buffer.from(` ${needle} `), wal.length >> 1)
				assert.deepEqual(scanForPersonalData(planted, [needle]), [needle])
			}
		}
	})
})
