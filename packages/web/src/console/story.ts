import type { LedgerRecord } from './shapes.ts'
import { STEPS } from './words/cases.ts'

/** Something that happened, as a person would tell it. */
export interface Chapter {
	/** Where it stands in the ledger and who did it. */
	readonly record: LedgerRecord
	/** All that a door session did, where it is one. */
	readonly door?: DoorChapter
}
export interface DoorChapter {
	readonly compartment?: string
	readonly act?: string
	readonly method?: string
	/** How long the door stood open; absent: it was not opened, or is open. */
	readonly openMs?: number
	/** `committed`, `no-change`, … : absent while it lasts. */
	readonly end?: string
	readonly evidence?: number
}

const ENDS: ReadonlySet<string> = new Set(
	['committed', 'no-change', 'not-opened', 'ambiguous', 'interrupted', 'aborted', 'failed'].map((end) => `door-session.${end}`),
)
/** The door and the milestones tell of these steps. */
const SILENT: ReadonlySet<string> = new Set(['dispensing'])
const text = (value: unknown) => (typeof value === 'string' ? value : undefined)

/** The records of a case, oldest first: a door session is one chapter, and a step that a milestone names is not told twice. */
export function storyOf(all: readonly LedgerRecord[]): readonly Chapter[] {
	const records = all.filter(({ foreign }) => !foreign)
	const sessions = Map.groupBy(
		records.filter(({ type }) => type.startsWith('door-session.')),
		({ subject }) => subject,
	)
	const told = new Set(records.flatMap(({ type, at, data }) => (type !== 'case.moved' && text(data.state) ? [`${at} ${data.state}`] : [])))
	return all.flatMap((record): Chapter[] => {
		const { type, subject, at, data, foreign } = record
		// It is no part of what happened, and is told as what it is.
		if (foreign) return [{ record }]
		const session = sessions.get(subject)
		if (session && type.startsWith('door-session.')) {
			const main = session.find((one) => one.type === 'door-session.opened') ?? session.find(({ type: one }) => ENDS.has(one)) ?? session[0]
			return main === record ? [{ record, door: doorOf(session) }] : []
		}
		if (type === 'case.moved' && (data.line !== undefined || SILENT.has(String(data.to)) || told.has(`${at} ${data.to}`))) return []
		return [{ record }]
	})
}

function doorOf(session: readonly LedgerRecord[]): DoorChapter {
	const of = (type: string) => session.find((one) => one.type === `door-session.${type}`)
	const [opened, closed, end] = [of('opened'), of('closed'), session.findLast(({ type }) => ENDS.has(type))]
	const all: Readonly<Record<string, unknown>> = Object.assign({}, ...session.map(({ data }) => data))
	const [compartment, act, method] = [text(all.compartment), text(all.act), text(all.method)]
	return {
		...(compartment !== undefined && { compartment }),
		...(act !== undefined && { act }),
		...(method !== undefined && { method }),
		...(opened && closed && { openMs: Date.parse(closed.at) - Date.parse(opened.at) }),
		...(end && { end: end.type.slice('door-session.'.length) }),
		...(typeof end?.data.evidence === 'number' && { evidence: end.data.evidence }),
	}
}

export interface Step {
	readonly word: string
	readonly kind: 'done' | 'now' | 'later' | 'ended'
	/** When the case came to it. */
	readonly at?: string
}

interface Standing {
	readonly workflow: string
	readonly state: string
	readonly openedAt: string
	readonly endedAt?: string | undefined
	readonly lines: readonly unknown[]
}
/**
 * The way of a case: what did happen by its records, where it stands, and what is to come when all goes well. What did not happen is left out: a
 * delivery that was cancelled never arrived.
 */
export function wayOf({ workflow, state, openedAt, endedAt, lines }: Standing, records: readonly LedgerRecord[]): readonly Step[] {
	const steps = STEPS[workflow] ?? []
	const here = steps.findIndex(([, states]) => states.includes(state))
	if (here < 0) return []
	const moves = records.filter(({ type, data }) => type === 'case.moved' && data.line === undefined)
	const reached = (states: readonly string[]) => moves.find(({ data }) => states.includes(String(data.to)))?.at
	const left = (states: readonly string[]) => moves.some(({ data }) => states.includes(String(data.from)))
	return steps.flatMap(([word, states], i): Step[] => {
		const at = i === 0 ? openedAt : i === here && endedAt !== undefined ? endedAt : reached(states)
		if (i === here) return [{ word, kind: endedAt === undefined ? 'now' : 'ended', ...(at !== undefined && { at }) }]
		if (i < here) return at !== undefined || left(states) ? [{ word, kind: 'done', ...(at !== undefined && { at }) }] : []
		// Only some of several parcels can be here.
		return endedAt !== undefined || (states.includes('arriving') && lines.length < 2) ? [] : [{ word, kind: 'later' }]
	})
}
