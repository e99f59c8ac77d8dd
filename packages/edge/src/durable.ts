import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** For this user alone, and whole or not at all, also when the power fails in between: half a key is no key. */
export function writeText(path: string, text: string): void {
	const aside = `${path}.new`
	const file = openSync(aside, 'w', 0o600)
	try {
		writeFileSync(file, text)
		fsyncSync(file)
	} finally {
		closeSync(file)
	}
	renameSync(aside, path)
	const folder = openSync(dirname(path), 'r')
	try {
		fsyncSync(folder)
	} finally {
		closeSync(folder)
	}
}

export const writeJson = (path: string, value: unknown): void => writeText(path, JSON.stringify(value, null, '\t'))
