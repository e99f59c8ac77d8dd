import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Bundle, badgeToBits, type Lease, mintCode, sealBundle, sealLease } from '@latchwork/core/access'
import { SAMPLE_PEOPLE, SAMPLE_SITE_KEY, type SamplePerson, sampleBundle, sampleId, testKey } from '@latchwork/core/access/testing'
import { type FakeClock, fakeClock, seededRandom, toHex } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import type { KioskAct, KioskScreen } from '@latchwork/core/wire'
import { LOAN_DEFAULTS, loanTable, tableHash } from '@latchwork/core/workflow'
import type { Board } from '@latchwork/drivers/board'
import { CATALOG } from '@latchwork/drivers/catalog'
import { BOARD_EMULATORS } from '@latchwork/drivers/emulators'
import { type BoardEmulator, type Cabinet, createCabinet } from '@latchwork/drivers/testing'
import { memoryPipe } from '@latchwork/drivers/transport'
import type { EdgeConfig } from '../config.ts'
import { type Controller, openController } from '../controller.ts'
import { nodeCrypto } from '../keys.ts'
import type { ServerSide } from './server-side.ts'

/**
 * A whole controller in this process with time standing still: real journal on a real directory, real driver and emulated board on
 * a cable in memory, the school of `core/access/testing` as its site. For tests only.
 */
export interface Stage {
	readonly clock: FakeClock
	readonly cabinet: Cabinet
	readonly emulator: BoardEmulator
	/** The data directory; another one after `crash`. */
	directory(): string
	controller(): Controller
	screen(): KioskScreen
	events(): StreamEvent[]
	types(): string[]
	badge(person: SamplePerson): void
	pin(digits: string): void
	scan(text: string): void
	act(act: KioskAct): void
	choose(id: string): void
	/** Moves the clock in small steps until it is so. */
	until(what: string, condition: () => boolean, withinMs?: number): Promise<void>
	shows<N extends KioskScreen['name']>(name: N): Promise<Extract<KioskScreen, { name: N }>>
	/** Takes or brings the laptop: the door has sprung open, the person acts, the door is pushed shut. */
	hand(door: number, present: boolean): Promise<void>
	/** The door that the screen names. */
	doorOfLaptop(): number
	/** Badge, choice, hand: a whole loan, or a whole return. */
	borrow(): Promise<number>
	bringBack(): Promise<number>
	/** The bundle as last written. */
	bundle(): Bundle
	/** Writes what the maker signed; `change` on top of the bundle in the file. */
	writeBundle(change?: Partial<Bundle>, by?: ReturnType<typeof testKey>): Bundle
	writeLease(change?: Partial<Lease>): Lease
	/** What `writeBundle` would write, not written. */
	sealed(change: Partial<Bundle>): string
	readonly otherBank: Bundle['bank']['id']
	code(person: SamplePerson, jti: string, bank?: Bundle['bank']['id']): string
	start(): Promise<void>
	stop(): void
	/**
	 * Stops; then so much time passes in which the bank served and nothing happened at it, without the hours of polled sensors. Start it afterwards.
	 */
	serves(ms: number): Promise<void>
	/** As kill -9 or a pulled plug leaves it: what is on disk now goes on in another directory, the process is gone. */
	crash(): void
	/** Ends everything and removes what it wrote. */
	end(): void
}

export interface StageOptions {
	/** Where data directories are made; default: memory where the system has it. */
	readonly within?: string
	readonly tune?: (db: DatabaseSync) => void
	readonly failed?: (fault: unknown) => void
	readonly bundle?: Partial<Bundle>
	readonly board?: Board
	/** Enrolled to this server: it reads no files. */
	readonly server?: (clock: FakeClock) => ServerSide
	/** Started with files there and hardware up; else nothing is started. */
	readonly started?: boolean
}

/** Syncing costs nothing there; what survives a power cut is not this stage's question. */
const MEMORY = '/dev/shm'
const BUS = 'bus-a'
const FAMILY = 'kr16'
const STEP_MS = 10
const CHOICE = { borrow: 'borrow:loan-laptop' } as const

