import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newId, seededRandom } from '@latchwork/core/base'
import type { Compartment } from '@latchwork/core/door'
import type { StreamEvent } from '@latchwork/core/ledger'
import { createStage, type Stage } from '@latchwork/edge/testing'
import { ALWAYS_OPEN, applyEdgeEvents, bankLive, compartmentsOf, createBank, createSite, doorsLive } from '@latchwork/server/estate'
import { type TestStore, testStore } from '@latchwork/server/testing'

/**
 * The server's picture of a bank is made of its events alone. Here whatever can happen to a bank happens to a real controller, in an order by
 * chance, and after each step both must see the same doors, contents, holds and sessions.
 */
const WALKS = 6
const STEPS = 50

describe('what the server knows of a bank', () => {
	let db: TestStore
	const random = seededRandom(20_261_125)
	before(async () => {
		db = await testStore()
	})
	after(() => db.close())

	/** A bank on the server that is the stage's, and the way from the stage's events to it. */
	async function mirror(stage: Stage, deaf: StreamEvent['type'] | undefined) {
		const now = stage.clock.now()
		const change = { actor: 'server', now, random } as const
		const tenant = newId('tenant', now, random)
		const { layout, compartments, name, helpPhone } = stage.bundle().bank
		const made = await db.store.write(tenant, async (tx) => {
			const site = await createSite(tx, change, { name: 'S', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })
			return createBank(tx, change, { site: site.id, name, helpPhone, layout })
		})
		const rows = await db.store.read(tenant, (tx) => compartmentsOf(tx, made.id))
		const ids = new Map<string, string>([[stage.bundle().bank.id, made.id]])
		for (const { id, number } of compartments) ids.set(id, rows.find((row) => row.number === number)?.id ?? assert.fail())
		const back = new Map([...ids].map(([theirs, ours]) => [ours, theirs]))
		const translated = (event: StreamEvent): StreamEvent => {
			let text = JSON.stringify(event)
			for (const [theirs, ours] of ids) text = text.replaceAll(theirs, ours)
			return JSON.parse(text) as StreamEvent
		}
		let taken = 0
		return {
			async take() {
				const all = stage.controller().journal.events(taken, 10_000)
				const events = all.map(({ event }) => event).filter(({ type }) => type !== deaf)
				taken = all.at(-1)?.event.seq ?? taken
				// In batches as they come by the link, the last one twice.
				const half = Math.floor(events.length / 2)
				for (const batch of [events.slice(0, half), events.slice(half), events.slice(half)])
					await db.store.write(tenant, (tx) => applyEdgeEvents(tx, batch.map(translated)))
			},
			doors: async () =>
				new Map((await db.store.read(tenant, (tx) => doorsLive(tx, made.id))).map((row) => [back.get(row.id) ?? assert.fail(), row])),
			bank: async () => (await db.store.read(tenant, (tx) => bankLive(tx, made.id))) ?? assert.fail(),
		}
	}

	const seenByServer = (row: Awaited<ReturnType<typeof doorsLive>>[number]) => ({
		content: row.content,
		asset: row.asset,
		hold: row.hold,
		session: row.sessionId === null ? null : `${row.sessionId} ${row.sessionState}`,
		reliable: row.sensorReliable,
	})
	const seenByEdge = (c: Compartment) => ({
		content: c.content.kind,
		asset: (c.content.kind === 'item' ? c.content.item : c.content.kind === 'unknown' ? c.content.last : undefined) ?? null,
		hold: c.hold?.kind ?? null,
		session: c.session ? `${c.session.id} ${c.session.state}` : null,
		reliable: c.reliable,
	})

	/** Answers where the two first differ; `deaf`: events of this type never reach the server. */
	async function walk(seed: number, visited: Map<string, number>, deaf?: StreamEvent['type']): Promise<string | undefined> {
		const stage = await createStage()
		try {
			const follower = await mirror(stage, deaf)
			const dice = seededRandom(seed * 7_919)
			const upTo = (n: number) => (dice(1)[0] ?? 0) % n
			for (let n = 0; n < STEPS; n++) {
				const did = await happen(stage, upTo)
				await stage.clock.advance([0, 0, 400, 1_700, 5_100][upTo(5)] ?? 0)
				await follower.take()
				const { bank } = stage.controller()
				const [doors, live] = [await follower.doors(), await follower.bank()]
				const boardsUp = bank.boards().every((b) => b.up)
				const theirs: unknown[] = [Object.values(live.boards).map((b) => b.up), live.bundleVersion]
				const ours: unknown[] = [bank.boards().map((b) => b.up), stage.bundle().version]
				for (const c of Object.values(bank.state().compartments)) {
					const row = doors.get(c.id)
					if (!row) continue
					// Just come back, or just started: the reading that says how it is has not come yet.
					const comparable = (c.door !== 'unknown' || !boardsUp) && c.session?.recovering !== true
					theirs.push(seenByServer(row), comparable && row.door)
					ours.push(seenByEdge(c), comparable && c.door)
					const state = `${row.door} ${row.content}${row.hold ? ` ${row.hold}` : ''}${row.sessionState ? ` ${row.sessionState}` : ''}`
					visited.set(state, (visited.get(state) ?? 0) + 1)
				}
				if (JSON.stringify(theirs) !== JSON.stringify(ours))
					return `walk ${seed}, step ${n} (${did})\nserver ${JSON.stringify(theirs)}\nbank   ${JSON.stringify(ours)}`
			}
			return undefined
		} finally {
			stage.end()
		}
	}

	test(`is what the bank itself knows, in ${WALKS} walks of ${STEPS} steps by chance`, async () => {
		const visited = new Map<string, number>()
		for (let seed = 1; seed <= WALKS; seed++) assert.equal(await walk(seed, visited), undefined)
		console.log(
			[...visited]
				.sort((a, b) => b[1] - a[1])
				.map(([state, n]) => `${n} × ${state}`)
				.join(' · '),
		)
		for (const state of ['open item', 'open empty', 'closed item', 'closed empty', 'quarantined', 'releasing', 'opened', 'unknown item'])
			assert.ok(
				[...visited.keys()].some((key) => key.includes(state)),
				`no walk came to ${state}`,
			)
	})

	for (const type of ['door.closed', 'compartment.emptied', 'door-session.committed', 'board.lost'] as const)
		test(`differs from it when no ${type} comes`, async () => {
			let found: string | undefined
			for (let seed = 1; seed <= WALKS && found === undefined; seed++) found = await walk(seed, new Map(), type)
			assert.match(found ?? '', /^walk /)
		})
})

