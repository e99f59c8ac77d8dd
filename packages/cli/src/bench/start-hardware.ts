import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { FromHardware, HardwarePlan, Lines, ToHardware } from './hardware.ts'

export interface Hardware {
	readonly lines: Lines
	send(message: ToHardware): void
	next<S extends FromHardware['said']>(said: S): Promise<Extract<FromHardware, { said: S }>>
	stop(): Promise<void>
}

/** Starts the hardware's process; it ends with this one. */
export async function startHardware(folder: string, plan: HardwarePlan): Promise<Hardware> {
	mkdirSync(folder, { recursive: true })
	const file = join(folder, 'hardware.json')
	writeFileSync(file, JSON.stringify(plan))
	const child: ChildProcess = fork(fileURLToPath(new URL('./hardware.ts', import.meta.url)), [file], {
		execArgv: ['--disable-warning=ExperimentalWarning'],
		stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
	})
	const waiting = new Map<string, (message: never) => void>()
	child.on('message', (message: FromHardware) => {
		const resolve = waiting.get(message.said)
		waiting.delete(message.said)
		resolve?.(message as never)
	})
	let refuse = () => {}
	child.once('exit', () => refuse())
	const next: Hardware['next'] = (said) =>
		new Promise((resolve, reject) => {
			waiting.set(said, resolve as (message: never) => void)
			refuse = () => reject(new Error('The hardware process ended.'))
		})
	const { lines } = await next('ready')
	return {
		lines,
		send: (message) => void child.send(message),
		next,
		async stop() {
			const ended = once(child, 'exit')
			child.disconnect()
			await ended
		},
	}
}
