import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sealBundle, sealTime } from '@latchwork/core/access'
import { SAMPLE_SITE_KEY, sampleBundle, sampleId, testKey } from '@latchwork/core/access/testing'
import { toBase64 } from '@latchwork/core/base'
import { verifyStream } from '@latchwork/core/ledger'
import {
	ALL_UP,
	DEVICE_PATHS,
	downTopic,
	type EnrolmentAnswer,
	enrolmentRequest,
	type LinkAck,
	linkEvents,
	readTopic,
	readUp,
	renewalRequest,
} from '@latchwork/core/wire'
import { advanceSharedClock, clockAhead } from '@latchwork/edge/clock-file'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { type LinkSite, linkSite } from '@latchwork/server/link/testing'
import { atWork, type ControllerProcess, type LinkedHealth, openHardware, runController, untilHealth, untilSo } from '../scenarios/controller.ts'

/** Kills of the controller in one run; a campaign asks for more. */
const KILLS = Number(process.env.LATCHWORK_LINK_KILLS ?? 8)
const CLAIM = 'lwc_8K3mPq0sT7vXy2Bd'
const controller = sampleId('controller', 'one')
const maker = testKey(new Uint8Array(32).fill(3))

/** The real broker child with TLS and certificates, and behind it what a server would keep and say; real boards' frames over TCP on the other side. */
interface Bench {
	readonly site: LinkSite
	readonly streams: ReadonlyMap<string, readonly string[]>
	readonly equivocations: () => number
	readonly renewals: () => number
	/** Days that the next certificate is good for, how many claims still work, and where the next controller looks for MQTT. */
	days: number
	claims: number
	path: string
	/** The site's time, of the server and of the controllers. */
	readonly clock: string
	readonly wiring: string
	readonly token: string
	readonly url: string
	scan(text: string): void
	close(): Promise<void>
}

async function openBench(folder: string): Promise<Bench> {
	const site = await linkSite()
	const [tenant] = site.tenants
	const now = Date.now()
	const bundle = sampleBundle(nodeCrypto, { initialContents: [], issuedAt: now, staleAt: now + 900_000, expiresAt: now + 3 * 86_400_000 })
	const text = JSON.stringify(sealBundle(bundle, 'maker', maker.sign))
	const streams = new Map<string, string[]>()
	let equivocations = 0
	let renewals = 0
	const clock = join(folder, 'clock')

	const take = (body: string): LinkAck => {
		const { stream, first, events } = linkEvents.parse(JSON.parse(body))
		const have = streams.get(stream) ?? []
		streams.set(stream, have)
		if (first > have.length + 1) return { v: 1, stream, want: { from: have.length + 1, to: first - 1 } }
		events.forEach((event, i) => {
			if (first + i === have.length + 1) have.push(event)
			else if (have[first + i - 1] !== event) equivocations += 1
		})
		return { v: 1, stream, seq: have.length }
	}
	const signedTime = (ask: string) => JSON.stringify(sealTime({ ask, at: Date.now() + clockAhead(clock) }, 'maker', maker.sign))
	const server = site.internal()
	server.on('connect', () => server.subscribe(ALL_UP, { qos: 1 }))
	server.on('message', (topic, payload) => {
		const at = readTopic(topic)
		if (at?.way !== 'up') return
		const read = readUp(at.channel, payload)
		assert.ok(read.ok, read.ok ? '' : read.text)
		if (at.channel === 'events') server.publish(downTopic(at.controller, 'acks'), JSON.stringify(take(payload.toString())), { qos: 1 })
		if (at.channel !== 'asks') return
		const { id } = read.message as { id: string }
		server.publish(downTopic(at.controller, 'answers'), JSON.stringify({ v: 1, id, kind: 'time', signed: signedTime(id) }), { qos: 1 })
	})

	const bench = {
		days: 90,
		claims: 1,
		path: '/mqtt',
		clock,
		async answer(path: string, body: string): Promise<{ status: number; body: string }> {
			if (path.split('?', 1)[0] === DEVICE_PATHS.bundle(bundle.bank.id)) return { status: 200, body: text }
			if (path === DEVICE_PATHS.events) return { status: 200, body: JSON.stringify(take(body)) }
			const ask = /ask=(.+)$/.exec(path)?.[1]
			if (ask) return { status: 200, body: JSON.stringify({ signed: signedTime(ask) }) }
			if (path === DEVICE_PATHS.renewals) {
				renewals += 1
				const certificate = await site.certify(renewalRequest.parse(JSON.parse(body)).csr, { controller, tenant })
				return { status: 200, body: JSON.stringify({ certificate, ca: [site.portCa] }) }
			}
			if (path !== DEVICE_PATHS.enrolments) return { status: 404, body: '{}' }
			const { claim, csr } = enrolmentRequest.parse(JSON.parse(body))
			if (claim !== CLAIM || bench.claims-- <= 0)
				return { status: 403, body: JSON.stringify({ code: 'claim-invalid', detail: 'This claim was used. Make a new one in the console.' }) }
			const { device } = site.broker.ports()
			const answer: EnrolmentAnswer = {
				controller,
				tenant,
				site: bundle.site.id,
				bank: bundle.bank.id,
				certificate: await site.certify(csr, { controller, tenant }, bench.days),
				ca: [site.portCa],
				makers: [{ keyId: 'maker', publicKey: toBase64(maker.publicKey) }],
				siteKey: toBase64(SAMPLE_SITE_KEY),
				mqtt: { url: `wss://localhost:${device}${bench.path}` },
				https: { url: `https://localhost:${device}` },
			}
			return { status: 200, body: JSON.stringify(answer) }
		},
	}
	const upstream = createServer((incoming, out) => {
		const parts: Buffer[] = []
		incoming.on('data', (part: Buffer) => parts.push(part))
		incoming.on('end', () => {
			void bench.answer(incoming.url ?? '', Buffer.concat(parts).toString()).then(({ status, body }) => out.writeHead(status).end(body))
		})
	})
	await new Promise<void>((done) => upstream.listen(join(site.folder, 'device.sock'), () => done()))

	const hardware = await openHardware(folder, bundle.bank.compartments, { clock: 'clock' })
	const pin = createHash('sha256').update(new X509Certificate(site.portCa).raw).digest('base64url')
	return Object.assign(bench, {
		site,
		streams,
		equivocations: () => equivocations,
		renewals: () => renewals,
		wiring: hardware.wiring,
		token: `${CLAIM}.${pin}`,
		url: `https://localhost:${site.broker.ports().device}`,
		scan: hardware.scan,
		async close() {
			await hardware.close()
			upstream.closeAllConnections()
			await new Promise<void>((done) => upstream.close(() => done()))
			await site.close()
		},
	})
}

