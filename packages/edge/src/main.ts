#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { type Clock, Fault, fromHex, type Id, type Random } from '@latchwork/core/base'
import type { Content } from '@latchwork/core/door'
import type { Board } from '@latchwork/drivers/board'
import { CATALOG } from '@latchwork/drivers/catalog'
import type { ReaderEvent } from '@latchwork/drivers/reader'
import { type DriverClock, openTransport, type Transport } from '@latchwork/drivers/transport'
import { type Bank, openBank, type Wiring } from './bank/index.ts'
import { openCases } from './cases/index.ts'
import { sharedClock, systemClock } from './clock-file.ts'
import { type EdgeConfig, readConfig } from './config.ts'
import { type Journal, openJournal } from './journal/index.ts'
import { nodeCrypto, secretBytes, signingKey } from './keys.ts'
import { identifier, intents, type KioskSession, kioskHttp, kioskView, openSession } from './kiosk/index.ts'
import { settleRequest } from './operator.ts'
import { cedarEngine } from './policy-engine.ts'
import { readerEvents } from './readers.ts'
import { openAuthority } from './sync/authority.ts'
import { trustedTime } from './time.ts'

/** How often bundle and lease files are looked at; a badge tap looks as well. */
const REFRESH_MS = 1_000
const HOUSEKEEPING_MS = 30_000

export interface Edge {
	readonly url: string
	readonly journal: Journal
	readonly bank: Bank
	readonly session: KioskSession
	/** What a reader says; drivers call it, and benchmarks. */
	readonly reader: (event: ReaderEvent, id: Id<'reader'>) => void
	stop(): Promise<void>
}

/** Builds one controller from its configuration. Resolves when the kiosk page can be opened, with hardware absent too. */
export async function startEdge(config: EdgeConfig, directory: string): Promise<Edge> {
	const shared = config.clock === undefined ? undefined : sharedClock(config.clock, 'edge')
	const clock: Clock = shared ?? systemClock
	const random: Random = (n) => new Uint8Array(randomBytes(n))
	const bench: DriverClock = { mono: systemClock.mono, after: systemClock.after, random }
	const device = signingKey(config.deviceKey)
	const makerKeys = new Map(config.makers.map((m) => [m.keyId, fromHex(m.publicKey)]))

	// Journal and time need each other: records carry the time, and the time that was reached is kept with the records.
	let journal: Journal | undefined
	let bundleVersion = () => 0
	const time = trustedTime(
		clock,
		() => journal?.fact<{ floor: number; lived: number }>('edge', 'time'),
		({ kind, byMs }) => {
			journal?.commit({ events: [{ type: `controller.${kind}`, subject: config.controller, actor: 'edge', data: { byMs } }], essential: true })
		},
	)
	const open = openJournal({
		directory,
		controller: config.controller,
		random,
		now: () => time.now(),
		context: () => ({
			bank: config.bank,
			at: time.now(),
			mono: Math.floor(clock.mono()),
			clock: time.uncertain() ? 'uncertain' : 'good',
			bundle: bundleVersion(),
			offline: true,
			sha256: nodeCrypto.sha256,
		}),
		sealer: { sign: device.sign, keyId: config.controller },
		standing: () => [{ kind: 'edge', key: 'time', body: time.state() }],
	})
	journal = open
	open.commit({ events: [{ type: 'controller.started', subject: config.controller, actor: 'edge', data: { fresh: open.fresh } }], essential: true })

	let changed = () => {}
	const authority = openAuthority({
		files: config,
		bank: config.bank,
		keys: makerKeys,
		crypto: nodeCrypto,
		engine: cedarEngine,
		journal: open,
		time,
		changed: () => changed(),
	})
	bundleVersion = () => authority.current()?.bundle.version ?? 0
	authority.refresh()

	const boards = boardsOf(config)
	const cases = openCases({ journal: open, authority: authority.current, now: time.now, random, bank: config.bank })
	const number = (id: string) => authority.current()?.bundle.bank.compartments.find((c) => c.id === id)?.number ?? 0
	const bank: Bank = openBank({
		journal: open,
		clock,
		busMono: bench.mono,
		now: time.now,
		wiring: wiringOf(config, boards, authority.current()?.bundle.initialContents ?? []),
		board: (bus) => boards.get(bus) as Board,
		follow: (step) => session.follow(step),
		changed: (step) => session.stepped(step),
	})
	const readers = readerEvents({ journal: open, ids: config.readers, session: () => session, changed: () => changed() })
	const outOfService = () => {
		if (authority.state() === 'missing') return 'bundle-missing' as const
		if (bank.boards().every((b) => !b.up)) return 'board-lost' as const
		return undefined
	}
	const session: KioskSession = openSession({
		bankId: config.bank,
		journal: open,
		bank: () => bank,
		cases,
		authority,
		time,
		clock,
		random,
		identify: identifier({
			journal: open,
			time,
			authority: authority.current,
			siteKey: secretBytes(config.siteKey, 32),
			makerKeys,
			crypto: nodeCrypto,
			bank: config.bank,
		}),
		intents: intents({ journal: open, bank: () => bank, cases, authority, random, number }),
		number,
		outOfService,
		signal: readers.signal,
		changed: () => changed(),
	})

	const http = await kioskHttp({
		web: config.web,
		port: config.port,
		view: () => kioskView({ authority, bank, session, time, journal: open, readers: readers.state() }),
		act: session.act,
		health: () => ({
			ok: outOfService() === undefined && open.storage() === 'good',
			controller: config.controller,
			bank: config.bank,
			head: open.head(),
			lost: open.lost() ?? null,
			storage: open.storage(),
			authority: authority.state(),
			bundle: authority.current()?.bundle.version ?? 0,
			clock: { now: time.now(), uncertain: time.uncertain() },
			boards: bank.boards(),
			readers: readers.state(),
			doors: Object.values(bank.state().compartments).flatMap((c) =>
				c.session || c.hold
					? [
							{
								door: number(c.id),
								...(c.session && { session: c.session.state, undecided: c.session.recovering }),
								...(c.hold && { hold: c.hold.kind }),
							},
						]
					: [],
			),
			screen: session.screen().name,
		}),
		operator: { token: operatorToken(directory), settle: (body) => settleRequest(body, bank, authority) },
	})
	changed = http.changed

	// What a crash left is marked as undecided before the first sensor fact can arrive.
	bank.restart()
	session.restore()
	const buses = await startBuses(config, boards, bench, bank.sensed)
	const devices = await readers.start(config, bench)
	const cancels = [
		every(clock, REFRESH_MS, authority.refresh),
		every(clock, HOUSEKEEPING_MS, open.checkStorage),
		every(clock, HOUSEKEEPING_MS, open.sealHead),
		deadlines(clock, time.now, cases.runDeadlines),
	]
	return {
		url: http.url,
		journal: open,
		bank,
		session,
		reader: readers.event,
		async stop() {
			for (const cancel of cancels) cancel()
			session.stop()
			bank.stop()
			await Promise.all([http.close(), devices.stop(), buses.stop()])
			shared?.stop()
			open.sealHead()
			open.close()
		},
	}
}

