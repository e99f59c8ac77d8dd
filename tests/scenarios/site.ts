import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type KioskAct, type KioskView, kioskView as kioskViewSchema, type VirtualBanks, type VirtualFault } from '@latchwork/core/wire'

/** What people can do at one bank, through its public doors only. */
export interface Place {
	readonly kiosk: string
	readonly bank: string
	view(): Promise<KioskView>
	/** Waits on the screen stream until the view is as wanted; the whole last view is in the complaint. */
	until(wanted: (view: KioskView) => boolean, what?: string, patienceMs?: number): Promise<KioskView>
	screen<N extends KioskView['screen']['name']>(name: N): Promise<Extract<KioskView['screen'], { name: N }>>
	/** On the screen that is shown now, or on the one of that turn. */
	act(act: KioskAct, turn?: number): Promise<void>
	badge(number: string): Promise<void>
	keypad(keys: string): Promise<void>
	scan(text: string): Promise<void>
	door(number: number, state: 'open' | 'closed'): Promise<void>
	item(number: number, present: boolean, tag?: string): Promise<number>
	fault(fault: VirtualFault): Promise<void>
	clearFaults(): Promise<void>
	metal(): Promise<VirtualBanks[number]['compartments']>
	/** Waits until the emulated metal is as wanted. */
	untilMetal(wanted: (doors: VirtualBanks[number]['compartments']) => boolean, what?: string): Promise<VirtualBanks[number]['compartments']>
	health(): Promise<Record<string, unknown>>
}

/** A whole site as a user starts it: `latchwork dev` in a process of its own, driven through its public doors only; its first bank is at hand. */
export interface Site extends Place {
	readonly ready: {
		kiosk: string
		virtual: string
		dataDir: string
		pids: { dev: number; edge: number; virtual: number; edges?: number[]; server?: number; broker?: number; database?: number }
		console?: string
		api?: string
		openapi?: string
		token?: string
		admin?: { email: string; password: string }
		banks?: { id: string; site: string; controller: string; kiosk: string }[]
		people: { name: string; badge: string; pin: string }[]
		parcels: { order: string; tag: string; code: string; expected: boolean; door?: number }[]
	}
	/** The second bank, where there is a server. */
	readonly elsewhere: Place
	/** Asks the API as the demo's administrator (or whose token it is); complains about every answer that is no success. */
	api<T = unknown>(method: string, path: string, body?: unknown, token?: string): Promise<T>
	codes(person: number): Promise<string[]>
	advance(seconds: number): Promise<void>
	/** Stops the site's time between moves, for what must happen before a timer on however busy a machine; `run` lets it go on. */
	freeze(): Promise<void>
	run(): Promise<void>
	settle(door: number, found: 'nothing' | { tag: string }, also?: { readonly returned?: boolean; readonly sure?: boolean }): Promise<Response>
	/** Pid of the controller now, of the first bank or that one; it changes when it was killed and started again. */
	edgePid(bank?: string): number
	/** Resolves with the pid of the next controller that is ready, of the first bank or that one. */
	nextEdge(bank?: string): Promise<number>
	/** Pid of the server now, and of the next one that is ready. */
	serverPid(): number
	nextServer(): Promise<number>
	/** Pid of the server's broker or database now: they come back with others than READY named. */
	pidOf(part: 'broker' | 'database'): number | undefined
	stop(): Promise<{ code: number | null; output: string }>
}

export interface SiteOptions {
	readonly data?: string
	readonly args?: readonly string[]
	/** With a server, as `npm start` does it; else one cabinet alone. */
	readonly server?: boolean
	readonly env?: Readonly<Record<string, string>>
}

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
const PATIENCE_MS = 20_000
/** The pages may have to be built first. */
const START_PATIENCE_MS = 180_000

export const temporaryData = (): string => mkdtempSync(join(tmpdir(), 'latchwork-site-'))

