import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, afterEach, before, describe, test } from 'node:test'
import { mintCode } from '@latchwork/core/access'
import { newId } from '@latchwork/core/base'
import { signingKey } from '@latchwork/edge/keys'
import { arrive, borrow, giveBack, killController, leave, move, openFor, person, recordOf } from './hands.ts'
import { plug } from './plug.ts'
import { type Site, startSite } from './site.ts'

/** Who is it? Badge, PIN and one-time code through the reader, the keypad and the scanner (trust.md §3.4, T1–T3; X8, X13). */
describe('who is it', () => {
	const power = plug()
	let site: Site
	before(async () => {
		site = await startSite({ args: ['--virtual-clock'], env: power.env })
	})
	after(async () => {
		power.putBack()
		await site?.stop()
		power.close()
	})
	afterEach(() => site.run())

	const pulses = async () => (await site.metal()).reduce((sum, d) => sum + d.pulses, 0)
	const HOUR = 3_600_000
	const DAY = 24 * HOUR
	const wrongPin = () => String((Number(person(site, 0).pin) + 1) % 100_000_000).padStart(8, '0')

	test('an unknown badge is refused with a reason that names no one, and no door moves', async () => {
		const record = recordOf(site)
		const before = await pulses()
		await site.badge('31337')
		assert.equal((await site.screen('denied')).reason, 'unknown-credential')
		assert.deepEqual(record.one('decision.denied').data, { method: 'badge', reason: 'unknown-credential' })
		assert.ok(!JSON.stringify(record.since()).includes('31337'), 'the number that was shown is not on record')
		assert.equal(await pulses(), before)
		await leave(site)
	})

	test('a visitor is told why there is nothing to take; the touch on it moves no door', async () => {
		const before = await pulses()
		const [choice] = await arrive(site, 3)
		assert.deepEqual({ kind: choice?.kind, denied: choice?.denied }, { kind: 'borrow', denied: 'not-authorised' })
		await site.act({ kind: 'choose', id: choice?.id ?? '' })
		assert.equal((await site.screen('denied')).reason, 'not-authorised')
		assert.equal(await pulses(), before)
		await leave(site)
	})

	test('a PIN on the keypad of the reader and on the page lead to the same choices', async () => {
		const { pin } = person(site, 1)
		await site.keypad(`${pin}#`)
		const byReader = await site.screen('choose')
		await leave(site)
		await site.act({ kind: 'start-pin' })
		assert.deepEqual(await site.screen('pin'), { name: 'pin', entered: 0, length: 8, wrong: false, code: { digits: 8, hint: 0 } })
		await site.act({ kind: 'keys', keys: pin.slice(0, 3) })
		await site.act({ kind: 'keys', keys: '*' })
		assert.equal((await site.screen('pin')).entered, 2)
		await site.act({ kind: 'keys', keys: pin.slice(2) })
		assert.deepEqual(await site.screen('choose'), byReader)
		await leave(site)
	})

	/** Types a wrong PIN at the reader; answers for how many seconds the next one has to wait. The site's time stands still: nobody's slowness is counted. */
	async function mistype(): Promise<number> {
		await site.freeze()
		const { turn } = await site.view()
		await site.keypad(`${wrongPin()}#`)
		const { now, screen } = await site.until((v) => v.turn > turn && v.screen.name === 'pin' && v.screen.wrong, 'the wrong PIN')
		assert.ok(screen.name === 'pin' && screen.waitUntil !== undefined, JSON.stringify(screen))
		return (screen.waitUntil - now) / 1000
	}

	test('each wrong PIN costs twice the time of the last one, and meanwhile not even the right one is looked at', async () => {
		const { pin } = person(site, 0)
		for (const wait of [1, 2, 4]) {
			assert.equal(await mistype(), wait)
			await site.advance(wait - 0.5)
			const { turn, screen } = await site.view()
			await site.act({ kind: 'keys', keys: pin })
			assert.deepEqual((await site.view()).screen, screen)
			assert.equal((await site.view()).turn, turn)
			await site.advance(0.5)
		}
		await site.keypad(`${pin}#`)
		await site.screen('choose')
		await leave(site)
		assert.equal(await mistype(), 1, 'the right one ended the row of wrong ones')
		await leave(site)
		await site.advance(1)
	})

	test('pulling the plug buys no free try: the wait and the row of wrong PINs survive kill -9', async () => {
		for (const wait of [2, 4, 8]) {
			assert.equal(await mistype(), wait)
			await site.advance(wait)
		}
		assert.equal(await mistype(), 16)
		await killController(site)
		await site.until((v) => v.notices.length === 0 && v.screen.name === 'attract', 'the controller again')
		await site.keypad(`${person(site, 0).pin}#`)
		const { now, screen } = await site.until((v) => v.screen.name !== 'attract', 'an answer to the PIN')
		assert.ok(screen.name === 'pin' && screen.wrong, JSON.stringify(screen))
		assert.equal((screen.waitUntil ?? 0) - now, 16_000, 'no second of it has passed, whatever the restart took')
		await site.advance(16)
		assert.equal(await mistype(), 30)
		await site.advance(30)
		await site.keypad(`${person(site, 0).pin}#`)
		await site.screen('choose')
		await leave(site)
	})

	test('a hundred wrong PINs of a day suspend PINs at this kiosk until midnight, and nothing else', async () => {
		await site.freeze()
		// A hundred tries take an hour of the site's time: they begin in a morning, so that all are of one day.
		const { now } = await site.view()
		await site.advance((Math.ceil(now / DAY) * DAY + 9 * HOUR - now) / 1000)
		const record = recordOf(site)
		for (let screen = (await site.view()).screen; screen.name !== 'denied'; screen = (await site.view()).screen) {
			await site.advance(30)
			if ((await site.view()).screen.name !== 'pin') await site.act({ kind: 'start-pin' })
			await site.act({ kind: 'keys', keys: wrongPin() })
		}
		const wrong = record.since().filter((e) => e.type === 'decision.denied')
		assert.ok(wrong.length <= 100, `${wrong.length} tries in one day`)
		assert.deepEqual(record.one('credential.locked-out').data, { method: 'pin' })
		const { reason, until } = await site.screen('denied')
		assert.equal(reason, 'pin-suspended')
		assert.match(new Date(until ?? 0).toLocaleTimeString('de-DE', { timeZone: 'Europe/Berlin' }), /^00:00:00/)
		await leave(site)
		await site.keypad(`${person(site, 0).pin}#`)
		assert.equal((await site.screen('denied')).reason, 'pin-suspended')
		await leave(site)
		await arrive(site, 0)
		await leave(site)
		await site.advance(((until ?? 0) - (await site.view()).now) / 1000 + 1)
		await site.keypad(`${person(site, 0).pin}#`)
		await site.screen('choose')
		await leave(site)
	})

	test('T1: whoever guesses at the keypad and pulls the plug between the spent try and the look learns nothing by it, and has a hundred tries a day and the next ones at midnight, not one more', async () => {
		const TRIES = 100
		await site.freeze()
		const { now } = await site.view()
		await site.advance((Math.ceil(now / DAY) * DAY + 9 * HOUR - now) / 1000)
		const right = person(site, 0).pin
		/** What is kept of the day's tries. */
		const spent = () => {
			const db = new DatabaseSync(join(site.ready.dataDir, 'edge.db'), { readOnly: true, timeout: 5_000 })
			try {
				const { body } = db.prepare("SELECT body FROM fact WHERE kind = 'budget' AND key = 'pin'").get() ?? assert.fail('no budget')
				return JSON.parse(String(body)) as { day: string; spent: number }
			} finally {
				db.close()
			}
		}
		const types = async (pin: string) => {
			await site.advance(30)
			if ((await site.view()).screen.name !== 'pin') await site.act({ kind: 'start-pin' })
			await site.act({ kind: 'keys', keys: pin })
		}
		/** The try is on disk, and the power is gone before it was looked at. */
		const typesAndPulls = async (pin: string) => {
			const next = site.nextEdge()
			next.catch(() => {})
			const out = power.pullAt({ folder: site.ready.dataDir, kind: 'budget', key: 'pin', when: 'kept' })
			await Promise.all([out, types(pin).catch(() => {})])
			power.putBack()
			await next
			await site.until((v) => v.notices.length === 0 && v.screen.name === 'attract', 'the controller again, with nobody before it')
		}
		/** Guesses of a day, the plug pulled at some of them, until the keypad takes none any more, or so many. */
		const guesses = async (pulledAt: ReadonlySet<number>, most = TRIES + 1) => {
			const record = recordOf(site)
			const answered = () => record.since().filter(({ type, data }) => type === 'decision.denied' && data.method === 'pin').length
			let pulled = 0
			for (let turn = 1; turn <= most && (await site.view()).screen.name !== 'denied'; turn++) {
				assert.ok(turn <= TRIES, 'more tries than a day has')
				if (pulledAt.has(turn)) {
					const before = answered()
					// The right one: whoever is not told so has learnt nothing.
					await typesAndPulls(right)
					pulled += 1
					assert.equal(answered(), before)
				} else await types(wrongPin())
			}
			assert.ok(!record.types().includes('visit.started'))
			return { answered: answered(), pulled, kept: spent() }
		}

		await types(right)
		await site.screen('choose')
		await leave(site)
		assert.equal(spent().spent, 0, 'the control: with the power on it is known, and costs nothing')

		const first = await guesses(new Set([1, 40, TRIES - 1]))
		assert.deepEqual([first.answered, first.pulled, first.kept.spent], [TRIES - 3, 3, TRIES])
		const { reason, until: midnight = 0 } = await site.screen('denied')
		assert.equal(reason, 'pin-suspended')
		await leave(site)
		const still = async () => {
			await site.keypad(`${right}#`)
			assert.equal((await site.screen('denied')).reason, 'pin-suspended')
			await leave(site)
		}
		await site.advance((midnight - (await site.view()).now) / 1000 - 1)
		await killController(site)
		await still()
		// The power goes a second before midnight and is there again a second after it.
		await killController(site, () => site.advance(2))
		const second = await guesses(new Set([2]), 4)
		assert.deepEqual([second.answered, second.pulled, second.kept.spent], [3, 1, 4])
		assert.notEqual(second.kept.day, first.kept.day)
		await types(right)
		await site.screen('choose')
		await leave(site)
		assert.equal(spent().spent, 4)
	})

	test('a one-time code opens one door once; a second time it is used, whoever shows it', async () => {
		const [code = ''] = await site.codes(0)
		await site.scan(code)
		const { choices } = await site.screen('choose')
		await site.act({ kind: 'choose', id: choices.find((c) => c.kind === 'borrow')?.id ?? '' })
		const { door } = await site.screen('open')
		await move(site, door.number, false)
		await site.door(door.number, 'closed')
		await site.screen('done')
		await leave(site)
		const before = await pulses()
		await site.scan(code)
		assert.equal((await site.screen('denied')).reason, 'code-used')
		assert.equal(await pulses(), before)
		await leave(site)
		await giveBack(site, 0)
	})

	test('a code that was shown and not used for a door stays good', async () => {
		const [, code = ''] = await site.codes(0)
		for (let i = 0; i < 2; i++) {
			await site.scan(code)
			await site.screen('choose')
			await leave(site)
		}
	})

	test('a code of another bank, of another maker, one that has run out, and rubbish at the scanner are each refused for what they are', async () => {
		const { sign } = signingKey(join(site.ready.dataDir, 'maker.pem'))
		const { now } = await site.view()
		const elsewhere = { jti: 'one-of-a-kind', subject: newId('subject', now, randomBytes), bank: newId('bank', now, randomBytes) }
		await site.scan(mintCode({ ...elsewhere, notBefore: now - 1_000, expires: now + 600_000 }, sign))
		assert.equal((await site.screen('denied')).reason, 'code-other-bank')
		await leave(site)
		const other = await startSite()
		const [foreign = ''] = await other.codes(0)
		await other.stop()
		const [, , own = ''] = await site.codes(0)
		const flipped = own.slice(0, -2) + (own.endsWith('A') ? 'BB' : 'AA')
		const record = recordOf(site)
		for (const text of [foreign, flipped, 'LW1.', 'https://example.org/?q=LT-0418', "'; DROP TABLE event; --"]) {
			await site.scan(text)
			assert.equal((await site.screen('denied')).reason, 'unknown-credential', text.slice(0, 40))
			await leave(site)
		}
		// What no scanner reads is refused before it gets to the line; noise on the line itself is a matter of the driver's tests.
		for (const text of ['\u0000\u0001\uffff', 'x'.repeat(4096)]) await assert.rejects(site.scan(text), /: 400 /)
		assert.deepEqual(new Set(record.types()), new Set(['decision.denied']))
		await site.advance(8 * 86_400)
		await site.scan(own)
		assert.equal((await site.screen('denied')).reason, 'code-expired')
		await leave(site)
	})

	test('while one person has a door open, nobody else gets anywhere', async () => {
		const record = recordOf(site)
		const { door } = await openFor(site, 0, 'borrow')
		const { turn } = await site.view()
		const before = await pulses()
		await site.badge(person(site, 1).badge)
		await site.keypad(`${person(site, 1).pin}#`)
		await site.scan((await site.codes(1))[0] ?? '')
		await site.item(door.number, false)
		await site.until((v) => v.screen.name === 'open' && v.screen.contentChanged, 'the taken laptop')
		assert.equal((await site.view()).turn, turn + 1, 'nothing but the taken laptop has changed the screen')
		assert.equal(record.types().filter((type) => type === 'visit.started').length, 1)
		assert.equal(await pulses(), before)
		await site.door(door.number, 'closed')
		assert.equal((await site.screen('done')).evidence, 3)
		await leave(site)
		await giveBack(site, 0)
	})

	test('a second badge at the choices ends the visit of the first person', async () => {
		await borrow(site, 0)
		const record = recordOf(site)
		const mine = await arrive(site, 0)
		assert.ok(mine.some((c) => c.kind === 'return'))
		await site.badge(person(site, 1).badge)
		await site.until((v) => v.screen.name === 'choose' && !v.screen.choices.some((c) => c.kind === 'return'), 'the choices of the second person')
		assert.deepEqual(record.types(), ['visit.started', 'visit.ended', 'visit.started'])
		await leave(site)
		await giveBack(site, 0)
	})
})