function boardsOf(config: EdgeConfig): Map<string, Board> {
	return new Map(
		config.buses.map((b) => {
			const entry = CATALOG.find((e) => e.family === b.family)
			if (entry?.kind !== 'board') throw new Fault('config-invalid', `buses.${b.id}.family: there is no lock board family "${b.family}".`)
			return [b.id, entry.create(b.product)]
		}),
	)
}

async function startBuses(
	config: EdgeConfig,
	boards: ReadonlyMap<string, Board>,
	bench: DriverClock,
	sensed: Bank['sensed'],
): Promise<{ stop(): Promise<void> }> {
	const started: { board: Board; io: Transport }[] = []
	for (const b of config.buses) {
		const board = boards.get(b.id)
		if (!board) continue
		const io = await openTransport(b.transport, bench)
		started.push({ board, io })
		const profile = {
			bus: b.id,
			boards: b.boards,
			product: b.product,
			...(b.polarity && { polarity: b.polarity }),
			...(b.statusOrder && { statusOrder: b.statusOrder }),
		}
		await board.start(io, profile, bench, (event) => sensed(b.id, event))
	}
	return {
		async stop() {
			for (const { board, io } of started) {
				await board.stop()
				await io.close()
			}
		},
	}
}

function wiringOf(config: EdgeConfig, boards: ReadonlyMap<string, Board>, contents: readonly { compartment: string; asset: string }[]): Wiring[] {
	const inside = new Map(contents.map((c) => [c.compartment, c.asset]))
	return config.compartments.map(({ id, bus, board, channel }) => {
		const caps = boards.get(bus)?.caps
		const item = inside.get(id)
		const content: Content = item === undefined ? { kind: 'empty' } : { kind: 'item', item }
		return {
			id,
			ref: { bus, board, channel },
			// An answer that may also stay out (`received`) tells nothing by its silence; only the sensor does.
			senses: {
				door: caps?.doorSense !== 'none',
				presence: caps?.presence ?? false,
				acks: caps?.ackMeaning === 'actuated' || caps?.ackMeaning === 'latchAfter',
			},
			content,
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

/** Sleeps until the next deadline of a case, but looks at least once a minute: a case may have gained an earlier one. */
function deadlines(clock: Clock, now: () => number, run: () => number | undefined): () => void {
	let cancel = () => {}
	const turn = () => {
		const next = run()
		cancel = clock.after(Math.min(60_000, Math.max(0, (next ?? Number.POSITIVE_INFINITY) - now())), turn)
	}
	turn()
	return () => cancel()
}

function operatorToken(directory: string): string {
	const file = join(directory, 'operator.token')
	if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 })
	return readFileSync(file, 'utf8').trim()
}

/** Runs one controller until it is told to stop. Prints `EDGE {json}` when ready. `child`: it also ends when its standard input closes. */
export async function main(path: string | undefined, child = false): Promise<void> {
	if (!path) throw new Fault('config-invalid', 'Name the configuration: latchwork edge <edge.json>.')
	const edge = await startEdge(readConfig(path), dirname(resolve(path)))
	let stopping = false
	const stop = async () => {
		if (stopping) return
		stopping = true
		await edge.stop()
		process.exit(0)
	}
	process.on('SIGTERM', stop)
	// Started by `latchwork dev`: it ends with its parent's pipe, and leaves Ctrl-C, which reaches the whole terminal group, to the parent.
	if (child) process.stdin.on('end', stop).on('close', stop).resume()
	process.on('SIGINT', child ? () => {} : stop)
	process.stdout.write(`EDGE ${JSON.stringify({ url: edge.url, pid: process.pid })}\n`)
	// Written now, because a controller seldom ends in peace; it makes the next start quicker where NODE_COMPILE_CACHE is set.
	flushCompileCache()
}

if (import.meta.main) {
	main(process.argv[2], process.argv.includes('--child')).catch((fault: unknown) => {
		process.stderr.write(`${fault instanceof Fault ? fault.message : fault instanceof Error ? (fault.stack ?? fault.message) : fault}\n`)
		process.exit(1)
	})
}
