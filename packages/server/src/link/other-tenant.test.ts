import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Id } from '@latchwork/core/base'
import { allDown, DEVICE_PATHS, downTopic, upTopic } from '@latchwork/core/wire'
import pg from 'pg'
import { deviceStream, type Enrolled, type LinkWorld, linkWorld, type MqttClient, type Reply } from './testing/index.ts'

const NO_COMMAND = 'cmd_00000000-0000-7000-8000-000000000000'

/**
 * A controller of another organisation, whose certificate is good and whose organisation has a bank with the very id of the first one's: at the
 * device port and by MQTT it reads and changes nothing of the first (issue 3, done when 4).
 */
describe('a controller of another organisation that has the same ids', () => {
	let world: LinkWorld
	let owner: pg.Client
	let acme: Id<'tenant'>
	let rival: Id<'tenant'>
	let ours: Enrolled
	let theirs: Enrolled
	let twin: Enrolled
	before(async () => {
		const documents = async ({ tenant, bank }: { tenant: string; bank: string }) => ({
			digest: `of-${tenant}`,
			text: JSON.stringify({ tenant, bank }),
		})
		world = await linkWorld({
			handlers: { bundle: documents, lease: documents, credential: async ({ tenant }) => (tenant === acme ? { bundle: 7, people: 0 } : undefined) },
		})
		;[acme, rival] = world.tenants
		owner = new pg.Client({ connectionString: world.db.url })
		await owner.connect()
		await owner.query('SET search_path TO latchwork')
		const { bank, controller } = await world.bank(acme)
		ours = await world.enrol(controller, acme)
		theirs = await world.enrol((await world.bank(rival)).controller, rival)
		// The other one's bank under the very same id, with a controller of its own.
		const spare = await world.bank(rival)
		await owner.query('SET session_replication_role = replica')
		for (const table of ['controller', 'compartment', 'module', 'bank']) {
			await owner.query(`UPDATE ${table} SET bank_id = $2 WHERE bank_id = $1 AND tenant_id = $3`, [spare.bank, bank, rival])
		}
		await owner.query('SET session_replication_role = origin')
		twin = await world.enrol(spare.controller, rival)
		assert.equal(twin.answer.bank, ours.answer.bank)
	})
	after(async () => {
		await owner?.end()
		await world?.close()
	})

	const rows = async (tenant: string): Promise<string> => {
		const found = await owner.query<{
			name: string
		}>(`SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
			WHERE c.relnamespace = 'latchwork'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1`)
		const digests: string[] = []
		for (const { name } of found.rows) {
			const { rows } = await owner.query(
				`SELECT count(*) || coalesce(md5(string_agg(t::text, '|' ORDER BY t::text)), '') AS digest FROM "${name}" t WHERE tenant_id = $1`,
				[tenant],
			)
			digests.push(`${name} ${rows[0].digest}`)
		}
		return digests.join('\n')
	}
	/** Its events have their positions and were followed: from now on nothing of it changes by itself. */
	const placed = async (tenant: string): Promise<void> => {
		const waiting = () =>
			owner.query(
				`SELECT FROM event_pending WHERE tenant_id = $1
				UNION ALL SELECT FROM ledger_head h LEFT JOIN cursor c USING (tenant_id) WHERE tenant_id = $1 AND coalesce(c.position, -1) < h.size - 1`,
				[tenant],
			)
		while ((await waiting()).rowCount);
	}
	const heard = (client: MqttClient): string[] => {
		const texts: string[] = []
		client.on('message', (topic, payload) => texts.push(`${topic} ${payload.toString()}`))
		return texts
	}
	const settled = async (client: MqttClient, device: Enrolled, texts: string[]): Promise<void> => {
		// What was sent before on this connection has been dealt with when this question is answered.
		const id = `ask-${Math.trunc(performance.now() * 1000)
			.toString()
			.padStart(8, '0')}`
		await client.publishAsync(upTopic(device.answer.controller as Id<'controller'>, 'asks'), JSON.stringify({ v: 1, id, kind: 'time' }), { qos: 1 })
		while (!texts.some((text) => text.includes(id))) await new Promise((later) => client.once('message', later))
	}

	test('device port and MQTT: 0 of its tries reach the first, its own same calls succeed', async (t) => {
		const bank = ours.answer.bank as Id<'bank'>
		const mine = deviceStream(ours)
		mine.grow(6)
		const post = (as: Enrolled, body: unknown) => world.call(DEVICE_PATHS.events, { as, body })
		const told = await post(ours, mine.batch(1, 4))
		assert.equal(told.status, 200, told.text)
		const client = await world.connect(ours)
		const texts = heard(client)
		await client.subscribeAsync(allDown(ours.answer.controller as Id<'controller'>), { qos: 1 })
		await settled(client, ours, texts)
		await placed(acme)
		const before = await rows(acme)
		const kept = texts.length
		const controller = ours.answer.controller as Id<'controller'>
		/** What a stranger sends to the first one's topics: each is good, as the control shows. */
		const messages = {
			events: mine.batch(5, 6),
			status: { v: 1, online: false, reason: 'stopping' },
			results: { v: 1, id: NO_COMMAND, state: 'done' },
			asks: { v: 1, id: 'ask-11111111', kind: 'credential', bank, verifier: 'v'.repeat(43) },
		} as const
		const publish = (from: MqttClient, channel: keyof typeof messages) =>
			from.publishAsync(upTopic(controller, channel), JSON.stringify(messages[channel]), { qos: 1 })
		const codeOf = ({ status, text }: Reply) => [status, (JSON.parse(text) as { code?: string }).code]
		let refused = 0
		let own = 0
		for (const as of [theirs, twin]) {
			const hasTheId = as === twin
			for (const path of [DEVICE_PATHS.bundle(bank), DEVICE_PATHS.lease(bank)]) {
				const foreign = await world.call(path, { as })
				// With the same id it is told of its own bank; else there is none for it.
				if (hasTheId) assert.deepEqual([foreign.status, JSON.parse(foreign.text)], [200, { tenant: rival, bank }], path)
				else assert.deepEqual(codeOf(foreign), [404, 'not-found'], path)
				refused++
				const answer = await world.call(path.replace(bank, as.answer.bank), { as })
				assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { tenant: rival, bank: as.answer.bank }], path)
				own++
			}
			const headers = { 'x-latchwork-controller': controller, 'x-latchwork-tenant': acme }
			const masked = await world.call(DEVICE_PATHS.bundle(as.answer.bank as Id<'bank'>), { as, headers })
			assert.deepEqual([masked.status, JSON.parse(masked.text).tenant], [200, rival], 'whatever it says that it is')
			// The first one's stream, and the same stream going on with other words.
			for (const batch of [mine.batch(1, 4), mine.batch(5, 6)]) {
				const { status, text } = await post(as, batch)
				const { seq, refused: why } = JSON.parse(text) as { seq?: number; refused?: { seq: number; code: string } }
				// With the same id it is a stream of its own, of the same name; what it holds is looked at below.
				if (hasTheId) assert.deepEqual([status, seq], [200, batch.first + batch.events.length - 1], text)
				else assert.deepEqual([status, why?.code, why?.seq], [200, 'foreign-bank', batch.first], text)
				refused++
			}
			const life = deviceStream(as)
			life.grow(3)
			const answer = await post(as, life.batch(1, 3))
			assert.deepEqual([answer.status, JSON.parse(answer.text).seq], [200, 3], answer.text)
			own++

			const spy = await world.connect(as)
			const seen = heard(spy)
			await spy.subscribeAsync(allDown(as.answer.controller as Id<'controller'>), { qos: 1 })
			own++
			const dropped = (what: string, text: string) => world.told({ what, controller: as.answer.controller, text })
			for (const filter of ['#', allDown(controller), upTopic(controller, 'events')]) {
				await assert.rejects(spy.subscribeAsync(filter, { qos: 1 }), /Unspecified error/, filter)
				await dropped('dropped-subscription', filter)
				refused++
			}
			for (const channel of Object.keys(messages) as (keyof typeof messages)[]) {
				await publish(spy, channel)
				await dropped('dropped-topic', upTopic(controller, channel))
				refused++
			}
			await spy.publishAsync(downTopic(controller, 'commands'), '{}', { qos: 1 })
			await dropped('dropped-topic', downTopic(controller, 'commands'))
			refused++
			await settled(spy, as, seen)
			own++
			assert.ok(
				seen.every((text) => !text.includes(acme) && !text.includes(controller)),
				seen.join('\n'),
			)
			await spy.endAsync()
		}
		await settled(client, ours, texts)
		assert.equal(texts.length, kept + 1, 'nothing reached the first one’s controller but its own answer')
		assert.equal(await rows(acme), before, 'not one byte of the first is another')
		assert.deepEqual(await world.textsOf(mine.id, acme), mine.texts.slice(0, 4))
		// The control: the first one's own same calls and messages do what the strangers' did not, and the same look at its rows sees it.
		for (const path of [DEVICE_PATHS.bundle(bank), DEVICE_PATHS.lease(bank)]) {
			const answer = await world.call(path, { as: ours })
			assert.deepEqual([answer.status, JSON.parse(answer.text)], [200, { tenant: acme, bank }], path)
		}
		assert.deepEqual(JSON.parse((await post(ours, mine.batch(1, 4))).text), { v: 1, stream: mine.id, seq: 4 })
		const answered = async (channel: keyof typeof messages, wanted: (text: string) => boolean) => {
			await publish(client, channel)
			while (!texts.some(wanted)) await new Promise((later) => client.once('message', later))
		}
		await answered('events', (text) => text.startsWith(downTopic(controller, 'acks')) && text.includes('"seq":6'))
		await answered('asks', (text) => text.includes(messages.asks.id) && text.includes('"known":true,"bundle":7'))
		await publish(client, 'results')
		await world.told({ code: 'message-invalid', controller, text: `result of ${NO_COMMAND}, which it was not asked for` })
		await publish(client, 'status')
		await settled(client, ours, texts)
		assert.deepEqual(await world.textsOf(mine.id, acme), mine.texts)
		const changed = (await rows(acme)).split('\n').filter((line) => !before.split('\n').includes(line))
		for (const table of ['stream', 'controller_state'])
			assert.ok(
				changed.some((line) => line.startsWith(`${table} `)),
				`${table}: ${changed.join()}`,
			)
		t.diagnostic(`${refused} tries of two strange controllers reached nothing, ${own} of their own calls did well`)
	})
})
