import type { AccessAction, Assurance, Bundle, CompiledBundle, Method, PolicyEngine, PolicySet } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { DenyReason } from '@latchwork/core/wire'
import type { Proof } from '../people/index.ts'
import type { AsIfBank, Behind } from './as-if.ts'
import { AT_THE_DOOR, asksOf, FROM_AFAR, type Like, type Way } from './kinds.ts'
import { ask, type Outcome, outcomeOf, pause, type Question, standingAt, using } from './what-if.ts'

/** Typed, which is worth less than shown as a picture. */
const BY_PICK_UP_CODE: readonly Way[] = AT_THE_DOOR.filter(({ method }) => method === 'code')

const LEVELS: readonly Assurance[] = ['low', 'medium', 'high']
const atMost = (one: Assurance, most: Assurance | undefined) => most !== undefined && LEVELS.indexOf(one) <= LEVELS.indexOf(most)

/** In which of the ways somebody with these proofs can be known at `now`. */
function waysOf(proofs: readonly Proof[], now: number): Way[] {
	const live = proofs.filter(({ from, until }) => (from ?? now) <= now && now < (until ?? Number.POSITIVE_INFINITY))
	const best = (kind: Proof['kind']) =>
		live
			.filter((one) => one.kind === kind)
			.map(({ assurance }) => assurance)
			.sort((a, b) => LEVELS.indexOf(b) - LEVELS.indexOf(a))[0]
	const [badge, pin, code] = [best('badge'), best('pin'), best('code')]
	const most: Partial<Record<Method, Assurance>> = {
		...(badge && { badge }),
		...(pin && { pin }),
		...(code && { code }),
		...(badge && pin && { 'badge-and-pin': badge === 'low' ? ('medium' as const) : ('high' as const) }),
	}
	return AT_THE_DOOR.filter(({ method, assurance }) => atMost(assurance, most[method]))
}

/** Does that wait for them? */
export const waitsFor = (behind: Behind | undefined, subject: string): boolean =>
	behind?.kind === 'parcel' && behind.task === 'pick-up' && behind.owner === subject

/** Somebody whom the bank knows. */
export interface PersonOpener {
	readonly kind: 'person'
	readonly user: Id<'subject'>
	/** `collect`: takes out what is there; `deposit`: puts something in. */
	readonly action: AccessAction
	/** The least that is asked of them, of what they can show. */
	readonly method: Method
	readonly rules: readonly string[]
}
/** Whoever has the pick-up code: nobody asks who that is. */
export interface CodeOpener {
	readonly kind: 'code'
	readonly code: Id<'credential'>
	readonly case: Id<'case'>
	readonly for: 'recipient' | 'delegate'
	/** Masked, as far as something was said. */
	readonly hint?: string
	readonly until: number
	readonly rules: readonly string[]
}
export type Opener = PersonOpener | CodeOpener

type Act = Pick<Question, 'action' | 'resource' | 'workflow' | 'own' | 'intoEmpty'> & { readonly by: readonly Way[] }

/**
 * Who can open a compartment now: everybody whom the bank would let, with the least that does of what they can show, to what can be done at that door as things are;
 * and every pick-up code that opens it.
 */
