import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type Case, type Effected, type Env, type Facts, type Input, newCase } from './case.ts'
import { check } from './check.ts'
import { GIVEN, ROWS, type Row } from './delivery.table.ts'
import { DELIVERY_DEFAULTS, type DeliverySettings, deliveryTable } from './delivery.ts'
import { loadTable } from './load.ts'
import { step } from './step.ts'
import { asList, type Evidence, type LoadedTable, type Role } from './table.ts'

const MORNING = Date.UTC(2026, 0, 5, 9)
const FACTS: Facts = { entitled: true, stock: 1, freeCompartments: 2, recalled: false, spareReturned: true }
const ROLE: Record<string, Role> = { ann: 'user', bob: 'user', sam: 'staff', cor: 'courier', system: 'system' }

const loaded = new Map<string, LoadedTable>()
function load(settings: Partial<DeliverySettings> = {}): LoadedTable {
	const known = loaded.get(JSON.stringify(settings))
	if (known) return known
	const read = loadTable(JSON.parse(JSON.stringify(deliveryTable({ ...DELIVERY_DEFAULTS, ...settings }))), (b) =>
		createHash('sha256').update(b).digest(),
	)
	assert.ok('table' in read, JSON.stringify(read))
	loaded.set(JSON.stringify(settings), read.table)
	return read.table
}

const start = (table: LoadedTable): Case => newCase(table, { id: 'case', owner: 'ann', lines: [{ id: 'line', custodian: 'cor' }] })

/** `deposit E2 by bob at B2 item other` → what the engine takes. */
function read(text: string): Input {
	const word = (name: string) => new RegExp(`\\b${name} (\\S+)`).exec(text)?.[1]
	const [kind = '', name = ''] = text.split(' ')
	const who = word('by') ?? 'ann'
	const by = ROLE[who] ?? 'user'
	const compartment = word('at') ?? 'A1'
	const item = word('item')
	if (kind === 'request') return { kind, name, by, ...(who === 'system' ? {} : { subject: who }) }
	if (kind === 'deadline') return { kind, name }
	if (kind === 'outcome') return { kind, outcome: name as Extract<Input, { kind: 'outcome' }>['outcome'], line: 'line', compartment }
	const evidence = Number(name.slice(1)) as Evidence
	return { kind: 'act', act: kind as 'collect', line: 'line', by, subject: who, evidence, compartment, ...(item === undefined ? {} : { item }) }
}

/** Time stands at the deadline that fires (a millisecond before it for `early`), else it stays in the morning. */
function envFor(of: Case, when: string, facts: Partial<Facts> = {}): Env {
	const [kind, name = ''] = when.split(' ')
	const due = kind === 'deadline' ? of.deadlines[name] : undefined
	return { now: due === undefined ? MORNING : due - (when.endsWith('early') ? 1 : 0), bank: 'bank', facts: { ...FACTS, ...facts } }
}

function show(effect: Effected): string {
	switch (effect.effect) {
		case 'custody':
			return `custody ${effect.from}→${effect.to}`
		case 'free':
		case 'quarantine':
			return `${effect.effect} ${effect.compartment}`
		case 'set-due':
			return `set ${effect.deadline}`
		case 'clear-due':
			return `clear ${effect.deadline}`
		default:
			return effect.about === undefined ? effect.effect : `${effect.effect} ${effect.about}`
	}
}

function arrive(table: LoadedTable, given: Row['given']): Case {
	return GIVEN[given].reduce((of, when) => {
		const done = step(table, of, read(when), envFor(of, when))
		assert.ok('case' in done, `${given}: ${when}: ${JSON.stringify(done)}`)
		return done.case
	}, start(table))
}