export async function createStage(options: StageOptions = {}): Promise<Stage> {
	const root = mkdtempSync(join(options.within ?? (existsSync(MEMORY) ? MEMORY : tmpdir()), 'latchwork-stage-'))
	const clock = fakeClock()
	const random = seededRandom(20261122)
	const maker = testKey(new Uint8Array(32).fill(3))
	const device = testKey(new Uint8Array(32).fill(4))
	const driverClock = { mono: clock.mono, after: clock.after, random }
	const cabinet = createCabinet({ compartments: 16, clock, random })
	const emulator = (BOARD_EMULATORS[FAMILY] as (typeof BOARD_EMULATORS)[string])({ boards: [{ board: 0, cabinet }], clock: driverClock })
	const pipe = memoryPipe()
	emulator.attach(pipe.wire)
	cabinet.setItem(0, { present: true, tag: 'TAG-0' }, true)

	let bundle = schoolBundle(options.bundle)
	const server = options.server?.(clock)
	const { bundle: bundleFile, lease: leaseFile, ...enrolled } = configOf(root, bundle, toHex(maker.publicKey))
	const config: EdgeConfig = server ? enrolled : { ...enrolled, bundle: bundleFile, lease: leaseFile }
	let generation = 0
	let directory = join(root, 'data-0')
	let controller: Controller | undefined
	let board: Board | undefined

	const running = (): Controller => {
		assert.ok(controller, 'the controller is not started')
		return controller
	}
	const screen = () => running().session.screen()
	const until: Stage['until'] = async (what, condition, withinMs = 30_000) => {
		for (let passed = 0; !condition(); passed += STEP_MS) {
			assert.ok(passed <= withinMs, `${what}: not within ${withinMs} ms; the screen is ${JSON.stringify(controller && screen())}`)
			await clock.advance(STEP_MS)
		}
	}
	const shows: Stage['shows'] = async (name) => {
		await until(`screen ${name}`, () => screen().name === name)
		return screen() as Extract<KioskScreen, { name: typeof name }>
	}
	const act = (what: KioskAct) => void assert.ok(running().session.act(running().session.turn(), what), `the screen has moved on: ${screen().name}`)

	const stage: Stage = {
		clock,
		cabinet,
		emulator,
		directory: () => directory,
		controller: running,
		screen,
		events: () =>
			running()
				.journal.events(0, 100_000)
				.map(({ event }) => event),
		types: () => stage.events().map((e) => e.type),
		badge(person) {
			const image = badgeToBits(String(SAMPLE_PEOPLE[person].number))
			assert.ok(image.ok)
			running().readers.event({ kind: 'card', format: 1, bitCount: image.bitCount, bits: image.bits, secure: true }, sampleId('reader', 'one'))
		},
		pin: (keys) => running().readers.event({ kind: 'keys', keys, secure: true }, sampleId('reader', 'one')),
		scan: (text) => running().readers.event({ kind: 'scan', text }, sampleId('reader', 'one')),
		act,
		choose: (id) => act({ kind: 'choose', id }),
		until,
		shows,
		async hand(door, present) {
			await until(`door ${door} springs open`, () => cabinet.door(door - 1) === 'open')
			await shows('open')
			cabinet.setItem(door - 1, present ? { present, tag: 'TAG-0' } : { present })
			await until('the sensor sees it', () => {
				const s = screen()
				return s.name === 'open' && s.contentChanged
			})
			cabinet.setDoor(door - 1, 'closed')
			await shows('done')
		},
		doorOfLaptop() {
			const shown = screen()
			assert.ok('door' in shown, `no door is named: ${shown.name}`)
			return shown.door.number
		},
		async borrow() {
			stage.badge('ana')
			stage.choose(CHOICE.borrow)
			const { door } = screen() as Extract<KioskScreen, { name: 'opening' }>
			await stage.hand(door.number, false)
			act({ kind: 'finish' })
			return door.number
		},
		async bringBack() {
			stage.badge('ana')
			const shown = screen()
			const choice = shown.name === 'choose' ? shown.choices.find((c) => c.kind === 'return') : undefined
			assert.ok(choice, `no return is offered: ${JSON.stringify(shown)}`)
			stage.choose(choice.id)
			const { door } = screen() as Extract<KioskScreen, { name: 'opening' }>
			await stage.hand(door.number, true)
			act({ kind: 'finish' })
			return door.number
		},
		bundle: () => bundle,
		writeBundle(change = {}, by = maker) {
			bundle = { ...bundle, ...change }
			const text = JSON.stringify(sealBundle(bundle, 'maker', by.sign))
			if (server) server.publishBundle(text, bundle)
			else replace(bundleFile, text)
			return bundle
		},
		writeLease(change = {}) {
			const lease: Lease = {
				format: 'latchwork-lease/1',
				bank: bundle.bank.id,
				bundleVersion: bundle.version,
				issuedAt: clock.now(),
				until: clock.now() + 30 * 60_000,
				...change,
			}
			const text = JSON.stringify(sealLease(lease, 'maker', maker.sign))
			if (server) server.publishLease(text, bundle.bank.id)
			else replace(leaseFile, text)
			return lease
		},
		sealed: (change) => JSON.stringify(sealBundle({ ...bundle, ...change }, 'maker', maker.sign)),
		otherBank: sampleId('bank', 'elsewhere'),
		code: (person, jti, bank = bundle.bank.id) =>
			mintCode({ jti, subject: sampleId('subject', person), bank, notBefore: clock.now() - 60_000, expires: clock.now() + 3_600_000 }, maker.sign),
		async start() {
			const entry = CATALOG.find((e) => e.family === FAMILY)
			assert.ok(entry?.kind === 'board')
			const driver = options.board ?? entry.create(entry.products.at(-1) ?? '')
			controller = openController({
				config,
				directory,
				clock,
				busMono: clock.mono,
				random,
				siteKey: SAMPLE_SITE_KEY,
				sign: device.sign,
				boards: new Map([[BUS, driver]]),
				changed: () => {},
				...(server && { server: server.door }),
				...(options.tune && { tune: options.tune }),
				...(options.failed && { failed: options.failed }),
			})
			const mine = controller
			mine.begin()
			board = driver
			const profile = { bus: BUS, boards: [0], product: entry.products.at(-1) ?? '' }
			await driver.start(pipe.transport, profile, driverClock, (event) => {
				if (controller === mine) mine.bank.sensed(BUS, event)
			})
			if (!options.board) await until('every sensor is known', () => Object.values(mine.bank.state().compartments).every((c) => c.door !== 'unknown'))
		},
		stop() {
			void board?.stop()
			void controller?.stop()
			controller = undefined
			board = undefined
		},
		async serves(ms) {
			stage.stop()
			await clock.advance(ms)
			const db = new DatabaseSync(join(directory, 'edge.db'))
			db.prepare("UPDATE fact SET body = ? WHERE kind = 'edge' AND key = 'alive'").run(JSON.stringify({ at: clock.now() }))
			db.close()
		},
		crash() {
			const next = join(root, `data-${++generation}`)
			mkdirSync(next)
			for (const name of ['edge.db', 'edge.db-wal', 'edge.mark']) copyFileSync(join(directory, name), join(next, name))
			stage.stop()
			rmSync(directory, { recursive: true })
			directory = next
		},
		end() {
			stage.stop()
			rmSync(root, { recursive: true, force: true })
		},
	}
	if (options.started !== false) {
		stage.writeBundle()
		await stage.start()
	}
	return stage
}

