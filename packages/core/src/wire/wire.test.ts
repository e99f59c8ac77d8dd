import assert from 'node:assert/strict'
import { test } from 'node:test'
import { denyReason, kioskExamples, kioskScreen, kioskView, virtualExample, virtualFault, virtualFaultExamples, virtualState } from './index.ts'

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
