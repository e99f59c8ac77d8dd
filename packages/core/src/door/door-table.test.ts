import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Id } from '../base/index.ts'
import { ROWS } from './door.table.ts'
import {
	type BankState,
	type Compartment,
	type Content,
	DOOR_TIMERS,
	type DoorInput,
	type DoorTimer,
	newBank,
	newCompartment,
	type Step,
	step,
} from './index.ts'
import type { Box, Given, Person, Row } from './testing/given.ts'

const START = Date.UTC(2026, 0, 5, 9)
const BOXES = ['full', 'plain', 'mute', 'blind'] as const
const SENSES = {
	full: { door: true, presence: true, acks: true },
	plain: { door: true, presence: false, acks: true },
	mute: { door: true, presence: false, acks: false },
	blind: { door: false, presence: false, acks: true },
}
const idOf = (box: Box): Id<'compartment'> => `cmp_${box}`
const subjectOf = (person: Person): Id<'subject'> => `sub_${person}`
const nameOf = (id: string) => id.slice('cmp_'.length)

type Input = DoorInput extends infer T ? (T extends unknown ? Omit<T, 'at' | 'mono'> : never) : never

/** A small faithful host: keeps the state, runs the timers in virtual time, and notes what it is asked to do. */
class Bench {
	bank: BankState
	mono = 0
	at = START
	sessions = 0
	answer: string | undefined
	readonly timers = new Map<string, { due: number; box: Box; timer: DoorTimer; fence: number }>()
	readonly seen = { ends: [] as string[], events: [] as string[], pulses: [] as string[], reads: [] as string[] }

	constructor(row: Row) {
		const boxes = BOXES.map((box) => newCompartment(idOf(box), SENSES[box], contentAtStart(row, box)))
		this.bank = newBank(boxes, row.singleOpen)
		for (const box of BOXES.filter((b) => SENSES[b].door)) this.feed({ kind: 'door', compartment: idOf(box), value: 'closed', initial: true })
		this.feed({ kind: 'presence', compartment: idOf('full'), value: contentAtStart(row, 'full').kind === 'item', initial: true })
	}

	feed(input: Input): void {
		const s = step(this.bank, { ...input, at: this.at, mono: this.mono })
		this.bank = s.bank
		this.note(s)
		for (const effect of s.effects) {
			const box = nameOf(effect.compartment) as Box
			if (effect.do === 'pulse') this.seen.pulses.push(box)
			else if (effect.do === 'read') this.seen.reads.push(box)
			else if (effect.do === 'stop') for (const timer of effect.timers) this.timers.delete(`${box} ${timer}`)
			else this.timers.set(`${box} ${effect.timer}`, { due: this.mono + DOOR_TIMERS[effect.timer], box, timer: effect.timer, fence: effect.fence })
		}
		if (input.kind === 'request') this.answer = [s.refused, s.repeated && ['repeated', s.repeated.end]].flat().filter(Boolean).join(' ') || undefined
	}

	note(s: Step): void {
		this.seen.events.push(...s.events.map((e) => e.type.replace(/^(door-session|compartment)\./, '')))
		for (const e of s.ended) this.seen.ends.push(`${nameOf(e.compartment)} ${e.end} E${e.evidence} ${e.why}${e.unverified ? ' unverified' : ''}`)
	}

	wait(ms: number): void {
		const end = this.mono + ms
		for (;;) {
			const next = [...this.timers].filter(([, t]) => t.due <= end).sort((a, b) => a[1].due - b[1].due)[0]
			if (!next) break
			this.pass(next[1].due - this.mono)
			this.timers.delete(next[0])
			this.feed({ kind: 'timer', compartment: idOf(next[1].box), timer: next[1].timer, fence: next[1].fence })
		}
		this.pass(end - this.mono)
	}

	pass(ms: number): void {
		this.mono += ms
		this.at += ms
	}

	restart(downMs: number): void {
		this.timers.clear()
		this.pass(downMs)
		this.mono = 0 // monotonic time begins anew with the process
		this.bank = JSON.parse(JSON.stringify(this.bank)) as BankState
		this.feed({ kind: 'restart' })
	}

