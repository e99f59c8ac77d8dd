import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@latchwork/core/base'

const SQLITE_BUSY = 5

/** A lock that dies with its process, however that ends: SQLite's file lock. Throws `Fault` data-in-use. */
export function lockDirectory(directory: string): { close(): void } {
	const lock = new DatabaseSync(join(directory, 'lock'))
	try {
		lock.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE')
		return lock
	} catch (cause) {
		lock.close()
		if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause
		throw new Fault('data-in-use', `Another Latchwork uses ${directory}. Stop it, or choose another directory with LATCHWORK_DATA.`, { cause })
	}
}
