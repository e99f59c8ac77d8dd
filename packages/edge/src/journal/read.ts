import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@latchwork/core/base'
import type { SignedHead, StreamHead } from '@latchwork/core/ledger'
import { openMarkFile } from './mark.ts'

/** One stream as it lies on disk, for those who check or export it. */
export interface StoredStream {
	readonly stream: string
	/** Event bytes in the order of their sequence. */
	readonly lines: readonly Uint8Array[]
	/** The last head that the controller signed. */
	readonly head: SignedHead | undefined
	/** The high-water mark outside the database, if it is this stream's. */
	readonly mark: StreamHead | undefined
}

/** Reads the journal of a data directory without disturbing a controller that runs on it. */
export function readJournal(directory: string): StoredStream[] {
	const path = join(directory, 'edge.db')
	if (!existsSync(path)) throw new Fault('not-found', `There is no journal in ${directory}. Name the data directory of a controller.`)
	const db = new DatabaseSync(path, { readOnly: true })
	const marks = openMarkFile(join(directory, 'edge.mark'))
	try {
		const mark = marks.read()
		const streams = db.prepare('SELECT stream, min(rowid) AS first FROM event GROUP BY stream ORDER BY first').all()
		const lines = db.prepare('SELECT bytes FROM event WHERE stream = ? ORDER BY seq')
		const head = db.prepare('SELECT value FROM meta WHERE key = ?')
		return streams.map((row) => {
			const stream = String(row.stream)
			const signed = head.get(`signed-head/${stream}`)
			return {
				stream,
				lines: lines.all(stream).map((r) => r.bytes as Uint8Array),
				head: signed ? (JSON.parse(String(signed.value)) as SignedHead) : undefined,
				mark: mark?.stream === stream ? mark : undefined,
			}
		})
	} finally {
		marks.close()
		db.close()
	}
}
