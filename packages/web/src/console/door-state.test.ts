import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countStates, DOOR_STATES, doing, doorState, STATE_ICONS, spaceState } from './door-state.ts'
import type { Command, MapDoor } from './shapes.ts'
import { doorWords, openingWords, reached, STATES, stateWord } from './words/banks.ts'

const AT = '2026-01-05T09:00:00.000Z'
const door = (live: Partial<MapDoor['live']> = {}, service: MapDoor['service'] = { state: 'in-service' }): MapDoor => ({
	compartment: 'cmp_1',
	number: 1,
	size: 'M',
	accessible: true,
	powered: false,
	wired: false,
	service,
	live: { door: 'closed', sensor: 'reliable', allocation: 'available', content: 'empty', since: AT, ...live },
})

test('the fact of the door wins over what its space is used for, and the panel knows both', () => {
	const cases: readonly [Partial<MapDoor['live']>, drawn: string, space: string][] = [
		[{}, 'available', 'available'],
		[{ allocation: 'reserved' }, 'reserved', 'reserved'],
		[{ allocation: 'in-use', door: 'open' }, 'open', 'in-use'],
		[{ allocation: 'occupied', door: 'unknown' }, 'unknown', 'occupied'],
		[{ allocation: 'occupied', door: 'open', alarm: 'forced' }, 'alarm', 'occupied'],
		[{ allocation: 'available', alarm: 'stuck' }, 'alarm', 'available'],
		// It was told to be closed; it stands open, which everybody sees.
		[{ allocation: 'occupied', door: 'open', alarm: 'left-open' }, 'open', 'occupied'],
		[{ allocation: 'pending-inspection' }, 'to-check', 'to-check'],
		[{ allocation: 'quarantined' }, 'quarantined', 'quarantined'],
		[{ allocation: 'out-of-service' }, 'out-of-use', 'out-of-use'],
	]
	for (const [live, drawn, space] of cases) assert.deepEqual([doorState(door(live)), spaceState(door(live))], [drawn, space], JSON.stringify(live))
})

test('what people took out of use is out of use, whatever the bank says of its space', () => {
	const out = { state: 'out-of-service', reason: 'dirty' } as const
	assert.equal(doorState(door({ allocation: 'occupied' }, out)), 'out-of-use')
	assert.equal(doorState(door({ allocation: 'occupied', door: 'open' }, out)), 'open')
})

test('what is not settled shows as going on', () => {
	const session = (state: 'releasing' | 'opened' | 'closed') => ({ id: 'ses_1', state, act: 'collect', by: 'sub_1' })
	assert.equal(doing(door({ session: session('releasing') })), 'opening')
	assert.equal(doing(door({ session: session('opened'), door: 'open' })), undefined)
	assert.equal(doing(door({ session: session('closed') })), 'checking')
	assert.equal(doing(door()), undefined)
})

test('every state has a word and an icon of its own, so that colour is never alone', () => {
	assert.equal(new Set(DOOR_STATES.map((state) => STATES[state])).size, DOOR_STATES.length)
	assert.equal(new Set(DOOR_STATES.map((state) => STATE_ICONS[state])).size, DOOR_STATES.length)
})

test('the legend counts what is drawn', () => {
	const counts = countStates([door(), door(), door({ door: 'open' })])
	assert.deepEqual(
		[...counts],
		[
			['available', 2],
			['open', 1],
		],
	)
})

test('an open door says for how long', () => {
	assert.equal(doorWords(door({ door: 'open' }), Date.parse(AT) + 100_000), 'Open for 1 min 40 s')
	assert.equal(doorWords(door({ door: 'open', alarm: 'forced' }), Date.parse(AT)), 'Forced, open for 0 s')
	assert.equal(doorWords(door({ alarm: 'forced' }), Date.parse(AT)), 'Forced')
	assert.equal(doorWords(door(), Date.parse(AT)), 'Closed')
})

test('a forced door is not called stuck, and one that stands open says so', () => {
	assert.equal(stateWord(door({ door: 'open', alarm: 'forced' })), 'Forced, open')
	assert.equal(stateWord(door({ alarm: 'forced' })), 'Forced')
	assert.equal(stateWord(door({ alarm: 'stuck', allocation: 'out-of-service' })), 'Stuck')
	assert.equal(stateWord(door({ door: 'open', alarm: 'left-open' })), 'Open')
	assert.equal(stateWord(door({ allocation: 'occupied' })), 'Occupied')
})

test('an order says what is known: the door is open when it was seen to open, and what happened has happened', () => {
	const order = (more: Partial<Command>): Command => ({ id: 'cmd_1', state: 'requested', expiresAt: AT, ...more })
	const [accepted, over] = [{ state: 'accepted', doorSession: 'dos_1' } as const, { doorSession: 'dos_1' } as const]
	assert.match(openingWords(order(accepted), 'closed'), /has not been seen to open/)
	assert.match(openingWords(order(accepted), 'open'), /^The door is open/)
	assert.match(openingWords(order({ state: 'failed', end: 'not-opened', ...over }), 'closed'), /did not open.*was pulsed/)
	assert.match(openingWords(order({ state: 'failed', code: 'board-timeout' }), 'unknown'), /board timeout.*Nobody knows/)
	const cases: readonly [Partial<Command>, ReturnType<typeof reached>][] = [
		[{}, 'requested'],
		[{ state: 'sent' }, 'sent'],
		[accepted, 'accepted'],
		[{ state: 'done', end: 'no-change', ...over }, 'done'],
		[{ state: 'failed', end: 'not-opened', ...over }, 'done'],
		[{ state: 'failed', code: 'board-timeout', ...over }, 'accepted'],
		[{ state: 'refused', code: 'door-open' }, 'sent'],
		[{ state: 'expired' }, 'requested'],
	]
	for (const [command, step] of cases) assert.equal(reached(order(command)), step, JSON.stringify(command))
})
