import { closeSync, existsSync, fdatasyncSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'

/**
 * Disk space held back so that returns, pick-ups and alarms can still be written when the disk is full (trust.md §3.6).
 * The file holds real bytes; giving it up frees them.
 */
const RESERVE_BYTES = 4 * 1024 * 1024

export interface Reserve {
	held(): boolean
	/** Frees the space; false if it was already gone. */
	giveUp(): boolean
	/** Takes it back when the disk has room for it twice over. */
	restore(): void
	/** Share of the disk in use, 0–1. */
	used(): number
}

export function openReserve(path: string): Reserve {
	const space = () => statfsSync(path.slice(0, path.lastIndexOf('/')) || '/')
	const held = () => existsSync(path) && statSync(path).size >= RESERVE_BYTES
	const reserve: Reserve = {
		held,
		giveUp() {
			const had = held()
			rmSync(path, { force: true })
			return had
		},
		restore() {
			const { bavail, bsize } = space()
			if (held() || bavail * bsize < 2 * RESERVE_BYTES) return
			const fd = openSync(path, 'w', 0o600)
			try {
				// Not zeros: a file system that compresses or makes holes would hold back nothing.
				const block = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 197 + (i >> 8)) & 0xff)
				for (let done = 0; done < RESERVE_BYTES; done += block.length) writeSync(fd, block)
				fdatasyncSync(fd)
			} catch {
				rmSync(path, { force: true })
			} finally {
				closeSync(fd)
			}
		},
		used() {
			const { blocks, bavail } = space()
			return blocks === 0 ? 0 : 1 - Number(bavail) / Number(blocks)
		},
	}
	reserve.restore()
	return reserve
}
