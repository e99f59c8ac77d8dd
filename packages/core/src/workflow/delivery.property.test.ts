import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonical } from '../base/index.ts'
import { type Case, type CaseStart, type Env, type Input, type Moved, newCase, type Stepped } from './case.ts'
import { deliveryTable } from './delivery.ts'
import { loadTable } from './load.ts'
import { loanTable } from './loan.ts'
import { FINISHED, type MovedEvent, movedData, type Recorded, recordedSteps, replay } from './replay.ts'
import { step } from './step.ts'
import { asList, type Evidence, type LoadedTable, type Table, type Trigger } from './table.ts'

/**
 * Random lives of deliveries against laws that are written without the engine's own functions, and of deliveries and loans as a
 * controller records them, made again on another copy of the case.
 */
const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
function loaded(table: Table): LoadedTable {
	const read = loadTable(JSON.parse(JSON.stringify(table)), sha256)
	assert.ok('table' in read)
	return read.table
}
const DELIVERY = loaded(deliveryTable())
const LOAN = loaded(loanTable())

const PEOPLE = [
	{ subject: 'ann', by: 'user' },
	{ subject: 'bob', by: 'user' },
	{ subject: 'sam', by: 'staff' },
	{ subject: 'cor', by: 'courier' },
] as const

interface Turn {
	readonly pick: number
	readonly who: number
	readonly evidence: Evidence
	readonly where: number
	readonly minutes: number
	readonly recalled: boolean
}
const turn: fc.Arbitrary<Turn> = fc.record({
	pick: fc.nat(9_999),
	who: fc.nat(PEOPLE.length - 1),
	evidence: fc.constantFrom<Evidence[]>(0, 2, 3, 3, 3, 4),
	where: fc.nat(2),
	minutes: fc.constantFrom(0, 1, 90),
	recalled: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
})
const life = fc.record({ lines: fc.constantFrom(1, 1, 2, 3), turns: fc.array(turn, { maxLength: 50, size: 'max' }) })
type Life = typeof life extends fc.Arbitrary<infer L> ? L : never

/** What ends a life early comes seldom, or few parcels would ever be put in. */
const FINAL = ['write-off', 'recall', 'refuse', 'cancel']

/** Something that the present states hear; the person is whoever the dice name. */
function inputFor(table: LoadedTable, of: Case, { pick, who, evidence, where }: Turn): Input | undefined {
	const line = of.lines[pick % of.lines.length]
	const person = PEOPLE[who] ?? PEOPLE[0]
	if (!line) return undefined
	const heard: Trigger[] = [
		...table.line.moves.filter((m) => asList(m.from).includes(line.state)).map((m) => m.on),
		...table.case.moves.filter((m) => asList(m.from).includes(of.state) && !('lines' in m.on)).map((m) => m.on),
	].filter((on) => !('request' in on) || !FINAL.includes(on.request) || pick % 5 === 0)
	const on = heard[(pick >> 2) % Math.max(1, heard.length)]
	if (!on || 'lines' in on || 'link' in on) return undefined
	const compartment = line.compartment ?? `C${where}`
	if ('act' in on)
		return { kind: 'act', act: on.act, line: line.id, ...person, evidence, compartment: on.act === 'deposit' ? `C${where}` : compartment }
	if ('outcome' in on) return { kind: 'outcome', outcome: on.outcome, line: line.id, compartment }
	if ('deadline' in on) return { kind: 'deadline', name: on.deadline }
	const by = on.by[(pick >> 4) % on.by.length] ?? 'user'
	const subject = by === 'system' ? {} : { subject: by === 'user' ? person.subject : by === 'staff' ? 'sam' : 'cor' }
	// Whoever finds it says where.
	if (on.request === 'confirm-inside') return { kind: 'request', name: on.request, by, ...subject, line: line.id, compartment: `C${where}` }
	return { kind: 'request', name: on.request, by, ...subject, ...(pick % 3 > 0 ? { line: line.id } : {}) }
}

interface Taken {
	readonly before: Case
	readonly input: Input
	readonly env: Env
	readonly done: Stepped
}

/** Every accepted step of one life, in order. */
function live(table: LoadedTable, start: CaseStart, { turns }: Life): Taken[] {
	let of = newCase(table, start)
	let now = 1_800_000_000_000
	return turns.flatMap((one): Taken[] => {
		const input = inputFor(table, of, one)
		if (!input) return []
		const due = input.kind === 'deadline' ? of.deadlines[input.name] : undefined
		now = Math.max(now + one.minutes * 60_000, due ?? 0)
		const extended = input.kind === 'request' && input.name === 'extend' && one.pick % 2 ? { due: { 'collect-by': now + 1_000 } } : {}
		const env: Env = { now, bank: 'bank', facts: { ...FINISHED, recalled: one.recalled }, ...extended }
		const done = step(table, of, input, env)
		if ('refused' in done) return []
		const before = of
		of = done.case
		return [{ before, input, env, done }]
	})
}

