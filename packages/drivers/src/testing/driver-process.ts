import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openTransport, type TransportAddress } from '../transport/index.ts'
import { realClock } from './real-clock.ts'

/** A driver in a process of its own, to be killed while it opens the first output of board 0. */
export interface DriverJob {
	readonly family: string
	readonly product: string
	readonly address: TransportAddress
}

export function startDriver(job: DriverJob): { kill(): Promise<void> } {
	// No argument of this process: under a test runner the child would take its reporter, and empty its report.
	const child = fork(fileURLToPath(import.meta.url), [JSON.stringify(job)], { execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
	const ended = once(child, 'exit')
	return {
		async kill() {
			child.kill('SIGKILL')
			await ended
		},
	}
}

async function main({ family, product, address }: DriverJob): Promise<void> {
	// It must not outlive the test.
	process.once('disconnect', () => process.exit(0))
	// Only here: the list of drivers would otherwise load the suites that load this file.
	const { CATALOG } = await import('../catalog.ts')
	const entry = CATALOG.find((one) => one.family === family)
	if (entry?.kind !== 'board') throw new Error(`no board family ${family}`)
	const board = entry.create(product)
	await board.start(await openTransport(address, realClock), { bus: 'bus-a', boards: [0], product }, realClock, () => {})
	await board.open({ id: 'killed', ref: { bus: 'bus-a', board: 0, channel: 0 }, notAfter: realClock.mono() + 30_000 })
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? '') as DriverJob)
