import type { BoardEvent, BoardProfile, BoardReading, Tri } from '../board.ts'

/** The two words of a status answer, bit n−1 = lock n as the frame carries it. */
export interface Words {
	readonly latches: number
	readonly objects: number
}

type SensorFact = Extract<BoardEvent['fact'], { kind: 'door' | 'presence' }>

export interface Sensors {
	/** Takes one status answer, emits what it proves. False while a difference waits for a second answer that says the same. */
	take(words: Words): boolean
	/** What is known and what the last answer agrees with; the rest is unknown. */
	reading(): BoardReading
	/** The board is lost: nothing is known, and what comes next is a state and not a change. */
	forget(): void
}

interface Bits {
	readonly closed: boolean
	readonly present: boolean
}

/**
 * Believes a bit that differs from what was known only when two answers in a row carry it. The sum of a frame lets one in 256
 * doubly damaged answers through; two that are damaged alike do not happen (trust.md T7).
 */
export function createSensors(
	at: { readonly bus: string; readonly board: number },
	channels: number,
	wiring: Pick<BoardProfile, 'polarity' | 'statusOrder'>,
	emit: (fact: SensorFact) => void,
): Sensors {
	const doors: Tri[] = new Array(channels).fill('unknown')
	const presences: (boolean | 'unknown')[] = new Array(channels).fill('unknown')
	let before: Words | undefined
	let last: Words | undefined

	const bits = (words: Words, channel: number): Bits => {
		const bit = wiring.statusOrder === 'highFirst' ? channel ^ 8 : channel
		const raised = ((words.latches >> bit) & 1) === 1
		return { closed: wiring.polarity === 'bit1Open' ? !raised : raised, present: ((words.objects >> bit) & 1) === 1 }
	}
	const doorOf = (words: Words, channel: number): Tri => (bits(words, channel).closed ? 'closed' : 'open')
	const presenceOf = (words: Words, channel: number) => bits(words, channel).present

	/** Whether this value is known by now. */
	const settle = <T>(
		store: (T | 'unknown')[],
		channel: number,
		of: (words: Words, channel: number) => T,
		tell: (value: T, initial: boolean) => void,
	): boolean => {
		if (!last) return false
		const value = of(last, channel)
		const was = store[channel]
		if (was === value) return true
		if (!before || of(before, channel) !== value) return false
		store[channel] = value
		tell(value, was === 'unknown')
		return true
	}

	return {
		take(words) {
			before = last
			last = words
			let settled = true
			for (let channel = 0; channel < channels; channel++) {
				const ref = { ...at, channel }
				const door = settle(doors, channel, doorOf, (value, initial) => emit({ kind: 'door', ref, value, initial }))
				const presence = settle(presences, channel, presenceOf, (value, initial) => emit({ kind: 'presence', ref, value, initial }))
				settled &&= door && presence
			}
			return settled
		},
		reading: () => ({
			door: doors.map((value, channel) => (last && doorOf(last, channel) === value ? value : 'unknown')),
			presence: presences.map((value, channel) => (last && presenceOf(last, channel) === value ? value : 'unknown')),
		}),
		forget() {
			doors.fill('unknown')
			presences.fill('unknown')
			before = undefined
			last = undefined
		},
	}
}
