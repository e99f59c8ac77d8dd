import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
	activate,
	addStep,
	endVisit,
	interruptAtRestart,
	RESUME_MS,
	resume,
	type Step,
	type StepOutcome,
	settle,
	skip,
	startVisit,
	type Visit,
	type VisitRefused,
} from './index.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
const ANN = { subject: 'ann', credential: 'badge-1', method: 'badge' }

// The same functions as one object, so that a planted bug can stand in for one of them.
const real = { activate, addStep, endVisit, interruptAtRestart, resume, settle, skip }
type Api = typeof real

type Call =
	| { do: 'add'; skippable: boolean; together: boolean; at: 'end' | 'next' }
	| { do: 'activate' | 'skip' | 'settle'; n: number; outcome: StepOutcome }
	| { do: 'end' | 'restart' | 'resume'; n: number }

const OUTCOMES: StepOutcome[] = [
	'committed',
	'committed',
	'committed',
	'denied',
	'not-opened',
	'no-change',
	'ambiguous',
	'interrupted',
	'aborted',
	'failed',
]
const call: fc.Arbitrary<Call> = fc.oneof(
	{
		weight: 4,
		arbitrary: fc.record({ do: fc.constant('add'), skippable: fc.boolean(), together: fc.boolean(), at: fc.constantFrom('end', 'end', 'next') }),
	},
	{
		weight: 12,
		arbitrary: fc.record({ do: fc.constantFrom('activate', 'activate', 'settle', 'skip'), n: fc.nat(20), outcome: fc.constantFrom(...OUTCOMES) }),
	},
	{ weight: 1, arbitrary: fc.record({ do: fc.constantFrom('end', 'restart', 'resume', 'resume', 'resume'), n: fc.nat(20) }) },
)

const must: (held: unknown, law: string, detail?: unknown) => asserts held = (held, law, detail) => {
	if (!held) throw new Error(`law: ${law} ${JSON.stringify(detail ?? '')}`)
}
const ended = (s: Step) => s.state === 'done' || s.state === 'skipped' || s.state === 'failed'

/** What must hold between any visit and the next one, whatever call lay between. */
function laws(before: Visit, after: Visit): void {
	const kept = after.plan.filter((s) => before.plan.some((b) => b.id === s.id)).map((s) => s.id)
	must(JSON.stringify(kept) === JSON.stringify(before.plan.map((s) => s.id)), 'the order of the plan is kept', kept)
	for (const was of before.plan) {
		const is = after.plan.find((s) => s.id === was.id)
		if (ended(was)) must(JSON.stringify(is) === JSON.stringify(was), 'a step ends once', [was, is])
		if (was.state === 'planned' && is?.state === 'active') {
			const earlier = before.plan.slice(0, before.plan.indexOf(was)).filter((s) => s.state === 'planned')
			must(earlier.length === 0, 'doors open in the order of the plan', earlier)
			must(before.state === 'open', 'doors open only for somebody who is there')
		}
	}
	const active = after.plan.flatMap((s, i) => (s.state === 'active' ? [i] : []))
	for (let k = 1; k < active.length; k++) {
		const between = after.plan.slice((active[k - 1] ?? 0) + 1, (active[k] ?? 0) + 1)
		must(
			between.every((s) => s.together),
			'never two active doors unless the table says so',
			between,
		)
	}
	const sessions = after.plan.flatMap((s) => s.doorSessions)
	must(new Set(sessions).size === sessions.length, 'a door session belongs to one step', sessions)
}