/** As a careful maker does; the new inode also tells two files apart that are written within one tick of the file system's clock. */
function replace(path: string, text: string): void {
	writeFileSync(`${path}.new`, text)
	renameSync(`${path}.new`, path)
}

/** Four doors, the laptop behind the first; the school's own policies and a real loan table. */
function schoolBundle(change: Partial<Bundle> = {}): Bundle {
	const table = loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' })
	return sampleBundle(nodeCrypto, {
		workflows: [{ name: 'loan', tableHash: tableHash(table, nodeCrypto.sha256), table: JSON.parse(JSON.stringify(table)), settings: {} }],
		...change,
	})
}

function configOf(root: string, bundle: Bundle, publicKey: string): EdgeConfig & { bundle: string; lease: string } {
	return {
		controller: sampleId('controller', 'one'),
		bank: bundle.bank.id,
		port: 0,
		web: root,
		bundle: join(root, 'bundle.json'),
		lease: join(root, 'lease.json'),
		makers: [{ keyId: 'maker', publicKey }],
		siteKey: '',
		deviceKey: '',
		buses: [{ id: BUS, family: FAMILY, product: '', transport: { kind: 'tcp', host: '127.0.0.1', port: 1 }, boards: [0] }],
		readers: [],
		compartments: bundle.bank.compartments.map(({ id, number }) => ({ id, bus: BUS, board: 0, channel: number - 1 })),
	}
}
