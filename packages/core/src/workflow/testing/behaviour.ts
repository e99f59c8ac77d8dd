import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Case, Effected, Env, Facts, Input } from '../case.ts'
import { loadTable } from '../load.ts'
import { step } from '../step.ts'
import { asList, type Evidence, type LoadedTable, type Role } from '../table.ts'

/** A row of a workflow's behaviour table, of which the file of that table says what the words mean. */
interface Row<S> {
	readonly given: string
	readonly when: string
	readonly is?: string
	readonly effects?: readonly string[]
	readonly refused?: string
	/** Who answers for the thing afterwards (`bank` unless the row says so). */
	readonly holder?: string
	readonly unverified?: true
	readonly facts?: Partial<Facts>
	readonly settings?: Partial<S>
}

/** A workflow as its behaviour table tells it. `given`: the steps from `start` to where a row begins. */
interface Told<S> {
	readonly given: Readonly<Record<string, readonly string[]>>
	readonly rows: readonly Row<S>[]
	readonly draft: (settings: Partial<S>) => unknown
	readonly start: (table: LoadedTable) => Case
}

export interface Behaviour<S> {
	/** The workflow's table with these settings. */
	load(settings?: Partial<S>): LoadedTable
	/** A subtest for each row. */
	walk(t: TestContext): Promise<void>
	/** Line moves of the default table that no row takes, as `state what-moves-it`. */
	untaken(): string[]
}

export const MORNING = Date.UTC(2026, 0, 5, 9)
export const FACTS: Facts = { entitled: true, stock: 1, freeCompartments: 2, recalled: false, spareReturned: true }
const ROLE: Record<string, Role> = { ann: 'user', bob: 'user', sam: 'staff', cor: 'courier', system: 'system' }

export function behaviourOf<S>({ given, rows, draft, start }: Told<S>): Behaviour<S> {
	const loaded = new Map<string, LoadedTable>()
	const load = (settings: Partial<S> = {}): LoadedTable => {
		const known = loaded.get(JSON.stringify(settings))
		if (known) return known
		const read = loadTable(JSON.parse(JSON.stringify(draft(settings))), (b) => createHash('sha256').update(b).digest())
		assert.ok('table' in read, JSON.stringify(read))
		loaded.set(JSON.stringify(settings), read.table)
		return read.table
	}
	const arrive = (table: LoadedTable, row: Row<S>): Case =>
		(given[row.given] ?? assert.fail(`no such start: ${row.given}`)).reduce((of, when) => {
			const done = step(table, of, read(when), envFor(of, when))
			assert.ok('case' in done, `${row.given}: ${when}: ${JSON.stringify(done)}`)
			return done.case
		}, start(table))

	return {
		load,
		async walk(t) {
			for (const row of rows) {
				const table = load(row.settings)
				await t.test(`${row.given}: ${row.when}${row.facts ? ` with ${JSON.stringify(row.facts)}` : ''}`, () => {
					const before = arrive(table, row)
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
		},
		untaken() {
			const table = load()
			const taken = new Set<string>()
			for (const row of rows) {
				if (row.settings !== undefined) continue
				const before = arrive(table, row)
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
			return [...new Set(wanted)].filter((w) => !taken.has(w)).sort()
		},
	}
}

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