describe('a controller and the device port, over real sockets', () => {
	let folder: string
	let data: string
	let bench: Bench
	const started = new Set<ControllerProcess>()

	/** As an installer starts it. */
	const run = (data: string, { claim = bench.token, server = bench.url }: { claim?: string; server?: string } = {}) => {
		const controller = runController('--server', server, '--claim', claim, '--config', bench.wiring, '--data', data)
		started.add(controller)
		return controller
	}

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-link-fault-'))
		data = join(folder, 'data')
		bench = await openBench(folder)
	})
	after(async () => {
		// What a test that failed left running would keep this process alive.
		for (const { child } of started) child.kill('SIGKILL')
		await bench.close()
		rmSync(folder, { recursive: true, force: true })
	})

	test('a claim for another server sends nothing to this one; a wrong address and half a token are told in words', async () => {
		const other = `${CLAIM}.${createHash('sha256').update('another').digest('base64url')}`
		const cases: [RegExp, Parameters<typeof run>[1]][] = [
			[/not the server that the claim names/, { claim: other }],
			[/copy all of the token/, { claim: CLAIM }],
			[/does not answer/, { server: 'https://localhost:1' }],
			[/begins with https/, { server: 'http://localhost:1' }],
		]
		for (const [words, change] of cases) {
			const { code, said } = await run(data, change).ended
			assert.notEqual(code, 0)
			assert.match(said, words)
			assert.ok(!existsSync(join(data, 'edge.json')))
		}
	})

	test('one claim makes it a controller: keys that nobody else reads, its events at the server; the next start needs no claim', async () => {
		// It has run out when it comes, so the first thing to do is to renew it.
		bench.days = -1
		const first = run(data)
		const url = await first.ready
		for (const name of ['edge.json', 'link.pem', 'link.crt', 'server-ca.crt', 'site.key', 'device.pem'])
			assert.equal(statSync(join(data, name)).mode & 0o077, 0, name)
		await untilHealth(url, (h) => atWork(h) && h.link.pending === 0, 'at work')
		assert.equal(bench.renewals(), 1, 'a certificate that has run out is renewed at its own endpoint')
		first.child.kill('SIGTERM')
		assert.equal((await first.ended).code, 0)
		const [stream] = readJournal(data)
		assert.deepEqual(
			bench.streams.get(stream?.stream ?? ''),
			stream?.lines.map((bytes) => new TextDecoder().decode(bytes)).slice(0, bench.streams.get(stream?.stream ?? '')?.length),
		)
		const again = run(data, { claim: 'spent', server: 'https://localhost:1' })
		await untilHealth(await again.ready, atWork, 'at work again')
		again.child.kill('SIGTERM')
		await again.ended
		const used = await run(join(folder, 'other')).ended
		assert.match(used.said, /This claim was used\. Make a new one in the console\./)
	})

	test('killed again and again in the middle of sending, and the broker with it: every event arrives, in order, once', async (t) => {
		let scans = 0
		const kills = { controller: 0, broker: 0, pending: 0 }
		for (let i = 0; i < KILLS; i++) {
			const edge = run(data)
			const url = await edge.ready
			await untilHealth(url, atWork, 'at work')
			for (let n = 0; n < 20 + 7 * i; n++) bench.scan(`rubbish-${++scans}`)
			if (i % 4 === 3) {
				process.kill(bench.site.broker.pid(), 'SIGKILL')
				kills.broker += 1
			}
			// However quickly it is acknowledged, there is always more.
			const { link } = await untilSo(
				async () => {
					for (let n = 0; n < 10; n++) bench.scan(`rubbish-${++scans}`)
					return (await (await fetch(`${url}health`)).json()) as LinkedHealth
				},
				(h) => h.link.pending > 0 || i % 3 === 2,
				'something is under way',
			)
			if (link.pending > 0) kills.pending += 1
			edge.child.kill('SIGKILL')
			kills.controller += 1
			await edge.ended
		}
		t.diagnostic(JSON.stringify({ ...kills, scans }))
		assert.ok(kills.pending >= KILLS / 3, 'kills must fall into the middle of sending')
		const last = run(data)
		await untilHealth(await last.ready, (h) => atWork(h) && h.link.pending === 0, 'all is acknowledged')
		last.child.kill('SIGTERM')
		await last.ended
		assert.equal(bench.equivocations(), 0)
		const streams = readJournal(data)
		assert.equal(streams.length, 1)
		for (const { stream, lines } of streams) {
			const have = bench.streams.get(stream) ?? []
			const bytes = have.map((text) => new TextEncoder().encode(text))
			assert.ok(verifyStream(bytes, { crypto: nodeCrypto }).ok, 'what arrived is a whole stream')
			// What is minted while it stops waits for the next start.
			assert.ok(have.length >= lines.length - 5 && have.length > scans / 2, `${have.length} of ${lines.length}`)
			assert.deepEqual(
				have,
				lines.slice(0, have.length).map((line) => new TextDecoder().decode(line)),
			)
		}
		assert.ok(readFileSync(join(data, 'edge.json'), 'utf8').includes('"server"'))
	})

	const typesOf = (where: string) =>
		readJournal(where).flatMap(({ lines }) =>
			lines.map((line) => (JSON.parse(new TextDecoder().decode(line)) as { type: string; offline: boolean }).type),
		)

	test('a day of the site’s time with a broker that hangs: work goes on, it is on record once, and all of it arrives afterwards', async () => {
		const edge = run(data)
		const url = await edge.ready
		await untilHealth(url, atWork, 'at work')
		const before = typesOf(data).length
		process.kill(bench.site.broker.pid(), 'SIGSTOP')
		try {
			for (let hour = 0; hour < 24; hour++) {
				assert.ok(await advanceSharedClock(bench.clock, 3_600_000), 'the controller keeps up')
				bench.scan(`hour-${hour}`)
			}
			const { problems } = await untilHealth(url, (h) => h.problems.includes('link-lost') && h.link.pending >= 24, 'it is lost')
			assert.deepEqual(
				problems.filter((p) => p !== 'link-lost'),
				[],
			)
		} finally {
			process.kill(bench.site.broker.pid(), 'SIGCONT')
		}
		// It waits in the site's time before it tries again; a minute that jumps over a link that is back loses it once more.
		const isBack = async () => atWork(await untilHealth(url, () => true, 'it answers'))
		while (!(await isBack())) {
			await advanceSharedClock(bench.clock, 60_000)
			for (let looks = 0; looks < 50 && !(await isBack()); looks++) await new Promise((done) => setTimeout(done, 20))
		}
		await untilHealth(url, (h) => atWork(h) && h.link.pending === 0, 'all is acknowledged')
		edge.child.kill('SIGTERM')
		await edge.ended
		const links = typesOf(data)
			.slice(before)
			.filter((type) => type.startsWith('controller.link'))
		assert.deepEqual(links, ['controller.link-lost', 'controller.link-restored'])
		assert.equal(bench.equivocations(), 0)
	})

	test('a network that cuts WebSockets: events and bundles go by HTTPS', async () => {
		bench.claims = 1
		bench.path = '/cut'
		const elsewhere = join(folder, 'elsewhere')
		const edge = run(elsewhere)
		const url = await edge.ready
		await untilHealth(url, (h) => atWork(h) && h.link.way === 'https', 'at work by the other way')
		for (let n = 0; n < 30; n++) bench.scan(`plain-${n}`)
		await untilHealth(url, (h) => h.link.pending === 0, 'all is acknowledged')
		edge.child.kill('SIGTERM')
		await edge.ended
		const [stream] = readJournal(elsewhere)
		const have = bench.streams.get(stream?.stream ?? '') ?? []
		assert.ok(have.length > 15, String(have.length))
		assert.deepEqual(
			have,
			stream?.lines.slice(0, have.length).map((line) => new TextDecoder().decode(line)),
		)
	})
})
