import { Fault } from '@latchwork/core/base'
import type { BoardProfile, ChannelRef, OpenResult } from '../board.ts'
import { LOCKS_PER_ADDRESS } from './codec.ts'
import type { Words } from './sensors.ts'

/** The door has this long to swing open. */
const LOOKS = 40
const LOOK_EVERY_MS = 50

interface Line {
	openOnce(ref: ChannelRef): Promise<OpenResult>
	words(board: number): Promise<Words>
	pause(ms: number): Promise<void>
}

/**
 * Commissioning (hardware.md §0.2): opens one channel and sees which latch bit moves, and how. The door must be shut before
 * and free to open. Throws `Fault` not-found when no bit or more than one moved.
 */
export async function learnWiring(ref: ChannelRef, line: Line): Promise<Partial<BoardProfile>> {
	const before = (await line.words(ref.board)).latches
	const { fault } = await line.openOnce(ref)
	if (fault) throw fault
	let moved = 0
	for (let look = 0; look < LOOKS && moved === 0; look++) {
		await line.pause(LOOK_EVERY_MS)
		moved = (await line.words(ref.board)).latches ^ before
	}
	const bit = Math.log2(moved)
	const order = bit === ref.channel ? 'lowFirst' : bit === (ref.channel ^ (LOCKS_PER_ADDRESS / 2)) ? 'highFirst' : undefined
	if (!order) {
		throw new Fault('not-found', `Opening channel ${ref.channel} moved no status bit that belongs to it. Is the door shut, and the sensor wired?`, {
			detail: { moved: moved.toString(2), ...ref },
		})
	}
	return { statusOrder: order, polarity: (before >> bit) & 1 ? 'bit1Closed' : 'bit1Open' }
}
