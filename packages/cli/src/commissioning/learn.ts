import { randomBytes } from 'node:crypto'
import { Fault } from '@latchwork/core/base'
import type { BoardProfile } from '@latchwork/drivers/board'
import { type BoardEntry, CATALOG } from '@latchwork/drivers/catalog'
import type { TransportAddress } from '@latchwork/drivers/transport'
import { type Maintenance, openMaintenance } from '@latchwork/edge/maintenance'
import { readArgs } from '../config.ts'
import { type Act, baudOf, onLine, placeOf, wholeNumber } from './place.ts'

const USAGE =
	'`latchwork driver learn EDGE.JSON BUS BOARD OUTPUT`, or `latchwork driver learn DEVICE|HOST:PORT BOARD OUTPUT [--product CU16] [--baud 19200]`; boards and outputs count from 0.'

/** Opens one output, sees which status bit moved, and says what that means for `edge.json`. The door must be shut, free to open, and empty. */
export async function learn(args: readonly string[], act: Act): Promise<boolean> {
	const { values, positionals } = readArgs(args, { product: { type: 'string' }, family: { type: 'string' }, baud: { type: 'string' } }, true)
	const place = placeOf(positionals[0])
	if (place.kind === 'line') {
		const entry = boardFamily(values.family === undefined ? undefined : String(values.family))
		// The one with the most outputs.
		const product = String(values.product ?? entry.products.at(-1))
		const address = place.at(baudOf(values.baud, entry.bauds[0]))
		const [board, output] = [wholeNumber(positionals[1], 'BOARD', 255), wholeNumber(positionals[2], 'OUTPUT', 255)]
		act.say('No controller was named, so this is recorded nowhere. Nothing else may use the line meanwhile.')
		return tell(await learnt({ family: entry.family, product, address, board, output }, act), undefined, act)
	}
	const [, busId, board, output] = positionals
	if (output === undefined) throw new Fault('config-invalid', USAGE)
	const work = openMaintenance(place.path, (n) => new Uint8Array(randomBytes(n)))
	try {
		const bus = work.config.buses.find(({ id }) => id === busId)
		if (!bus) throw new Fault('not-found', `${place.path} has no bus "${busId}". There are: ${work.config.buses.map(({ id }) => id).join(', ')}.`)
		const ref = { board: wholeNumber(board, 'BOARD', 255), output: wholeNumber(output, 'OUTPUT', 255) }
		recordOpening(work, bus.id, ref)
		const wiring = await learnt({ ...bus, address: bus.transport, ...ref }, act)
		return tell(wiring, bus, act)
	} finally {
		work.close()
	}
}

/** R1 holds here too: on record before the pulse. What lies in a compartment of the bank is not laid open for a test. */
function recordOpening(work: Maintenance, bus: string, { board, output }: { board: number; output: number }): void {
	const wired = work.config.compartments.find((c) => c.bus === bus && c.board === board && c.channel === output)
	const known = wired && work.compartment(wired.id)
	const inUse =
		known && (known.session !== undefined || known.content.kind === 'item' || (known.content.kind === 'unknown' && !known.content.unstocked))
	if (inUse)
		throw new Fault(
			'request-refused',
			'By its record something is or may be in that compartment, so it stays shut. Take an output whose compartment is empty.',
		)
	work.record({ type: 'override.used', subject: wired?.id ?? work.config.bank, data: { act: 'learn-wiring', bus, board, channel: output } })
}

interface Output {
	readonly family: string
	readonly product: string
	readonly address: TransportAddress
	readonly board: number
	readonly output: number
}

async function learnt({ family, product, address, board, output }: Output, { clock }: Act): Promise<Partial<BoardProfile>> {
	const driver = boardFamily(family).create(product)
	if (!driver.learn) throw new Fault('not-supported', `Boards of the family ${family} are wired in one way only; there is nothing to learn.`)
	const { learn } = driver
	return onLine(address, clock, async (io) => {
		await driver.start(io, { bus: 'learn', boards: [board], product }, clock, () => {})
		try {
			return await learn({ bus: 'learn', board, channel: output })
		} finally {
			await driver.stop()
		}
	})
}

function boardFamily(family: string | undefined): BoardEntry {
	for (const entry of CATALOG) if (entry.kind === 'board' && (family === undefined || entry.family === family)) return entry
	throw new Fault('not-found', `There is no lock board family "${family}".`)
}

const USUAL = { polarity: 'bit1Closed', statusOrder: 'lowFirst' } as const

interface Configured {
	readonly polarity?: BoardProfile['polarity'] | undefined
	readonly statusOrder?: BoardProfile['statusOrder'] | undefined
}

/** False: `edge.json` says something else. */
function tell(wiring: Configured, bus: Configured | undefined, { say }: Act): boolean {
	const wrong = bus ? (['polarity', 'statusOrder'] as const).filter((name) => (bus[name] ?? USUAL[name]) !== wiring[name]) : []
	say(`The output opened, and one status bit moved. In edge.json: "polarity": "${wiring.polarity}", "statusOrder": "${wiring.statusOrder}"`)
	if (bus) say(wrong.length > 0 ? `There it is otherwise now: change ${wrong.join(' and ')}.` : 'So it is there now.')
	say('Push the door shut before the controller starts.')
	return wrong.length === 0
}