	take(given: Given): void {
		if (given.do === 'wait') this.wait(given.ms)
		else if (given.do === 'restart') this.restart(given.downMs)
		else this.feed(inputOf(given, this))
	}

	box(name: Box): Compartment {
		return this.bank.compartments[idOf(name)] as Compartment
	}
}

function inputOf(given: Exclude<Given, { do: 'wait' | 'restart' }>, bench: Bench): Input {
	if (given.do === 'lost') return { kind: 'board-lost', compartments: given.boxes.map(idOf) }
	const compartment = idOf(given.box)
	const fence = ('fence' in given ? given.fence : undefined) ?? bench.box(given.box).fence
	if (given.do === 'ask') {
		const { act, command, needs, item, parallel, by } = given
		const notAfter = bench.at + (given.late ? -1 : 10_000)
		const session: Id<'doorSession'> = `dos_${++bench.sessions}`
		const request = {
			session,
			command,
			compartment,
			act,
			subject: subjectOf(by),
			needs,
			notAfter,
			why: {},
			parallel,
			...(act !== 'inspect' && { item }),
		}
		return { kind: 'request', request }
	}
	if (given.do === 'settle') return { kind: 'settle', compartment, by: 'staff', content: given.content }
	const { do: kind, box: _, ...rest } = given
	return { kind, ...rest, compartment, fence } as Input
}

const contentAtStart = (row: Row, box: Box): Content => row.content?.[box] ?? (box === 'full' ? { kind: 'item', item: 'laptop' } : { kind: 'empty' })
const tell = (c: Content) => (c.kind === 'item' ? c.item : c.kind === 'empty' ? 'empty' : c.last === undefined ? 'unknown' : `unknown (${c.last})`)

function liveOf(bench: Bench): string[] {
	return BOXES.flatMap((box) => {
		const s = bench.box(box).session
		if (!s) return []
		const marks = [s.evidence && `E${s.evidence}`, s.level !== 'calm' && s.level, s.asking && 'asking', s.recovering && 'recovering']
		return [[box, s.state, ...marks.filter(Boolean)].join(' ')]
	})
}

function outcomeOf(row: Row, bench: Bench): Row['expect'] {
	const holds = BOXES.flatMap((box) => {
		const hold = bench.box(box).hold
		return hold ? [`${box} ${hold.kind} ${hold.why}`] : []
	})
	const content = BOXES.filter((box) => tell(bench.box(box).content) !== tell(contentAtStart(row, box)))
	return {
		ends: bench.seen.ends,
		live: liveOf(bench),
		answer: bench.answer ?? '',
		events: bench.seen.events.join(' '),
		pulses: bench.seen.pulses.join(' '),
		reads: bench.seen.reads.join(' '),
		running: [...bench.timers.keys()].join(', '),
		holds,
		content: content.map((box) => `${box} ${tell(bench.box(box).content)}`),
	}
}

for (const row of ROWS) {
	test(`door: ${row.name}`, () => {
		const bench = new Bench(row)
		for (const given of row.given) bench.take(given)
		assert.deepEqual(outcomeOf(row, bench), {
			ends: [],
			live: [],
			answer: '',
			pulses: '',
			reads: '',
			running: '',
			holds: [],
			content: [],
			...row.expect,
		})
	})
}

test('door: every timer of the table and every end and refusal that the reducer makes has its row', () => {
	const said = JSON.stringify(ROWS.map((r) => r.expect))
	for (const timer of Object.keys(DOOR_TIMERS)) assert.match(said, new RegExp(`(full|plain|mute|blind) ${timer}`), timer)
	for (const end of ['committed', 'not-opened', 'no-change', 'ambiguous', 'failed']) assert.match(said, new RegExp(` ${end} E`), end)
	for (const refusal of ['command-expired', 'compartment-unavailable', 'door-open', 'content-mismatch']) assert.match(said, new RegExp(refusal))
	for (const level of [0, 1, 2, 3, 4]) assert.match(said, new RegExp(`committed E${level}`))
	assert.ok(ROWS.length >= 70, `${ROWS.length} rows`)
	assert.equal(new Set(ROWS.map((r) => r.name)).size, ROWS.length)
})
