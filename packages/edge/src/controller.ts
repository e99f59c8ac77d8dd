import type { DatabaseSync } from 'node:sqlite'
import { type Clock, fromHex, isFault, type Random, type Sign } from '@latchwork/core/base'
import type { KioskView } from '@latchwork/core/wire'
import type { Board } from '@latchwork/drivers/board'
import { type Bank, openBank, stock, type Wiring } from './bank/index.ts'
import { openCases } from './cases/index.ts'
import type { EdgeConfig } from './config.ts'
import { type Health, healthOf } from './health.ts'
import type { Journal } from './journal/index.ts'
import { nodeCrypto } from './keys.ts'
import { identifier, intents, type KioskSession, kioskView, openSession, unknownBadge } from './kiosk/index.ts'
import { settleRequest } from './operator.ts'
import { cedarEngine } from './policy-engine.ts'
import { type ReaderEvents, readerEvents } from './readers.ts'
import { openRecords } from './records.ts'
import { type AuthoritySource, openAuthority } from './sync/authority.ts'
import { openServer, type Server, type ServerDoor } from './sync/server.ts'

export interface ControllerParts {
	readonly config: EdgeConfig
	/** Where the journal lives. */
	readonly directory: string
	readonly clock: Clock
	/** Monotonic time of the drivers: bus deadlines count in it, also when the site's clock is moved. */
	readonly busMono: () => number
	readonly random: Random
	readonly siteKey: Uint8Array
	/** The device's own key, for chain heads. */
	readonly sign: Sign
	/** One driver a bus, not started. */
	readonly boards: ReadonlyMap<string, Board>
	/** The server that it is enrolled to; without one it works alone. */
	readonly server?: ServerDoor
	/**
	 * Records can no longer be kept: the process must end, so that its keeper starts it anew and recovery settles the rest (R3). The
	 * default throws outside of every caller, which no request can turn into an answer.
	 */
	readonly failed?: (fault: unknown) => void
	/** What the page shows may have changed. */
	readonly changed: () => void
	/** For tests: bounds the database. */
	readonly tune?: (db: DatabaseSync) => void
}

/** One controller without its sockets and cables: everything between a reader's event and a board's `open`. */
export interface Controller {
	readonly journal: Journal
	readonly bank: Bank
	readonly session: KioskSession
	readonly authority: AuthoritySource
	readonly readers: ReaderEvents
	view(): KioskView
	health(): Health
	/** What a person at the bank found out by looking (operator.ts). */
	settle(body: unknown): object
	/** Settles what a crash left undecided and begins the periodic work; before the first sensor fact. */
	begin(): void
	stop(): Promise<void>
}

/** How often bundle and lease files are looked at; a badge tap looks as well. */
const REFRESH_MS = 1_000
const HOUSEKEEPING_MS = 30_000
const LONGEST_WAIT_MS = 60_000

