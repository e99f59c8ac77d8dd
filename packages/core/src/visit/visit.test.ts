import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	activate,
	addStep,
	endVisit,
	interruptAtRestart,
	nextStep,
	type PlannedStep,
	RESUME_MS,
	resumable,
	resume,
	settle,
	skip,
	startVisit,
	type Visit,
	type VisitRefused,
} from './index.ts'

const NOON = Date.UTC(2026, 0, 5, 12)
const ANN = { subject: 'ann', credential: 'badge-1', method: 'badge' }
const begin = (): Visit => startVisit({ id: 'visit', bank: 'bank', ...ANN, startedAt: NOON })
const bag = (id: string, more: Partial<PlannedStep> = {}): PlannedStep => ({
	id,
	act: 'collect',
	workflow: 'delivery',
	caseId: 'case',
	lineId: `line-${id}`,
	...more,
})
const ok = (answer: Visit | VisitRefused): Visit => ('refused' in answer ? assert.fail(answer.text) : answer)
const refusal = (answer: Visit | VisitRefused) => ('refused' in answer ? answer.refused : `accepted: ${states(answer)}`)
const plan = (...steps: PlannedStep[]): Visit => steps.reduce((v, step) => ok(addStep(v, step)), begin())
const states = (visit: Visit) => visit.plan.map((s) => `${s.id} ${s.state}`).join(', ')

test('three bags: one code, door by door, one may be skipped', () => {
	let v = plan(bag('a'), bag('b', { skippable: true }), bag('c'))
	v = ok(activate(v, 'a', 'ds-1', 'A1'))
	assert.equal(nextStep(v), undefined)
	assert.equal(refusal(activate(v, 'b', 'ds-2', 'A2')), 'door-open')
	v = ok(settle(v, 'a', 'committed'))
	assert.equal(nextStep(v)?.id, 'b')
	assert.equal(refusal(activate(v, 'c', 'ds-2', 'A3')), 'not-its-turn')
	assert.equal(refusal(skip(v, 'c')), 'not-skippable')
	v = ok(skip(v, 'b'))
	v = ok(settle(ok(activate(v, 'c', 'ds-2', 'A3')), 'c', 'committed'))
	assert.equal(states(endVisit(v)), 'a done, b skipped, c done')
	assert.equal(v.plan[2]?.compartment, 'A3')
})

test('a door that did not open may be tried again, with a new door session and at another compartment', () => {
	let v = ok(activate(plan(bag('a')), 'a', 'ds-1', 'A1'))
	v = ok(settle(v, 'a', 'not-opened'))
	assert.equal(v.plan[0]?.outcome, 'not-opened')
	assert.equal(refusal(activate(v, 'a', 'ds-1', 'A1')), 'duplicate')
	v = ok(settle(ok(activate(v, 'a', 'ds-2', 'A2')), 'a', 'no-change'))
	v = ok(settle(ok(activate(v, 'a', 'ds-3', 'A2')), 'a', 'committed'))
	assert.deepEqual(v.plan[0]?.doorSessions, ['ds-1', 'ds-2', 'ds-3'])
	assert.equal(states(v), 'a done')
	assert.equal(refusal(activate(v, 'a', 'ds-4', 'A2')), 'step-not-planned')
	assert.equal(refusal(settle(v, 'a', 'committed')), 'step-not-active')
})

test('a doubtful door ends its step; another compartment comes next, before the rest of the plan', () => {
	let v = ok(activate(plan(bag('spare', { act: 'deposit', of: 'spare' }), bag('own')), 'spare', 'ds-1', 'A1'))
	assert.equal(refusal(addStep(v, bag('spare-2', { act: 'deposit' }), 'next')), 'door-open')
	v = ok(settle(v, 'spare', 'ambiguous'))
	v = ok(addStep(v, bag('spare-2', { act: 'deposit' }), 'next'))
	assert.equal(states(v), 'spare failed, spare-2 planned, own planned')
	assert.equal(refusal(addStep(v, bag('own'))), 'duplicate')
	for (const outcome of ['denied', 'aborted', 'failed'] as const) {
		assert.equal(states(ok(settle(ok(activate(v, 'spare-2', 'ds-2', 'A2')), 'spare-2', outcome))), 'spare failed, spare-2 failed, own planned')
	}
})

