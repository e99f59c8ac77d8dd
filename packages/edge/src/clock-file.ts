import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, type ClockFile, Fault, virtualClock, virtualTime } from '@latchwork/core/base'

/** The real clock: the only place of this package that asks the system what time it is. */
export const systemClock: Clock = {
	now: () => Date.now(),
	mono: () => performance.now(),
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

const FILE = 'clock.json'

/**
 * A clock shared by every process of one `latchwork dev --virtual-clock`: a folder with `clock.json` (turn, offset, rate) and one
 * `seen-<name>` file a process with the last turn whose due work it has done.
 */
export function sharedClock(folder: string, name: string): Clock & { stop(): void } {
	mkdirSync(folder, { recursive: true })
	const seen = join(folder, `seen-${name}-${process.pid}`)
	const clock = virtualClock(
		systemClock,
		() => readClock(folder),
		(turn) => replace(seen, String(turn)),
	)
	return {
		...clock,
		stop() {
			clock.stop()
			rmSync(seen, { force: true })
		},
	}
}

/**
 * Moves the shared clock forward, and lets it run `rate` times as fast from then on (as before, if left out); resolves when every living process
 * has done what came due. False: one has not after `patienceMs` of real time; the clock was moved all the same.
 */
export async function advanceSharedClock(folder: string, ms: number, rate?: number, patienceMs = 10_000): Promise<boolean> {
	const before = readClock(folder)
	const sinceMs = systemClock.now()
	const offsetMs = virtualTime(before, sinceMs) + ms - sinceMs
	const next = { turn: before.turn + 1, offsetMs, rate: rate ?? before.rate ?? 1, sinceMs }
	replace(join(folder, FILE), JSON.stringify(next))
	const start = performance.now()
	while (!allSeen(folder, next.turn)) {
		if (performance.now() - start >= patienceMs) return false
		await new Promise((done) => setTimeout(done, 10))
	}
	return true
}

/** How far the site's time was moved ahead of the machine's clock, in milliseconds; 0 where it never was. */
export function clockAhead(folder: string): number {
	const now = systemClock.now()
	return Math.max(0, virtualTime(readClock(folder), now) - now)
}

/** Before the first process of a start joins: time goes on at its usual pace from where it stood, and nobody waits for processes that are gone. */
export function resumeClock(folder: string): void {
	mkdirSync(folder, { recursive: true })
	for (const name of readdirSync(folder)) if (name.startsWith('seen-')) rmSync(join(folder, name))
	const before = readClock(folder)
	if ((before.rate ?? 1) === 1) return
	const sinceMs = systemClock.now()
	replace(join(folder, FILE), JSON.stringify({ turn: before.turn + 1, offsetMs: virtualTime(before, sinceMs) - sinceMs, rate: 1, sinceMs }))
}

function allSeen(folder: string, turn: number): boolean {
	return readdirSync(folder)
		.filter((f) => f.startsWith('seen-'))
		.every((f) => !alive(Number(f.slice(f.lastIndexOf('-') + 1))) || Number(readText(join(folder, f)) ?? 0) >= turn)
}

function alive(pid: number): boolean {
	try {
		process.kill(pid, 0)
		return true
	} catch {
		return false
	}
}

function readClock(folder: string): ClockFile {
	const text = readText(join(folder, FILE))
	if (!text) return { turn: 0, offsetMs: 0 }
	try {
		return JSON.parse(text) as ClockFile
	} catch (cause) {
		throw new Fault('config-invalid', `${join(folder, FILE)} is damaged. Begin anew with --fresh.`, { cause })
	}
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8')
	} catch {
		return undefined
	}
}

/** Readers never see half a file. */
function replace(path: string, text: string): void {
	writeFileSync(`${path}.${process.pid}.new`, text)
	renameSync(`${path}.${process.pid}.new`, path)
}
