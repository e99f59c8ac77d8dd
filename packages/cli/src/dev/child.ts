import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { Fault } from '@latchwork/core/base'

/** A process of ours: it ends when the pipe that is its standard input closes, so it cannot outlive its parent. */
export interface Child {
	readonly pid: number
	/** The JSON after the marker word that it prints when it is ready. Rejects with its last words if it ends before. */
	readonly ready: Promise<unknown>
	readonly ended: Promise<void>
	/** Closes the pipe and waits; what does not end within 5 s is killed. */
	stop(): Promise<void>
}

const PATIENCE_MS = 5_000

/** `cache`: where Node keeps compiled code between starts, so that a restarted controller is back sooner. */
export function startChild(file: string, args: readonly string[], marker: string, cache: string, log: (line: string) => void): Child {
	const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
		stdio: ['pipe', 'pipe', 'pipe'],
		env: { ...process.env, NODE_COMPILE_CACHE: cache },
	})
	const words: string[] = []
	let settle: { resolve: (v: unknown) => void; reject: (e: Error) => void }
	const ready = new Promise<unknown>((resolve, reject) => {
		settle = { resolve, reject }
	})
	ready.catch(() => {}) // whoever waits for it sees it; nobody waits after a stop
	child.stdin?.on('error', () => {})
	if (child.stdout) {
		createInterface({ input: child.stdout }).on('line', (line) => {
			if (line.startsWith(`${marker} `)) settle.resolve(JSON.parse(line.slice(marker.length + 1)))
			else log(line)
		})
	}
	if (child.stderr) {
		createInterface({ input: child.stderr }).on('line', (line) => {
			words.push(line)
			if (words.length > 20) words.shift()
			log(line)
		})
	}
	const ended = new Promise<void>((resolve) => {
		child.on('close', () => {
			settle.reject(new Fault('config-invalid', words.join('\n') || 'The process ended without a word.'))
			resolve()
		})
		child.on('error', (cause) => {
			settle.reject(cause)
			resolve()
		})
	})
	return {
		pid: child.pid ?? -1,
		ready,
		ended,
		async stop() {
			child.stdin?.end()
			const kill = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
			await ended
			clearTimeout(kill)
		},
	}
}
