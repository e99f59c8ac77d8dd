import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { killController } from './hands.ts'
import { type Site, startSite } from './site.ts'

describe('a loan', () => {
	let site: Site
	before(async () => {
		site = await startSite({ args: ['--virtual-clock'] })
	})
	after(async () => void (await site?.stop()))

	const person = (n: number) => site.ready.people[n] ?? assert.fail(`no demo person ${n}`)
	const pulses = async () => new Map((await site.metal()).map((d) => [d.number, d.pulses]))

	/** Takes a laptop with a badge; answers door and tag. */
	async function borrow(n: number): Promise<{ door: number; tag: string; due: number }> {
		const before = await pulses()
		await site.badge(person(n).badge)
		const { choices } = await site.screen('choose')
		const choice = choices.find((c) => c.kind === 'borrow') ?? assert.fail('nothing to borrow')
		await site.act({ kind: 'choose', id: choice.id })
		const open = await site.screen('open')
		const after = await pulses()
		const moved = [...after].filter(([door, count]) => count !== before.get(door))
		assert.deepEqual(moved, [[open.door.number, (before.get(open.door.number) ?? 0) + 1]], 'exactly one pulse, on the door that the screen names')
		assert.equal(await site.item(open.door.number, false), 204)
		await site.until((v) => v.screen.name === 'open' && v.screen.contentChanged, 'the taken laptop')
		await site.door(open.door.number, 'closed')
		const done = await site.screen('done')
		assert.equal(done.evidence, 3)
		await site.act({ kind: 'finish' })
		await site.screen('attract')
		return { door: open.door.number, tag: done.item?.tag ?? '', due: done.due ?? 0 }
	}

	async function giveBack(n: number, tag: string): Promise<number> {
		await site.badge(person(n).badge)
		const { choices } = await site.screen('choose')
		const choice = choices.find((c) => c.kind === 'return' && c.item?.tag === tag) ?? assert.fail(`${tag} is not offered for return`)
		await site.act({ kind: 'choose', id: choice.id })
		const open = await site.screen('open')
		assert.equal(await site.item(open.door.number, true, tag), 204)
		await site.until((v) => v.screen.name === 'open' && v.screen.contentChanged, 'the laptop inside')
		await site.door(open.door.number, 'closed')
		const done = await site.screen('done')
		assert.equal(done.act, 'deposit')
		await site.act({ kind: 'finish' })
		await site.screen('attract')
		return open.door.number
	}

	test('a badge takes a laptop out with one pulse and a due time, and the same badge brings it back', async () => {
		const { door, tag, due } = await borrow(0)
		const now = (await site.view()).now
		assert.ok(due > now && due <= now + 24 * 3_600_000, 'due within a day')
		assert.equal((await site.metal()).find((d) => d.number === door)?.item, false)
		const into = await giveBack(0, tag)
		assert.equal((await site.metal()).find((d) => d.number === into)?.item, true)
		await site.badge(person(0).badge)
		const { choices } = await site.screen('choose')
		assert.equal(choices.filter((c) => c.kind === 'return').length, 0, 'nothing left to bring back')
		await site.act({ kind: 'finish' })
	})

	test('staff who name a laptop that is on loan are asked again before the loan ends', async () => {
		const { tag } = await borrow(1)
		await site.fault({ compartment: 24, opensByItself: true })
		await site.until((v) => v.notices.includes('door-forced'), 'the forced door')
		await site.door(24, 'closed')
		await site.until((v) => !v.notices.includes('door-forced'), 'the door shut')
		const slip = await site.settle(24, { tag })
		assert.equal(slip.status, 409)
		assert.match(((await slip.json()) as { detail: string }).detail, /on loan/)
		assert.equal((await site.settle(24, 'nothing')).status, 200)
		await giveBack(1, tag)
	})

	test('a loan that came due while the bank was down is due later by as long, and not overdue; a short stop gives nothing', async () => {
		const { tag, due } = await borrow(2)
		const loan = async () => {
			await site.badge(person(2).badge)
			const { choices } = await site.screen('choose')
			await site.act({ kind: 'finish' })
			await site.screen('attract')
			return choices.find((c) => c.kind === 'return' && c.item?.tag === tag) ?? assert.fail(`${tag} is not offered for return`)
		}
		await killController(site)
		await site.run()
		assert.equal((await loan()).due, due, 'it was away for a moment')
		const DOWN_MS = 30 * 3_600_000
		await killController(site, () => site.advance(DOWN_MS / 1_000))
		await site.run()
		const { due: later = 0, overdue } = await loan()
		assert.ok(later - due >= DOWN_MS && later - due <= DOWN_MS + 180_000, `${(later - due) / 60_000} minutes later`)
		assert.equal(overdue, false)
		await giveBack(2, tag)
	})
})
