import { POLICY_SCHEMA, type PolicyEngine, type PolicySet } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { AsIfBank, Names } from './as-if.ts'
import { type Ask, asksOf, BADGE, kindsOf, waysThatMatter } from './kinds.ts'
import { ask, pause, using } from './what-if.ts'

/** Why a text cannot be published: where, what, and what was meant, as far as that can be guessed. */
export interface Problem {
	/** Both counted from 1. */
	readonly line: number
	readonly column: number
	readonly text: string
}

/** What brings one of these about is done only when whoever does it says that it is meant so. */
export const isGrave = ({ code }: Warning): boolean => code === 'denies-everybody' || code === 'opens-everything'

/** What somebody should see before they publish a text, bring one back or take one away; it can be done all the same. */
export interface Warning {
	readonly code: 'denies-everybody' | 'opens-everything' | 'never-applies' | 'unknown-name'
	readonly text: string
	readonly line?: number
	readonly bank?: Id<'bank'>
	/** A name that there is and that looks like the one that there is not. */
	readonly suggestion?: string
}

/** The engine that banks decide with: what it refuses here would leave every bank without a bundle. Undefined: nothing is wrong. */
export function problemOf(engine: PolicyEngine, { id, cedar }: Pick<PolicySet, 'id' | 'cedar'>): Problem | undefined {
	const answer = engine.load({ schema: POLICY_SCHEMA, sets: [{ id, cedar }], exists: () => true })
	if (!answer.ok) return { line: answer.line, column: answer.column, text: meantBy(answer.text) }
	answer.loaded.release()
	return undefined
}

/** What a policy can ask of the circumstances. */
const ASKED = [...(/type Circumstances = \{(.*?)\n {2}\}/s.exec(POLICY_SCHEMA)?.[1] ?? '').matchAll(/^\s*(\w+): /gm)].map((match) => match[1] ?? '')
const OF_TIME = /hour|minute|time|clock|day|date|week|month|night|now/i

