import { devConfig } from '../config.ts'
import { startDev } from '../dev/dev.ts'
import { watchParent } from '../dev/parent.ts'

/** `latchwork dev`: prints what to click on, then one line `LATCHWORK READY {json}` for scripts; Ctrl-C stops everything. */
export async function dev(args: readonly string[]): Promise<void> {
	const config = devConfig(args, process.env)
	const log = (line: string) => void process.stderr.write(`${line}\n`)
	const parent = watchParent()
	try {
		const running = await startDev(config, log)
		try {
			const { ready } = running
			process.stdout.write(`${banner(ready)}\nLATCHWORK READY ${JSON.stringify(ready)}\n`)
			await Promise.race([asked(), parent.gone.then(log), running.failed])
		} finally {
			await running.stop()
		}
	} finally {
		parent.forget()
	}
}

const asked = () =>
	new Promise<void>((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve())
	})

function banner(ready: Awaited<ReturnType<typeof startDev>>['ready']): string {
	const { kiosk, virtual, people, parcels, dataDir, admin, api, token, banks = [] } = ready
	const list = people.map((p) => `    ${p.name.padEnd(12)} badge ${p.badge}   PIN ${p.pin}`)
	// What was taken out is nobody's to collect any more.
	const orders = parcels
		.filter((p) => p.expected || p.door !== undefined)
		.map(
			(p) =>
				`    ${p.order.padEnd(12)} code  ${p.code}   ${p.expected ? `once staff have dropped it off (label ${p.tag})` : `behind door ${p.door}`}`,
		)
	const server =
		admin &&
		`\n  The console                ${ready.console}\n     sign in as              ${admin.email}   ${admin.password}\n  The API                    ${api}/v1, described at ${api}/docs\n     token                   ${token}\n`
	const others = banks.slice(1).map((bank) => `\n     and the second kiosk    ${bank.kiosk}`)
	return `
  Latchwork is running.

  1. Open the virtual bank   ${virtual}
     and the kiosk           ${kiosk}${others.join('')}
  2. In the virtual bank, tap a badge. On the kiosk, choose "Borrow".
  3. A door opens. Take the laptop out and push the door shut.
${server ?? ''}${people.length ? `\n  Who can tap:\n${list.join('\n')}\n` : ''}${orders.length ? `\n  Parcels to collect:\n${orders.join('\n')}\n` : ''}
  Data lies in ${dataDir}. Ctrl-C stops everything.
`
}
