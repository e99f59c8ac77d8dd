import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { sealBundle, sealLease } from '@latchwork/core/access'
import { sampleBundle, sampleSubject } from '@latchwork/core/access/testing'
import type { Id } from '@latchwork/core/base'
import { verifyStream } from '@latchwork/core/ledger'
import { type KioskAct, kioskView } from '@latchwork/core/wire'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { type LinkWorld, linkWorld } from '@latchwork/server/link/world'
import { atWork, type ControllerProcess, type Hardware, openHardware, runController, untilHealth, untilSo } from './controller.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Both real ends: the command of an installer, its hardware's frames over TCP, and a server's link with its broker child over PostgreSQL. */
describe('a controller that is enrolled', () => {
	let world: LinkWorld
	let folder: string
	let hardware: Hardware
	let of: Awaited<ReturnType<LinkWorld['bank']>>
	let edge: ControllerProcess
	let url: string
	let version = 1
	/** How far the server's time is ahead. */
	let ahead = 0

	const documents = {
		async bundle() {
			const now = Date.now() + ahead
			const { keyId, sign } = await world.maker()
			const base = sampleBundle(nodeCrypto)
			const bank = {
				...base.bank,
				id: of.bank,
				compartments: of.compartments.map((id, i) => ({ id, number: i + 1, size: 'M', accessible: true }) as const),
			}
			const bundle = { ...base, tenant: world.tenants[0], site: { ...base.site, id: of.site }, bank, initialContents: [], version }
			const text = JSON.stringify(sealBundle({ ...bundle, issuedAt: now, staleAt: now + HOUR, expiresAt: now + 24 * HOUR }, keyId, sign))
			return { digest: `bundle-${version}`, text }
		},
		async lease() {
			const now = Date.now() + ahead
			const { keyId, sign } = await world.maker()
			const lease = { format: 'latchwork-lease/1', bank: of.bank, bundleVersion: version, issuedAt: now, until: now + HOUR } as const
			return { digest: `lease-${now}`, text: JSON.stringify(sealLease(lease, keyId, sign)) }
		},
	}
	const data = () => join(folder, 'data')
	const open = (compartment: Id<'compartment'>) =>
		world.order({ kind: 'open-remote', by: sampleSubject('dia'), compartment, reason: 'forgotten-badge' })
	const outcome = async (id: Id<'command'>) => {
		const found = await world.commandOf(id)
		return [found?.state, found?.end ?? found?.code].filter(Boolean).join(' ')
	}
	const ended = (id: Id<'command'>, how: string) =>
		untilSo(
			() => outcome(id),
			(state) => state === how,
			`the command is ${how}`,
		)

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-enrolled-'))
		world = await linkWorld({ handlers: documents, ahead: () => ahead })
		of = await world.bank()
		hardware = await openHardware(
			folder,
			of.compartments.map((id, i) => ({ id, number: i + 1 })),
		)
		const { token } = await world.claim(of.controller)
		const { device } = world.link.ports() ?? assert.fail('no device port')
		edge = runController('--server', `https://localhost:${device}`, '--claim', token, '--config', hardware.wiring, '--data', data())
		url = await edge.ready
		await untilHealth(url, atWork, 'at work')
	})
	after(async () => {
		edge.child.kill('SIGKILL')
		await edge.ended
		await hardware.close()
		await world.close()
		rmSync(folder, { recursive: true, force: true })
	})

	test('staff open a door from the server: the lock moves once, and the row is followed to its end', async () => {
		const [first] = of.compartments
		assert.ok(first)
		const command = await open(first)
		await untilSo(
			async () => hardware.cabinet.door(0),
			(door) => door === 'open',
			'the door springs open',
		)
		await untilHealth(url, (h) => h.doors.some((d) => d.session === 'opened'), 'the sensor has seen it')
		await ended(command.id, 'accepted')
		hardware.cabinet.setDoor(0, 'closed')
		await ended(command.id, 'done committed')
		assert.equal(hardware.cabinet.pulses(0), 1)
	})

	test('who may not is refused by the controller itself', async () => {
		const [first] = of.compartments
		assert.ok(first)
		const command = await world.order({ kind: 'open-remote', by: sampleSubject('cem'), compartment: first, reason: 'inspection' })
		await ended(command.id, 'refused not-authorised')
		assert.equal(hardware.cabinet.pulses(0), 1)
	})

	test('a newer bundle is fetched when it is told, and the signed time of the server is believed', async () => {
		version = 2
		assert.ok(await world.link.notify(of.controller, { v: 1, kind: 'bundle', bank: of.bank, version, digest: '0'.repeat(64) }))
		await untilHealth(url, (h) => h.bundle === 2, 'the bundle')
		const { problems } = await untilHealth(url, atWork, 'at work')
		assert.deepEqual(problems, [])
	})

	test('killed while a door stands open by a command: the next start reports its end, and the server has every event once', async () => {
		const second = of.compartments[1]
		assert.ok(second)
		const command = await open(second)
		await untilSo(
			async () => hardware.cabinet.door(1),
			(door) => door === 'open',
			'the door springs open',
		)
		for (let n = 0; n < 50; n++) hardware.scan(`rubbish-${n}`)
		edge.child.kill('SIGKILL')
		await edge.ended
		edge = runController('--data', data())
		url = await edge.ready
		await untilHealth(url, (h) => atWork(h) && h.doors.some((d) => d.session === 'opened'), 'at work, and the door is seen open')
		hardware.cabinet.setDoor(1, 'closed')
		await ended(command.id, 'done committed')
		assert.equal(hardware.cabinet.pulses(1), 1)
		await untilHealth(url, (h) => h.link.pending === 0, 'all is acknowledged')
		const [stream, ...others] = readJournal(data())
		assert.ok(stream && others.length === 0)
		const kept = await world.textsOf(stream.stream)
		const minted = stream.lines.map((bytes) => new TextDecoder().decode(bytes))
		assert.deepEqual(kept, minted.slice(0, kept.length))
		assert.ok(kept.length > 20)
		const whole = verifyStream(
			kept.map((text) => new TextEncoder().encode(text)),
			{ crypto: nodeCrypto },
		)
		assert.ok(whole.ok)
	})

	test('a year asleep, past the grace: the kiosk says what is needed; the code that is typed there lets the machine in anew, with its keys and its records', async () => {
		const view = async () => kioskView.parse(await (await fetch(`${url}api/view`)).json())
		const act = async (what: KioskAct) => {
			const { status } = await fetch(`${url}api/act`, {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify({ turn: (await view()).turn, act: what }),
			})
			assert.equal(status, 204, what.kind)
		}
		const types = async (code: string) => {
			await act({ kind: 'keys', keys: code })
			const { screen } = await untilSo(view, (v) => v.screen.name === 'claim' && v.screen.state !== 'asking', 'an answer to the code')
			return screen.name === 'claim' && screen.state
		}
		const files = ['link.pem', 'device.pem', 'site.key', 'link.crt', 'edge.json']
		const kept = () => files.map((name) => readFileSync(join(data(), name), 'utf8'))
		edge.child.kill('SIGTERM')
		await edge.ended
		const before = kept()
		ahead = 361 * DAY
		version = 3
		edge = runController('--data', data())
		url = await edge.ready
		await untilSo(view, ({ notices }) => notices.includes('claim-needed'), 'the kiosk to say so')
		await act({ kind: 'help' })
		await act({ kind: 'start-claim' })
		const { code } = await world.claimCode(of.controller)
		assert.equal(await types(code.replace(/.$/, (last) => `${(Number(last) + 1) % 10}`)), 'refused')
		assert.deepEqual(kept(), before, 'a wrong code changes nothing')
		assert.equal(await types(code), 'accepted')
		await untilHealth(url, (h) => atWork(h) && h.bundle === 3 && h.problems.length === 0, 'at work, by the newest bundle')
		const after = kept()
		assert.deepEqual(
			files.filter((_, i) => before[i] !== after[i]),
			['link.crt'],
		)
		const [first] = of.compartments
		assert.ok(first)
		const command = await open(first)
		await untilHealth(url, (h) => h.doors.some((d) => d.session === 'opened'), 'the sensor has seen it')
		hardware.cabinet.setDoor(0, 'closed')
		await ended(command.id, 'done committed')
		await untilHealth(url, (h) => h.link.pending === 0, 'all is acknowledged')
		const [stream, ...others] = readJournal(data())
		assert.ok(stream && others.length === 0, 'one stream from before the sleep on')
		const minted = stream.lines.map((bytes) => new TextDecoder().decode(bytes))
		assert.deepEqual(await world.textsOf(stream.stream), minted)
	})

	test('a claim works once, is not spent on a reader whose key is not there, and the next machine is told so', async () => {
		const another = await world.bank()
		const { token } = await world.claim(another.controller)
		const { device } = world.link.ports() ?? assert.fail('no device port')
		const args = (name: string) => [
			'--server',
			`https://localhost:${device}`,
			'--claim',
			token,
			'--config',
			hardware.wiring,
			'--data',
			join(folder, name),
		]
		// Its wiring is that of the first bank, which nobody can know before the bundle comes: the controller runs, and waits for one of its own.
		const wiring = JSON.parse(readFileSync(hardware.wiring, 'utf8')) as { readers: object[] }
		const locked = { ...wiring, readers: wiring.readers.map((r) => ({ ...r, family: 'osdp', key: 'no.key' })) }
		writeFileSync(join(folder, 'locked.json'), JSON.stringify(locked))
		const early = await runController(...args('first'), '--config', join(folder, 'locked.json')).ended
		assert.match(early.said, /no\.key cannot be read/)
		const first = runController(...args('first'))
		await first.ready
		first.child.kill('SIGTERM')
		await first.ended
		const { code, said } = await runController(...args('second')).ended
		assert.equal(code === 0, false)
		assert.match(said, /works once, within 15 minutes/)
	})
})
