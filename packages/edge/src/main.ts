#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type Clock, Fault, type Id, type Random } from '@latchwork/core/base'
import type { Board } from '@latchwork/drivers/board'
import { CATALOG } from '@latchwork/drivers/catalog'
import type { ReaderEvent } from '@latchwork/drivers/reader'
import { type DriverClock, openTransport } from '@latchwork/drivers/transport'
import manifest from '../package.json' with { type: 'json' }
import type { Bank } from './bank/index.ts'
import { sharedClock, systemClock } from './clock-file.ts'
import { type EdgeConfig, readConfig } from './config.ts'
import { openController } from './controller.ts'
import type { Journal } from './journal/index.ts'
import { secretBytes, signingKey } from './keys.ts'
import { type KioskSession, kioskHttp } from './kiosk/index.ts'

/** EX_TEMPFAIL of sysexits.h: not done, to be started again, also by a keeper that restarts only what failed. */
const AGAIN = 75
/** 24 bytes in base64url. */
const TOKEN_LENGTH = 32

export interface Edge {
	readonly url: string
	readonly journal: Journal
	readonly bank: Bank
	readonly session: KioskSession
	/** What a reader says; drivers call it, and benchmarks. */
	readonly reader: (event: ReaderEvent, id: Id<'reader'>) => void
	stop(): Promise<void>
}

/**
 * Builds one controller from its configuration. Resolves when the kiosk page can be opened, with hardware absent too. `failed`: see
 * `ControllerParts`; `restart`: the server asks for it; `path`: where the configuration lies, which a claim may change.
 */
