import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleId, sampleSubject } from '@latchwork/core/access/testing'
import { type Id, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import type { LinkCommand, LinkResult } from '@latchwork/core/wire'
import { createServerSide, type ServerSide } from '../testing/server-side.ts'
import { createStage, type Stage } from '../testing/stage.ts'

const WALKS = 12
const STEPS = 60
const DOORS = [1, 2, 3, 4]

/** What must hold of every command, whatever happened to controller, network and doors meanwhile. Answers what does not. */
function faultsOf(commands: readonly LinkCommand[], results: readonly LinkResult[], events: readonly StreamEvent[], pulses: number): string[] {
	const releasing = events.filter((e) => e.type === 'door-session.releasing')
	const faults = commands.flatMap(({ id }) => {
		const states = new Set(results.filter((r) => r.id === id).map(({ state }) => state))
		const opened = releasing.filter((e) => e.data.command === id).length
		return [
			...(opened > 1 ? [`${id} opened ${opened} times`] : []),
			...(states.has('refused') && states.size > 1 ? [`${id} was refused and ${[...states].join()}`] : []),
			...(states.has('done') && states.has('failed') ? [`${id} has two ends`] : []),
			...(states.has('refused') && opened > 0 ? [`${id} was refused and opened`] : []),
			...(states.has('accepted') && opened === 0 ? [`${id} was accepted and never opened`] : []),
		]
	})
	return pulses > releasing.length ? [...faults, `${pulses} pulses of ${releasing.length} releases`] : faults
}

test('commands in any order, told again, cut off and crashed upon: each opens at most once, and its results never contradict each other', async (t) => {
	const met = new Map<string, number>()
	for (let walk = 0; walk < WALKS; walk++) {
		let server: ServerSide | undefined
		const stage = await createStage({
			server: (clock) => {
				server = createServerSide(clock)
				return server
			},
		})
		try {
			assert.ok(server)
			const commands = await wander(stage, server, seededRandom(900 + walk), met)
			server.network('all')
			await stage.until('all is acknowledged', () => stage.controller().health().link?.pending === 0, 300_000)
			const pulses = DOORS.reduce((sum, door) => sum + stage.cabinet.pulses(door - 1), 0)
			assert.deepEqual(faultsOf(commands, server.results, stage.events(), pulses), [])
			for (const { state } of server.results) count(met, state)
		} finally {
			stage.end()
		}
	}
	t.diagnostic([...met].map(([name, n]) => `${name} ${n}`).join(', '))
	for (const name of ['accepted', 'refused', 'done', 'failed', 'crash', 'again', 'cut'])
		assert.ok((met.get(name) ?? 0) >= 5, `${name} ${met.get(name)}`)
})

const count = (met: Map<string, number>, name: string) => met.set(name, (met.get(name) ?? 0) + 1)

async function wander(stage: Stage, server: ServerSide, random: ReturnType<typeof seededRandom>, met: Map<string, number>): Promise<LinkCommand[]> {
	const commands: LinkCommand[] = []
	const n = (below: number) => ((random(1)[0] ?? 0) * 256 + (random(1)[0] ?? 0)) % below
	for (let i = 0; i < STEPS; i++) {
		const step =
			['open', 'open', 'open', 'again', 'again', 'crash', 'cut', 'heal', 'shut', 'shut', 'stick', 'stick', 'person', 'wait', 'wait'][n(15)] ?? ''
		count(met, step)
		if (step === 'open') {
			const issuedAt = stage.clock.now() - n(2) * 29_000
			const command: LinkCommand = {
				v: 1,
				id: newId('command', issuedAt, random),
				bank: stage.bundle().bank.id,
				issuedAt,
				expiresAt: issuedAt + 30_000,
				by: sampleSubject(n(8) === 0 ? 'cem' : 'dia'),
				kind: 'open-remote',
				compartment: sampleId('compartment', String(DOORS[n(4)])),
				reason: 'inspection',
			}
			commands.push(command)
			server.send(command)
		} else if (step === 'again') {
			const command = commands[n(commands.length || 1)]
			if (command) server.send(command)
		} else if (step === 'crash') {
			stage.crash()
			await stage.start()
		} else if (step === 'cut') server.network('nothing')
		else if (step === 'heal') server.network('all')
		else if (step === 'shut') for (const door of DOORS) stage.cabinet.setDoor(door - 1, 'closed')
		else if (step === 'stick') stage.cabinet.setFaults(n(4), n(4) ? { stuckLock: true } : {})
		else if (step === 'person') {
			stage.badge('ana')
			if (n(2)) stage.controller().session.act(stage.controller().session.turn(), { kind: 'finish' })
		}
		await stage.clock.advance([0, 1, 5, 300, 12_000][n(5)] ?? 0)
	}
	for (const door of DOORS) stage.cabinet.setDoor(door - 1, 'closed')
	await stage.clock.advance(60_000)
	return commands
}

test('the walk above can fail: what contradicts is named', () => {
	const id: Id<'command'> = newId('command', 0, seededRandom(1))
	const command = { id } as LinkCommand
	const opened = { type: 'door-session.releasing', data: { command: id } } as unknown as StreamEvent
	const result = (state: LinkResult['state']): LinkResult => ({ v: 1, id, state })
	const faults = (states: LinkResult['state'][], events: StreamEvent[], pulses: number) =>
		faultsOf([command], states.map(result), events, pulses).length
	assert.equal(faults(['accepted', 'accepted', 'done'], [opened], 1), 0)
	assert.equal(faults(['accepted', 'done'], [opened, opened], 2), 1)
	assert.equal(faults(['accepted', 'done'], [opened], 2), 1)
	assert.equal(faults(['refused', 'accepted'], [opened], 1), 2)
	assert.equal(faults(['done', 'failed'], [opened], 1), 1)
	assert.equal(faults(['accepted'], [], 0), 1)
})
