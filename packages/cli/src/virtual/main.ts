import { readFileSync } from 'node:fs'
import { Fault } from '@latchwork/core/base'
import type { VirtualState } from '@latchwork/core/wire'
import { advanceSharedClock, sharedClock, systemClock } from '@latchwork/edge/clock-file'
import { buildVirtualBank, type VirtualBankPlan } from './hardware.ts'
import { type DemoParcel, virtualServer } from './server.ts'

/** What `latchwork dev` hands to this process, as a file named on the command line. */
export interface VirtualPlan {
	readonly port: number
	readonly web: string
	readonly kiosk: string
	readonly clock?: string
	/** Where the metal keeps its state between starts, one file a bank. */
	readonly keep: string
	readonly banks: readonly VirtualBankPlan[]
	readonly people: VirtualState['people']
	readonly parcels: readonly DemoParcel[]
}

/** Plays the hardware in a process of its own: whatever happens to the controller, doors and items stay as they are. Prints `VIRTUAL {json}` when ready; ends with its parent's pipe. */
async function main(path: string): Promise<void> {
	const plan = JSON.parse(readFileSync(path, 'utf8')) as VirtualPlan
	const shared = plan.clock ? sharedClock(plan.clock, 'virtual') : undefined
	const clock = shared ?? systemClock
	let changed = () => {}
	const banks = await Promise.all(plan.banks.map((bank) => buildVirtualBank(bank, clock, `${plan.keep}-${bank.id}.json`, () => changed())))
	const clockFolder = plan.clock
	const server = await virtualServer({
		banks,
		people: plan.people,
		parcels: plan.parcels,
		kiosk: () => plan.kiosk,
		web: plan.web,
		...(clockFolder && {
			clock: { now: () => clock.now(), advance: (ms: number, rate?: number) => advanceSharedClock(clockFolder, ms, rate) },
		}),
	})
	changed = server.changed
	const stop = async () => {
		shared?.stop()
		await server.app.close()
		await Promise.all(banks.map((b) => b.close()))
		process.exit(0)
	}
	process.stdin.on('end', stop).on('close', stop).resume()
	process.on('SIGTERM', stop).on('SIGINT', () => {})
	await server.app.listen({ host: '127.0.0.1', port: plan.port }).catch((cause: { code?: string }) => {
		throw cause.code === 'EADDRINUSE' ? new Fault('port-in-use', `Port ${plan.port} is taken. Choose another with LATCHWORK_PORT.`, { cause }) : cause
	})
	const { port } = server.app.server.address() as { port: number }
	process.stdout.write(
		`VIRTUAL ${JSON.stringify({ url: `http://127.0.0.1:${port}`, banks: banks.map((b) => ({ id: b.plan.id, ...b.addresses })) })}\n`,
	)
}

main(process.argv[2] ?? '').catch((fault: Error) => {
	process.stderr.write(`${fault.message}\n`)
	process.exit(1)
})
