import { type Compartment, DOOR_TIMERS, type DoorSession, type Ended } from '@latchwork/core/door'
import type { KioskScreen } from '@latchwork/core/wire'
import { type Shown, shownOf, type Thing, taskOf } from './things.ts'

/** What the left-open ladder does next, for the sentence on the screen. */
const NEXT_RUNG = { calm: 'prompt', prompt: 'staff', staff: 'alarm', alarm: 'alarm' } as const

export interface DoorFacts {
	readonly door: { readonly number: number }
	readonly act: 'collect' | 'deposit'
	readonly item: Shown
	readonly task?: 'drop-off' | 'pick-up' | 'pull'
}

export const doorFacts = (number: number, act: DoorFacts['act'], thing: Thing): DoorFacts => ({
	door: { number },
	act,
	item: shownOf(thing),
	...taskOf(thing),
})

/** What the person at the door has done or said about it on this screen, beyond what the door reducer keeps. */
export interface AtDoor {
	/** Says that it does not open although the sensor says that it is open. */
	readonly stuck: boolean
	/** Says that it does not fit. */
	readonly tooSmall: boolean
	/** A larger door is free for it. */
	readonly larger: boolean
}

/** The screen of a door that is live. */
export function liveScreen(facts: DoorFacts, session: DoorSession, compartment: Compartment, now: number, at: AtDoor): KioskScreen {
	const about = { ...facts, ...(session.act === 'inspect' && { again: true as const }) }
	if (session.asking) return { name: 'confirm', ...facts }
	if (session.state === 'releasing') return { name: 'opening', ...about, askAt: (compartment.lastRelease?.at ?? now) + DOOR_TIMERS.ack }
	const { presence } = compartment
	const openedAt = session.openedAt ?? now
	const said = session.report ?? (at.tooSmall ? ('too-small' as const) : at.stuck ? ('did-not-open' as const) : undefined)
	return {
		name: 'open',
		...about,
		openedAt,
		remindAt: openedAt + DOOR_TIMERS[NEXT_RUNG[session.level]],
		level: session.level,
		contentChanged: presence !== 'unknown' && session.pre.presence !== 'unknown' && presence !== session.pre.presence,
		...(said && { said }),
		...(at.larger && { larger: true as const }),
	}
}

/** What can be done after a door that gave or took nothing. */
export interface Next {
	readonly retry: boolean
	readonly other: boolean
	readonly larger: boolean
}

/** The screen after a door that ended in anything but success. */
export function endScreen(facts: DoorFacts, end: Ended, compartment: Compartment | undefined, next: Next): KioskScreen {
	switch (end.end) {
		case 'no-change':
			return { name: 'no-change', ...facts, retry: next.retry, ...(next.larger && { larger: true as const }) }
		case 'not-opened':
		case 'failed':
			return { name: 'not-opened', door: facts.door, act: facts.act, retry: next.retry && compartment?.hold === undefined, other: next.other }
		default:
			return {
				name: 'needs-help',
				door: facts.door,
				why: end.why === 'found-occupied' || end.why === 'found-empty' || end.why === 'wrong-item' ? end.why : 'ambiguous',
				incident: receiptOf(end.session.id),
				other: next.other && facts.act === 'deposit',
				shut: compartment?.door === 'closed',
			}
	}
}

/** Short enough to read out on the phone; the whole id is in the record. */
export const receiptOf = (session: string): string => session.slice(-8).toUpperCase()
