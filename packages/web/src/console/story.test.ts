import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LedgerRecord } from './shapes.ts'
import { storyOf, wayOf } from './story.ts'

const OPENED = '2026-06-16T06:52:00.000Z'
const [session, other, compartment] = ['dos_1', 'dos_2', 'cmp_2']
/** Each a second after the one before, unless it says otherwise. */
const told = (...all: readonly (Pick<LedgerRecord, 'type' | 'data'> & Partial<LedgerRecord>)[]): LedgerRecord[] =>
	all.map((one, i) => ({ position: i + 1, subject: 'cas_1', at: new Date(Date.parse(OPENED) + i * 1_000).toISOString(), ...one }))
const moved = (from: string, to: string, at?: string) => ({ type: 'case.moved', data: { from, to }, ...(at !== undefined && { at }) })

const at = '2026-06-16T06:55:00.000Z'
const LOAN = told(
	{ type: 'door-session.releasing', subject: session, data: { act: 'collect', method: 'badge', compartment } },
	{ type: 'case.opened', data: { workflow: 'loan' } },
	{ type: 'case.moved', data: { line: 'lin_1', from: 'requested', to: 'allotted' } },
	moved('allotted', 'dispensing'),
	{ type: 'door-session.opened', subject: session, data: { compartment } },
	{ type: 'door-session.closed', subject: session, data: { compartment } },
	{ type: 'door-session.committed', subject: session, data: { compartment, evidence: 3 } },
	moved('dispensing', 'on-loan', at),
	{ type: 'loan.started', at, data: { state: 'on-loan', due: 1 } },
)

test('a door session is one chapter with its door, how long it stood open and what proves it; a step is told once', () => {
	const story = storyOf(LOAN)
	assert.deepEqual(
		story.map(({ record }) => record.type),
		['case.opened', 'door-session.opened', 'loan.started'],
	)
	assert.deepEqual(story[1]?.door, { compartment, act: 'collect', method: 'badge', openMs: 1_000, end: 'committed', evidence: 3 })
})

test('a door that did not open is told by how it ended, and one that is being opened by its pulse', () => {
	const records = told(
		{ type: 'door-session.releasing', subject: session, data: { act: 'collect', compartment } },
		{ type: 'door-session.not-opened', subject: session, data: { compartment, evidence: 0 } },
		{ type: 'door-session.releasing', subject: other, data: { act: 'collect', compartment } },
	)
	assert.deepEqual(
		storyOf(records).map(({ record, door }) => [record.type, door?.end]),
		[
			['door-session.not-opened', 'not-opened'],
			['door-session.releasing', undefined],
		],
	)
})

test('a step that no milestone names is told by itself', () => {
	assert.deepEqual(
		storyOf(told({ type: 'delivery.booked', data: {} }, moved('ordered', 'reserved'))).map(({ record }) => record.type),
		['delivery.booked', 'case.moved'],
	)
})

const standing = { workflow: 'delivery', openedAt: OPENED, lines: [{}] }
const way = (state: string, records: readonly LedgerRecord[], also: { endedAt?: string; lines?: readonly unknown[] } = {}) =>
	wayOf({ ...standing, state, ...also }, records).map(({ word, kind }) => `${word} ${kind}`)

test('a delivery that was cancelled shows no step that never happened', () => {
	const records = told({ type: 'delivery.booked', data: {} }, moved('ordered', 'reserved'), moved('reserved', 'cancelled'))
	assert.deepEqual(way('cancelled', records, { endedAt: at }), ['Booked done', 'Space kept done', 'Collected ended'])
})

test('what is to come stands after what happened; only several parcels arrive one by one', () => {
	const records = told(moved('ordered', 'reserved'))
	assert.deepEqual(way('reserved', records), ['Booked done', 'Space kept now', 'Ready later', 'Collected later'])
	assert.deepEqual(way('reserved', records, { lines: [{}, {}] }), [
		'Booked done',
		'Space kept now',
		'Arriving later',
		'Ready later',
		'Collected later',
	])
	assert.deepEqual(way('ready', told(moved('ordered', 'reserved'), moved('reserved', 'ready'))), [
		'Booked done',
		'Space kept done',
		'Ready now',
		'Collected later',
	])
})

test('a step is told with the time at which it was reached', () => {
	const records = told(moved('ordered', 'reserved', at), moved('reserved', 'ready'))
	assert.deepEqual(
		wayOf({ ...standing, state: 'ready' }, records).map((step) => step.at),
		[OPENED, at, records[1]?.at, undefined],
	)
})

test('what another bank said of a case is a chapter of its own, and takes nothing from the story', () => {
	const foreign = told(
		{ type: 'door-session.opened', subject: session, data: { compartment }, foreign: true },
		{ ...moved('reserved', 'on-loan', at), foreign: true },
	)
	const story = storyOf([...LOAN, ...foreign])
	assert.deepEqual(
		story.map(({ record, door }) => [record.type, record.foreign ?? false, door !== undefined]),
		[
			['case.opened', false, false],
			['door-session.opened', false, true],
			['loan.started', false, false],
			['door-session.opened', true, false],
			['case.moved', true, false],
		],
	)
})
