import assert from 'node:assert/strict'
import type { DatabaseSync } from 'node:sqlite'
import { verifyStream } from '@latchwork/core/ledger'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import type { Stage } from '@latchwork/edge/testing'

/** What stops the disk from taking more, and what lets it again. */
export interface Disk {
	/** From now on there is room for so much more: pages, or blocks. */
	leave(room: number): void
	free(): void
}

/** A database whose size is bounded instead of a disk: each page of it is met, and the file system has nothing to do with it. */
export interface PageDisk extends Disk {
	readonly tune: (db: DatabaseSync) => void
	db(): DatabaseSync
	/** For the starts from now on: so many pages in all, or so many more than there are; undefined: no bound. */
	atStart(bound: { readonly pages: number } | { readonly more: number } | undefined): void
}

export function pageDisk(): PageDisk {
	let db: DatabaseSync | undefined
	let bound: Parameters<PageDisk['atStart']>[0]
	const handle = () => db as DatabaseSync
	const pages = (pragma: string) => Number(Object.values(handle().prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
	return {
		tune(of) {
			db = of
			of.exec('PRAGMA page_size=512') // so small that nearly every record needs a page
			if (bound) of.exec(`PRAGMA max_page_count=${'pages' in bound ? bound.pages : pages('page_count') + bound.more}`)
		},
		db: handle,
		atStart(next) {
			bound = next
		},
		leave(room) {
			handle().exec('CREATE TABLE IF NOT EXISTS filler (b BLOB)')
			while (pages('freelist_count') > 0) handle().exec('INSERT INTO filler VALUES (zeroblob(400))')
			handle().exec(`PRAGMA max_page_count=${pages('page_count') + room}`)
		},
		free: () => handle().exec('PRAGMA max_page_count=1000000'),
	}
}

export const intents = (db: DatabaseSync) => Number(db.prepare('SELECT count(*) AS n FROM intent').get()?.n)
export const pulses = (stage: Stage) => Array.from({ length: 16 }, (_, i) => stage.cabinet.pulses(i)).reduce((a, b) => a + b, 0)
export const storageFull = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'out-of-service' && screen.why === 'storage-full'
}

/** Each pulse on the bus is compared with the rows on disk in the moment in which it arrives. */
export function watchPulses(stage: Stage, db: () => DatabaseSync): { wrong: number } {
	const seen = { wrong: 0 }
	stage.cabinet.onChange(() => {
		if (pulses(stage) > intents(db())) seen.wrong++
	})
	return seen
}

/** Everything is as before: by itself, or sooner with a touch and an early look at the disk. */
export async function recovered(stage: Stage, byItself: boolean): Promise<void> {
	if (!byItself) {
		stage.controller().journal.checkStorage()
		stage.act({ kind: 'finish' })
	}
	const ready = () => stage.controller().journal.storage() === 'good' && stage.screen().name === 'attract'
	for (let i = 0; !ready(); i++) {
		assert.ok(i < 120, `not as before within a minute: ${JSON.stringify(stage.screen())}`)
		await stage.clock.advance(500)
	}
}

/** One stream that nothing is missing from. */
export function whole(directory: string): void {
	const streams = readJournal(directory)
	assert.equal(streams.length, 1, 'no second stream: nothing was lost')
	for (const { lines, mark } of streams) {
		const verdict = verifyStream(lines, { crypto: nodeCrypto, ...(mark && { anchor: mark }) })
		assert.ok(verdict.ok, JSON.stringify(verdict))
	}
}

export const count = (met: Map<string, number>, what: string): unknown => met.set(what, (met.get(what) ?? 0) + 1)