/** Starts the program; rejects with what it said when it does not become ready. */
export async function startSite(options: SiteOptions = {}): Promise<Site> {
	const data = options.data ?? temporaryData()
	const env = { ...process.env, LATCHWORK_DATA: data, LATCHWORK_PORT: String(await freePorts(options.server ? 5 : 2)), ...options.env }
	const child = spawn(process.execPath, [CLI, 'dev', ...(options.server ? [] : ['--alone']), ...(options.args ?? [])], {
		stdio: ['pipe', 'pipe', 'pipe'],
		env,
	})
	const said = listen(child)
	const tooLong = setTimeout(() => child.kill('SIGKILL'), START_PATIENCE_MS)
	const ready = JSON.parse(await said.first('LATCHWORK READY ').finally(() => clearTimeout(tooLong))) as Site['ready']
	const { virtual } = ready
	const banks = (await (await must(fetch(`${virtual}/banks`))).json()) as VirtualBanks
	const places = banks.map(({ id }, i) => placeAt(virtual, id, ready.banks?.find((bank) => bank.id === id)?.kiosk ?? (i === 0 ? ready.kiosk : '')))
	const [first, elsewhere] = places
	if (!first) throw new Error('the site has no bank')
	// What is not seen yet is neither free nor there, and where a test stops the time at once nothing would ever be read.
	for (const { health } of places) await eventually(health, ({ unseen }) => unseen === 0, 'every sensor has told')
	const clock = (body: object) => must(send('POST', `${virtual}/clock`, body))
	/** Without a server there is one bank, and its controller does not say which. */
	const isOf = (text: string, wanted: string) => ((JSON.parse(text) as { bank?: string }).bank ?? wanted) === wanted
	const pidOf = (text: string) => (JSON.parse(text) as { pid: number }).pid
	const pidNow = (marker: string, before: number, bank = '') => {
		const last = said.all(marker).findLast((text) => isOf(text, bank))
		return last ? pidOf(last) : before
	}

	const serverPid = () => pidNow('LATCHWORK SERVER ', ready.pids.server ?? 0)

	return {
		...first,
		ready,
		elsewhere: elsewhere ?? first,
		async api<T>(method: string, path: string, body?: unknown, token = ready.token) {
			const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && json) }
			const answer = await must(fetch(`${ready.api}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }))
			return (answer.status === 204 ? undefined : await answer.json()) as T
		},
		async codes(person) {
			const state = (await (await must(fetch(`${virtual}/state`))).json()) as { people: { qr: string[] }[] }
			return state.people[person]?.qr ?? []
		},
		advance: async (advanceSeconds) => void (await clock({ advanceSeconds })),
		freeze: async () => void (await clock({ advanceSeconds: 0, rate: 0 })),
		run: async () => void (await clock({ advanceSeconds: 0, rate: 1 })),
		async settle(door, found, also) {
			const { readFileSync } = await import('node:fs')
			const token = readFileSync(join(ready.dataDir, 'operator.token'), 'utf8').trim()
			return fetch(`${ready.kiosk}api/operator/settle`, {
				method: 'POST',
				headers: { ...json, authorization: `Bearer ${token}` },
				body: JSON.stringify({ door, found, ...also }),
			})
		},
		edgePid: (bank = first.bank) =>
			pidNow('LATCHWORK EDGE ', ready.pids.edges?.[ready.banks?.findIndex(({ id }) => id === bank) ?? 0] ?? ready.pids.edge, bank),
		nextEdge: async (bank = first.bank) => pidOf(await said.next('LATCHWORK EDGE ', (text) => isOf(text, bank))),
		serverPid,
		pidOf: (part) => (part === 'broker' ? brokerOf(serverPid()) : descendant(serverPid(), /bin\/postgres -D/)),
		nextServer: async () => pidOf(await said.next('LATCHWORK SERVER ')),
		async stop() {
			child.stdin?.end()
			const code = await said.ended
			if (!options.data) rmSync(data, { recursive: true, force: true })
			return { code, output: said.text() }
		},
	}
}

/** Pid of the broker of that server: of several on one database only the one that has the link has one. */
export const brokerOf = (server: number): number | undefined => descendant(server, /broker-main/)

/** A process below that one, by its command line. */
function descendant(of: number, wanted: RegExp): number | undefined {
	const all = new Map<number, { readonly parent: number; readonly command: string }>()
	for (const name of readdirSync('/proc')) {
		if (!/^\d+$/.test(name)) continue
		try {
			const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8')) ?? []
			all.set(Number(name), { parent: Number(parent), command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ') })
		} catch {
			// It has ended meanwhile.
		}
	}
	const isBelow = (pid: number): boolean => pid === of || (all.has(pid) && isBelow(all.get(pid)?.parent ?? 0))
	return [...all].find(([pid, { command }]) => wanted.test(command) && isBelow(pid))?.[0]
}

const json = { 'content-type': 'application/json' }
const send = (method: string, url: string, body?: unknown): Promise<Response> =>
	fetch(url, { method, ...(body !== undefined && { headers: json, body: JSON.stringify(body) }) })

async function must(answer: Promise<Response>): Promise<Response> {
	const got = await answer
	if (!got.ok) throw new Error(`${got.url}: ${got.status} ${await got.text()}`)
	return got
}

function placeAt(virtual: string, bank: string, kiosk: string): Place {
	const hands = (method: string, path: string, body?: unknown) => send(method, `${virtual}/banks/${bank}/${path}`, body)
	const view = async (): Promise<KioskView> => kioskViewSchema.parse(await (await must(fetch(`${kiosk}api/view`))).json())
	const until = (wanted: (v: KioskView) => boolean, what = 'the wanted screen', patienceMs = PATIENCE_MS): Promise<KioskView> =>
		watch(`${kiosk}api/screen`, (text) => kioskViewSchema.parse(JSON.parse(text)), wanted, what, patienceMs)
	const doorsOf = (banks: VirtualBanks) => banks.find((one) => one.id === bank)?.compartments ?? []
	return {
		kiosk,
		bank,
		view,
		until,
		async screen(name) {
			const found = await until((v) => v.screen.name === name, `screen "${name}"`)
			return found.screen as Extract<KioskView['screen'], { name: typeof name }>
		},
		async act(act, turn) {
			await must(send('POST', `${kiosk}api/act`, { turn: turn ?? (await view()).turn, act }))
		},
		badge: async (number) => void (await must(hands('POST', 'badge', { number }))),
		keypad: async (keys) => void (await must(hands('POST', 'keypad', { keys }))),
		scan: async (text) => void (await must(hands('POST', 'scan', { text }))),
		door: async (number, state) => void (await must(hands('POST', `compartments/${number}/door`, { state }))),
		item: async (number, present, tag) => (await hands('POST', `compartments/${number}/item`, { present, ...(tag && { tag }) })).status,
		fault: async (fault) => void (await must(hands('POST', 'faults', fault))),
		clearFaults: async () => void (await must(hands('DELETE', 'faults'))),
		metal: async () => doorsOf((await (await must(fetch(`${virtual}/banks`))).json()) as VirtualBanks),
		untilMetal: (wanted, what = 'the wanted metal') =>
			watch(`${virtual}/events`, (text) => doorsOf((JSON.parse(text) as { banks: VirtualBanks }).banks), wanted, what),
		health: async () => (await (await must(fetch(`${kiosk}health`))).json()) as Record<string, unknown>,
	}
}

/** Looks until it is as wanted; who was killed just now does not answer, and is asked again. */
export async function eventually<T>(look: () => Promise<T>, wanted: (seen: T) => boolean, what: string, patienceMs = 2 * PATIENCE_MS): Promise<T> {
	for (const end = Date.now() + patienceMs; ; ) {
		const seen = await look().catch((fault: unknown) => new Unanswered(fault))
		if (!(seen instanceof Unanswered) && wanted(seen)) return seen
		if (Date.now() > end)
			throw new Error(`Waited for ${what} in vain: ${(seen instanceof Unanswered ? seen.message : JSON.stringify(seen))?.slice(0, 800)}`)
		await new Promise((later) => setTimeout(later, 50))
	}
}
class Unanswered extends Error {
	constructor(cause: unknown) {
		super(cause instanceof Error ? cause.message : String(cause), { cause })
	}
}

/** Several sites at once, all or none: those that did start are stopped when one does not. */
export async function startSites(count: number, options: SiteOptions = {}): Promise<Site[]> {
	const started = await Promise.allSettled(Array.from({ length: count }, () => startSite(options)))
	const failed = started.find((s) => s.status === 'rejected')
	const sites = started.flatMap((s) => (s.status === 'fulfilled' ? [s.value] : []))
	if (!failed) return sites
	await Promise.all(sites.map((s) => s.stop()))
	throw failed.reason
}

/** Below the ports that the system gives to outgoing connections (32,768 and up): one of those could take a port between look and use. */
const PORTS = { first: 20_000, blocks: 80, size: 150 }
let block: Promise<number> | undefined
let lastOffset = 0

/**
 * Each process of the tests has a block of ports of its own, as long as it lives: it listens on the first of them. Otherwise one would take the port
 * of another’s site while that is killed and starts again, or look at it in the moment in which the site wants it.
 */
async function ownBlock(): Promise<number> {
	for (let i = 0; i < PORTS.blocks; i++) {
		const first = PORTS.first + ((process.pid + i) % PORTS.blocks) * PORTS.size
		const guard = await listenAt(first)
		guard?.unref()
		if (guard) return first
	}
	throw new Error(`All ${PORTS.blocks} blocks of ports from ${PORTS.first} are taken.`)
}

/** Neighbouring ports for one site; sites that start at the same moment never look at the same ones. */
export async function freePorts(count: number): Promise<number> {
	block ??= ownBlock()
	const first = await block
	for (;;) {
		const offset = lastOffset + count < PORTS.size ? lastOffset + 1 : 1
		lastOffset = offset + count - 1
		const free = await Promise.all(Array.from({ length: count }, (_, i) => isFree(first + offset + i)))
		if (free.every(Boolean)) return first + offset
	}
}

async function isFree(port: number): Promise<boolean> {
	const probe = await listenAt(port)
	if (probe) await new Promise((resolve) => probe.close(resolve))
	return probe !== undefined
}

function listenAt(port: number): Promise<Server | undefined> {
	return new Promise((resolve) => {
		const server = createServer()
		server.once('error', () => resolve(undefined))
		server.listen(port, '127.0.0.1', () => resolve(server))
	})
}

/** Follows a server-sent-event stream until one message is as wanted. */
export async function watch<T>(
	url: string,
	read: (text: string) => T,
	wanted: (value: T) => boolean,
	what: string,
	patienceMs = PATIENCE_MS,
): Promise<T> {
	const give = new AbortController()
	const timer = setTimeout(() => give.abort(), patienceMs)
	let last: T | undefined
	try {
		const answer = await fetch(url, { signal: give.signal })
		let rest = ''
		const decoder = new TextDecoder()
		for await (const chunk of answer.body ?? []) {
			rest += decoder.decode(chunk as Uint8Array, { stream: true })
			for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
				const message = rest.slice(0, end)
				rest = rest.slice(end + 2)
				if (!message.startsWith('data: ')) continue
				last = read(message.slice(6))
				if (wanted(last)) return last
			}
		}
		throw new Error('the stream ended')
	} catch (cause) {
		throw new Error(`Waited for ${what} in vain; last seen: ${JSON.stringify((last as { screen?: unknown })?.screen ?? last)?.slice(0, 600)}`, {
			cause,
		})
	} finally {
		clearTimeout(timer)
		give.abort()
	}
}

/** Collects what a process prints, line by line. */
function listen(child: ChildProcess) {
	const lines: string[] = []
	const waiting = new Set<(line: string | undefined) => void>()
	const take = (line: string) => {
		lines.push(line)
		for (const w of [...waiting]) w(line)
	}
	if (child.stdout) createInterface({ input: child.stdout }).on('line', take)
	if (child.stderr) createInterface({ input: child.stderr }).on('line', take)
	const ended = new Promise<number | null>((resolve) => {
		child.on('close', (code) => {
			for (const w of [...waiting]) w(undefined)
			resolve(code)
		})
	})
	const next = (marker: string, wanted: (text: string) => boolean = () => true): Promise<string> =>
		new Promise((resolve, reject) => {
			const wait = (line: string | undefined) => {
				if (line !== undefined && !(line.startsWith(marker) && wanted(line.slice(marker.length)))) return
				waiting.delete(wait)
				if (line === undefined) reject(new Error(`It ended before it said ${marker.trim()}:\n${lines.join('\n')}`))
				else resolve(line.slice(marker.length))
			}
			waiting.add(wait)
		})
	const all = (marker: string) => lines.filter((l) => l.startsWith(marker)).map((l) => l.slice(marker.length))
	return { ended, next, all, first: async (marker: string) => all(marker)[0] ?? next(marker), text: () => lines.join('\n') }
}
