import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleBundle, sampleId } from '@latchwork/core/access/testing'
import { DOOR_TIMERS, KIOSK_TIMERS } from '@latchwork/core/door'
import type { Visit } from '@latchwork/core/visit'
import { nodeCrypto } from '../keys.ts'
import { createStage, type Stage } from '../testing/stage.ts'

/** A kiosk that one person cannot keep from the others, and that forgets nobody who still has something to bring back. */
const BORROW = 'borrow:loan-laptop'

async function withStage(run: (stage: Stage) => Promise<void>, options: Parameters<typeof createStage>[0] = {}): Promise<void> {
	const stage = await createStage(options)
	try {
		await run(stage)
	} finally {
		stage.end()
	}
}

/** Ana has chosen the laptop and its door stands open; answers the door's number. */
async function anaAtTheOpenDoor(stage: Stage): Promise<number> {
	stage.badge('ana')
	stage.choose(BORROW)
	const { door } = await stage.shows('open')
	return door.number
}
const openVisits = (stage: Stage) => [...stage.controller().journal.facts<Visit>('visit').values()].filter((v) => v.state === 'open')
const choices = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'choose' ? screen.choices.map((c) => `${c.kind}${c.denied ? ` ${c.denied}` : ''}`) : [screen.name]
}

test('a door that somebody leaves open does not keep the bank from others; shut later, its loan stands and its visit is over', () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		stage.badge('cem')
		assert.equal(stage.screen().name, 'open', 'in the first half minute the kiosk is hers')
		await stage.clock.advance(DOOR_TIMERS.prompt + 100)
		stage.badge('ana')
		assert.equal(stage.screen().name, 'open', 'her own badge changes nothing')
		stage.badge('cem')
		assert.deepEqual(choices(stage), ['borrow needs-second-factor', 'borrow nothing-available'])
		assert.deepEqual(stage.controller().view().standing, [{ number: door, why: 'left-open' }])
		assert.ok(stage.controller().view().notices.includes('door-left-open'))
		stage.cabinet.setItem(door - 1, { present: false })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		await stage.until('the end of the door session', () => stage.types().includes('door-session.committed'))
		assert.equal(stage.screen().name, 'choose', 'who stands there now is not disturbed')
		assert.equal(stage.types().filter((t) => t === 'loan.started').length, 1)
		stage.act({ kind: 'finish' })
		assert.deepEqual(openVisits(stage), [])
		stage.badge('ana')
		assert.ok(choices(stage).includes('return'))
		assert.deepEqual(stage.controller().view().standing, [])
	}))

test('a door shut behind a person who went, with nobody else there, shows what came of it', () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		await stage.clock.advance(DOOR_TIMERS.prompt + 100)
		stage.act({ kind: 'next-person' })
		assert.equal(stage.screen().name, 'attract')
		stage.badge('ana')
		stage.choose(stage.screen().name === 'choose' ? BORROW : '')
		assert.equal(stage.screen().name, 'denied', 'one person has one door open (R8)')
		stage.act({ kind: 'finish' })
		stage.cabinet.setItem(door - 1, { present: false })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		const done = await stage.shows('done')
		assert.equal(done.evidence, 3)
		await stage.clock.advance(KIOSK_TIMERS.done + 100)
		assert.equal(stage.screen().name, 'attract')
		assert.deepEqual(openVisits(stage), [])
	}))

test('a door left open outlives the controller: others borrow, and it still ends as what it was', () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		await stage.clock.advance(DOOR_TIMERS.prompt + 100)
		stage.badge('cem')
		assert.equal(stage.screen().name, 'choose')
		stage.crash()
		await stage.start()
		await stage.until('the door is seen again', () => stage.screen().name === 'open')
		stage.cabinet.setItem(door - 1, { present: false })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		await stage.shows('done')
		stage.act({ kind: 'finish' })
		assert.deepEqual(openVisits(stage), [])
	}))

test('nothing taken from a door that stood open for long: it is not opened again for whoever stands there, and the visit ends', () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		await stage.clock.advance(KIOSK_TIMERS.home + 5_000)
		stage.cabinet.setDoor(door - 1, 'closed')
		assert.equal((await stage.shows('no-change')).retry, false)
		stage.act({ kind: 'retry' })
		assert.equal(stage.screen().name, 'attract')
		assert.deepEqual(openVisits(stage), [], 'what was promised is given back at once')
		stage.badge('ana')
		assert.ok(choices(stage).includes('borrow'))
	}))