const parcels = (lines: number): CaseStart => ({
	id: 'case-1',
	owner: 'ann',
	lines: Array.from({ length: lines }, (_, i) => ({ id: `line-${i}`, custodian: 'cor' })),
})
const loans = (lines: number): CaseStart => ({
	id: 'case-1',
	owner: 'ann',
	lines: Array.from({ length: lines }, (_, i) => ({ id: `line-${i}`, asset: `asset-${i}`, compartment: `C${i}`, custodian: 'bank' })),
})

const must = (ok: boolean, law: string, detail: unknown) => assert.ok(ok, `${law}: ${JSON.stringify(detail)}`)
const RUNS = { seed: 20_261_126, numRuns: 2_500 }

/** Each is about one accepted step of a delivery. */
const LAWS: readonly ((taken: Taken) => void)[] = [
	({ before, input, env, done }) => {
		for (const after of done.case.lines) {
			const was = before.lines.find((l) => l.id === after.id)
			const mine = 'line' in input && input.line === after.id ? input : undefined
			const act = mine?.kind === 'act' ? mine : undefined
			const looked = input.kind === 'request' && input.by === 'staff' && input.name.startsWith('confirm')
			const arrived = was?.state !== after.state ? after.state : undefined
			// T19: nobody is told that a parcel is here, or gone, on less than the proof that the table asks for, or a person's look.
			if (arrived === 'deposited' && was?.custodian === 'cor')
				must(looked || (act?.act === 'deposit' && act.evidence >= 3 && act.by !== 'user' && !env.facts.recalled), 'here is proven', {
					was,
					after,
					input,
				})
			if (arrived === 'collected')
				must(looked || (act?.act === 'collect' && act.subject === 'ann' && act.evidence >= 3), 'only the recipient has it', { was, after, input })
			if (arrived === 'pulled') must(act?.by === 'staff' && act.evidence >= 3, 'only staff take it back', { was, after, input })
			if (arrived === 'collecting') must(was?.state === 'deposited' && !env.facts.recalled, 'what is called back is not handed out', { was, after })
			if (arrived === 'expired') must(was?.state === 'deposited' && input.kind === 'deadline', 'only time lets it run out', { was, after, input })
		}
	},
	({ done }) => {
		for (const { state, custodian, compartment } of done.case.lines) {
			const hands =
				{ collected: 'ann', pulled: 'sam' }[state] ?? (['deposited', 'collecting', 'expired', 'recalled'].includes(state) ? 'bank' : custodian)
			must(custodian === hands, 'who answers for it is where it is', { state, custodian })
			must(
				hands !== 'bank' || state === 'missing' || compartment !== undefined || custodian !== 'bank' || state === 'deposited',
				'it lies somewhere',
				{ state },
			)
		}
	},
	({ done }) => {
		const states = done.case.lines.map((l) => l.state)
		const some = (...of: string[]) => states.some((s) => of.includes(s))
		const doubt = some('deposit-in-doubt', 'misplaced', 'deposited-unverified', 'pick-up-in-doubt', 'collected-unverified', 'missing')
		if (DELIVERY.case.end.includes(done.case.state)) {
			must(Object.keys(done.case.deadlines).length === 0, 'an ended order waits for nothing', done.case)
			must(
				states.every((s) => DELIVERY.line.end.includes(s)),
				'an ended order has no parcel left',
				done.case,
			)
			return
		}
		must((done.case.state === 'blocked') === doubt, 'what is in doubt is shown', done.case)
		if (['ready', 'expiring'].includes(done.case.state))
			must(!some('expected', 'not-deposited', 'expired', 'recalled'), 'ready means all of it', states)
		if (some('recalled') && !doubt) must(done.case.state === 'recalled', 'called back is called back', done.case)
	},
]

test('no input breaks a law of a delivery, and every state is visited', () => {
	const seen = new Map<string, number>()
	fc.assert(
		fc.property(life, (one) => {
			for (const taken of live(DELIVERY, parcels(one.lines), one)) {
				for (const law of LAWS) law(taken)
				for (const s of [`case ${taken.done.case.state}`, ...taken.done.case.lines.map((l) => `line ${l.state}`)]) seen.set(s, (seen.get(s) ?? 0) + 1)
			}
		}),
		RUNS,
	)
	const states = [...DELIVERY.case.moves.map((m) => `case ${m.to}`), ...DELIVERY.line.moves.map((m) => `line ${m.to}`)]
	console.log(
		`delivery states visited: ${[...seen]
			.sort((a, b) => b[1] - a[1])
			.map(([s, n]) => `${s} ${n}`)
			.join(' · ')}`,
	)
	assert.deepEqual([...new Set(states)].filter((s) => !seen.has(s)).sort(), [])
})

/** As events, through canonical JSON and back. */
const told = (taken: readonly Taken[]): MovedEvent[] =>
	taken.flatMap(({ done, input, env }) =>
		movedData(done, { input, env }).map((data) => ({ subject: done.case.id, bank: 'bank', data: JSON.parse(canonical(data)) })),
	)

