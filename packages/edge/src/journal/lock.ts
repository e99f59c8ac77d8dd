import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from '@latchwork/core/base'

const SQLITE_BUSY = 5

/**
 * A lock that dies with its process, however it ends: SQLite's own file lock, on a database of its own, so that readers of the
 * journal are not locked out. Throws `Fault` data-in-use.
 */
export function lockDirectory(directory: string, name: string): { close(): void } {
	const lock = new DatabaseSync(join(directory, `${name}.lock`))
	try {
		lock.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE')
		return lock
	} catch (cause) {
		lock.close()
		if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw cause
		throw new Fault('data-in-use', `Another Latchwork uses ${directory}. Stop it, or choose another directory with LATCHWORK_DATA.`, { cause })
	}
}

/** Does a living process hold it? Asks without taking it; a file that is no lock is held by nobody. */
export function isLocked(directory: string, name: string): boolean {
	const path = join(directory, `${name}.lock`)
	if (!existsSync(path)) return false
	const lock = new DatabaseSync(path, { readOnly: true })
	try {
		lock.prepare('PRAGMA schema_version').get()
		return false
	} catch (cause) {
		return (cause as { errcode?: number }).errcode === SQLITE_BUSY
	} finally {
		lock.close()
	}
}