/** The engine names the word that has most letters in common with one that there is not, however few: for `hour` that is `method`. */
function meantBy(text: string): string {
	const name = /^attribute `([^`]*)` in context for /.exec(text)?.[1]
	if (name === undefined) return text
	const like = nearest(name, ASKED)
	const instead =
		like !== undefined
			? `Is context.${like} meant?`
			: OF_TIME.test(name)
				? 'Is context.minuteOfDay (minutes since midnight at the site: 480 is 08:00), context.weekday (1 is Monday) or context.withinHours (the opening hours) meant?'
				: `There are ${ASKED.join(', ')}.`
	return `A policy cannot ask for context.${name}. ${instead}`
}

const KINDS = { Group: 'groups', AssetType: 'assetTypes' } as const
const SPOKEN = { Group: 'group', AssetType: 'asset type', schedule: 'schedule' } as const

/** Groups, asset types and schedules that a text names and that there are not: such a rule is never met, and says so nowhere. */
function unknownNames(cedar: string, names: Names): Warning[] {
	const text = cedar.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (all, string: string | undefined) => string ?? ' '.repeat(all.length))
	const named = [
		...[...text.matchAll(/\bLatchwork::(Group|AssetType)::"([^"]*)"/g)].map((match) => ({
			at: match.index,
			kind: match[1] as keyof typeof KINDS,
			name: match[2] ?? '',
			known: names[KINDS[match[1] as keyof typeof KINDS]],
		})),
		...[...text.matchAll(/\bopenSchedules\s*\.\s*contains\s*\(\s*"([^"]*)"/g)].map((match) => ({
			at: match.index,
			kind: 'schedule' as const,
			name: match[1] ?? '',
			known: names.schedules,
		})),
	]
	return named
		.filter(({ name, known }) => !known.includes(name))
		.map(({ at, kind, name, known }): Warning => {
			const like = nearest(name, known)
			return {
				code: 'unknown-name',
				line: text.slice(0, at).split('\n').length,
				text: `There is no ${SPOKEN[kind]} ${name}.${like === undefined ? '' : ` Is ${like} meant?`}`,
				...(like !== undefined && { suggestion: like }),
			}
		})
}

/** The known name that takes the fewest letters to reach, if they are few. */
function nearest(name: string, known: readonly string[]): string | undefined {
	const [best] = known.map((one) => ({ one, far: distance(name.toLowerCase(), one.toLowerCase()) })).sort((a, b) => a.far - b.far)
	return best && best.far <= Math.max(2, Math.floor(name.length / 3)) ? best.one : undefined
}

/** Letters to put in, take out or change (Levenshtein). */
function distance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i)
	for (let i = 1; i <= a.length; i++) {
		const next = [i]
		for (let j = 1; j <= b.length; j++)
			next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)))
		row = next
	}
	return row[b.length] ?? 0
}

const HOUR = 3_600_000
/** With longer steps a time of the day could be missed on all days. */
const MOST_STEP_HOURS = 5
/** Where no rule speaks of time, one hour is like another. */
const TIMED = /\b(minuteOfDay|weekday|withinHours|openSchedules)\b/
/** Decided at all banks together before the search is given up, which takes a few seconds; what was not found by then is not warned of. */
const MOST_ASKED = 20_000

/** What would decide in the place of a policy that may be in force: another text of it, or nothing of it at all. */
export interface Instead {
	/** Code of the policy. */
	readonly id: string
	readonly draft: PolicySet | undefined
	/** What is in force now, this policy among it. */
	readonly others: readonly PolicySet[]
}

/** What that would do, tried out on the people and things that there are, over the coming week. */
export async function warningsOf(
	engine: PolicyEngine,
	{ id, draft, others }: Instead,
	banks: readonly AsIfBank[],
	names: Names,
	now: number,
): Promise<Warning[]> {
	const cedar = draft?.cedar ?? ''
	const warnings = unknownNames(cedar, names)
	const named = new Set([...cedar.matchAll(/\bLatchwork::Person::"([^"]*)"/g)].map((match) => match[1] ?? ''))
	const unmet = new Map<string, number>()
	const met = new Set<string>()
	const kept = others.filter((one) => one.id !== id)
	// Half of it is for what is in force now.
	const share = MOST_ASKED / 2 / Math.max(1, banks.length)
	for (const at of banks) {
		const after = await tried(engine, at, draft ? [...kept, draft] : kept, named, now, id, share)
		for (const [rule, line] of after.rules) unmet.set(rule, line)
		for (const rule of after.met) met.add(rule)
		// Of a search that was given up nothing is known.
		if (after.givenUp) for (const [rule] of after.rules) met.add(rule)
		const mayBeDenied = after.denied.size > 0 && !after.givenUp
		if (!after.everything && !mayBeDenied) continue
		const before = await tried(engine, at, others, named, now, id, share)
		// A text that opens everything is warned of also where another one does so already; what is taken away opens nothing that stood open before.
		if (after.everything && (draft || !before.everything))
			warnings.push({
				code: 'opens-everything',
				bank: at.bank,
				text: `${at.name}: somebody who belongs to no group at all could take everything, with a badge that can be copied.`,
			})
		const lost = mayBeDenied ? [...after.denied].filter((what) => !before.denied.has(what)) : []
		if (lost.length > 0)
			warnings.push({
				code: 'denies-everybody',
				bank: at.bank,
				text: `${at.name}: nobody could take ${after.nothing ? 'anything' : lost.join(', ')} any more, at no time of the coming week.`,
			})
	}
	if (banks.length > 0)
		for (const [rule, line] of unmet)
			if (!met.has(rule))
				warnings.push({
					code: 'never-applies',
					line,
					text: `The rule ${rule.slice(id.length + 1)} allows nobody anything: it is about nobody who is here and nothing that is here, or another rule always forbids it.`,
				})
	return warnings
}

interface Tried {
	/** What nobody could take out: things by their type, and parcels. */
	readonly denied: ReadonlySet<string>
	/** None of what there is. */
	readonly nothing: boolean
	/** Somebody in no group could take everything. */
	readonly everything: boolean
	/** Permits of the draft with their lines, and those that ever allowed something. */
	readonly rules: ReadonlyMap<string, number>
	readonly met: ReadonlySet<string>
	readonly givenUp: boolean
}

/** What is taken out without being a thing of some type. */
const PARCELS = 'parcels'

/** Nobody: in no group, known to no rule. */
const STRANGER = 'sub_00000000-0000-7000-8000-000000000000' as Id<'subject'>

function tried(
	engine: PolicyEngine,
	at: AsIfBank,
	sets: readonly PolicySet[],
	named: ReadonlySet<string>,
	now: number,
	draft: string,
	/** How many decisions may be asked for. */
	share: number,
): Promise<Tried> {
	const bundle = at.bundle(sets)
	const [any] = bundle.subjects
	const stranger = { id: STRANGER, groups: [], commitment: any?.commitment ?? '0'.repeat(64) }
	return using(engine, { ...bundle, subjects: [...bundle.subjects, stranger] }, async (compiled) => {
		const rules = new Map(
			compiled.loaded.policies
				.filter(({ id, effect }) => effect === 'permit' && id.startsWith(`${draft}/`))
				.map(({ id, line }) => [id, line] as const),
		)
		const wants = asksOf(bundle)
		// Beside what people want there is what a rule may speak of: service, bringing a thing, and the bank itself.
		const asks = [
			...wants,
			...wants.filter(({ action }) => action === 'open-remote').map((one) => ({ ...one, action: 'service' as const })),
			...wants.filter(({ resource }) => resource.kind === 'asset').map(({ type: _, ...one }) => ({ ...one, action: 'deposit' as const })),
			...(['collect', 'deposit'] as const).map((action): Ask => ({ action, resource: { kind: 'bank' }, workflow: 'loan', like: {} })),
		].map(({ like: _, ...one }: Ask) => ({ ...one, by: waysThatMatter(bundle, one) }))
		const met = new Set<string>()
		let asked = 0
		const takes = wants.filter(({ action }) => action === 'collect')
		const wanted = new Set(takes.map(({ type }) => type ?? PARCELS))
		const taken = new Set<string>()
		const found = (givenUp: boolean): Tried => {
			const denied = new Set([...wanted].filter((what) => !taken.has(what)))
			return { denied, nothing: taken.size === 0, everything, rules, met, givenUp }
		}
		const free = ({ like: _, type: __, ...what }: Ask) =>
			ask(compiled, { ...what, ...BADGE, subject: STRANGER, offline: false, storageLevel: at.storageLevel, now, openLoans: 0, overdue: false })
				.effect === 'allow'
		const stolen = new Set(takes.filter(free).map(({ type }) => type ?? PARCELS))
		const everything = takes.some(({ type }) => type !== undefined) && stolen.size === wanted.size
		const kinds = kindsOf(compiled, named)
		const hours = sets.some(({ cedar }) => TIMED.test(cedar)) ? 7 * 24 : 1
		// Where there are many kinds of people and things, fewer moments of the week are looked at.
		const step = Math.max(1, Math.ceil((hours * kinds.length * asks.reduce((sum, { by }) => sum + by.length, 0)) / share))
		if (step > MOST_STEP_HOURS) return found(true)
		for (let hour = 0; hour < hours; hour += step)
			for (const subject of kinds)
				for (const { by, type, ...what } of asks)
					for (const way of by) {
						if (taken.size === wanted.size && met.size === rules.size) return found(false)
						await pause(asked++)
						const answer = ask(compiled, {
							...what,
							...way,
							subject,
							offline: false,
							storageLevel: at.storageLevel,
							now: now + hour * HOUR,
							openLoans: 0,
							overdue: false,
						})
						if (answer.effect === 'deny') continue
						if (what.action === 'collect' && what.resource.kind !== 'bank' && subject !== STRANGER) taken.add(type ?? PARCELS)
						for (const rule of answer.decision.rules) if (rules.has(rule)) met.add(rule)
					}
		return found(false)
	})
}
