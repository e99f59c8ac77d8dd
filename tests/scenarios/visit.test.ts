import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test } from 'node:test'
import { arrive, borrow, giveBack, holdOf, killController, leave, move, openFor, pulseFor, recordOf, tidy } from './hands.ts'
import { type Site, startSite } from './site.ts'

/** One person's visit over time: due and overdue, how many at once, a kiosk that nobody answers, a bank that is full, a controller that dies. */
describe('a visit over time', () => {
	let site: Site
	before(async () => {
		site = await startSite({ args: ['--virtual-clock'] })
	})
	after(async () => void (await site?.stop()))
	// Tests push doors shut faster than hands: six edges in two seconds would be a sensor fault (R10).
	afterEach(async () => {
		await site.run()
		await site.advance(3)
		await tidy(site)
		await site.advance(3)
	})

	const HOUR = 3_600_000
	const until = async (time: number) => {
		const { now } = await site.view()
		if (time > now) await site.advance((time - now) / 1000)
	}
	/** Nine in the morning (UTC) of the next day: what is due at 18:00 is then due today, with hours to go. */
	const morning = (now: number) => Math.ceil(now / (24 * HOUR)) * 24 * HOUR + 9 * HOUR
	const visible = async (n: number, kind: 'borrow' | 'return') => (await arrive(site, n)).filter((c) => c.kind === kind)

	test('due soon an hour before, overdue a quarter of an hour after: on record once, on the screen, and no second loan until it is back', async () => {
		const here = recordOf(site)
		await until(morning((await site.view()).now))
		const { done } = await borrow(site, 0)
		const due = done.due ?? assert.fail('no due time')
		await until(due - HOUR - 60_000)
		assert.ok(!here.types().includes('loan.due-soon'))
		await until(due - HOUR + 60_000)
		assert.equal(here.one('loan.due-soon').data.due, due)
		const [before] = await visible(0, 'return')
		assert.deepEqual({ due: before?.due, overdue: before?.overdue }, { due, overdue: false })
		await leave(site)
		await until(due + 10 * 60_000)
		assert.ok(!here.types().includes('loan.overdue'), 'a quarter of an hour of grace')
		await until(due + 16 * 60_000)
		here.one('loan.overdue')
		const choices = await arrive(site, 0)
		assert.equal(choices.find((c) => c.kind === 'return')?.overdue, true)
		assert.equal(choices.find((c) => c.kind === 'borrow')?.denied, 'overdue-block')
		await leave(site)
		await giveBack(site, 0)
		assert.equal((await visible(0, 'borrow'))[0]?.denied, undefined)
	})

	test('two loans are allowed at once, a third is not, and one brought back makes room again', async () => {
		await borrow(site, 0)
		await borrow(site, 0)
		assert.equal((await visible(0, 'borrow'))[0]?.denied, 'quota-exceeded')
		await leave(site)
		assert.equal((await visible(1, 'borrow'))[0]?.free, 1)
		await leave(site)
		await site.advance(3)
		await giveBack(site, 0)
		assert.equal((await visible(0, 'borrow'))[0]?.denied, undefined)
	})

	test('with the last laptop gone the kiosk says that none is ready', async () => {
		for (const n of [0, 0, 1]) await borrow(site, n)
		const [choice] = await visible(2, 'borrow')
		assert.deepEqual({ free: choice?.free, denied: choice?.denied }, { free: 0, denied: 'nothing-available' })
		await site.act({ kind: 'choose', id: choice?.id ?? '' })
		assert.equal((await site.screen('denied')).reason, 'nothing-available')
	})

	test('a kiosk that nobody answers warns in time before it goes home; more time moves both, ten times at most', async () => {
		await site.freeze()
		await arrive(site, 0)
		const idleNow = async () => {
			const { now, idle } = await site.view()
			return { now, ...(idle ?? assert.fail('the screen waits for ever')) }
		}
		const first = await idleNow()
		assert.equal(first.extensionsLeft, 10)
		const warned = first.endsAt - first.warnAt
		assert.ok(warned >= 20_000 && first.warnAt > first.now, JSON.stringify(first))
		for (let left = 9; left >= 0; left--) {
			await until((await idleNow()).endsAt - 1_000)
			await site.act({ kind: 'more-time' })
			const { now, warnAt, endsAt, extensionsLeft } = await idleNow()
			assert.deepEqual(
				{ extensionsLeft, whole: endsAt - now, warned: endsAt - warnAt },
				{ extensionsLeft: left, whole: first.endsAt - first.now, warned },
			)
		}
		const last = await idleNow()
		await site.act({ kind: 'more-time' })
		assert.deepEqual(await idleNow(), last, 'the eleventh time changes nothing')
		await until(last.endsAt - 1_000)
		assert.equal((await site.view()).screen.name, 'choose')
		const here = recordOf(site)
		await until(last.endsAt)
		await site.screen('attract')
		here.one('visit.ended')
	})

	test('help is one touch away and leads back to where the person was', async () => {
		const choices = await arrive(site, 0)
		await site.act({ kind: 'help' })
		await site.screen('help')
		await site.act({ kind: 'back' })
		assert.deepEqual((await site.screen('choose')).choices, choices)
	})

	test('a touch on a screen that has moved on does nothing and says so', async () => {
		const { turn } = await site.view()
		await arrive(site, 0)
		const stale = await fetch(`${site.ready.kiosk}api/act`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ turn, act: { kind: 'finish' } }),
		})
		assert.equal(stale.status, 409)
		assert.equal((await site.view()).screen.name, 'choose')
	})

	test('a bank without a free door says so, keeps the loan open, and takes the laptop when one is free again', async () => {
		await borrow(site, 0)
		const here = recordOf(site)
		const shut = (await site.metal()).filter((d) => !d.item)
		for (const { number } of shut) await site.fault({ compartment: number, opensByItself: true })
		// Each is seen open before any is shut: the controller looks at the boards in its own time.
		await site.until(() => here.types().filter((type) => type === 'compartment.quarantined').length === shut.length, 'a hold on every forced door')
		for (const { number } of shut) await site.door(number, 'closed')
		await site.until((v) => !v.notices.includes('door-forced'), 'every door shut')
		for (const { number } of shut) assert.equal(await holdOf(site, number), 'quarantined', `door ${number}`)
		const [choice] = await visible(0, 'return')
		assert.equal(choice?.denied, 'bank-full')
		await site.act({ kind: 'choose', id: choice?.id ?? '' })
		await site.screen('bank-full')
	})

	test('kill -9 with a door open: the person pushes it shut meanwhile and still gets the receipt, on one pulse', async () => {
		const { door } = await openFor(site, 0, 'borrow')
		const { pulses } = (await site.metal()).find((d) => d.number === door.number) ?? assert.fail()
		await killController(site, async () => {
			assert.equal(await site.item(door.number, false), 204)
			await site.door(door.number, 'closed')
		})
		await site.run()
		const done = await site.screen('done')
		assert.equal(done.door.number, door.number)
		assert.equal(done.evidence, 3)
		assert.equal((await site.metal()).find((d) => d.number === door.number)?.pulses, pulses)
		await leave(site)
		assert.equal((await visible(0, 'return')).length, 1)
	})

	test('kill -9 with a door open and nothing done yet: the same screen is back, and the visit goes on', async () => {
		const { door } = await openFor(site, 0, 'borrow')
		await killController(site)
		assert.equal((await site.screen('open')).door.number, door.number)
		await site.run()
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
	})

	test('kill -9 while a person chooses: the visit is over on record, and the same badge begins anew', async () => {
		const here = recordOf(site)
		await arrive(site, 0)
		await killController(site)
		await site.until((v) => v.screen.name === 'attract' && v.notices.length === 0, 'the controller again')
		await arrive(site, 0)
		const visits = here.since().filter((e) => e.type.startsWith('visit.'))
		assert.deepEqual(
			visits.map((v) => v.type),
			['visit.started', 'visit.ended', 'visit.started'],
		)
		assert.equal(visits[0]?.subject, visits[1]?.subject)
	})

	test('a door that did not open keeps its promise through a crash: the person goes on with the same laptop', async () => {
		for (const { number } of await site.metal()) await site.fault({ compartment: number, stuckLock: true })
		await site.freeze()
		await pulseFor(site, 0, 'borrow')
		await site.advance(3) // a lock may take that long
		await site.act({ kind: 'did-not-open' })
		const { door } = await site.screen('not-opened')
		await killController(site)
		await site.clearFaults()
		await site.run()
		await site.until((v) => v.screen.name === 'attract' && v.notices.length === 0, 'the controller again')
		const open = await openFor(site, 0, 'resume')
		assert.equal(open.door.number, door.number)
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
	})
})
