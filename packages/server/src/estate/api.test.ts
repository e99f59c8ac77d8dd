import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { exampleLayout } from '@latchwork/core/wire'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { doorsOf } from './layout.ts'

describe('the estate over HTTP', () => {
	let api: TestApi
	let mine: TestTenant
	let theirs: TestTenant
	before(async () => {
		api = await testApi()
		mine = await api.tenant('Mine')
		theirs = await api.tenant('Theirs')
	})
	after(() => api.close())

	const ask = (method: string, path: string, body?: unknown, version?: number, token = mine.owner.token) =>
		api.ask(method, path, { token, body, version })
	/** The body of an answer that has to be this status. */
	const ok = async (status: number, ...asked: Parameters<typeof ask>) => {
		const answer = await ask(...asked)
		assert.equal(answer.status, status, `${asked[0]} ${asked[1]}: ${answer.text}`)
		return answer.body
	}
	const doors = doorsOf(exampleLayout)

	it('is built from a site to a controller, changed with the version that was seen, and taken down again', async () => {
		const calendar = {
			schedules: [{ id: 'week', weekly: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] }],
			openingHours: 'week',
			closures: [{ from: '2026-12-24', to: '2027-01-01', reason: 'holidays' }],
		}
		const notes = { labels: { region: 'east' }, externalRefs: [{ system: 'erp', id: '0815' }], clientData: { floors: [1, 2] } }
		const site = await ok(201, 'POST', '/v1/sites', { name: 'Depot', timeZone: 'America/New_York', calendar, ...notes })
		const { labels, externalRefs, clientData } = site
		assert.deepEqual([site.calendar, { labels, externalRefs, clientData }, site.version], [calendar, notes, 1])
		const area = await ok(201, 'POST', '/v1/areas', { site: site.id, name: 'Lobby' })
		const bank = await ok(201, 'POST', '/v1/banks', { site: site.id, area: area.id, name: 'A', helpPhone: '110', layout: exampleLayout })
		const controller = await ok(201, 'POST', '/v1/controllers', { bank: bank.id, name: 'Box' })
		assert.deepEqual([controller.state, bank.live.online, bank.live.outage, bank.capabilities], ['waiting', false, 'none', []])
		assert.equal((await ask('POST', '/v1/controllers', { bank: bank.id, name: 'Box' })).body.code, 'already-exists')

		const compartments = (await ok(200, 'GET', `/v1/compartments?bank=${bank.id}&limit=200`)).items
		assert.equal(compartments.length, doors.length)
		const [first] = compartments
		const path = `/v1/compartments/${first.id}`
		assert.equal((await ask('PATCH', path, { number: 99 })).body.code, 'version-missing')
		assert.equal((await ask('PATCH', path, { number: 99 }, 7)).body.code, 'version-conflict')
		const patch = { number: 99, powered: true, inside: { widthMm: 380, depthMm: 500 }, service: { state: 'out-of-service', reason: 'dirty' } }
		const changed = await ok(200, 'PATCH', path, patch, 1)
		assert.deepEqual(
			[changed.number, changed.capabilities, changed.inside, changed.service, changed.live.allocation],
			[99, ['charge'], { widthMm: 380, depthMm: 500 }, patch.service, 'out-of-service'],
		)
		const map = await ok(200, 'GET', `/v1/banks/${bank.id}/map`)
		assert.equal(map.doors.length, doors.length)
		assert.deepEqual(map.doors.at(-1).compartment, first.id)
		assert.deepEqual(
			doorsOf(map.layout)
				.map((d) => d.number)
				.toSorted((a, b) => a - b),
			map.doors.map((d: { number: number }) => d.number),
		)
		await ok(200, 'PATCH', path, { service: { state: 'in-service' } }, 2)

		const cell = { kind: 'door', number: 500, heightMm: 300, size: 'L', accessible: true }
		const module = await ok(201, 'POST', '/v1/modules', { bank: bank.id, column: { widthMm: 400, cells: [cell] } })
		await ok(200, 'PATCH', `/v1/modules/${module.id}`, { name: 'Annexe' }, 1)
		assert.equal((await ok(200, 'GET', `/v1/modules?bank=${bank.id}`)).items.length, exampleLayout.columns.length + 1)
		await ok(204, 'DELETE', `/v1/modules/${module.id}`, undefined, 2)

		assert.match((await ask('DELETE', `/v1/sites/${site.id}`, undefined, 1)).body.detail, /1 bank/)
		assert.match((await ask('DELETE', `/v1/areas/${area.id}`, undefined, 1)).body.detail, /1 bank/)
		const now = await ok(200, 'GET', `/v1/banks/${bank.id}`)
		assert.match((await ask('DELETE', `/v1/banks/${bank.id}`, undefined, now.version)).body.detail, /1 controller/)
		assert.equal((await ok(200, 'DELETE', `/v1/controllers/${controller.id}`, undefined, 1)).state, 'revoked')
		await ok(204, 'DELETE', `/v1/banks/${bank.id}`, undefined, now.version)
		await ok(204, 'DELETE', `/v1/areas/${area.id}`, undefined, 1)
		await ok(204, 'DELETE', `/v1/sites/${site.id}`, undefined, 1)
		assert.equal((await ask('GET', `/v1/sites/${site.id}`)).status, 404)
	})

	it('refuses what is not a time zone, a calendar or a drawing, and names the field', async () => {
		const site = { name: 'X', timeZone: 'Europe/Berlin' }
		const refused = async (path: string, body: unknown) => {
			const answer = await ask('POST', path, body)
			assert.equal(answer.status, 400, answer.text)
			return `${answer.body.detail}`
		}
		assert.match(await refused('/v1/sites', { ...site, timeZone: 'Mars/Olympus' }), /timeZone: an IANA time zone/)
		assert.match(await refused('/v1/sites', { ...site, calendar: { schedules: [], closures: [], openingHours: 'week' } }), /no schedule week/)
		const closures = [{ from: '2026-02-02', to: '2026-02-01', reason: 'x' }]
		assert.match(await refused('/v1/sites', { ...site, calendar: { schedules: [], closures } }), /before it begins/)
		const bank = { site: mine.site, name: 'B', helpPhone: '1' }
		assert.match(await refused('/v1/banks', { ...bank, layout: { columns: [] } }), /at least one door/)
		const cell = { kind: 'door', number: 1, heightMm: 300, size: 'S', accessible: true }
		assert.match(await refused('/v1/banks', { ...bank, layout: { columns: [{ widthMm: 400, cells: [cell, cell] }] } }), /door 1 is there twice/)
	})

	it('redraws the same doors, and no others', async () => {
		const bank = await ok(201, 'POST', '/v1/banks', { site: mine.site, name: 'R', helpPhone: '1', layout: exampleLayout })
		const taller = {
			columns: exampleLayout.columns.map((c) => ({
				...c,
				cells: c.cells.map((cell) => ({ ...cell, heightMm: cell.heightMm + 1, ...(cell.kind === 'door' && { size: 'XL' }) })),
			})),
		}
		const redrawn = await ok(200, 'PATCH', `/v1/banks/${bank.id}`, { layout: taller }, 1)
		assert.deepEqual(redrawn.layout, taller)
		const sizes = (await ok(200, 'GET', `/v1/compartments?bank=${bank.id}&limit=200`)).items.map((c: { size: string }) => c.size)
		assert.deepEqual([...new Set(sizes)], ['XL'])
		const [first, ...rest] = exampleLayout.columns
		const fewer = { columns: [{ ...first, cells: first?.cells.slice(1) }, ...rest] }
		assert.match((await ask('PATCH', `/v1/banks/${bank.id}`, { layout: fewer }, 2)).body.detail, /is missing/)
	})

	it('shows another organisation nothing of ours and lets it change nothing, while its own reads succeed', async () => {
		const controller = await ok(201, 'POST', '/v1/controllers', { bank: mine.bank, name: 'Box' })
		const compartments = (await ok(200, 'GET', `/v1/compartments?bank=${mine.bank}&limit=200`)).items
		const modules = (await ok(200, 'GET', `/v1/modules?bank=${mine.bank}`)).items
		const things = [
			`sites/${mine.site}`,
			`banks/${mine.bank}`,
			`compartments/${compartments[0].id}`,
			`modules/${modules[0].id}`,
			`controllers/${controller.id}`,
		]
		const by = theirs.owner.token
		let refused = 0
		for (const thing of things) {
			await ok(200, 'GET', `/v1/${thing}`)
			for (const [method, body] of [['GET'], ['PATCH', { labels: { x: 'y' } }], ['DELETE']] as const) {
				if (method === 'DELETE' && thing.startsWith('compartments')) continue
				assert.equal((await ask(method, `/v1/${thing}`, body, method === 'GET' ? undefined : 1, by)).status, 404, `${method} ${thing}`)
				refused++
			}
		}
		assert.equal((await ask('GET', `/v1/banks/${mine.bank}/map`, undefined, undefined, by)).status, 404)
		for (const [path, body] of [
			['/v1/areas', { site: mine.site, name: 'A' }],
			['/v1/banks', { site: mine.site, name: 'B', helpPhone: '1', layout: exampleLayout }],
			['/v1/modules', { bank: mine.bank, column: exampleLayout.columns[0] }],
			['/v1/controllers', { bank: mine.bank, name: 'C' }],
		] as const)
			assert.equal((await ask('POST', path, body, undefined, by)).status, 404, path)
		assert.equal(refused, 14)
		// The controls: the same names and labels are theirs, too, and they see them.
		const list = async (what: string, token: string) =>
			(await ok(200, 'GET', `/v1/${what}?limit=200`, undefined, undefined, token)).items as { id: string; name: string; number: number }[]
		const [ours, others] = [await list('sites', mine.owner.token), await list('sites', by)]
		assert.deepEqual(others.map((s) => s.name).sort(), ['Depot', 'HQ'])
		assert.ok(!others.some((s) => ours.some((o) => o.id === s.id)))
		const numbers = (all: { number: number }[]) => all.map((c) => c.number).sort((a, b) => a - b)
		assert.deepEqual(numbers(await list('compartments', by)), numbers(doors))
		await ok(200, 'GET', `/v1/banks/${theirs.bank}/map`, undefined, undefined, by)
	})

	it('keeps a manager of one site to that site', async () => {
		const manager = await api.person(mine, { role: 'site-manager', scope: { kind: 'site', id: mine.site } })
		const by = manager.token
		assert.deepEqual(
			(await ok(200, 'GET', '/v1/sites', undefined, undefined, by)).items.map((s: { id: string }) => s.id),
			[mine.site],
		)
		assert.equal((await ask('GET', `/v1/sites/${mine.otherSite}`, undefined, undefined, by)).status, 403)
		assert.equal((await ask('POST', '/v1/sites', { name: 'N', timeZone: 'UTC' }, undefined, by)).status, 403)
		const bank = { name: 'M', helpPhone: '1', layout: exampleLayout }
		assert.equal((await ask('POST', '/v1/banks', { site: mine.otherSite, ...bank }, undefined, by)).status, 403)
		const made = await ok(201, 'POST', '/v1/banks', { site: mine.site, ...bank }, undefined, by)
		const elsewhere = await ok(201, 'POST', '/v1/banks', { site: mine.otherSite, ...bank })
		const seen = (await ok(200, 'GET', '/v1/banks?limit=200', undefined, undefined, by)).items.map((b: { id: string }) => b.id)
		assert.ok(seen.includes(made.id) && !seen.includes(elsewhere.id))
		const far = (await ok(200, 'GET', `/v1/compartments?bank=${elsewhere.id}`, undefined, undefined, by)).items
		assert.deepEqual(far, [])
		assert.ok((await ok(200, 'GET', `/v1/compartments?bank=${elsewhere.id}`)).items.length > 0)
	})

	it('is listed page by page, and from a time on', async () => {
		const all: string[] = []
		let cursor: string | undefined
		do {
			const page = await ok(200, 'GET', `/v1/compartments?bank=${mine.bank}&limit=7${cursor ? `&cursor=${cursor}` : ''}`)
			all.push(...page.items.map((c: { id: string }) => c.id))
			cursor = page.next
		} while (cursor)
		assert.deepEqual([all.length, new Set(all).size], [doors.length, doors.length])
		await api.clock.advance(60_000)
		const since = new Date(api.clock.now()).toISOString()
		const changed = await ok(200, 'PATCH', `/v1/compartments/${all[3]}`, { wired: true }, 1)
		const news = (await ok(200, 'GET', `/v1/compartments?bank=${mine.bank}&updatedSince=${since}`)).items
		assert.deepEqual(
			news.map((c: { id: string }) => c.id),
			[changed.id],
		)
	})
})