export async function startEdge(
	config: EdgeConfig,
	directory: string,
	failed?: (fault: unknown) => void,
	restart = () => {},
	path = join(directory, 'edge.json'),
): Promise<Edge> {
	const random: Random = (n) => new Uint8Array(randomBytes(n))
	const bench: DriverClock = { mono: systemClock.mono, after: systemClock.after, random }
	if (!existsSync(config.web)) throw new Fault('config-invalid', `web: there is no folder ${config.web}; it must hold the built kiosk page.`)
	const siteKey = secretBytes(config.siteKey, 32)
	const { sign } = signingKey(config.deviceKey)
	const boards = boardsOf(config)
	// What was opened, newest first: a start that fails half-way leaves nothing open.
	const opened: (() => unknown)[] = []
	const stop = async () => {
		for (const close of opened.splice(0)) await close()
	}
	try {
		const shared = config.clock === undefined ? undefined : sharedClock(config.clock, 'edge')
		opened.unshift(() => shared?.stop())
		const clock: Clock = shared ?? systemClock
		let changed = () => {}
		const about = { config, path, clock: bench, software: manifest.version, restart }
		const server = config.server && (await import('./server-door.ts')).doorTo(config.server, about)
		const controller = openController({
			config,
			directory,
			clock,
			busMono: bench.mono,
			random,
			siteKey,
			sign,
			boards,
			...(server && { server }),
			changed: () => changed(),
			...(failed && { failed }),
		})
		const { journal, bank, session, readers } = controller
		opened.unshift(controller.stop)
		const http = await kioskHttp({
			web: config.web,
			port: config.port,
			view: controller.view,
			act: session.act,
			health: controller.health,
			operator: { token: operatorToken(directory), settle: controller.settle },
		})
		opened.unshift(http.close)
		changed = http.changed
		controller.begin()
		await startBuses(config, boards, bench, bank.sensed, (end) => opened.unshift(end))
		await readers.start(config, bench, (end) => opened.unshift(end))
		return { url: http.url, journal, bank, session, reader: readers.event, stop }
	} catch (fault) {
		await stop()
		throw fault
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

/** `onStop` gets what ends each bus; boards that are absent come up later by themselves. */
async function startBuses(
	config: EdgeConfig,
	boards: ReadonlyMap<string, Board>,
	bench: DriverClock,
	sensed: Bank['sensed'],
	onStop: (stop: () => Promise<void>) => void,
): Promise<void> {
	for (const { id, transport, boards: addresses, product, polarity, statusOrder } of config.buses) {
		const board = boards.get(id)
		if (!board) continue
		const io = await openTransport(transport, bench)
		onStop(async () => {
			await board.stop()
			await io.close()
		})
		const profile = { bus: id, boards: addresses, product, ...(polarity && { polarity }), ...(statusOrder && { statusOrder }) }
		await board.start(io, profile, bench, (event) => sensed(id, event))
	}
}

/** Kept in a file that this user alone can read. A full disk leaves it without one: then nobody is the operator until the next start. */
function operatorToken(directory: string): string {
	const file = join(directory, 'operator.token')
	const kept = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
	if (kept.length >= TOKEN_LENGTH) return kept
	const token = randomBytes(24).toString('base64url')
	try {
		writeFileSync(file, token, { mode: 0o600 })
	} catch {}
	return token
}

/** Runs one controller until it is told to stop. Prints `EDGE {json}` when ready. `child`: it also ends when its standard input closes. */
export async function main(path: string | undefined, child = false): Promise<void> {
	if (!path) throw new Fault('config-invalid', 'Name the configuration: latchwork edge <edge.json>.')
	// What is written here is for this user alone: records of people, tokens, keys.
	process.umask(0o077)
	// Whoever read what it says is gone: nobody hears it, and that ends nothing.
	for (const out of [process.stdout, process.stderr]) out.on('error', () => {})
	let edge: Edge | undefined
	let stopping = false
	const end = async (code: number) => {
		if (stopping) return
		stopping = true
		await edge?.stop()
		process.exit(code)
	}
	const stop = () => end(0)
	edge = await startEdge(readConfig(path), dirname(resolve(path)), giveUp, () => void end(AGAIN), resolve(path))
	process.on('SIGTERM', stop)
	// Started by `latchwork dev`: it ends with its parent's pipe, and leaves Ctrl-C, which reaches the whole terminal group, to the parent.
	if (child) process.stdin.on('end', stop).on('close', stop).resume()
	process.on('SIGINT', child ? () => {} : stop)
	process.stdout.write(`EDGE ${JSON.stringify({ url: edge.url, pid: process.pid })}\n`)
	// Written now, because a controller seldom ends in peace; it makes the next start quicker where NODE_COMPILE_CACHE is set.
	flushCompileCache()
}

/** Says why, and ends at once: whoever keeps this process starts it anew. */
function giveUp(fault: unknown): never {
	process.stderr.write(`${fault instanceof Fault ? fault.message : fault instanceof Error ? (fault.stack ?? fault.message) : fault}\n`)
	process.exit(1)
}

/** As a program: what the command line says. The entry of the bundle calls it, after a look at the version of Node. */
export const run = (): Promise<void> => start(process.argv.slice(2)).catch(giveUp)

/** `EDGE.JSON [--server URL --claim-file FILE|--claim TOKEN [--config WIRING]] [--child]`; the claim can also come as LATCHWORK_CLAIM. */
async function start(args: readonly string[]): Promise<void> {
	const text = { type: 'string' } as const
	const { values, positionals } = parsed(() =>
		parseArgs({
			args: [...args],
			allowPositionals: true,
			options: { child: { type: 'boolean' }, server: text, claim: text, 'claim-file': text, config: text },
		}),
	)
	const [path] = positionals
	if (path !== undefined && (values.server ?? values.claim ?? values['claim-file']) !== undefined) {
		const { enrolOnce } = await import('./server-door.ts')
		await enrolOnce({ ...values, claimFile: values['claim-file'], environment: process.env, path })
	}
	await main(path, values.child)
}

function parsed<T>(read: () => T): T {
	try {
		return read()
	} catch (cause) {
		throw new Fault('config-invalid', `${(cause as Error).message}.`, { cause })
	}
}

if (import.meta.main) void run()
