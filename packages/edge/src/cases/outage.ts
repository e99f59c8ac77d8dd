import { type Id, isFault } from '@latchwork/core/base'
import type { Entry, Journal } from '../journal/index.ts'

/** As long as the server waits until it confirms an outage (workflows.md §3.0): a restart moves nothing. */
const CONFIRMED_AFTER_MS = 600_000
const ALIVE_EVERY_MS = 60_000
const ALIVE = { kind: 'edge', key: 'alive' } as const

export interface OutageParts {
	readonly journal: Journal
	readonly controller: Id<'controller'>
	/** Trusted time; asked only while it is certain. */
	readonly now: () => number
	readonly mono: () => number
}

/** What it moves, to be written with it. */
type Moves = Required<Pick<Entry, 'events' | 'put' | 'drop'>>
const NOTHING: Moves = { events: [], put: [], drop: [] }

export interface Outage {
	readonly from: number
	readonly to: number
}

/**
 * How long this bank could not serve, by a mark that says when it last did. The mark stays until the outage is on record with all that it moves, in one
 * transaction: a crash before it finds the old mark again, a crash after it the new one. Answers what is to be called while the time is certain, at least
 * once a minute; throws `Fault` journal-full, and then nothing has happened.
 */
export function measureOutage({ journal, controller, now, mono }: OutageParts): (moved: (outage: Outage) => Moves) => void {
	const startedAt = mono()
	const before = journal.fact<{ readonly at: number }>(ALIVE.kind, ALIVE.key)
	let markedAt: number | undefined
	const leave = (entry: Moves, essential: boolean) => {
		journal.commit({ ...entry, put: [...entry.put, { ...ALIVE, body: { at: now() } }], essential })
		markedAt = mono()
	}
	/** A full disk keeps no mark, and stops nothing that may still be written. */
	const mark = () => {
		try {
			leave(NOTHING, false)
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			markedAt ??= mono()
		}
	}
	return (moved) => {
		if (markedAt !== undefined) {
			if (mono() - markedAt >= ALIVE_EVERY_MS) mark()
			return
		}
		// Since the start it serves, also while it did not know the time.
		const to = Math.floor(now() - (mono() - startedAt))
		if (!before || to - before.at < CONFIRMED_AFTER_MS) return mark()
		const outage = { from: before.at, to }
		const { events, put, drop } = moved(outage)
		leave({ events: [{ type: 'controller.power-restored', subject: controller, actor: 'edge', data: { ...outage } }, ...events], put, drop }, true)
	}
}
