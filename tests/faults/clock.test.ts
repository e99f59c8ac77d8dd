import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { type Bundle, mintCode, sealBundle, sealLease } from '@latchwork/core/access'
import { sampleBundle, sampleId, sampleSubject } from '@latchwork/core/access/testing'
import { verifyStream } from '@latchwork/core/ledger'
import { type KioskAct, type KioskView, kioskView } from '@latchwork/core/wire'
import { LOAN_DEFAULTS, loanTable, tableHash } from '@latchwork/core/workflow'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { type LinkWorld, linkWorld } from '@latchwork/server/link/world'
import { type Cable, cableOf } from '../scenarios/cable.ts'
import { atWork, type ControllerProcess, type Hardware, type LinkedHealth, openHardware, runControllerIn, untilSo } from '../scenarios/controller.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Where Debian's libfaketime lies: `faketime -m` says so by preloading it. */
const PRELOAD = () => {
	const said = spawnSync('faketime', ['-m', '-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"'], { encoding: 'utf8' }).stdout.trim()
	assert.match(said, /libfaketime.*\.so/)
	return said
}

interface ClockHealth extends LinkedHealth {
	readonly clock: { readonly now: number; readonly uncertain: boolean }
}

/** T22: the machine's own clock is moved under a running controller, while somebody borrows and brings back. */
describe('the clock of the machine is moved', () => {
	let world: LinkWorld
	let folder: string
	let hardware: Hardware
	let of: Awaited<ReturnType<LinkWorld['bank']>>
	let edge: ControllerProcess
	let url: string
	let codes = 0
	let environment: Readonly<Record<string, string>>
	let cable: Cable | undefined

	const bundleNow = (): Bundle => {
		const now = Date.now()
		const table = loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' })
		const base = sampleBundle(nodeCrypto)
		// Open at whatever hour of the week this runs.
		const { openingHours: _, ...settings } = base.settings
		const compartments = of.compartments.map((id, i) => ({ id, number: i + 1, size: 'M', accessible: true }) as const)
		return {
			...base,
			tenant: world.tenants[0],
			site: { ...base.site, id: of.site },
			bank: { ...base.bank, id: of.bank, compartments },
			initialContents: [{ compartment: of.compartments[0] ?? assert.fail(), asset: sampleId('asset', 'laptop') }],
			workflows: [{ name: 'loan', tableHash: tableHash(table, nodeCrypto.sha256), table: JSON.parse(JSON.stringify(table)), settings: {} }],
			settings: { ...settings, loanDue: { kind: 'hours', hours: 72 } },
			version: 1,
			issuedAt: now,
			staleAt: now + HOUR,
			expiresAt: now + 3 * DAY,
		}
	}
	const documents = {
		async bundle() {
			const { keyId, sign } = await world.maker()
			return { digest: 'bundle-1', text: JSON.stringify(sealBundle(bundleNow(), keyId, sign)) }
		},
		async lease() {
			const now = Date.now()
			const { keyId, sign } = await world.maker()
			const lease = { format: 'latchwork-lease/1', bank: of.bank, bundleVersion: 1, issuedAt: now, until: now + HOUR } as const
			return { digest: `lease-${now}`, text: JSON.stringify(sealLease(lease, keyId, sign)) }
		},
	}
	const moveClock = (seconds: number) => writeFileSync(join(folder, 'clock'), `${seconds >= 0 ? '+' : ''}${seconds}\n`)
	const data = () => join(folder, 'data')
	const health = async () => (await (await fetch(`${url}health`)).json()) as ClockHealth
	const untilHealthy = (wanted: (health: ClockHealth) => boolean, what: string) => untilSo(health, wanted, what)
	const view = async (): Promise<KioskView> => kioskView.parse(await (await fetch(`${url}api/view`)).json())
	const screen = (name: KioskView['screen']['name'], what = `screen ${name}`) => untilSo(view, ({ screen }) => screen.name === name, what)
	const act = async (act: KioskAct) => {
		const { turn } = await view()
		const { status } = await fetch(`${url}api/act`, {
			method: 'POST',
			headers: { 'content-type': 'application/json' },
			body: JSON.stringify({ turn, act }),
		})
		assert.equal(status, 204)
	}
	/** A one-time code of the server; left out: good by the time that it really is. */
	const codeOf = async (person: 'ana' | 'cem' | 'gus', from = -HOUR, to = 2 * DAY) => {
		const { sign } = await world.maker()
		const now = Date.now()
		return mintCode({ jti: `clock-test-${++codes}`, subject: sampleSubject(person), bank: of.bank, notBefore: now + from, expires: now + to }, sign)
	}
	const shows = async () => hardware.scan(await codeOf('ana'))
	/** Shown at the kiosk it opens nothing; answers why. */
	const refused = async (code: string, when: string) => {
		hardware.scan(code)
		const { screen: shown } = await untilSo(view, (v) => v.screen.name !== 'attract', `an answer to a code, ${when}`)
		assert.ok(shown.name === 'denied', `${when}: ${JSON.stringify(shown)}`)
		await act({ kind: 'back' })
		await screen('attract')
		return shown.reason
	}
	/** Starts it again on what it has kept, with the clock so far off and with or without its network. */
	const again = async (seconds: number, network: 'whole' | 'cut') => {
		edge.child.kill('SIGKILL')
		await edge.ended
		moveClock(seconds)
		cable?.[network === 'cut' ? 'cut' : 'mend']()
		edge = runControllerIn(environment, '--data', data())
		url = await edge.ready
		return untilHealthy((h) => h.bundle > 0 && h.boards.every((b) => b.up) && h.readers.every((r) => r.online), 'its hardware')
	}
	const choices = async () => {
		const { screen } = await untilSo(view, (v) => v.screen.name === 'choose', 'what she may do')
		assert.ok(screen.name === 'choose')
		return screen.choices
	}
	const through = async (present: boolean, meanwhile: () => Promise<unknown> = async () => {}) => {
		const shown = await untilSo(view, (v) => v.screen.name === 'open', 'an open door')
		assert.ok(shown.screen.name === 'open')
		const index = shown.screen.door.number - 1
		await meanwhile()
		hardware.cabinet.setItem(index, present ? { present, tag: 'TAG-0' } : { present })
		await untilSo(view, (v) => v.screen.name === 'open' && v.screen.contentChanged, 'the sensor sees it')
		hardware.cabinet.setDoor(index, 'closed')
		await screen('done')
		await act({ kind: 'finish' })
		await screen('attract')
	}
	const events = () =>
		readJournal(data()).flatMap(({ lines }) =>
			lines.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as { type: string; actor?: string; at: number }),
		)

	before(async () => {
		folder = mkdtempSync(join(tmpdir(), 'latchwork-clock-'))
		world = await linkWorld({ handlers: documents })
		of = await world.bank()
		hardware = await openHardware(
			folder,
			of.compartments.map((id, i) => ({ id, number: i + 1 })),
		)
		hardware.cabinet.setItem(0, { present: true, tag: 'TAG-0' }, true)
		moveClock(0)
		// Intervals are real: what moves is the time of day.
		environment = { LD_PRELOAD: PRELOAD(), FAKETIME_TIMESTAMP_FILE: join(folder, 'clock'), FAKETIME_NO_CACHE: '1', DONT_FAKE_MONOTONIC: '1' }
		const { token } = await world.claim(of.controller)
		const { device } = world.link.ports() ?? assert.fail('no device port')
		edge = runControllerIn(environment, '--server', `https://localhost:${device}`, '--claim', token, '--config', hardware.wiring, '--data', data())
		url = await edge.ready
		await untilHealthy((h) => atWork(h), 'at work')
	})
	after(async () => {
		edge?.child.kill('SIGKILL')
		await edge?.ended
		await cable?.close()
		await hardware?.close()
		await world?.close()
		rmSync(folder, { recursive: true, force: true })
	})

	test('T22: by hours and by years, ahead and back, with a door open and with a thing on loan: one loan, one pulse for each door, no record older than the last; a code that has ended or not begun opens nothing, one that is good does once the time is right', async (t) => {
		await shows()
		await act({
			kind: 'choose',
			id: (await choices()).find(({ kind, denied }) => kind === 'borrow' && !denied)?.id ?? assert.fail(JSON.stringify(await view())),
		})
		await through(false, async () => {
			moveClock(6 * 3_600)
			await untilHealthy((h) => h.link.online && Math.abs(h.clock.now - Date.now()) < HOUR / 2, 'the server has set it right')
			moveClock(-6 * 3_600)
			await untilHealthy((h) => Math.abs(h.clock.now - Date.now()) < HOUR / 2, 'no hour is lost')
		})
		assert.equal(hardware.cabinet.pulses(0), 1)

		// Gus has a code that ended an hour ago and one that begins in three hours, and whoever can set the clock helps him; that of Cem is good all along.
		const [ended, early, good] = [await codeOf('gus', -2 * HOUR, -HOUR), await codeOf('gus', 3 * HOUR, 9 * HOUR), await codeOf('cem')]
		const visits = (person: 'cem' | 'gus') => events().filter(({ type, actor }) => type === 'visit.started' && actor === sampleSubject(person)).length
		const reasons: Record<string, readonly string[]> = {}
		let controls = 0
		const shown = async (when: string, isGood = true) => {
			reasons[when] = [await refused(ended, when), await refused(early, when)]
			if (!isGood) return void (await refused(good, when))
			hardware.scan(good)
			await choices()
			await act({ kind: 'finish' })
			await screen('attract')
			controls += 1
		}
		cable = await cableOf(data())
		await again(0, 'whole')
		await untilHealthy((h) => atWork(h), 'at work by the cable')
		await shown('in time')
		cable.cut()
		await untilHealthy((h) => !h.link.online, 'alone')
		moveClock(6 * 3_600)
		await untilHealthy((h) => h.clock.uncertain, 'it doubts its clock')
		await shown('six hours ahead, alone')
		moveClock(-6 * 3_600)
		await untilHealthy((h) => h.clock.uncertain && h.clock.now - Date.now() < HOUR, 'it doubts the other time, too')
		await shown('six hours back, alone')

		// Ten years back, without a network, over a restart: the time is at least what was signed and lived through.
		await again(-10 * 365 * 86_400, 'cut')
		await untilHealthy((h) => Math.abs(h.clock.now - Date.now()) < HOUR, 'ten years back is today')
		await shown('ten years back, alone')
		cable.mend()
		await untilHealthy((h) => atWork(h), 'back at its server')
		await shown('ten years back, with the server')

		// Years ahead: the server's certificate looks long over to this machine, so nobody sets it right. Nothing is taken; what is here comes back.
		const ahead = await again(5 * 365 * 86_400, 'whole')
		t.diagnostic(`five years ahead: ${JSON.stringify({ online: ahead.link.online, uncertain: ahead.clock.uncertain, problems: ahead.problems })}`)
		assert.ok(ahead.problems.includes('clock-uncertain') || ahead.problems.includes('bundle-expired'), JSON.stringify(ahead.problems))
		await shown('five years ahead', false)

		await again(0, 'whole')
		await untilHealthy((h) => atWork(h) && !h.clock.uncertain && Math.abs(h.clock.now - Date.now()) < 60_000, 'set right, it is the true time')
		await shown('set right')
		t.diagnostic(JSON.stringify(reasons))
		assert.deepEqual([visits('gus'), visits('cem')], [0, controls], 'what had ended and what had not begun was taken 0 times')
		await shows()
		const back = (await choices()).find(({ kind }) => kind === 'return') ?? assert.fail('her loan is not known any more')
		assert.ok(back.due !== undefined && Math.abs(back.due - Date.now() - 72 * HOUR) < HOUR, 'due when it was due')
		await act({ kind: 'choose', id: back.id })
		await through(true)

		await untilHealthy((h) => h.link.pending === 0, 'all is acknowledged')
		const streams = readJournal(data())
		assert.equal(streams.length, 1)
		assert.ok(verifyStream(streams[0]?.lines ?? [], { crypto: nodeCrypto }).ok)
		const told = events()
		const count = (type: string) => told.filter((event) => event.type === type).length
		assert.deepEqual(
			[count('loan.started'), count('door-session.releasing'), count('door.forced')],
			[1, 2, 0],
			JSON.stringify(told.map(({ type }) => type)),
		)
		assert.ok(
			told.some(({ type }) => type.startsWith('controller.clock')),
			'that the clock was moved is on record',
		)
	})
})