test('two doors at once only where the table says so', () => {
	const v = plan(bag('a'), bag('b', { together: true }), bag('c'))
	const both = ok(activate(ok(activate(v, 'a', 'ds-1', 'A1')), 'b', 'ds-2', 'A2'))
	assert.equal(states(both), 'a active, b active, c planned')
	assert.equal(refusal(activate(both, 'c', 'ds-3', 'A3')), 'door-open')
	assert.equal(refusal(activate(ok(settle(both, 'a', 'committed')), 'c', 'ds-3', 'A3')), 'door-open')
})

test('a power cut before the releasing row: nothing was pulsed, the step is planned again', () => {
	const cut = interruptAtRestart(ok(activate(plan(bag('a'), bag('b')), 'a', 'ds-1', 'A1')), new Set(['ds-0']), NOON + 5000)
	assert.deepEqual(cut.interrupted, [{ stepId: 'a', doorSession: 'ds-1' }])
	assert.equal(states(cut.visit), 'a planned, b planned')
	assert.equal(cut.visit.plan[0]?.outcome, 'interrupted')
	assert.equal(cut.visit.state, 'interrupted')
	assert.equal(refusal(activate(cut.visit, 'a', 'ds-2', 'A1')), 'visit-not-open')
	assert.equal(refusal(addStep(cut.visit, bag('z'))), 'visit-not-open')
	assert.equal(nextStep(cut.visit), undefined)
	assert.equal(nextStep(ok(resume(cut.visit, ANN, NOON + 6000)))?.id, 'a')
})

test('a power cut after the releasing row: the step stays active until the door is recovered', () => {
	const cut = interruptAtRestart(ok(activate(plan(bag('a')), 'a', 'ds-1', 'A1')), new Set(['ds-1']), NOON)
	assert.deepEqual(cut.interrupted, [])
	assert.equal(states(cut.visit), 'a active')
	assert.equal(states(ok(settle(cut.visit, 'a', 'ambiguous'))), 'a failed')
	assert.equal(states(ok(settle(cut.visit, 'a', 'not-opened'))), 'a planned')
})

test('taken up again for 15 minutes, by the same person, while something is left', () => {
	const { visit } = interruptAtRestart(plan(bag('a')), new Set(), NOON)
	assert.deepEqual(
		[0, RESUME_MS, RESUME_MS + 1, -1].map((ms) => resumable(visit, NOON + ms)),
		[true, true, false, false],
	)
	assert.equal(refusal(resume(visit, { ...ANN, subject: 'bob' }, NOON)), 'not-resumable')
	assert.equal(refusal(resume(visit, ANN, NOON + RESUME_MS + 1)), 'not-resumable')
	const identity = { ...ANN, credential: 'pin-1', method: 'pin', ok: true, commitment: 'c0ffee', jti: 'j-1' }
	const by = ok(resume(visit, identity, NOON))
	assert.ok(!('ok' in by || 'commitment' in by || 'jti' in by), 'a visit keeps no more of an identity than it needs')
	assert.deepEqual([by.state, by.credential, by.method, by.interruptedAt], ['open', 'pin-1', 'pin', undefined])
	// Power that flickers does not lengthen the quarter of an hour.
	assert.equal(interruptAtRestart(visit, new Set(), NOON + 600_000).visit.interruptedAt, NOON)
	assert.equal(resumable(interruptAtRestart(begin(), new Set(), NOON).visit, NOON), false)
	assert.equal(interruptAtRestart(endVisit(visit), new Set(), NOON).visit.state, 'ended')
})

test('leaving gives up what was not opened; an open door still settles', () => {
	const left = endVisit(ok(activate(plan(bag('a'), bag('b'), bag('c', { skippable: true })), 'a', 'ds-1', 'A1')))
	assert.equal(states(left), 'a active, b failed, c skipped')
	assert.equal(left.plan[1]?.outcome, 'aborted')
	assert.equal(states(ok(settle(left, 'a', 'not-opened'))), 'a failed, b failed, c skipped')
	assert.equal(states(ok(settle(left, 'a', 'committed'))), 'a done, b failed, c skipped')
	assert.deepEqual(endVisit(left), left)
})
