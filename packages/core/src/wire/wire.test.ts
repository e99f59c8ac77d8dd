import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
	denyReason,
	kioskExamples,
	kioskScreen,
	kioskView,
	virtualClockAdvance,
	virtualExample,
	virtualFault,
	virtualFaultExamples,
	virtualState,
} from './index.ts'

test('every kiosk example is a valid message', () => {
	for (const [id, view] of kioskExamples) assert.deepEqual(kioskView.parse(view), view, id)
})

test('every kiosk screen and every reason to refuse has an example', () => {
	const views = [...kioskExamples.values()]
	const names = kioskScreen.options.map((option) => option.shape.name.value)
	const shown = new Set(views.map((view) => view.screen.name))
	assert.deepEqual(
		names.filter((name) => !shown.has(name)),
		[],
	)
	const refused = new Set(views.flatMap((view) => (view.screen.name === 'denied' ? [view.screen.reason] : [])))
	assert.deepEqual(
		denyReason.options.filter((reason) => !refused.has(reason)),
		[],
	)
})

test('the examples of the virtual bank are valid', () => {
	assert.deepEqual(virtualState.parse(virtualExample), virtualExample)
	for (const fault of virtualFaultExamples) assert.deepEqual(virtualFault.parse(fault), fault)
})

test('a fault names exactly one place', () => {
	assert.equal(virtualFault.safeParse({ compartment: 3, silent: true }).success, false)
	assert.equal(virtualFault.safeParse({ compartment: 3, board: 0 }).success, false)
	assert.equal(virtualFault.safeParse({ stuckLock: true }).success, false)
})

test('a wrong fault is told by its field, and one that breaks nothing is none', () => {
	const complaint = (fault: unknown) => {
		const issue = virtualFault.safeParse(fault).error?.issues[0] ?? assert.fail('nothing wrong')
		return `${issue.path.join('.')}: ${issue.message}`
	}
	assert.match(complaint({ compartment: 3, stuckLock: 'yes' }), /stuckLock: .*boolean/)
	assert.match(complaint({ board: 0, corrupt: { rate: 2, direction: 'both' } }), /corrupt\.rate: /)
	assert.match(complaint({ compartment: 3, silent: true }), /silent/)
	assert.match(complaint({ reader: { offline: 1 } }), /reader\.offline: /)
	for (const none of [{}, [], 'x', null, { stuckLock: true }, { compartment: 3, board: 0 }]) assert.match(complaint(none), /exactly one place/)
	for (const empty of [{ compartment: 3 }, { board: 0 }, { reader: {} }]) assert.match(complaint(empty), /say what breaks there/)
})

test('the clock is moved, or given another pace, or both', () => {
	assert.ok(virtualClockAdvance.safeParse({ advanceSeconds: 60 }).success)
	assert.ok(virtualClockAdvance.safeParse({ rate: 0 }).success)
	assert.match(virtualClockAdvance.safeParse({}).error?.issues[0]?.message ?? '', /advanceSeconds, or rate/)
})
