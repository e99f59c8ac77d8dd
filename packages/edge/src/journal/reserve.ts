import { closeSync, fdatasyncSync, openSync, rmSync, type StatsFs, statfsSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Disk space held back so that returns, pick-ups and alarms can still be written when the disk is full (trust.md §3.6).
 * The file holds real bytes; giving it up frees them.
 */
const RESERVE_BYTES = 4 * 1024 * 1024
/** With less than 5 % of the disk free nothing new is lent out (trust.md §3.6); on a large disk this much is enough. */
const ROOM_SHARE = 0.05
const ROOM_BYTES = 256 * 1024 * 1024

type Space = Pick<StatsFs, 'blocks' | 'bavail' | 'bsize'>

export interface Reserve {
	held(): boolean
	/** Frees the space; false if it was already gone. */
	giveUp(): boolean
	/** Takes it back when the disk has room for it twice over. */
	restore(): void
	/** False when the disk comes to its end. */
	roomy(): boolean
}

export function openReserve(path: string): Reserve {
	/** A disk that cannot be asked (gone, broken) has no room to count on; the next look asks again. */
	const asked = <T>(ask: () => T, otherwise: T): T => {
		try {
			return ask()
		} catch {
			return otherwise
		}
	}
	const space = () => asked<Space>(() => statfsSync(dirname(path)), { blocks: 1, bavail: 0, bsize: 1 })
	const held = () => asked(() => statSync(path).size, 0) >= RESERVE_BYTES
	const reserve: Reserve = {
		held,
		giveUp() {
			const had = held()
			try {
				rmSync(path, { force: true })
				return had
			} catch {
				return false // a disk that takes no write at all gives none back either
			}
		},
		restore() {
			const { bavail, bsize } = space()
			if (held() || bavail * bsize < 2 * RESERVE_BYTES) return
			try {
				fill(path)
			} catch {
				reserve.giveUp()
			}
		},
		roomy() {
			const { blocks, bavail, bsize } = space()
			return bavail * bsize >= Math.min(ROOM_BYTES, blocks * bsize * ROOM_SHARE)
		},
	}
	reserve.restore()
	return reserve
}

function fill(path: string): void {
	const fd = openSync(path, 'w', 0o600)
	try {
		// Not zeros: a file system that compresses or makes holes would hold back nothing.
		const block = Uint8Array.from({ length: 65_536 }, (_, i) => (i * 197 + (i >> 8)) & 0xff)
		for (let done = 0; done < RESERVE_BYTES; done += block.length) writeSync(fd, block)
		fdatasyncSync(fd)
	} finally {
		closeSync(fd)
	}
}