/** Lives one visit with a crash after every call: only what was written down goes on. `seen` counts what was met. */
function live(calls: readonly Call[], api: Api, seen: Map<string, number>): void {
	const count = (what: string) => void seen.set(what, (seen.get(what) ?? 0) + 1)
	const rows = new Set<string>()
	let v = startVisit({ id: 'visit', bank: 'bank', ...ANN, startedAt: NOON })
	let now = NOON
	const go = (answer: Visit | VisitRefused): void => {
		if ('refused' in answer) {
			count(`refused ${answer.refused}`)
			return
		}
		const next: Visit = JSON.parse(JSON.stringify(answer))
		assert.deepEqual(next, answer)
		laws(v, next)
		v = next
		count(`visit ${v.state}`)
		for (const s of v.plan) count(`step ${s.state}`)
	}
	for (const [i, c] of calls.entries()) {
		now += ('n' in c && c.do === 'resume' ? 1 + c.n : 1) * 60_000
		go(make(c, i, v, api, rows, now))
		if (c.do !== 'activate') continue
		// The releasing row follows in its own transaction; power may fail in between.
		if (c.n % 4 > 0) rows.add(`ds-${i}`)
		else if (c.n % 8 === 0) go(restart(v, api, rows, now))
		for (const s of v.plan) if (s.outcome === 'interrupted') count('interrupted')
	}
	go(restart(v, api, rows, now))
	go(api.endVisit(v))
	for (const s of v.plan) if (s.state === 'active') go(api.settle(v, s.id, 'not-opened'))
	must(v.plan.every(ended) && v.state === 'ended', 'every step ends', v.plan)
}

function make(c: Call, i: number, v: Visit, api: Api, rows: ReadonlySet<string>, now: number): Visit | VisitRefused {
	const nth = v.plan[('n' in c ? c.n : 0) % Math.max(1, v.plan.length)]?.id ?? 'none'
	const first = (state: Step['state']) => v.plan.find((s) => s.state === state)?.id ?? nth
	switch (c.do) {
		case 'add': {
			const step = { id: `s${i}`, act: 'collect', workflow: 'delivery', caseId: 'case', lineId: `line-${i}` } as const
			return api.addStep(v, { ...step, ...(c.skippable ? { skippable: true } : {}), ...(c.together ? { together: true } : {}) }, c.at)
		}
		case 'activate':
			return api.activate(v, c.n % 3 > 0 ? first('planned') : nth, `ds-${i}`, 'A1')
		case 'settle':
			return api.settle(v, first('active'), c.outcome)
		case 'skip':
			return api.skip(v, nth)
		case 'end':
			return api.endVisit(v)
		case 'restart':
			return restart(v, api, rows, now)
		case 'resume': {
			const back = api.resume(v, ANN, now)
			if (!('refused' in back)) must(now - (v.interruptedAt ?? 0) <= RESUME_MS, 'taken up again within 15 minutes', now)
			return back
		}
	}
}

function restart(v: Visit, api: Api, rows: ReadonlySet<string>, now: number): Visit {
	const active = v.plan.filter((s) => s.state === 'active')
	const cut = api.interruptAtRestart(v, rows, now)
	const lost = active.filter((s) => !rows.has(s.doorSessions.at(-1) ?? ''))
	const told = cut.interrupted.map((i) => i.doorSession)
	must(JSON.stringify(told) === JSON.stringify(lost.map((s) => s.doorSessions.at(-1))), 'each door session without a row is told', told)
	for (const { id } of active) {
		const state = cut.visit.plan.find((s) => s.id === id)?.state
		must(lost.some((s) => s.id === id) ? state !== 'active' : state === 'active', 'only doors with a row stay active', { id, state })
	}
	must(cut.visit.state !== 'open', 'nobody is taken to be there after a restart')
	return cut.visit
}

const RUNS = { seed: 20_260_105, numRuns: 1500 }
const lives = fc.array(call, { maxLength: 40, size: 'max' })