const kinds = [
	{ table: DELIVERY, start: parcels },
	{ table: LOAN, start: loans },
]

test('what a controller recorded, made again on another copy, gives the same case', () => {
	let steps = 0
	for (const { table, start } of kinds) {
		fc.assert(
			fc.property(life, (one) => {
				const taken = live(table, start(one.lines), one)
				const read = recordedSteps(told(taken))
				assert.equal(read.unreadable, undefined)
				assert.equal(read.steps.length, taken.length)
				const last = read.steps.reduce(
					(of, next) => {
						const done = replay(table, of, next)
						assert.ok('applied' in done, JSON.stringify(done))
						steps += 1
						return done.applied.case
					},
					newCase(table, start(one.lines)),
				)
				assert.equal(canonical(last), canonical(taken.at(-1)?.done.case ?? newCase(table, start(one.lines))))
			}),
			{ ...RUNS, numRuns: 500 },
		)
	}
	console.log(`steps made again: ${steps}`)
	assert.ok(steps > 5_000)
})

/** One thing about one move is not as it was. */
const ALTERED: readonly ((move: Moved) => Moved)[] = [
	(m) => ({ ...m, to: m.to === 'collected' ? 'pulled' : 'collected' }),
	(m) => ({ ...m, from: m.from === 'expected' ? 'deposited' : 'expected' }),
	(m) => ({ ...m, version: m.version + 1 }),
	(m) => ({ ...m, version: m.version - 1 }),
	(m) => ({ ...m, tableHash: 'f'.repeat(64) }),
	(m) => ({ ...m, case: 'case-2' }),
	(m) => ({ ...m, line: 'line-9' }),
	({ line, ...m }) => (line === undefined ? { ...m, line: 'line-0' } : m),
]

test('any altered, missing, doubled or swapped move is a conflict, and changes nothing', () => {
	const met = new Map<string, number>()
	fc.assert(
		fc.property(life, fc.nat(9_999), fc.nat(ALTERED.length + 2), ({ lines, turns }, where, how) => {
			const taken = live(DELIVERY, parcels(lines), { lines, turns })
			const at = taken[where % Math.max(1, taken.length)]
			if (!at) return
			const honest: Recorded = { input: at.input, env: at.env, moves: at.done.moves }
			const n = where % honest.moves.length
			const alter = ALTERED[how]
			const moves = alter
				? honest.moves.map((m, i) => (i === n ? alter(m) : m))
				: how === ALTERED.length
					? honest.moves.toSpliced(n, 1)
					: how === ALTERED.length + 1
						? honest.moves.toSpliced(n, 0, honest.moves[n] as Moved)
						: honest.moves.toReversed()
			if (canonical(moves) === canonical(honest.moves)) return
			const before = canonical(at.before)
			const done = replay(DELIVERY, at.before, { ...honest, moves })
			assert.ok('conflict' in done, `taken: ${JSON.stringify(moves)}`)
			assert.equal(canonical(at.before), before)
			met.set(done.conflict, (met.get(done.conflict) ?? 0) + 1)
		}),
		RUNS,
	)
	console.log(`conflicts: ${[...met].map(([why, n]) => `${why} ${n}`).join(' · ')}`)
	for (const why of ['known', 'gap', 'other-case', 'other-table', 'other-moves']) assert.ok(met.has(why), `never met: ${why}`)
})

test('an act that the table refuses from here is a conflict with its reason: the bank handed over what was called back', () => {
	const row = newCase(DELIVERY, parcels(1))
	const act = { kind: 'act', act: 'deposit', line: 'line-0', by: 'staff', subject: 'sam', evidence: 3, compartment: 'C1' } as const
	const env: Env = { now: 1_800_000_000_000, bank: 'bank', facts: FINISHED }
	const here = step(DELIVERY, row, act, env)
	const called = step(DELIVERY, row, { kind: 'request', name: 'recall', by: 'system' }, env)
	assert.ok('case' in here && 'case' in called)
	const theirs = { ...called.case, version: 1 }
	const done = replay(DELIVERY, theirs, { input: act, env, moves: here.moves })
	assert.ok('conflict' in done && done.conflict === 'refused' && done.text.startsWith('not-possible'), JSON.stringify(done))
})

test('events that no controller writes are named by their place', () => {
	const [taken] = live(DELIVERY, parcels(1), { lines: 1, turns: Array.from({ length: 5 }, (_, pick) => turnOf(pick)) })
	assert.ok(taken)
	const [first] = told([taken])
	assert.ok(first)
	const { step: _lost, ...bare } = first.data as Record<string, unknown>
	assert.deepEqual(recordedSteps([{ ...first, data: bare }]), { steps: [], unreadable: 0 })
	assert.equal(recordedSteps([first, { ...first, data: { ...bare, more: 1 } }]).unreadable, 1)
})

const turnOf = (pick: number): Turn => ({ pick, who: 3, evidence: 3, where: 0, minutes: 1, recalled: false })
