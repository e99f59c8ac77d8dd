import { devConfig } from '../config.ts'
import { startDev } from '../dev/dev.ts'

/** `latchwork dev`: prints what to click on, then one line `LATCHWORK READY {json}` for scripts; Ctrl-C stops everything. */
export async function dev(args: readonly string[]): Promise<void> {
	const config = devConfig(args, process.env)
	const running = await startDev(config, (line) => process.stderr.write(`${line}\n`))
	const { ready } = running
	process.stdout.write(`${banner(ready)}\nLATCHWORK READY ${JSON.stringify(ready)}\n`)
	const asked = new Promise<void>((resolve) => {
		process.once('SIGINT', () => resolve())
		process.once('SIGTERM', () => resolve())
		// Started by a program that holds our standard input: its end is our end.
		if (!process.stdin.isTTY) process.stdin.on('end', () => resolve()).resume()
	})
	try {
		await Promise.race([asked, running.failed])
	} finally {
		await running.stop()
	}
	process.exit(0)
}

function banner({ kiosk, virtual, people, dataDir }: Awaited<ReturnType<typeof startDev>>['ready']): string {
	const list = people.map((p) => `    ${p.name.padEnd(12)} badge ${p.badge}   PIN ${p.pin}`)
	return `
  Latchwork is running.

  1. Open the virtual bank   ${virtual}
     and the kiosk           ${kiosk}
  2. In the virtual bank, tap a badge. On the kiosk, choose "Borrow".
  3. A door opens. Take the laptop out and push the door shut.
${people.length ? `\n  Who can tap:\n${list.join('\n')}\n` : ''}
  Data lies in ${dataDir}. Ctrl-C stops everything.
`
}