/** Throws the faults of `openJournal`. */
export function openController(parts: ControllerParts): Controller {
	const { config, clock, random, failed = endProcess } = parts
	const makerKeys = new Map(config.makers.map((m) => [m.keyId, fromHex(m.publicKey)]))
	const { journal, time, knows } = openRecords({
		...parts,
		broken: failed,
		begins: (fresh) => ({ type: 'controller.started', subject: config.controller, actor: 'edge', data: { fresh } }),
	})
	let stocking = () => {}
	let recheck = () => {}
	let taking = () => {}
	let server: Server | undefined
	const { bundle, lease } = config
	const authority = openAuthority({
		siteKey: parts.siteKey,
		...(bundle !== undefined && lease !== undefined && { files: { bundle, lease } }),
		bank: config.bank,
		keys: makerKeys,
		crypto: nodeCrypto,
		engine: cedarEngine,
		journal,
		time,
		changed: () => {
			taking()
			stocking()
			recheck()
			server?.authorityChanged()
			parts.changed()
		},
	})
	const offline = () => server?.online() !== true
	knows(
		() => authority.current()?.bundle.version ?? 0,
		() => !offline(),
	)
	authority.refresh()

	const { bank: bankId, controller } = config
	const { now, uncertain } = time
	const cases = openCases({ journal, authority: authority.current, now, uncertain, random, bank: bankId, controller, mono: clock.mono })
	const number = (id: string) => authority.current()?.bundle.bank.compartments.find((c) => c.id === id)?.number ?? 0
	const bank: Bank = openBank({
		journal,
		clock,
		busMono: parts.busMono,
		now: time.now,
		wiring: wiringOf(config, parts.boards),
		board: (bus) => parts.boards.get(bus) as Board,
		singleOpen: () => authority.current()?.bundle.settings.singleOpen === true,
		follow: (step) => {
			const entry = session.follow(step)
			return { ...entry, put: [...(entry.put ?? []), ...(server?.follow(step) ?? [])] }
		},
		failed,
		changed: (step) => {
			// A content sensor may have spoken that a first content waited for.
			stocking()
			session.stepped(step)
			server?.stepped(step)
		},
	})
	const readers = readerEvents({ journal, ids: config.readers, session: () => session, changed: parts.changed })
	const outOfService = () => {
		if (authority.state() === 'missing') return 'bundle-missing' as const
		if (bank.boards().every((b) => !b.up)) return 'board-lost' as const
		return undefined
	}
	const session: KioskSession = openSession({
		bankId: config.bank,
		journal,
		bank: () => bank,
		cases,
		authority,
		time,
		clock,
		random,
		crypto: nodeCrypto,
		identify: identifier({
			journal,
			time,
			authority: authority.current,
			makerKeys,
			crypto: nodeCrypto,
			bank: config.bank,
			pinsRestUntil: () => authority.moment().lease?.pinsRestUntil,
			pickUpRefusal: cases.pickUpRefusal,
		}),
		inquire: (what) => {
			const verifier = server && unknownBadge({ authority: authority.current, crypto: nodeCrypto }, what)
			return verifier === undefined ? undefined : server?.inquire(verifier)
		},
		claim: { needed: () => server?.needsClaim() === true, take: async (code) => (await server?.claim(code)) ?? 'unreachable' },
		intents: intents({ journal, bank: () => bank, cases, authority, random, offline, number }),
		number,
		outOfService,
		signal: readers.signal,
		changed: parts.changed,
	})
	if (parts.server)
		server = openServer({
			door: parts.server,
			config,
			journal,
			time,
			clock,
			random,
			keys: makerKeys,
			crypto: nodeCrypto,
			authority,
			bank: () => bank,
			busy: session.busy,
			readBadge: session.readBadge,
			changed: parts.changed,
		})
	const cancels: (() => void)[] = []
	return {
		journal,
		bank,
		session,
		authority,
		readers,
		view: () =>
			kioskView({
				authority,
				bank,
				session,
				time,
				journal,
				offline: server?.lost() === true,
				claim: server?.needsClaim() === true,
				readers: readers.state(),
				number,
			}),
		health: () => healthOf({ config, journal, bank, authority, time, session, link: server?.health(), readers: readers.state(), number }),
		settle: (body) => settleRequest(body, { bank, cases, authority, journal }),
		begin() {
			bank.restart()
			taking = cases.take
			taking()
			stocking = () => {
				const bundle = authority.current()?.bundle
				if (bundle) stock(bundle, { bank, promised: cases.promised(), lost: journal.lost() !== undefined })
			}
			// A bundle that has come ends what its absence kept from the screen, also where the content was known before.
			recheck = () => session.stepped({ bank: bank.state(), touched: [], events: [], effects: [], ended: [] })
			stocking()
			session.restore()
			cancels.push(
				every(clock, REFRESH_MS, authority.refresh),
				every(clock, HOUSEKEEPING_MS, journal.checkStorage),
				every(clock, HOUSEKEEPING_MS, journal.sealHead),
				deadlines(clock, time.now, cases.runDeadlines),
			)
			server?.start()
		},
		async stop() {
			for (const cancel of cancels) cancel()
			session.stop()
			bank.stop()
			const gone = server?.stop()
			authority.close()
			journal.sealHead()
			journal.close()
			await gone
		},
	}
}

function endProcess(fault: unknown): void {
	queueMicrotask(() => {
		throw fault
	})
}

function wiringOf(config: EdgeConfig, boards: ReadonlyMap<string, Board>): Wiring[] {
	return config.compartments.map(({ id, bus, board, channel }) => {
		const caps = boards.get(bus)?.caps
		return {
			id,
			ref: { bus, board, channel },
			// An answer that may also stay out (`received`) tells nothing by its silence; only the sensor does.
			senses: {
				door: caps?.doorSense !== 'none',
				presence: caps?.presence ?? false,
				acks: caps?.ackMeaning === 'actuated' || caps?.ackMeaning === 'latchAfter',
			},
		}
	})
}

function every(clock: Clock, ms: number, run: () => void): () => void {
	let cancel = () => {}
	const turn = () => {
		run()
		cancel = clock.after(ms, turn)
	}
	cancel = clock.after(ms, turn)
	return () => cancel()
}

/** Sleeps until the next deadline of a case, but looks at least once a minute: a case may have gained an earlier one, or the disk was full. */
function deadlines(clock: Clock, now: () => number, run: () => number | undefined): () => void {
	let cancel = () => {}
	const attempt = (): number => {
		try {
			return run() ?? Number.POSITIVE_INFINITY
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			return Number.POSITIVE_INFINITY
		}
	}
	const turn = () => {
		const next = attempt()
		cancel = clock.after(Math.min(LONGEST_WAIT_MS, Math.max(0, next - now())), turn)
	}
	turn()
	return () => cancel()
}