test('in the first seconds a lock may take its time: "it did not open" is listened to from then on', () =>
	withStage(async (stage) => {
		stage.cabinet.setFaults(0, { lateOpenMs: 1_500 })
		stage.badge('ana')
		stage.choose(BORROW)
		await stage.clock.advance(300)
		const opening = stage.screen()
		assert.ok(opening.name === 'opening' && opening.askAt > stage.clock.now())
		stage.act({ kind: 'did-not-open' })
		await stage.shows('open')
		assert.ok(!stage.types().includes('door-session.not-opened'))
	}))

test('what a person says at the open door is on the screen at once; "it did not open" at a door that the sensor sees open is answered', () =>
	withStage(async (stage) => {
		await anaAtTheOpenDoor(stage)
		const said = () => {
			const screen = stage.screen()
			return screen.name === 'open' ? screen.said : screen.name
		}
		assert.equal(said(), undefined)
		stage.act({ kind: 'did-not-open' })
		assert.equal(said(), 'did-not-open')
		stage.act({ kind: 'something-inside' })
		assert.equal(said(), 'did-not-open', 'somebody who takes something expects something inside')
		stage.act({ kind: 'wrong-item' })
		assert.equal(said(), 'wrong-item')
	}))

test('a one-time code is good for one door: after it there is nothing else to choose', () =>
	withStage(async (stage) => {
		stage.scan(stage.code('ana', 'code-for-one-door'))
		stage.choose(BORROW)
		const { door } = await stage.shows('open')
		stage.cabinet.setDoor(door.number - 1, 'closed')
		await stage.shows('no-change')
		stage.act({ kind: 'back' })
		assert.equal(stage.screen().name, 'attract')
		assert.deepEqual(openVisits(stage), [])
	}))

test('a loan that nobody can prove can be brought back: after a sensor that flapped, and after a plug pulled in the middle', async (t) => {
	await t.test('flapped', () =>
		withStage(async (stage) => {
			const door = await anaAtTheOpenDoor(stage)
			stage.cabinet.setItem(door - 1, { present: false })
			for (let i = 0; i < 4; i++) {
				stage.cabinet.setDoor(door - 1, 'closed')
				await stage.clock.advance(200)
				stage.cabinet.setDoor(door - 1, 'open')
				await stage.clock.advance(200)
			}
			stage.cabinet.setDoor(door - 1, 'closed')
			await stage.shows('confirm')
			stage.act({ kind: 'confirm', done: true })
			await stage.shows('done')
			stage.act({ kind: 'finish' })
			stage.badge('ana')
			assert.ok(choices(stage).includes('return'), choices(stage).join())
		}),
	)
	await t.test('pulled', () =>
		withStage(async (stage) => {
			stage.badge('ana')
			stage.choose(BORROW)
			stage.crash()
			await stage.clock.advance(2_000)
			stage.cabinet.setItem(0, { present: false })
			stage.cabinet.setDoor(0, 'closed')
			await stage.start()
			await stage.until('the end', () => stage.types().includes('door-session.ambiguous'))
			stage.act({ kind: 'finish' })
			await stage.clock.advance(16 * 60_000)
			stage.writeLease()
			stage.badge('ana')
			assert.ok(choices(stage).includes('return'), choices(stage).join())
			stage.choose(choiceOf(stage, 'return'))
			const { door } = await stage.shows('open')
			await stage.hand(door.number, true)
			assert.equal(stage.controller().bank.state().compartments[sampleId('compartment', `${door.number}`)]?.content.kind, 'item')
		}),
	)
})

test('what was left inside can be fetched: the same door, twice, within two minutes, by who has just been at it; custody stays as it is', () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		stage.cabinet.setItem(door - 1, { present: false })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		const receipt = await stage.shows('done')
		assert.ok(receipt.againUntil)
		for (const left of [1, 0]) {
			stage.act({ kind: 'open-again' })
			const open = await stage.shows('open')
			assert.deepEqual([open.door.number, open.again], [door, true])
			stage.cabinet.setDoor(door - 1, 'closed')
			const done = await stage.shows('done')
			assert.deepEqual([done.receipt, done.againUntil !== undefined], [receipt.receipt, left > 0])
		}
		stage.act({ kind: 'open-again' })
		assert.equal(stage.screen().name, 'done')
		assert.equal(stage.cabinet.pulses(door - 1), 3)
		assert.equal(stage.types().filter((t) => t === 'custody.transferred').length, 1)
		stage.act({ kind: 'finish' })
		assert.deepEqual(openVisits(stage), [])
	}))