test('each row of the delivery table does what it says', async (t) => {
	for (const row of ROWS) {
		const table = load(row.settings)
		await t.test(`${row.given}: ${row.when}${row.facts ? ` with ${JSON.stringify(row.facts)}` : ''}`, () => {
			const before = arrive(table, row.given)
			const frozen = structuredClone(before)
			// A deadline set anew at the same moment would not change: a minute has gone by since the case came here.
			const env = envFor(before, row.when, row.facts)
			const later = row.when.startsWith('deadline') ? env : { ...env, now: env.now + 60_000 }
			const done = step(table, before, read(row.when), later)
			assert.deepEqual(before, frozen)
			if (row.refused !== undefined || 'refused' in done) {
				assert.equal('refused' in done ? done.refused : JSON.stringify(done.moves), row.refused)
				return
			}
			const [line] = done.case.lines
			assert.deepEqual(
				{ is: `${done.case.state}/${line?.state}`, holder: line?.custodian, unverified: line?.unverified, effects: done.effects.map(show) },
				{ is: row.is, holder: row.holder ?? 'bank', unverified: row.unverified, effects: row.effects },
			)
			assert.equal(done.case.version, before.version + 1)
			for (const moved of done.moves) assert.deepEqual([moved.tableHash, moved.version], [table.hash, done.case.version])
		})
	}
	assert.ok(ROWS.length >= 60)
	const refusals = ROWS.filter((row) => row.refused !== undefined).length
	console.log(`delivery rows: ${ROWS.length}, of them ${refusals} refusals`)
})

test('the rows take every line move of the table from every state it starts in', () => {
	const table = load()
	const taken = new Set<string>()
	for (const row of ROWS) {
		if (row.settings !== undefined) continue
		const before = arrive(table, row.given)
		const input = read(row.when)
		const done = step(table, before, input, envFor(before, row.when, row.facts))
		if ('refused' in done) continue
		const line = done.moves.find((m) => m.line !== undefined)
		const what = 'act' in input ? input.act : 'outcome' in input ? input.outcome : 'name' in input ? input.name : ''
		if (line) taken.add(`${line.from} ${what}`)
	}
	const wanted = table.line.moves.flatMap(({ from, on }) => {
		const what = 'act' in on ? on.act : 'outcome' in on ? on.outcome : 'deadline' in on ? on.deadline : 'request' in on ? on.request : ''
		return asList(from).map((state) => `${state} ${what}`)
	})
	assert.deepEqual([...new Set(wanted)].filter((w) => !taken.has(w)).sort(), [])
})

test('each setting gives a table that passes its check and has its own hash; reminders go out at half and at nine tenths of the window', () => {
	const day = deliveryTable({ ...DELIVERY_DEFAULTS, collectWithin: 'P1D' })
	assert.deepEqual(check(day), [])
	assert.deepEqual([day.deadlines?.reminder?.after, day.deadlines?.expiring?.after], ['collect-by-PT720M', 'collect-by-PT144M'])
	const hashes = [load(), load({ collectWithin: 'P1D' }), load({ evidence: { deposit: 2, collect: 2 } }), load({ hold: 'P1D' })].map((t) => t.hash)
	assert.equal(new Set(hashes).size, 4)
})

test('three bags of one order: ready when the last is in, one code for all, and what was left behind goes back', () => {
	const table = load()
	const bags = ['a', 'b', 'c']
	const on = (of: Case, input: Input, now = MORNING) => {
		const done = step(table, of, input, { now, bank: 'bank', facts: FACTS })
		assert.ok('case' in done, JSON.stringify(done))
		return done.case
	}
	const put = (of: Case, line: string) =>
		on(of, { kind: 'act', act: 'deposit', line, by: 'courier', subject: 'cor', evidence: 3, compartment: `A${line}` })
	const take = (of: Case, line: string, by: Role, subject: string) =>
		on(of, { kind: 'act', act: 'collect', line, by, subject, evidence: 3, compartment: `A${line}` })
	let of = newCase(table, { id: 'case', owner: 'ann', lines: bags.map((id) => ({ id, custodian: 'cor' })) })
	const states: string[] = []
	for (const bag of bags) {
		of = put(of, bag)
		states.push(of.state)
	}
	assert.deepEqual(states, ['arriving', 'arriving', 'ready'])
	of = take(of, 'a', 'user', 'ann')
	assert.equal(of.state, 'ready')
	of = on(of, { kind: 'deadline', name: 'collect-by' }, MORNING + 49 * 3_600_000)
	assert.deepEqual([of.state, of.lines.map((l) => l.state)], ['expired', ['collected', 'expired', 'expired']])
	of = take(take(of, 'b', 'staff', 'sam'), 'c', 'staff', 'sam')
	assert.deepEqual([of.state, of.lines.map((l) => l.custodian)], ['removed', ['ann', 'sam', 'sam']])
})
