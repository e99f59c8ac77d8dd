import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { BrokerIncident, BrokerStart, FromBroker, ToBroker } from './broker-lines.ts'
import { type DevicePort, openDevicePort } from './device-port.ts'
import { openMqttBroker } from './mqtt-broker.ts'
import { tally } from './tally.ts'

/**
 * The broker child: owns the device port. It faces strangers and runs foreign code for every byte of theirs, so it has no database, no key but that of
 * the port, and may die at any time; the server starts it again. Ends when its standard input closes.
 */
const COUNT_EVERY_MS = 1_000
const SWEEP_EVERY_MS = 5_000

/** The server's time, carried on by this machine's clock. */
let ahead = 0
let port: DevicePort | undefined
const setNow = (now: number) => {
	ahead = now - Date.now()
}
const say = (line: FromBroker) => void process.stdout.write(`${JSON.stringify(line)}\n`)
const counts = tally(
	() => performance.now(),
	(incident: BrokerIncident) => incident.what,
	(incident) => say({ kind: 'incident', incident }),
)

async function open(start: BrokerStart): Promise<void> {
	setNow(start.state.now)
	const broker = start.mqtt ? await openMqttBroker({ secret: start.secret, tally: counts }) : undefined
	if (broker) {
		// A socket file that a killed child left behind is nobody's.
		if (!start.internal.startsWith('\\\\.\\')) rmSync(start.internal, { force: true })
		const internal = createServer((socket: Socket) => broker.take(socket, 'server', 'server'))
		await new Promise<void>((done, failed) => internal.once('error', failed).listen(start.internal, done))
	}
	port = await openDevicePort({ start, broker, now: () => Date.now() + ahead, tally: counts })
	say({ kind: 'ready', device: port.device, ...(port.mqtts !== undefined && { mqtts: port.mqtts }) })
	let told = ''
	setInterval(() => {
		const counters = { ...counts.counted(), connected: broker?.connected() ?? 0 }
		const line = JSON.stringify(counters)
		if (line !== told) say({ kind: 'counters', counters })
		told = line
	}, COUNT_EVERY_MS)
	setInterval(() => port?.sweep(), SWEEP_EVERY_MS)
}

function fail(cause: NodeJS.ErrnoException): void {
	const inUse = cause.code === 'EADDRINUSE'
	say({ kind: 'failed', code: inUse ? 'port-in-use' : 'config-invalid', text: cause.message })
	process.exitCode = 1
	process.stdin.destroy()
	setImmediate(() => process.exit())
}

createInterface({ input: process.stdin })
	.on('line', (text) => {
		const line = JSON.parse(text) as ToBroker
		if (line.kind === 'start') open(line).catch(fail)
		else if (line.kind === 'now') {
			setNow(line.now)
			say({ kind: 'heard' })
		} else {
			setNow(line.state.now)
			port?.update(line.state)
		}
	})
	.on('close', () => process.exit())
// The server is gone, and with it whom we could tell.
process.stdout.on('error', () => process.exit())