test('with a crash after every call the plan keeps its order, its doors and its ends', () => {
	const seen = new Map<string, number>()
	fc.assert(
		fc.property(lives, (calls) => live(calls, real, seen)),
		RUNS,
	)
	console.log(
		`visits: ${[...seen]
			.sort((a, b) => b[1] - a[1])
			.map(([s, n]) => `${s} ${n}`)
			.join(' · ')}`,
	)
	const wanted = [
		'visit open',
		'visit interrupted',
		'visit ended',
		'interrupted',
		...['planned', 'active', 'done', 'skipped', 'failed'].map((s) => `step ${s}`),
	]
	const refusals = [
		'visit-not-open',
		'unknown-step',
		'step-not-planned',
		'step-not-active',
		'not-its-turn',
		'door-open',
		'not-skippable',
		'not-resumable',
	]
	assert.deepEqual(
		[...wanted, ...refusals.map((r) => `refused ${r}`)].filter((w) => !seen.has(w)),
		[],
	)
})

/** Activates as if the other steps stood differently: how a check that was left out would behave. */
const blind =
	(see: (other: Step) => Step): Api['activate'] =>
	(v, id, doorSession, at) => {
		const done = activate({ ...v, plan: v.plan.map((s) => (s.id === id ? s : see(s))) }, id, doorSession, at)
		return 'refused' in done ? done : { ...v, plan: v.plan.map((s, i) => (s.id === id ? (done.plan[i] ?? s) : s)) }
	}
const seen = (from: Step['state'], as: Step['state']) => (s: Step) => (s.state === from ? { ...s, state: as } : s)

const BUGS: { bug: string; api: Partial<Api>; law: string }[] = [
	{ bug: 'two doors at once', api: { activate: blind(seen('active', 'done')) }, law: 'never two active doors' },
	{ bug: 'a step out of turn', api: { activate: blind(seen('planned', 'skipped')) }, law: 'doors open in the order' },
	{
		bug: 'a restart that forgets',
		api: { interruptAtRestart: (v) => ({ visit: { ...v, state: 'ended' }, interrupted: [] }) },
		law: 'each door session without a row is told',
	},
	{
		bug: 'a restart that gives up doors that were pulsed',
		api: { interruptAtRestart: (v, _rows, now) => interruptAtRestart(v, new Set(), now) },
		law: 'each door session without a row is told',
	},
	{
		bug: 'a restart that takes the person to be there',
		api: {
			interruptAtRestart: (v, rows, now) => ({
				...interruptAtRestart(v, rows, now),
				visit: { ...interruptAtRestart(v, rows, now).visit, state: 'open' },
			}),
		},
		law: 'nobody is taken to be there',
	},
	{
		bug: 'an end that comes twice',
		api: {
			settle: (v, id, outcome) => {
				const r = settle(v, id, outcome)
				return 'refused' in r ? { ...v, plan: v.plan.map((s) => (s.id === id && s.state === 'done' ? { ...s, state: 'failed' } : s)) } : r
			},
		},
		law: 'a step ends once',
	},
	{
		bug: 'a plan that is sorted anew',
		api: {
			addStep: (v, s, at) => {
				const r = addStep(v, s, at)
				return 'refused' in r ? r : { ...r, plan: r.plan.toReversed() }
			},
		},
		law: 'the order of the plan is kept',
	},
	{
		bug: 'a visit taken up again too late',
		api: { resume: (v) => (v.state === 'interrupted' ? { ...v, state: 'open' } : { refused: 'not-resumable', text: '' }) },
		law: 'taken up again within 15 minutes',
	},
	{ bug: 'an end that leaves steps behind', api: { endVisit: (v) => ({ ...v, state: 'ended' }) }, law: 'every step ends' },
]

test('each planted bug of a visit is caught by the law that names it', async (t) => {
	for (const { bug, api, law } of BUGS) {
		await t.test(bug, () => {
			const out = fc.check(
				fc.property(lives, (calls) => live(calls, { ...real, ...api }, new Map())),
				{ ...RUNS, endOnFailure: true },
			)
			assert.ok(out.failed, `${bug} was not caught`)
			assert.ok(String(out.errorInstance).includes(`law: ${law}`), String(out.errorInstance))
		})
	}
	console.log(`planted bugs of visits caught: ${BUGS.length}`)
})
