import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { toHex } from '@latchwork/core/base'
import { READER_KEY_BYTES, secretBytes } from '@latchwork/edge/keys'

/**
 * The file of a reader's key and, beside it, the key that is on its way: written before the reader gets it, so that a power cut in
 * between leaves no reader whose key nobody has. Both are for this user alone (mode 600).
 */
export interface KeyFile {
	readonly path: string
	/** The key in force by our record. */
	present(): Uint8Array | undefined
	/** Left by an act that was interrupted: the reader may hold it. */
	coming(): Uint8Array | undefined
	prepare(key: Uint8Array): void
	/** The reader has proven to hold it. */
	settle(): void
	/** The reader has proven not to hold it. */
	discard(): void
}

export function keyFile(path: string): KeyFile {
	const coming = `${path}.new`
	const read = (file: string) => (existsSync(file) ? secretBytes(file, READER_KEY_BYTES) : undefined)
	return {
		path,
		present: () => read(path),
		coming: () => read(coming),
		prepare(key) {
			const file = openSync(coming, 'wx', 0o600)
			try {
				writeSync(file, `${toHex(key)}\n`)
				fsyncSync(file)
			} finally {
				closeSync(file)
			}
		},
		settle: () => renameSync(coming, path),
		discard: () => rmSync(coming, { force: true }),
	}
}
