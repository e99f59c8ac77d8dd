import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BankState, type DoorInput, newBank, newCompartment, type ReleaseRequest, type Step, step } from './index.ts'
import { COMMANDS_KEPT } from './state.ts'

const A = 'cmp_a' as const
const B = 'cmp_b' as const

/** A bank with two shut compartments, and a clock that the test moves. */
function bench() {
	const senses = { door: true, presence: false, acks: true }
	let bank: BankState = newBank([newCompartment(A, senses), newCompartment(B, senses)])
	let at = 1_000_000
	const feed = (input: DoorInput extends infer T ? (T extends unknown ? Omit<T, 'at' | 'mono'> : never) : never): Step => {
		const s = step(bank, { ...input, at, mono: at })
		bank = s.bank
		return s
	}
	for (const compartment of [A, B]) feed({ kind: 'door', compartment, value: 'closed', initial: true })
	const ask = (command: string, over: Partial<ReleaseRequest> = {}): Step => {
		const request = {
			session: `dos_${command}`,
			command,
			compartment: A,
			act: 'inspect',
			subject: 'sub_ann',
			needs: 0,
			notAfter: at + 10_000,
			why: {},
		} as const
		return feed({ kind: 'request', request: { ...request, ...over } })
	}
	/** Open, shut, settled. */
	const use = (): Step => {
		const fence = bank.compartments[A]?.fence ?? 0
		feed({ kind: 'door', compartment: A, value: 'open', initial: false })
		feed({ kind: 'door', compartment: A, value: 'closed', initial: false })
		return feed({ kind: 'timer', compartment: A, timer: 'settle', fence })
	}
	const deny = (times: number) => {
		for (let i = 0; i < times; i++)
			assert.equal(
				ask(`denied ${at} ${i}`, { act: 'collect', item: 'nothing', compartment: B, subject: 'sub_bob' }).refused,
				'compartment-unavailable',
			)
	}
	const pass = (ms: number) => {
		at += ms
	}
	return { bank: () => bank, feed, ask, use, deny, pass }
}

test('commands: a flood of denials does not push out a command that could still come again', () => {
	const b = bench()
	b.ask('first')
	assert.equal(b.use().ended[0]?.end, 'committed')
	b.deny(COMMANDS_KEPT + 10)
	assert.deepEqual(b.ask('first').repeated, { session: 'dos_first', end: 'committed' })
})

test('commands: what is answered, expired and old is forgotten, and refused as expired when it comes again', () => {
	const b = bench()
	const first = b.ask('first')
	b.use()
	b.pass(10_001)
	b.deny(COMMANDS_KEPT)
	assert.equal(b.bank().commands.length, COMMANDS_KEPT)
	const again = b.ask('first', { notAfter: 1_010_000 })
	assert.equal(first.refused, undefined)
	assert.equal(again.refused, 'command-expired')
	assert.deepEqual(again.effects, [])
})

test('commands: the command of a live session is never forgotten, however long its door stands open', () => {
	const b = bench()
	b.ask('first')
	b.feed({ kind: 'door', compartment: A, value: 'open', initial: false })
	for (let i = 0; i < 3; i++) {
		b.pass(60_000)
		b.deny(COMMANDS_KEPT)
	}
	assert.deepEqual(b.ask('first').repeated, { session: 'dos_first' })
})

test('commands: three thousand openings leave a state of the same size', () => {
	const b = bench()
	const live = (n: number) => {
		for (let i = 0; i < n; i++) {
			b.ask(`opening ${b.bank().compartments[A]?.fence}`)
			assert.equal(b.use().ended[0]?.end, 'committed')
			b.pass(60_000)
		}
		return JSON.stringify(b.bank()).length
	}
	const young = live(1_000)
	const old = live(2_000)
	assert.ok(old < young * 1.1, `${young} bytes after 1,000 openings, ${old} after 3,000`)
})