export async function openersOfDoor(
	engine: PolicyEngine,
	at: AsIfBank,
	sets: readonly PolicySet[],
	compartment: Id<'compartment'>,
	now: number,
): Promise<Opener[]> {
	const behind = at.behind.get(compartment)
	return using(engine, at.bundle(sets), async (compiled) => {
		const found: Opener[] = [...codesAt(compiled, at, behind, compartment, now)]
		const named = new Set(sets.flatMap(({ cedar }) => [...cedar.matchAll(/\bPerson::"([^"]*)"/g)].map((match) => match[1] ?? '')))
		/** Answers by kind of person: among tens of thousands there are few kinds. */
		const known = new Map<string, readonly Omit<PersonOpener, 'user'>[]>()
		let asked = 0
		for (const { id, groups, blocked, maxLoans, qualifications, approvals } of compiled.bundle.subjects) {
			const ways = waysOf(at.proofs.get(id) ?? [], now)
			const afar = at.afar.has(id)
			if (ways.length === 0 && !afar) continue
			const back = behind?.kind === 'empty' ? behind.takesBack.get(id) : undefined
			const alone = named.has(id) || waitsFor(behind, id) || back !== undefined
			const kind = JSON.stringify([
				alone && id,
				[...groups].sort(),
				blocked,
				maxLoans,
				qualifications,
				approvals,
				at.loans.get(id) ?? 0,
				at.overdue.has(id),
				ways,
				afar,
			])
			let mine = known.get(kind)
			if (!mine) {
				const acts = actsAt(compiled.bundle, behind, { id, compartment, back, ways, afar })
				const base = standingAt(at, id, now)
				const allowed = new Map<AccessAction, Omit<PersonOpener, 'user'>>()
				for (const { by, ...act } of acts)
					for (const way of by) {
						if (allowed.has(act.action)) break
						await pause(asked++)
						const { effect, decision } = ask(compiled, { ...base, ...act, ...way })
						if (effect === 'allow') allowed.set(act.action, { kind: 'person', action: act.action, method: way.method, rules: decision.rules })
					}
				mine = [...allowed.values()]
				known.set(kind, mine)
			}
			found.push(...mine.map((one) => ({ ...one, user: id })))
		}
		return found
	})
}

/** What somebody could want at this door, as things are. A door that is shut to everybody there opens to a command alone. */
function actsAt(
	{ assets }: Bundle,
	behind: Behind | undefined,
	{
		id,
		compartment,
		back,
		ways,
		afar,
	}: {
		readonly id: Id<'subject'>
		readonly compartment: Id<'compartment'>
		readonly back: Id<'asset'> | undefined
		readonly ways: readonly Way[]
		readonly afar: boolean
	},
): Act[] {
	const door = { kind: 'compartment', id: compartment } as const
	const acts: Act[] = []
	if (behind?.kind === 'asset' && assets.some((one) => one.id === behind.asset))
		acts.push({ action: 'collect', resource: { kind: 'asset', id: behind.asset }, workflow: 'loan', by: ways })
	if (waitsFor(behind, id) && behind?.kind === 'parcel')
		acts.push({ action: 'collect', resource: door, workflow: behind.workflow, own: true, by: withoutCode(ways) })
	if (behind?.kind === 'parcel' && behind.task === 'pull') acts.push({ action: 'collect', resource: door, workflow: behind.workflow, by: ways })
	if (back) acts.push({ action: 'deposit', resource: { kind: 'asset', id: back }, workflow: 'loan', intoEmpty: true, by: ways })
	if (behind?.kind === 'empty')
		acts.push(...behind.expects.map((workflow) => ({ action: 'deposit' as const, resource: door, workflow, intoEmpty: true, by: ways })))
	if (afar) acts.push({ action: 'open-remote', resource: door, workflow: 'none', by: FROM_AFAR })
	return acts
}

/** A one-time code tells who somebody is, and is yet not the code of what waits for them. */
const withoutCode = (ways: readonly Way[]): Way[] => ways.filter(({ method }) => method !== 'code')

function* codesAt(
	compiled: CompiledBundle,
	at: AsIfBank,
	behind: Behind | undefined,
	compartment: Id<'compartment'>,
	now: number,
): Generator<CodeOpener> {
	if (behind?.kind !== 'parcel' || behind.task !== 'pick-up' || !behind.owner) return
	const { owner, workflow, hint } = behind
	const base = standingAt(at, owner, now)
	const resource = { kind: 'compartment', id: compartment } as const
	for (const { id, case: of, until, delegate } of at.codes) {
		if (of !== behind.case || now >= until) continue
		const answers = BY_PICK_UP_CODE.map((way) => ask(compiled, { ...base, action: 'collect', resource, workflow, own: true, ...way }))
		const allowed = answers.find(({ effect }) => effect === 'allow')
		if (!allowed) continue
		const said = delegate ?? hint
		yield {
			kind: 'code',
			code: id,
			case: of,
			for: delegate === undefined ? 'recipient' : 'delegate',
			...(said !== undefined && { hint: said }),
			until,
			rules: allowed.decision.rules,
		}
	}
}

export interface Reach {
	readonly bank: Id<'bank'>
	readonly action: AccessAction
	/** Code of an asset type; absent: compartments of the bank. */
	readonly type?: string
	/** What waits there for this person. */
	readonly own?: true
	/** Numbers of the doors that this is about, where it is not about all of them alike. */
	readonly doors?: readonly number[]
	/** Tags of the things that this is about, where it is not about all of that type. */
	readonly tags?: readonly string[]
	readonly effect: 'allow' | 'deny'
	readonly reason?: DenyReason
	/** The least that it takes where it is allowed, of what they can show. */
	readonly method?: Method
	/** What it would be allowed with and they do not have; `remote`: the permission to open doors there from afar. */
	readonly missing?: Method
	readonly outcome: Outcome
}

/** What one person can do at a bank now. */
export const reachAt = (engine: PolicyEngine, at: AsIfBank, sets: readonly PolicySet[], subject: Id<'subject'>, now: number): Promise<Reach[]> =>
	using(engine, at.bundle(sets), (compiled) => {
		const { bundle } = compiled
		const base = standingAt(at, subject, now)
		const held = waysOf(at.proofs.get(subject) ?? [], now)
		const afar = at.afar.has(subject) ? FROM_AFAR : []
		const answer = (what: Pick<Question, 'action' | 'resource' | 'workflow' | 'own'>, ways: readonly Way[], all: readonly Way[]): Said['answer'] => {
			const by = (list: readonly Way[]) =>
				list.map((way) => ({ method: way.method, outcome: outcomeOf(compiled, { ...base, ...what, ...way }, false) }))
			const tried = by(ways)
			const best = tried.find(({ outcome }) => outcome.effect === 'allow')
			if (best) return { effect: 'allow', ...best }
			const others = by(all.filter(({ method }) => !ways.some((way) => way.method === method)))
			const lacking = others.find(({ outcome }) => outcome.effect === 'allow')
			const { reason, ...outcome } = (tried[0] ?? lacking ?? others[0])?.outcome ?? { rules: [], instead: [] }
			return {
				effect: 'deny',
				...(reason && { reason }),
				...(lacking && { missing: lacking.method }),
				outcome: { ...outcome, ...(reason && { reason }), effect: 'deny' },
			}
		}
		const wants = asksOf(bundle).map(({ type, like, ...what }): Said => {
			const said = what.action === 'open-remote' ? answer(what, afar, FROM_AFAR) : answer(what, held, AT_THE_DOOR)
			return { what: { action: what.action, ...(type !== undefined && { type }) }, like, answer: said }
		})
		const own = bundle.bank.compartments.flatMap(({ id, number }): Said[] => {
			const behind = at.behind.get(id)
			if (behind?.kind !== 'parcel' || !waitsFor(behind, subject)) return []
			const byCode = at.codes.some((one) => one.case === behind.case && one.delegate === undefined && now < one.until) ? BY_PICK_UP_CODE : []
			const resource = { kind: 'compartment', id } as const
			const said = answer(
				{ action: 'collect', resource, workflow: behind.workflow, own: true },
				[...withoutCode(held), ...byCode],
				withoutCode(AT_THE_DOOR),
			)
			return [{ what: { action: 'collect', own: true }, like: { doors: [number] }, answer: said }]
		})
		return alike([...wants, ...own]).map(({ what, like, answer }) => ({ bank: at.bank, ...what, ...like, ...answer }))
	})

interface Said {
	readonly what: Pick<Reach, 'action' | 'type' | 'own'>
	readonly like: Like
	readonly answer: Pick<Reach, 'effect' | 'reason' | 'method' | 'missing' | 'outcome'>
}

/** Doors and things that get the same answer are one row, and where all do it names none of them, unless it is about what waits there. */
function alike(all: readonly Said[]): Said[] {
	const rows = new Map<string, Said>()
	const answers = new Map<string, number>()
	for (const { what, like, answer } of all) {
		const key = JSON.stringify([what, answer])
		const before = rows.get(key)
		if (!before) answers.set(JSON.stringify(what), (answers.get(JSON.stringify(what)) ?? 0) + 1)
		const join = <T>(a: readonly T[] | undefined, b: readonly T[] | undefined) => [...(a ?? []), ...(b ?? [])]
		rows.set(key, {
			what,
			like: {
				...(like.doors && { doors: join(before?.like.doors, like.doors) }),
				...(like.tags && { tags: join(before?.like.tags, like.tags) }),
			},
			answer,
		})
	}
	return [...rows.values()].map((row) => (answers.get(JSON.stringify(row.what)) === 1 && !row.what.own ? { ...row, like: {} } : row))
}
