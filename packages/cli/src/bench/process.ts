import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Fault } from '@latchwork/core/base'

/** A program under measurement: it ends when the pipe that is its standard input closes. */
export interface Measured {
	/** Milliseconds from spawning it to its first line with the marker. */
	readonly readyMs: number
	/** What stood behind the marker. */
	readonly said: unknown
	/** Resident memory now, in MiB. */
	memory(): number
	stop(): Promise<void>
}

export async function startMeasured(args: readonly string[], marker: string, env: Readonly<Record<string, string>> = {}): Promise<Measured> {
	const began = performance.now()
	const child: ChildProcess = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
		stdio: ['pipe', 'pipe', 'inherit'],
		env: { ...process.env, ...env },
	})
	const ended = once(child, 'close')
	const { readyMs, said } = await new Promise<Pick<Measured, 'readyMs' | 'said'>>((resolve, reject) => {
		child.once('close', () => reject(new Fault('transport-closed', `${args[0]} ended before it was ready.`)))
		if (!child.stdout) return
		createInterface({ input: child.stdout }).on('line', (line) => {
			if (line.startsWith(marker)) resolve({ readyMs: performance.now() - began, said: JSON.parse(line.slice(marker.length)) })
		})
	})
	return {
		readyMs,
		said,
		memory: () => residentMiB(child.pid ?? -1),
		async stop() {
			child.stdin?.end()
			await ended
		},
	}
}

export const residentMiB = (pid: number): number => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024

/** Node itself: prints one line and waits for its pipe to close. */
export const startBareNode = (): Promise<Measured> => startMeasured(['-e', 'console.log("READY {}"); process.stdin.resume()'], 'READY ')
