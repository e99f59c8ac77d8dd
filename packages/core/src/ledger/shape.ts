import { canonical, isId } from '../base/index.ts'
import { EVENT_TYPES } from './event.ts'

export const EDGE_TYPES: ReadonlySet<unknown> = new Set(EVENT_TYPES)
const ACTORS: ReadonlySet<unknown> = new Set(['edge', 'staff', 'server'])
const REQUIRED = ['at', 'bank', 'bundle', 'clock', 'data', 'mono', 'offline', 'prev', 'seq', 'stream', 'subject', 'type', 'v']
const HASH = /^[0-9a-f]{64}$/

const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0

/** Each field and what it must be; hand-written, because a verifier checks millions of these. */
const RULES: Readonly<Record<string, (value: unknown) => boolean>> = {
	v: (value) => value === 1,
	stream: (value) => isId('stream', value),
	seq: (value) => count(value) && value !== 0,
	prev: (value) => typeof value === 'string' && HASH.test(value),
	type: (value) => EDGE_TYPES.has(value),
	subject: (value) => typeof value === 'string' && value.length > 0 && value.length <= 200,
	actor: (value) => ACTORS.has(value) || isId('subject', value),
	bank: (value) => isId('bank', value),
	at: count,
	mono: count,
	clock: (value) => value === 'good' || value === 'uncertain',
	bundle: count,
	offline: (value) => typeof value === 'boolean',
	data: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
}

/** What keeps `value` from being a stream event, in words; undefined when it is one. Canonical JSON inside `data` is checked by writing it. */
export function shapeFault(value: unknown): string | undefined {
	if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'it is not an object'
	const event = value as Record<string, unknown>
	for (const field of REQUIRED) if (event[field] === undefined) return `it has no ${field}`
	for (const field of Object.keys(event)) {
		const rule = Object.hasOwn(RULES, field) ? RULES[field] : undefined
		if (!rule) return `it has an unknown field ${canonical(field).slice(0, 60)}`
		if (!rule(event[field])) return `its ${field} is not allowed`
	}
	return undefined
}
