import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Id } from '@latchwork/core/base'
import { testApi } from '../testing/api.ts'
import { testEdge } from '../testing/edge.ts'
import { decidedLately, shareOf } from './replay.ts'

test('a share leaves to the busy what the quiet do not need, and is never more than there is', () => {
	assert.deepEqual(
		[shareOf([1, 2, 30, 40], 20), shareOf([10, 10], 20), shareOf([11, 10], 20), shareOf([5, 5, 5], 2), shareOf([], 20)],
		[8, 20, 10, 0, 20],
	)
	for (const counts of [[1, 2, 30, 40], [7, 7, 7], [100], [3, 90, 4]]) {
		const each = shareOf(counts, 20)
		assert.ok(counts.reduce((sum, one) => sum + Math.min(one, each), 0) <= 20)
	}
})

test('where more was decided than is decided again, each bank has its share, and what is left out is counted', async (t) => {
	const api = await testApi()
	t.after(() => api.close())
	const acme = await api.tenant('Acme')
	const ask = async (method: string, path: string, body?: unknown) =>
		(await api.ask(method, path, { token: acme.owner.token, ...(body !== undefined && { body }) })).body
	const { layout } = await ask('GET', `/v1/banks/${acme.bank}`)
	const banks = [acme.bank]
	for (let n = 1; n < 4; n++) banks.push((await ask('POST', '/v1/banks', { site: acme.site, name: `Floor ${n}`, helpPhone: '110', layout })).id)
	const away = (await ask('POST', '/v1/banks', { site: acme.otherSite, name: 'Depot', helpPhone: '110', layout })).id
	let decisions = 0
	const decided = (count: number) =>
		Array.from({ length: count }, () => ({
			type: 'decision.denied' as const,
			subject: `dec_019b8d62-7a80-7fd9-b653-${String(++decisions).padStart(12, '0')}`,
			data: { method: 'badge', reason: 'unknown-credential', rules: [] },
		}))
	const edges = []
	for (const bank of banks) edges.push(await testEdge(api, { ...acme, bank }))
	for (const [i, edge] of edges.entries()) await edge.tell(...decided([1, 2, 9, 12][i] ?? 0))
	await (await testEdge(api, { ...acme, site: acme.otherSite, bank: away })).tell(...decided(30))
	const lately = (most?: { decisions: number; banks: number }, since = 0, at: { site?: Id<'site'> } = { site: acme.site }, of = banks) =>
		api.store.read(acme.id, (db) => decidedLately(db, { since, at, banks: of }, most))
	const told = async (...of: Parameters<typeof lately>) => {
		const { banks: looked, decided, banksLeftOut, decisionsLeftOut, gone } = await lately(...of)
		return [banks.map((bank) => decided.filter((one) => one.bank === bank).length), looked.length, banksLeftOut, decisionsLeftOut, gone]
	}
	assert.deepEqual(await told(), [[1, 2, 9, 12], 4, 0, 0, 0], 'all of them, and none of another site')
	assert.deepEqual(await told({ decisions: 11, banks: 100 }), [[1, 2, 4, 4], 4, 0, 13, 0])
	assert.deepEqual(await told({ decisions: 100, banks: 2 }), [[0, 0, 9, 12], 2, 2, 3, 0], 'those that decided most')
	assert.deepEqual(await told(undefined, 0, {}, [...banks, away]), [[1, 2, 9, 12], 5, 0, 0, 0])
	assert.deepEqual(await told(undefined, 0, {}), [[1, 2, 9, 12], 4, 0, 0, 30], 'of a bank that is no more')
	const [newest] = (await lately({ decisions: 4, banks: 100 })).decided
	assert.equal(newest?.id, (await lately()).decided[0]?.id, 'the newest are looked at')

	await api.clock.advance(86_400_000)
	await edges[2]?.tell(...decided(3))
	assert.deepEqual(await told(undefined, api.clock.now() - 1_000), [[0, 0, 3, 0], 1, 0, 0, 0], 'of that time alone')
})
