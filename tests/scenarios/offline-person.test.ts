import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { alone, type Cable, cableAt, online } from './cable.ts'
import { allOf, arrive, borrow, giveBack, leave, person, recordOf } from './hands.ts'
import { eventually, type Site, startSite } from './site.ts'

interface User {
	readonly id: string
	readonly name: string
	readonly version: number
	readonly offlineMinutes?: number
}
interface Outcome {
	readonly effect: string
	readonly reason?: string
	readonly rules: readonly { readonly rule: string }[]
	readonly instead: readonly { readonly change: string }[]
}

/** Three people of the demo at one bank: one who needs the server, one who has a quarter of an hour without it, and a colleague. */
const [NEVER, SHORT, COLLEAGUE] = [0, 1, 2]

describe('people about whom a bank without its server decides for less time than about others', () => {
	let site: Site
	let cable: Cable
	before(async () => {
		site = await startSite({ server: true, args: ['--virtual-clock'] })
		cable = await cableAt(site, site)
	})
	after(async () => {
		await cable?.close()
		await site?.stop()
	})

	const userOf = async (n: number) => (await allOf<User>(site, '/v1/users?')).find(({ name }) => name === person(site, n).name) ?? assert.fail()
	const change = async (n: number, body: object) => {
		const { id, version } = await userOf(n)
		const answer = await fetch(`${site.ready.api}/v1/users/${id}`, {
			method: 'PATCH',
			headers: { authorization: `Bearer ${site.ready.token}`, 'content-type': 'application/json', 'if-match': `"${version}"` },
			body: JSON.stringify(body),
		})
		assert.equal(answer.status, 200, await answer.text())
	}
	const offered = async (n: number) => {
		const choice = (await arrive(site, n)).find(({ kind }) => kind === 'borrow')
		await leave(site)
		return choice?.denied ?? 'offered'
	}
	const all = async () => [await offered(NEVER), await offered(SHORT), await offered(COLLEAGUE)]
	const says = (n: number, wanted: string) =>
		eventually(
			() => offered(n),
			(said) => said === wanted,
			wanted,
		)

	test('with the server all are served; without it one is refused at once, another after a quarter of an hour, a colleague opens; a return works, and with the server all are served again', async () => {
		await change(NEVER, { offlineMinutes: 0 })
		await change(SHORT, { offlineMinutes: 15 })
		assert.deepEqual([(await userOf(NEVER)).offlineMinutes, (await userOf(SHORT)).offlineMinutes], [0, 15])
		// What was told last is seen at the bank, so it has heard of them, too.
		await change(COLLEAGUE, { maxLoans: 0 })
		await says(COLLEAGUE, 'quota-exceeded')
		await change(COLLEAGUE, { maxLoans: null })
		await says(COLLEAGUE, 'offered')
		assert.deepEqual(await all(), ['offered', 'offered', 'offered'])
		await borrow(site, NEVER)

		cable.cut()
		await alone(site)
		assert.deepEqual(await all(), ['lease-expired', 'offered', 'offered'])
		const record = recordOf(site)
		const choice = (await arrive(site, NEVER)).find(({ kind }) => kind === 'borrow') ?? assert.fail()
		await site.act({ kind: 'choose', id: choice.id })
		assert.equal((await site.screen('denied')).reason, 'lease-expired')
		await site.act({ kind: 'finish' })
		await site.screen('attract')
		const { actor, data } = record.one('decision.denied')
		assert.deepEqual([actor, data.rules, data.offline], [(await userOf(NEVER)).id, ['builtin/offline-for'], true])
		await giveBack(site, NEVER)

		await site.advance(16 * 60)
		assert.deepEqual(await all(), ['lease-expired', 'lease-expired', 'offered'])
		await borrow(site, COLLEAGUE)

		cable.mend()
		await online(site, site)
		await says(SHORT, 'offered')
		assert.deepEqual(await all(), ['offered', 'offered', 'offered'])
	})

	test('what-if says who is refused without the server, for how long already, and that the network would help', async () => {
		const ask = async (n: number, more: object = {}) =>
			(
				await site.api<{ inForce: Outcome }>('POST', '/v1/what-if', {
					user: (await userOf(n)).id,
					bank: site.bank,
					type: 'laptop-14',
					offline: true,
					...more,
				})
			).inForce
		const refused = await ask(NEVER)
		assert.deepEqual([refused.effect, refused.reason, refused.rules.map(({ rule }) => rule)], ['deny', 'lease-expired', ['builtin/offline-for']])
		assert.ok(refused.instead.some((one) => one.change === 'online'))
		const effects = await Promise.all([
			ask(NEVER, { offline: false }),
			ask(SHORT),
			ask(SHORT, { offlineMinutes: 14 }),
			ask(SHORT, { offlineMinutes: 15 }),
			ask(COLLEAGUE, { offlineMinutes: 15 }),
		])
		assert.deepEqual(
			effects.map(({ effect }) => effect),
			['allow', 'allow', 'allow', 'deny', 'allow'],
		)
		await assert.rejects(ask(SHORT, { offlineMinutes: -1 }), /body.offlineMinutes/)
	})
})
