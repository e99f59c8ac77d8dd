import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { type Clock, fakeClock, newId, seededRandom } from '@latchwork/core/base'
import type { Board, OpenCommand, OpenResult } from '@latchwork/drivers/board'
import { openJournal } from '../journal/index.ts'
import { nodeCrypto } from '../keys.ts'
import { type Bank, openBank } from './bank.ts'

const DOOR = sampleId('compartment', '1')
const REF = { bus: 'a', board: 0, channel: 0 }

/** A bank over a real journal whose board answers as the script says. */
function banked(t: TestContext, script: { open(command: OpenCommand): Promise<OpenResult>; read?: () => Promise<{ door: 'open' | 'closed' }> }) {
	const directory = mkdtempSync(join(tmpdir(), 'latchwork-bank-'))
	const clock = fakeClock()
	const random = seededRandom(1)
	const asked = { opens: 0, reads: 0 }
	const journal = openJournal({
		directory,
		controller: sampleId('controller', 'one'),
		random,
		now: clock.now,
		context: () => ({
			bank: sampleId('bank', 'one'),
			at: clock.now(),
			mono: 0,
			clock: 'good',
			bundle: 0,
			offline: true,
			sha256: nodeCrypto.sha256,
		}),
		sealer: { sign: () => new Uint8Array(64), keyId: 'x' },
		standing: () => [],
	})
	const board = {
		open(command: OpenCommand) {
			asked.opens++
			return script.open(command)
		},
		async read() {
			asked.reads++
			const { door } = await (script.read ?? (async () => ({ door: 'closed' as const })))()
			return { door: [door], presence: [false] }
		},
	} as unknown as Board
	const opened = (): Bank =>
		openBank({
			journal,
			clock: clock as Clock,
			busMono: clock.mono,
			now: clock.now,
			wiring: [{ id: DOOR, ref: REF, senses: { door: true, presence: true, acks: false } }],
			singleOpen: () => false,
			board: () => board,
			follow: () => ({ events: [] }),
			failed: (fault) => assert.fail(String(fault)),
			changed: () => {},
		})
	const bank = opened()
	bank.restart()
	bank.input({ kind: 'stocked', contents: [{ compartment: DOOR, content: { kind: 'empty' } }] })
	const sense = (value: 'open' | 'closed', initial = false) =>
		bank.sensed('a', { mono: clock.mono(), source: 'poll', fact: { kind: 'door', ref: REF, value, initial } })
	sense('closed', true)
	t.after(() => {
		bank.stop()
		journal.close()
		rmSync(directory, { recursive: true, force: true })
		assert.equal(clock.pending(), 0)
	})
	const release = (command: string = newId('command', clock.now(), random)) =>
		bank.release(
			{
				session: newId('doorSession', clock.now(), random),
				command,
				compartment: DOOR,
				act: 'deposit',
				subject: sampleId('subject', 'ana'),
				item: 'thing',
				needs: 2,
				why: {},
			},
			{ events: [] },
			true,
		)
	const types = () => journal.events(0, 1_000).map(({ event }) => event.type)
	return { bank, clock, journal, asked, sense, release, types, session: () => bank.state().compartments[DOOR]?.session }
}

const sent: OpenResult = { id: '', sent: true, ack: 'ok' }

for (const [how, open] of [
	['at once', () => assert.fail('a driver that throws')],
	['later', async () => assert.fail('a driver that rejects')],
] as const) {
	test(`a driver that throws ${how}: bytes may have been sent, so the sensor decides`, async (t) => {
		const { clock, release, session, asked, types } = banked(t, { open })
		release()
		await clock.advance(1)
		assert.equal(session()?.state, 'releasing')
		await clock.advance(10_000)
		assert.deepEqual(asked, { opens: 1, reads: 1 }, 'no second pulse; the board is asked what the door is')
		assert.ok(types().includes('door-session.not-opened'))
		assert.ok(!types().includes('door-session.failed'), 'nobody claims that nothing was sent')
	})
}

test('an answer to an old lease changes nothing', async (t) => {
	const answers: ((answer: OpenResult) => void)[] = []
	const { clock, release, session, asked, types } = banked(t, { open: () => new Promise((done) => answers.push(done)) })
	release()
	await clock.advance(15_000)
	assert.equal(session(), undefined, 'the first try is over')
	release()
	await clock.advance(100)
	const second = session()
	assert.equal(second?.state, 'releasing')
	answers[0]?.({ id: '', sent: false, ack: 'none' })
	await clock.advance(100)
	assert.deepEqual(session(), second)
	answers[1]?.(sent)
	await clock.advance(100)
	assert.equal(session()?.evidence, 1)
	assert.equal(asked.opens, 2)
	assert.equal(types().filter((type) => type === 'door-session.releasing').length, 2)
})

test('the row is there when the driver is called, and a repeated command calls it no more', async (t) => {
	const rows: number[] = []
	const all = banked(t, {
		open: async () => {
			rows.push(all.types().filter((type) => type === 'door-session.releasing').length)
			return sent
		},
	})
	const first = all.release('one-command')
	const again = all.release('one-command')
	await all.clock.advance(10)
	assert.deepEqual(rows, [1])
	assert.ok(first !== 'storage-full' && again !== 'storage-full' && again.repeated)
})

test('a board that never answers is told of once: whoever follows the stream does not know the wiring', (t) => {
	const { bank, types } = banked(t, { open: async () => sent, read: async () => ({ door: 'closed' }) })
	const board = (kind: 'board-up' | 'board-down') => bank.sensed('a', { mono: 0, source: 'poll', fact: { kind, bus: 'a', board: 0 } })
	board('board-down')
	board('board-down')
	board('board-up')
	assert.deepEqual(
		types().filter((type) => type.startsWith('board.')),
		['board.lost', 'board.returned'],
	)
})

test('a lost board ends nothing by itself and its return is recorded once; after a restart the reading is asked for until it comes', async (t) => {
	let reads = 0
	const { bank, clock, release, session, asked, sense, types } = banked(t, {
		open: async () => sent,
		read: async () => {
			reads++
			if (reads < 4) throw new Error('no answer yet')
			return { door: 'open' }
		},
	})
	const board = (kind: 'board-up' | 'board-down') => bank.sensed('a', { mono: 0, source: 'poll', fact: { kind, bus: 'a', board: 0 } })
	board('board-up')
	board('board-up')
	release()
	await clock.advance(10)
	sense('open')
	assert.equal(session()?.state, 'opened')
	board('board-down')
	board('board-up')
	assert.deepEqual(
		types().filter((type) => type.startsWith('board.')),
		['board.returned', 'board.lost', 'board.returned'],
	)
	bank.restart()
	assert.equal(session()?.recovering, true)
	await clock.advance(2_000)
	assert.equal(reads, 4)
	assert.equal(asked.reads, 4)
	assert.deepEqual([session()?.state, session()?.recovering], ['opened', false])
})