/** One thing of all that can happen at a bank; what is not possible just now does nothing. */
async function happen(stage: Stage, upTo: (n: number) => number): Promise<string> {
	const { controller, cabinet } = stage
	const screen = () => controller().session.screen()
	const act = (what: Parameters<Stage['act']>[0]) => void controller().session.act(controller().session.turn(), what)
	const door = upTo(4)
	const shown = screen()
	// Mostly somebody goes on with what the kiosk shows; without that no walk would ever come to a loan.
	if (upTo(3) > 0) {
		if (shown.name === 'attract') stage.badge('ana')
		else if (shown.name === 'choose') act({ kind: 'choose', id: shown.choices.find((c) => !c.denied)?.id ?? '' })
		else if (shown.name === 'open' && !shown.contentChanged && upTo(5) > 0)
			cabinet.setItem(shown.door.number - 1, { present: shown.act === 'deposit', tag: 'TAG-0' })
		else if (shown.name === 'open') cabinet.setDoor(shown.door.number - 1, 'closed')
		else act({ kind: 'finish' })
		return `went on from ${shown.name}`
	}
	switch (upTo(9)) {
		case 0:
			if ('door' in shown) cabinet.setItem(shown.door.number - 1, { present: upTo(2) === 1, tag: 'TAG-0' })
			return 'item'
		case 1:
			if ('door' in shown) cabinet.setDoor(shown.door.number - 1, 'closed')
			return 'shut'
		case 2:
			cabinet.setDoor(door, upTo(3) === 0 ? 'open' : 'closed')
			return 'pulled or pushed'
		case 3:
			act({ kind: 'something-inside' })
			return 'said'
		case 4:
			stage.emulator.setFaults(0, { silent: true })
			await stage.clock.advance(upTo(2) * 12_000)
			if (upTo(3) > 0) stage.emulator.setFaults(0, {})
			return 'silent board'
		case 5:
			stage.emulator.setFaults(0, {})
			if (upTo(2) === 0) stage.crash()
			else stage.stop()
			await stage.start()
			return 'restart'
		case 6:
			cabinet.setFaults(door, { stuckLock: cabinet.faults(door).stuckLock !== true })
			return 'stuck lock'
		default:
			return settled(stage)
	}
}

/** A person looks behind the first door that is held, and says what is there. */
function settled({ controller, cabinet }: Stage): string {
	const held = controller()
		.health()
		.doors.find((d) => d.hold)
	if (!held) return 'nothing to settle'
	cabinet.setDoor(held.door - 1, 'closed')
	try {
		controller().settle({ door: held.door, found: cabinet.item(held.door - 1).present ? { tag: 'TAG-0' } : 'nothing', sure: true, returned: true })
	} catch {
		return 'settling refused'
	}
	return 'settled'
}
