import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Caller, Permission, Scope } from '@latchwork/core/access'
import { fromBase64, type Id, newId } from '@latchwork/core/base'
import { hashLeaf, openCheckpoint, parseVerifierKey, verifyConsistency, verifyInclusion, verifyLog } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { type Gate, type HttpServer, httpServer } from '../http/index.ts'
import { openStore, type Store } from '../store/index.ts'
import { realClock, type TestStore, testStore } from '../testing/index.ts'
import { append, ledgerRoutes, openWatch, type Watch } from './index.ts'
import { START, testController } from './testing/controller.ts'
import { testLedger } from './testing/ledger.ts'

const { sha256 } = nodeCrypto
const ALL: readonly Permission[] = ['event.read', 'audit.read', 'audit.export']

describe('the API of the ledger', () => {
	let at: TestStore
	let ledger: ReturnType<typeof testLedger>
	/** Two server processes on one database. */
	const servers: { http: HttpServer; watch: Watch; store: Store }[] = []
	const callers = new Map<string, Caller>()
	const gate: Gate = {
		claimOf({ authorization = '' }) {
			const caller = callers.get(authorization)
			return caller && { kind: 'token', tenant: caller.tenant, digest: authorization }
		},
		identify: async (_, { digest }) => {
			const caller = callers.get(digest)
			return caller && { caller }
		},
	}
	const serve = async (store: Store) => {
		const watch = openWatch({ store, pace: realClock, failed: () => {} })
		const { random, signerOf } = ledger
		const routes = ledgerRoutes({ store, watch, pace: realClock, random, signerOf, bankIds: async () => [], thingsOf: async () => undefined })
		const sealing = { seal: (bytes: Uint8Array) => bytes, open: (bytes: Uint8Array) => bytes }
		// A beat comes a hundred times as often as in service.
		const clock = { ...realClock, now: ledger.clock.now, after: (ms: number, run: () => void) => realClock.after(ms / 100, run) }
		const host = { clock, random: ledger.random, log: () => {} }
		const http = await httpServer({ routes, store, gate, sealing, host, config: { host: '127.0.0.1', port: 0, version: '0' } })
		servers.push({ http, watch, store })
	}
	before(async () => {
		at = await testStore()
		ledger = testLedger(at.store, 50)
		await serve(at.store)
		await serve(openStore({ url: at.url, pool: 2 }))
	})
	after(async () => {
		for (const { http, watch } of servers) {
			await http.close()
			await watch.close()
		}
		await servers[1]?.store.close()
		await at.close()
	})

	/** A token of a caller with these permissions at these scopes. */
	const token = (tenant: Id<'tenant'>, scopes: readonly Scope[] = [{ kind: 'tenant' }], permissions = ALL) => {
		const subject = newId('subject', START, ledger.random)
		const holdings = scopes.map((scope) => ({ scope, permissions: new Set(permissions) }))
		const authorization = `Bearer ${subject}`
		callers.set(authorization, { kind: 'token', tenant, subject, via: newId('token', START, ledger.random), holdings })
		return { authorization, subject }
	}
	const call = (path: string, { authorization }: { authorization: string }, init: RequestInit = {}, server = 0) =>
		fetch(`${servers[server]?.http.url}${path}`, { ...init, headers: { authorization, ...(init.headers as object) } })
	const get = async (path: string, by: { authorization: string }) => {
		const response = await call(path, by)
		return { status: response.status, body: JSON.parse(await response.text()) }
	}
	/** A tenant whose log holds twelve events of a controller and one fact, under a checkpoint, and twelve more that are not signed yet. */
	const filled = async () => {
		const one = testController(ledger.random)
		const { tenant } = one.sender
		const life = one.stream()
		life.grow(24)
		const inbox = ledger.inbox()
		await inbox.ingest(one.sender, life.batch(1, 12))
		await at.store.write(tenant, (tx) =>
			append(tx, [{ type: 'site.created', subject: one.site, actor: 'server', site: one.site, cause: `${life.id}/3`, data: {} }], {
				now: START,
				random: ledger.random,
			}),
		)
		await ledger.sequence()
		await ledger.checkpoint(tenant)
		await inbox.ingest(one.sender, life.batch(13, 24))
		await ledger.sequence()
		return { ...one, tenant, life, by: token(tenant), inbox }
	}

	test('events come as CloudEvents in their order, page by page, filtered by type, subject, bank and site', async () => {
		const { by, life, site, bank, tenant, sender } = await filled()
		const { body: first } = await get('/v1/events?limit=13', by)
		assert.equal(first.items.length, 13)
		assert.deepEqual(first.items[0], {
			specversion: '1.0',
			id: `${life.id}/1`,
			source: `/tenants/${tenant}/banks/${bank}`,
			type: 'lockers.stream.started.v1',
			subject: sender.controller,
			time: new Date(START).toISOString(),
			sequence: '0',
			tenantid: tenant,
			siteid: site,
			bankid: bank,
			datacontenttype: 'application/json',
			actor: 'edge',
			offline: false,
			clockquality: 'good',
			receivedtime: new Date(START).toISOString(),
			data: {},
		})
		const { siteid, causationid, type, source } = first.items[12]
		assert.deepEqual([siteid, causationid, type, source], [site, `${life.id}/3`, 'lockers.site.created.v1', `/tenants/${tenant}`])
		const { body: second } = await get(`/v1/events?limit=13&cursor=${first.next}`, by)
		assert.deepEqual(
			second.items.map(({ sequence }: { sequence: string }) => Number(sequence)),
			Array.from({ length: 12 }, (_, i) => i + 13),
		)
		assert.equal(second.next, undefined)
		const sequences = async (query: string) =>
			(await get(`/v1/events?${query}`, by)).body.items.map(({ sequence }: { sequence: string }) => Number(sequence))
		assert.deepEqual(await sequences('order=falling&limit=3'), [24, 23, 22])
		assert.deepEqual(await sequences('order=falling&before=2'), [1, 0])
		assert.deepEqual(await sequences('after=22'), [23, 24])
		assert.deepEqual(await sequences('type=lockers.site.created.v1'), [12])
		assert.deepEqual(await sequences('type=stream.started'), [0])
		assert.deepEqual(await sequences(`subject=${site}`), [12])
		assert.deepEqual((await sequences(`bank=${bank}`)).length, 24)
		assert.deepEqual((await sequences(`site=${site}&after=11`)).length, 13)
		assert.deepEqual(await sequences(`site=${newId('site', 1, ledger.random)}`), [])
		for (const wrong of ['limit=0', 'limit=9999', 'after=-1', 'after=x', 'bank=b', 'order=up', 'cursor=x', 'more=1'])
			assert.equal((await get(`/v1/events?${wrong}`, by)).body.code, 'request-invalid', wrong)
	})

	test('who may follow one site or bank sees nothing of another, in lists and live', async () => {
		const { tenant, site, bank, sender, inbox } = await filled()
		const other = testController(ledger.random, tenant)
		const theirs = other.stream()
		await inbox.ingest(other.sender, theirs.batch(1, 1))
		await ledger.sequence()
		const count = async (scopes: readonly Scope[]) => (await get('/v1/events?limit=200', token(tenant, scopes))).body.items.length
		assert.equal(await count([{ kind: 'tenant' }]), 26)
		assert.equal(await count([{ kind: 'site', id: site }]), 25)
		assert.equal(await count([{ kind: 'bank', id: bank }]), 24)
		assert.equal(await count([{ kind: 'bank', id: other.bank }]), 1)
		assert.equal(
			await count([
				{ kind: 'bank', id: other.bank },
				{ kind: 'site', id: site },
			]),
			26,
		)
		assert.equal((await get('/v1/events', token(tenant, [{ kind: 'tenant' }], ['audit.read']))).status, 403)
		const narrow = token(tenant, [{ kind: 'bank', id: other.bank }])
		const messages = live('/v1/events/stream', narrow, { 'last-event-id': '0' })
		assert.deepEqual((await messages.next()).value?.id, '25')
		await messages.return(undefined)
		assert.ok(sender)
	})

	/** Messages of an event stream as they come. */
	async function* live(path: string, by: { authorization: string }, headers: Record<string, string> = {}, server = 0) {
		const aborter = new AbortController()
		const response = await call(path, by, { headers, signal: aborter.signal }, server)
		assert.equal(response.status, 200)
		assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/)
		let text = ''
		try {
			for await (const chunk of response.body ?? []) {
				text += Buffer.from(chunk).toString()
				for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
					const lines = text.slice(0, end).split('\n')
					text = text.slice(end + 2)
					const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
					if (field('data') !== undefined) yield { id: field('id'), data: JSON.parse(field('data') ?? '') }
				}
			}
		} finally {
			aborter.abort()
		}
	}

	test('live events go on behind Last-Event-ID, from any process, without a gap and without the data', async () => {
		const { by, life, sender, inbox } = await filled()
		life.grow(40)
		const one = live('/v1/events/stream', by, { 'last-event-id': '21' }, 0)
		const seen = [(await one.next()).value, (await one.next()).value]
		await inbox.ingest(sender, life.batch(25, 30))
		const next = one.next()
		const [, following] = await Promise.all([ledger.sequence(), next])
		seen.push(following.value)
		assert.deepEqual(
			seen.map((message) => message?.id),
			['22', '23', '24'],
		)
		assert.equal(seen[0]?.data.data, undefined)
		assert.equal(seen[0]?.data.type, 'lockers.visit.started.v1')
		await one.return(undefined)
		// The connection was lost; the client comes back to the other process.
		const two = live('/v1/events/stream', by, { 'last-event-id': '24' }, 1)
		const rest: (string | undefined)[] = []
		for (let i = 0; i < 6; i++) rest.push((await two.next()).value?.id)
		assert.deepEqual(rest, ['25', '26', '27', '28', '29', '30'])
		await two.return(undefined)
		assert.equal((await get('/v1/events/stream?after=x', by)).body.code, 'request-invalid')
		for (const wrong of ['-1', '1e3', '0x10', '1.0'])
			assert.equal((await call('/v1/events/stream', by, { headers: { 'last-event-id': wrong } })).status, 400, wrong)
	})

	test('one token has so many live streams and no more, takes none from another, and a stream that ends leaves its place', async () => {
		const { by, tenant } = await filled()
		const streams = Array.from({ length: 20 }, () => live('/v1/events/stream', by, { 'last-event-id': '23' }))
		for (const stream of streams) assert.equal((await stream.next()).value?.id, '24')
		const { status, body } = await get('/v1/events/stream', by)
		assert.deepEqual([status, body.code], [429, 'rate-limited'])
		const other = live('/v1/events/stream', token(tenant), { 'last-event-id': '23' })
		assert.equal((await other.next()).value?.id, '24')
		for (const stream of [...streams, other]) await stream.return(undefined)
		// The server hears of it a moment later.
		for (;;) {
			const again = await call('/v1/events/stream', by)
			await again.body?.cancel()
			if (again.status === 200) break
		}
	})

	test('a stream ends when its caller may no longer see the same places, and when he may see more', async () => {
		const { by, tenant, site, bank } = await filled()
		const before = { kind: 'site', id: site } as const
		for (const scopes of [[{ kind: 'bank', id: bank }], [before, { kind: 'bank', id: bank }], [{ kind: 'tenant' }]] as const) {
			const narrow = token(tenant, [before])
			const caller = callers.get(narrow.authorization) as Caller
			const stream = live('/v1/events/stream', narrow, { 'last-event-id': '23' })
			assert.equal((await stream.next()).value?.id, '24')
			const ended = stream.next()
			const holdings = scopes.map((scope) => ({ scope, permissions: new Set(ALL) }))
			callers.set(narrow.authorization, { ...caller, holdings })
			assert.equal((await ended).done, true)
		}
		// With the same rights it goes on.
		const stays = live('/v1/events/stream', by, { 'last-event-id': '23' })
		assert.equal((await stays.next()).value?.id, '24')
		const next = stays.next()
		callers.set(by.authorization, { ...(callers.get(by.authorization) as Caller) })
		await at.store.write(tenant, (tx) =>
			append(tx, [{ type: 'site.changed', subject: site, actor: 'server', data: {} }], { now: START, random: ledger.random }),
		)
		await Promise.all([ledger.sequence(), next])
		assert.equal((await next).value?.id, '25')
		await stays.return(undefined)
	})

	test('hashes of the log are for whoever may read its proofs, the events in it for whoever may export it', async () => {
		const { by, tenant } = await filled()
		await ledger.checkpoint(tenant)
		const reader = token(tenant, [{ kind: 'tenant' }], ['audit.read'])
		const status = async (path: string, who: { authorization: string }) => (await call(`/v1/audit/log/${path}`, who)).status
		for (const path of ['checkpoint', 'log.vkey', 'tile/0/000.p/25']) assert.equal(await status(path, reader), 200, path)
		for (const path of [
			'tile/entries/000.p/25',
			'tile//entries/000.p/25',
			'tile/./entries/000.p/25',
			'tile/x/../entries/000.p/25',
			'tile%2Fentries/000.p/25',
		])
			assert.ok([403, 404].includes(await status(path, reader)), path)
		assert.equal(await status('tile/entries/000.p/25', reader), 403)
		assert.equal(await status('tile/entries/000.p/25', by), 200)
	})

	test('whoever has heard more than the log holds is told so, for it was put back from an older day', async () => {
		const { by } = await filled()
		for (const [path, headers, field] of [
			['/v1/events/stream', { 'last-event-id': '25' }, 'Last-Event-ID'],
			['/v1/events/stream?after=99999999', {}, 'query.after'],
			['/v1/events?after=25', {}, 'query.after'],
		] as const) {
			const response = await call(path, by, { headers })
			const { code, detail, field: named } = (await response.json()) as { code: string; detail: string; field: string }
			assert.deepEqual([response.status, code, named], [409, 'request-refused', field], path)
			assert.match(detail, /ends at position 24/)
		}
		// The last position that there is: nothing lies behind it yet, and that is an answer.
		assert.deepEqual((await get('/v1/events?after=24', by)).body, { items: [] })
	})

	test('an event is proved to whoever has the key of the log, and what no checkpoint covers is said to be so', async () => {
		const { by, life } = await filled()
		const { body } = await get('/v1/events/5/proof', by)
		const key = parseVerifierKey((await (await call('/v1/audit/log/log.vkey', by)).text()).trim(), sha256)
		assert.ok(key)
		const opened = openCheckpoint(Buffer.from(body.checkpoint), [key], nodeCrypto)
		assert.ok(opened.ok)
		const entry = fromBase64(body.entry) ?? new Uint8Array()
		assert.equal(new TextDecoder().decode(entry), life.texts[5])
		const proof = body.proof.map((text: string) => fromBase64(text))
		const claim = { index: 5, size: 13, leafHash: hashLeaf(entry, sha256), root: opened.checkpoint.root }
		assert.ok(verifyInclusion(proof, claim, sha256))
		assert.equal(verifyInclusion(proof, { ...claim, index: 6 }, sha256), false)
		assert.deepEqual(
			[(await get('/v1/events/20/proof', by)).body.code, (await get('/v1/events/25/proof', by)).body.code],
			['request-refused', 'not-found'],
		)
	})

	test('the files of the log are an export that the verifier passes; with one byte of an entry changed it does not', async () => {
		const { by, tenant } = await filled()
		await ledger.checkpoint(tenant)
		const read = async (path: string) => {
			const response = await call(`/v1/audit/log/${path}`, by)
			return response.status === 200 ? new Uint8Array(await response.arrayBuffer()) : undefined
		}
		const verdict = await verifyLog(read, { crypto: nodeCrypto })
		assert.ok(verdict.ok, JSON.stringify(verdict))
		assert.deepEqual([verdict.size, verdict.checkpoints, verdict.ofServer], [25, 2, 1])
		const damaged = await verifyLog(
			async (path) => {
				const content = await read(path)
				return path.startsWith('tile/entries') ? content?.with(40, (content[40] ?? 0) ^ 1) : content
			},
			{ crypto: nodeCrypto },
		)
		assert.deepEqual([damaged.ok, !damaged.ok && damaged.kind, !damaged.ok && damaged.index], [false, 'entry', 0])
		for (const path of [
			'tile/0/001',
			'tile/0/000.p/26',
			'tile/0/000',
			'tile/1/000',
			'checkpoints/002',
			'checkpoints/2',
			'tile/entries/000.p/26',
			'../x',
			'key',
		])
			assert.equal((await call(`/v1/audit/log/${path}`, by)).status, 404, path)
	})

	test('checkpoints are listed, the newest first, and each grew out of the one before', async () => {
		const { by, tenant } = await filled()
		await ledger.checkpoint(tenant)
		const { items } = (await get('/v1/audit/checkpoints', by)).body
		assert.deepEqual(
			items.map(({ size, number }: { size: number; number: number }) => [number, size]),
			[
				[1, 25],
				[0, 13],
			],
		)
		const { body } = await get('/v1/audit/proofs?from=13', by)
		const heads = items.map(({ size, root }: { size: number; root: string }) => ({ size, root: fromBase64(root) }))
		assert.ok(
			verifyConsistency(
				body.proof.map((text: string) => fromBase64(text)),
				heads[1],
				heads[0],
				sha256,
			),
		)
		assert.equal((await get('/v1/audit/proofs?from=14', by)).body.code, 'not-found')
	})

	test('an export leaves a fact about who made it; without the permission it is refused', async () => {
		const { by, tenant } = await filled()
		assert.equal((await call('/v1/audit/exports', token(tenant, [{ kind: 'tenant' }], ['audit.read']), post)).status, 403)
		const response = await call('/v1/audit/exports', by, post)
		assert.equal(response.status, 201)
		const { event, size } = (await response.json()) as { event: string; size: number }
		await ledger.sequence()
		const { items } = (await get('/v1/events?type=audit.exported', by)).body
		assert.deepEqual(
			items.map((item: { id: string; actor: string; data: { size: number } }) => [item.id, item.actor, item.data.size]),
			[[event, by.subject, size]],
		)
	})

	test('streams say how far they are recorded, what is missing, and their alarms', async () => {
		const { by, life, sender, inbox, bank } = await filled()
		life.grow(40)
		await inbox.ingest(sender, life.batch(30, 40))
		const [stream] = (await get('/v1/audit/streams', by)).body.items
		assert.deepEqual([stream.stream, stream.controller, stream.bank, stream.seq], [life.id, sender.controller, bank, 24])
		assert.deepEqual([stream.gap.from, stream.gap.to, stream.alarm], [25, 29, undefined])
	})

	test('another tenant with the same streams and banks reads nothing of the first, and its own reads succeed', async () => {
		const first = await filled()
		const tenant = newId('tenant', START, ledger.random)
		const by = token(tenant)
		for (const path of ['/v1/events', '/v1/audit/checkpoints', '/v1/audit/streams']) assert.deepEqual((await get(path, by)).body.items, [], path)
		assert.equal((await get('/v1/events/0/proof', by)).status, 404)
		assert.equal((await call('/v1/audit/log/checkpoint', by)).status, 404)
		const mine = { ...first.sender, tenant }
		const texts = first.life.texts.slice(0, 2)
		await first.inbox.ingest(mine, { stream: first.life.id, first: 1, events: texts })
		await ledger.sequence()
		await ledger.checkpoint(tenant)
		for (const [who, count] of [
			[by, 2],
			[first.by, 25],
		] as const) {
			const { items } = (await get('/v1/events?limit=200', who)).body
			assert.equal(items.length, count)
			assert.deepEqual([...new Set(items.map((item: { tenantid: string }) => item.tenantid))], [who === by ? tenant : first.tenant])
			assert.equal((await get('/v1/audit/streams', who)).body.items.length, 1)
			assert.equal((await get('/v1/events/0/proof', who)).status, 200)
		}
		const mineLive = live('/v1/events/stream', by, { 'last-event-id': '0' })
		const message = (await mineLive.next()).value
		assert.deepEqual([message?.id, message?.data.tenantid], ['1', tenant])
		await mineLive.return(undefined)
	})
})

const post: RequestInit = { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }
