import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Fault } from '@latchwork/core/base'
import { EDGE_FLAGS } from '../edge-flags.ts'

/** A process of ours: it ends when the pipe that is its standard input closes, so it cannot outlive its parent. */
export interface Child {
	readonly pid: number
	/** The JSON after the marker word that it prints when it is ready. Rejects with its last words if it ends before. */
	readonly ready: Promise<unknown>
	readonly ended: Promise<Ended>
	/** Closes the pipe and waits; what does not end in its time is killed. */
	stop(): Promise<void>
}

export interface Ended {
	/** What it said last, if that was not logged yet, or how it ended. */
	readonly words: string
	/** Somebody ended it: it is not its own fault. */
	readonly killed: boolean
}

const PATIENCE_MS = 5_000
const WORDS = 20

/** `cache`: where Node keeps compiled code between starts, so that a restarted controller is back sooner. */
export function startChild(
	file: string,
	args: readonly string[],
	marker: string,
	cache: string,
	log: (line: string) => void,
	{ env = {}, patienceMs = PATIENCE_MS }: { readonly env?: Readonly<Record<string, string>>; readonly patienceMs?: number } = {},
): Child {
	const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...EDGE_FLAGS, file, ...args], {
		stdio: ['pipe', 'pipe', 'pipe'],
		env: { ...process.env, ...env, NODE_COMPILE_CACHE: cache },
	})
	/** What it complains of before it is ready becomes the fault of a start that failed, and is said once. */
	const words: string[] = []
	let isReady = false
	let settle: { resolve: (v: unknown) => void; reject: (e: Error) => void }
	const ready = new Promise<unknown>((resolve, reject) => {
		settle = { resolve, reject }
	})
	ready.catch(() => {}) // whoever waits for it sees it; nobody waits after a stop
	child.stdin?.on('error', () => {})
	if (child.stdout) {
		createInterface({ input: child.stdout }).on('line', (line) => {
			if (!line.startsWith(`${marker} `)) return log(line)
			isReady = true
			for (const said of words.splice(0)) log(said)
			settle.resolve(JSON.parse(line.slice(marker.length + 1)))
		})
	}
	if (child.stderr) {
		createInterface({ input: child.stderr }).on('line', (line) => {
			if (isReady) return log(line)
			words.push(line)
			if (words.length > WORDS) words.shift()
		})
	}
	const ended = new Promise<Ended>((resolve) => {
		child.on('close', (code, signal) => {
			const end = {
				words: words.join('\n') || `It ended by itself (${signal ?? `exit code ${code}`}).`,
				killed: signal === 'SIGKILL' || signal === 'SIGTERM',
			}
			settle.reject(new Fault('config-invalid', end.words))
			resolve(end)
		})
		child.on('error', (cause) => {
			settle.reject(cause)
			resolve({ words: cause.message, killed: false })
		})
	})
	return {
		pid: child.pid ?? -1,
		ready,
		ended,
		async stop() {
			child.stdin?.end()
			const kill = setTimeout(() => child.kill('SIGKILL'), patienceMs)
			await ended
			clearTimeout(kill)
		},
	}
}