test("a laptop put back through the door that was opened again is nobody's return: the compartment waits for a look", () =>
	withStage(async (stage) => {
		const door = await anaAtTheOpenDoor(stage)
		stage.cabinet.setItem(door - 1, { present: false })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		await stage.shows('done')
		stage.act({ kind: 'open-again' })
		await stage.shows('open')
		stage.cabinet.setItem(door - 1, { present: true, tag: 'TAG-0' })
		await stage.clock.advance(500)
		stage.cabinet.setDoor(door - 1, 'closed')
		await stage.shows('done')
		assert.equal(stage.controller().bank.state().compartments[sampleId('compartment', `${door}`)]?.hold?.kind, 'pending-inspection')
		stage.act({ kind: 'finish' })
		stage.badge('ana')
		assert.ok(choices(stage).includes('return'), 'it is still hers')
	}))

test('where the site lets one door stand open at a time, nobody else opens one meanwhile, and is told why', () =>
	withStage(
		async (stage) => {
			const door = await anaAtTheOpenDoor(stage)
			stage.cabinet.setItem(door - 1, { present: false })
			await stage.clock.advance(500)
			stage.cabinet.setDoor(door - 1, 'closed')
			await stage.shows('done')
			stage.act({ kind: 'finish' })
			stage.cabinet.setDoor(3, 'open')
			await stage.until('the forced door', () => stage.types().includes('door.forced'))
			stage.badge('ana')
			stage.choose(choiceOf(stage, 'return'))
			const denied = await stage.shows('denied')
			assert.equal(denied.reason, 'door-open')
			assert.equal(stage.types().filter((t) => t === 'door-session.releasing').length, 1)
		},
		{ bundle: { settings: { ...sampleBundle(nodeCrypto).settings, singleOpen: true } } },
	))

test('a bus whose content sensors all say "empty" costs two compartments, not every one that holds a laptop', async () => {
	const base = sampleBundle(nodeCrypto)
	const [laptop] = base.assets
	assert.ok(laptop)
	const laptops = [1, 2, 3].map((n) => ({ ...laptop, id: sampleId('asset', `laptop-${n}`), tag: `TAG-${n}` }))
	const initialContents = laptops.map(({ id }, i) => ({ compartment: sampleId('compartment', `${i + 1}`), asset: id }))
	const stage = await createStage({ started: false, bundle: { assets: laptops, initialContents } })
	try {
		for (const n of [0, 1, 2]) stage.cabinet.setItem(n, { present: true, tag: `TAG-${n + 1}` }, true)
		stage.writeBundle()
		await stage.start()
		stage.crash()
		for (const n of [0, 1, 2]) stage.cabinet.setItem(n, { present: false }, true)
		await stage.start()
		stage.badge('ana')
		stage.choose(BORROW)
		const held = Object.values(stage.controller().bank.state().compartments).filter((c) => c.hold)
		assert.deepEqual([stage.screen().name, held.length], ['denied', 2])
		assert.ok(!stage.types().includes('door-session.releasing'))
	} finally {
		stage.end()
	}
})

function choiceOf(stage: Stage, kind: string): string {
	const screen = stage.screen()
	const found = screen.name === 'choose' ? screen.choices.find((c) => c.kind === kind) : undefined
	return found?.id ?? assert.fail(`${kind} is not offered: ${JSON.stringify(screen)}`)
}

test('a bank whose bundle comes while its boards are silent says that it cannot reach its doors, not that it was never set up', async (t) => {
	const stage = await createStage({ started: false })
	t.after(stage.end)
	await stage.start()
	stage.emulator.setFaults(0, { silent: true })
	await stage.until('the boards are lost', () =>
		stage
			.controller()
			.bank.boards()
			.every((b) => !b.up),
	)
	assert.deepEqual(stage.screen(), { name: 'out-of-service', why: 'bundle-missing' })
	stage.writeBundle()
	await stage.clock.advance(2_000)
	assert.deepEqual(stage.screen(), { name: 'out-of-service', why: 'board-lost' })
})
