import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { newerThanThis, SCHEMA_VERSION } from './schema.sql.ts'

/** Bytes 60 to 63 of an SQLite file are its `user_version` (sqlite.org/fileformat2.html §1.3). */
const USER_VERSION_AT = 60

/**
 * Throws `Fault` data-newer for a directory whose journal a newer version wrote, before anybody has written into it: opening a database leaves
 * traces even where it is only read. A version that is still in the WAL is found when the journal is opened.
 */
export function refuseNewer(directory: string): void {
	const head = new DataView(new ArrayBuffer(USER_VERSION_AT + 4))
	let file: number
	try {
		file = openSync(join(directory, 'edge.db'), 'r')
	} catch {
		return
	}
	try {
		if (readSync(file, head) < head.byteLength) return
	} finally {
		closeSync(file)
	}
	const found = head.getUint32(USER_VERSION_AT)
	if (found > SCHEMA_VERSION) throw newerThanThis(found)
}
