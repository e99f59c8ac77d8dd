import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Transport } from '@latchwork/drivers/transport'

/** About what one tap leaves behind. */
const ROW_BYTES = 4_096
/** A slot of the high-water mark, and a frame of a lock bus. */
const MARK_BYTES = 88
const FRAME = Uint8Array.of(0x02, 0x00, 0x31, 0x03, 0x36)

/**
 * The least that a durable open frame costs on this machine (performance.md P1): one commit of SQLite with WAL and FULL,
 * one write with fdatasync beside it, one frame on a line. No rule, no record of its own, no sensor. The far end says when the frame came.
 */
export interface Floor {
	/** Commits, syncs, sends; resolves when the line took the bytes. */
	once(): Promise<void>
	/** The durable part alone. */
	durable(): void
	close(): Promise<void>
}

export function openFloor(folder: string, line: Transport): Floor {
	const db = new DatabaseSync(join(folder, 'floor.db'))
	db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT')
	const insert = db.prepare('INSERT INTO row (body) VALUES (?)')
	const row = new Uint8Array(ROW_BYTES).fill(0x2a)
	const mark = new Uint8Array(MARK_BYTES)
	const beside = openSync(join(folder, 'floor.mark'), 'w', 0o600)
	writeSync(beside, mark, 0, MARK_BYTES, 0)
	const durable = (): void => {
		db.exec('BEGIN IMMEDIATE')
		insert.run(row)
		db.exec('COMMIT')
		writeSync(beside, mark, 0, MARK_BYTES, 0)
		fdatasyncSync(beside)
	}
	return {
		durable,
		async once() {
			durable()
			await line.write(FRAME)
		},
		async close() {
			db.close()
			closeSync(beside)
			await line.close()
		},
	}
}
