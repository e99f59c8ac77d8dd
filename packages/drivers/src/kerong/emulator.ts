import type { BoardProfile } from '../board.ts'
import type { BoardEmulatorMaker, BusFaults, Cabinet, EmulatedBoard } from '../testing/emulator.ts'
import type { DriverClock, EmulatorWire } from '../transport/index.ts'
import { createParser, encode, type Message } from './codec.ts'

/** Wiring of the emulated boards, for the profiles that sources disagree on. */
type Wiring = Pick<BoardProfile, 'polarity' | 'statusOrder'>

/** A gap this long ends a frame, so that a damaged command is not finished by the next one. */
const QUIET_MS = 50

/** Boards that hang on one bus. Each hears every byte with its own noise, as boards at different places of a cable do. */
export const kr16Emulator: BoardEmulatorMaker = ({ boards: hardware, clock, wiring = {} }) => {
	const boards = hardware.map((board) => emulateBoard(board, clock, wiring))
	return {
		attach(wire) {
			const ears = boards.map((board) => board.listenOn(wire))
			const off = wire.onData((bytes) => {
				for (const ear of ears) ear.hear(bytes)
			})
			return () => {
				off()
				for (const ear of ears) ear.detach()
			}
		},
		setFaults(address, faults) {
			for (const board of boards) if (board.address === address) board.setFaults(faults)
		},
		energised: () => boards.some((board) => board.energised()),
	}
}

function emulateBoard(hardware: EmulatedBoard, clock: DriverClock, wiring: Wiring) {
	const { board: address, cabinet } = hardware
	let faults: BusFaults = {}
	let unlockMs = 500
	let energisedUntil = 0

	const noisy = (bytes: Uint8Array, direction: 'answers' | 'commands'): Uint8Array => {
		const corrupt = faults.corrupt
		if (!corrupt || (corrupt.direction !== 'both' && corrupt.direction !== direction)) return bytes
		return bytes.map((byte) => {
			const [a = 0, b = 0, other = 0] = clock.random(3)
			return (a * 256 + b) / 65536 < corrupt.rate ? byte ^ (1 + (other % 255)) : byte
		})
	}

	const status = (lock: number): Message => ({ kind: 'status', board: address, lock, ...sensorWords(cabinet, wiring) })

	const pulse = (lock: number): boolean => {
		if (lock >= cabinet.compartments) return false
		energisedUntil = clock.mono() + unlockMs
		cabinet.pulse(lock)
		return true
	}

	/** What the board does and answers. */
	const obey = (message: Message): Message | undefined => {
		if (!('board' in message) || message.board !== address) return undefined
		switch (message.kind) {
			case 'status-query':
				return status(0)
			case 'unlock': {
				// Sources disagree whether a real board answers with the state before or after; before is the harder case.
				const before = status(message.lock)
				return pulse(message.lock) && !faults.noOpenAnswer ? before : undefined
			}
			case 'unlock-all':
				for (let lock = 0; lock < cabinet.compartments; lock++) pulse(lock)
				return undefined
			case 'delayed-unlock':
				clock.after(message.seconds * 1000, () => pulse(message.lock))
				return undefined
			case 'unlock-time-set':
				unlockMs = message.ms
				return { kind: 'unlock-time', board: address, ms: unlockMs }
			case 'unlock-time-query':
				return { kind: 'unlock-time', board: address, ms: unlockMs }
			default:
				return undefined
		}
	}

	return {
		address,
		listenOn(wire: EmulatorWire) {
			const parser = createParser()
			const cancels = new Set<() => void>()
			let heardAt = 0
			const answer = (bytes: Uint8Array) => {
				const delay = faults.answerDelayMs ?? 0
				if (delay === 0) return wire.write(noisy(bytes, 'answers'))
				const cancel = clock.after(delay, () => {
					cancels.delete(cancel)
					wire.write(noisy(bytes, 'answers'))
				})
				cancels.add(cancel)
			}
			return {
				hear(bytes: Uint8Array) {
					if (faults.echo) wire.write(bytes)
					if (faults.silent) return
					if (clock.mono() - heardAt > QUIET_MS) parser.reset()
					heardAt = clock.mono()
					for (const parsed of parser.push(noisy(bytes, 'commands'))) {
						const reply = parsed.kind === 'message' && obey(parsed.message)
						if (reply) answer(encode(reply))
					}
				},
				detach() {
					for (const cancel of cancels) cancel()
				},
			}
		},
		setFaults(next: BusFaults) {
			faults = { ...next }
		},
		energised: () => clock.mono() < energisedUntil,
	}
}

/** The two words of a status answer, wired as the profile says. */
function sensorWords(cabinet: Cabinet, wiring: Wiring): { latches: number; objects: number } {
	const closedBit = wiring.polarity === 'bit1Open' ? 0 : 1
	let latches = 0
	let objects = 0
	for (let lock = 0; lock < cabinet.compartments; lock++) {
		const bit = wiring.statusOrder === 'highFirst' ? lock ^ 8 : lock
		const closed = cabinet.latchSensor(lock) === 'closed'
		if ((closed ? closedBit : 1 - closedBit) === 1) latches |= 1 << bit
		if (cabinet.presenceSensor(lock)) objects |= 1 << bit
	}
	return { latches, objects }
}
