import type { AccessAction, Assurance, Bundle, CompiledBundle, Method } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { Question } from './what-if.ts'

/** One way to be known at a bank. */
export interface Way {
	readonly method: Method
	readonly assurance: Assurance
}
export const BADGE: Way = { method: 'badge', assurance: 'low' }
/** The least first. What a badge is worth depends on the reader that takes it (core/access credential.ts). */
export const AT_THE_DOOR: readonly Way[] = [
	BADGE,
	{ method: 'badge', assurance: 'medium' },
	{ method: 'badge', assurance: 'high' },
	{ method: 'pin', assurance: 'medium' },
	{ method: 'code', assurance: 'low' },
	{ method: 'code', assurance: 'medium' },
	{ method: 'badge-and-pin', assurance: 'medium' },
	{ method: 'badge-and-pin', assurance: 'high' },
]
export const FROM_AFAR: readonly Way[] = [{ method: 'remote', assurance: 'high' }]
/** Ways that could matter to policies that ask, or do not ask, how somebody is known. Whether anybody has a badge is another matter. */
export function waysThatMatter({ policies }: Bundle, { action }: Pick<Ask, 'action'>): readonly Way[] {
	if (action === 'open-remote') return FROM_AFAR
	const asks = (word: RegExp) => policies.sets.some(({ cedar }) => word.test(cedar))
	if (asks(/\bassurance/)) return AT_THE_DOOR
	return asks(/\bmethod\b/) ? AT_THE_DOOR.filter(({ method }, i, all) => all.findIndex((one) => one.method === method) === i) : [BADGE]
}

/** What else is decided like this: numbers of doors, or tags of things. */
export interface Like {
	readonly doors?: readonly number[]
	readonly tags?: readonly string[]
}

export type Ask = Pick<Question, 'action' | 'resource' | 'workflow'> & {
	readonly type?: string
	/** All that this one stands for. */
	readonly like: Like
}

/** One question for each kind of thing that can be wanted at the bank, as far as its policies can tell kinds apart. */
export function asksOf(bundle: Bundle): Ask[] {
	const things = kindsBy(bundle.assets, ({ id, type }) => [type, named(bundle, id) && id])
	const doors = kindsBy(bundle.bank.compartments, doorKind(bundle))
	const atDoors = (action: AccessAction, workflow: string) =>
		doors.map(
			([one, all]): Ask => ({
				action,
				resource: { kind: 'compartment', id: one.id },
				workflow,
				like: { doors: all.map(({ number }) => number) },
			}),
		)
	return [
		...things.map(
			([{ id, type }, all]): Ask => ({
				action: 'collect',
				resource: { kind: 'asset', id },
				workflow: 'loan',
				type,
				like: { tags: all.map(({ tag }) => tag) },
			}),
		),
		...atDoors('deposit', 'delivery'),
		...atDoors('collect', 'delivery'),
		...atDoors('open-remote', 'none'),
	]
}

function kindsBy<T>(all: readonly T[], kind: (one: T) => unknown): (readonly [T, readonly T[]])[] {
	return [...Map.groupBy(all, (one) => JSON.stringify(kind(one))).values()].flatMap((same) =>
		same[0] === undefined ? [] : [[same[0], same] as const],
	)
}

const named = ({ policies }: Bundle, id: string): boolean => policies.sets.some(({ cedar }) => cedar.includes(id))

/** What policies of this bank can tell a compartment from another one by. */
function doorKind(bundle: Bundle): (of: Bundle['bank']['compartments'][number]) => unknown {
	const texts = bundle.policies.sets.map(({ cedar }) => cedar)
	const mentions = (word: RegExp) => texts.some((text) => word.test(text))
	const [bySize, byAccess] = [mentions(/\bsize\b/), mentions(/\baccessible\b/)]
	const limits = texts.map(limitsOf)
	const byNumber = limits.some((each) => each === 'each')
	const steps = limits.flatMap((each) => (each === 'each' ? [] : each))
	return ({ id, number, size, accessible }) => [
		named(bundle, id) && id,
		bySize && size,
		byAccess && accessible,
		byNumber ? number : steps.map((step) => Math.sign(number - step)),
	]
}

const COMPARED = '(?:==|!=|<=?|>=?)'
const COMPARISON = new RegExp(
	String.raw`\bresource\.number\s*${COMPARED}\s*(\d+)(?!\d)(?!\s*[-+*])|(?<![-+*\d]\s*)\b(\d+)\s*${COMPARED}\s*resource\.number\b(?!\s*[-+*])`,
	'g',
)
/** The numbers of doors that a text compares with; `each`: it does something else with them, and any two doors may differ. */
function limitsOf(cedar: string): readonly number[] | 'each' {
	if (!/\bnumber\b/.test(cedar)) return []
	const text = cedar.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (_, string: string | undefined) =>
		string === '"number"' ? string : string ? '""' : '',
	)
	const compared = [...text.matchAll(COMPARISON)]
	if ([...text.matchAll(/\bnumber\b/g)].length > compared.length) return 'each'
	return compared.map((match) => Number(match[1] ?? match[2]))
}

/** People who belong to the same groups and have the same qualifications and approvals are decided alike, unless a rule names one of them: one for each kind, those that rules name first. */
export function kindsOf(compiled: CompiledBundle, named: ReadonlySet<string>): Id<'subject'>[] {
	const kinds = new Map<string, Id<'subject'>>()
	for (const { id, groups, blocked, qualifications, approvals } of compiled.bundle.subjects) {
		if (blocked) continue
		const kind = named.has(id) ? id : JSON.stringify([[...groups].sort(), qualifications, approvals])
		if (!kinds.has(kind)) kinds.set(kind, id)
	}
	return [...kinds.values()]
}
