import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@latchwork/core/base'
import type { SignedHead, StreamHead } from '@latchwork/core/ledger'
import { isLocked } from './lock.ts'
import { readMark } from './mark.ts'

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

/** Reads the journal of a data directory: changes nothing in it, needs no right to, and disturbs no controller that runs on it. */
export function readJournal(directory: string): StoredStream[] {
	const path = join(directory, 'edge.db')
	if (!existsSync(path)) throw new Fault('not-found', `There is no journal in ${directory}. Name the data directory of a controller.`)
	if (isLocked(directory, 'edge')) return streamsOf(path, readMark(join(directory, 'edge.mark')))
	// SQLite writes beside a database even to read it, so evidence is read from a copy.
	const copy = mkdtempSync(join(tmpdir(), 'latchwork-read-'))
	try {
		for (const name of ['edge.db', 'edge.db-wal']) if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(copy, name))
		return streamsOf(join(copy, 'edge.db'), readMark(join(directory, 'edge.mark')))
	} finally {
		rmSync(copy, { recursive: true, force: true })
	}
}

function streamsOf(path: string, mark: StreamHead | undefined): StoredStream[] {
	const db = new DatabaseSync(path, { readOnly: true })
	try {
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
		db.close()
	}
}
