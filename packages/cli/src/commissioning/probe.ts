import { dirname, resolve } from 'node:path'
import { Fault } from '@latchwork/core/base'
import { type BoardEntry, CATALOG } from '@latchwork/drivers/catalog'
import type { TransportAddress } from '@latchwork/drivers/transport'
import { readConfig } from '@latchwork/edge/config'
import { lockDirectory } from '@latchwork/edge/journal'
import { readArgs } from '../config.ts'
import { type Act, baudOf, nameOf, onLine, placeOf } from './place.ts'

/**
 * `latchwork driver probe PLACE [--family F] [--baud N]`: which board addresses answer. Only questions about state go out, no door
 * opens. On a serial line that is named by itself, every speed at which boards of the family are found in the field is tried. False: not as it should be.
 */
export async function probe(args: readonly string[], act: Act): Promise<boolean> {
	const { values, positionals } = readArgs(args, { family: { type: 'string' }, baud: { type: 'string' } }, true)
	const place = placeOf(positionals[0])
	if (place.kind === 'config') return probeConfig(place.path, act)
	const families = boardFamilies(values.family === undefined ? undefined : String(values.family))
	for (const entry of families) {
		const speeds = values.baud !== undefined ? [baudOf(values.baud)] : place.serial ? entry.bauds : entry.bauds.slice(0, 1)
		for (const baud of speeds) {
			const found = await answering(entry, place.at(baud), act)
			act.say(`${entry.family} ${nameOf(place.at(baud))}: ${found.length > 0 ? `boards ${found.join(', ')}` : 'no board'}`)
			if (found.length === 0) continue
			act.say(`In edge.json: "family": "${entry.family}", "transport": ${JSON.stringify(place.at(baud))}, "boards": ${JSON.stringify(found)}`)
			return true
		}
	}
	act.say('No lock board answers. Check power, the A and B wires (swapped gives no answer at all), ground, and the address switch.')
	return false
}

const isBoard = (entry: (typeof CATALOG)[number]): entry is BoardEntry => entry.kind === 'board'

function boardFamilies(named: string | undefined): readonly BoardEntry[] {
	const all = CATALOG.filter(isBoard)
	const wanted = all.filter(({ family }) => named === undefined || family === named)
	if (wanted.length === 0)
		throw new Fault('not-found', `There is no lock board family "${named}". There are: ${all.map((e) => e.family).join(', ')}.`)
	return wanted
}

/** Compares each bus of a controller with what answers there. The controller must be stopped: a line has one master. */
async function probeConfig(path: string, act: Act): Promise<boolean> {
	const config = readConfig(path)
	const lock = lockDirectory(dirname(resolve(path)), 'edge')
	let ok = true
	try {
		for (const { id, family, transport, boards } of config.buses) {
			const [entry] = boardFamilies(family)
			const found = entry ? await answering(entry, transport, act) : []
			const silent = boards.filter((board) => !found.includes(board))
			const more = found.filter((board) => !boards.includes(board))
			ok &&= silent.length === 0 && more.length === 0
			act.say(`${id} (${family}, ${nameOf(transport)}): ${found.length > 0 ? `boards ${found.join(', ')}` : 'no board'}`)
			if (silent.length > 0)
				act.say(
					`     in edge.json and silent: ${silent.join(', ')}. Check power, wires and address switch; \`latchwork driver probe\` on the device itself tries other speeds.`,
				)
			if (more.length > 0) act.say(`     not in edge.json: ${more.join(', ')}`)
		}
	} finally {
		lock.close()
	}
	return ok
}

async function answering(entry: BoardEntry, address: TransportAddress, { clock }: Act): Promise<number[]> {
	return onLine(address, clock, async (io) => {
		const [product = ''] = entry.products
		const board = entry.create(product)
		if (!board.probe) throw new Fault('not-supported', `Boards of the family ${entry.family} cannot be looked for.`)
		// No board is named, so the driver itself asks nothing.
		await board.start(io, { bus: 'probe', boards: [], product }, clock, () => {})
		try {
			const found: number[] = []
			for await (const { board: address } of board.probe()) found.push(address)
			return found
		} finally {
			await board.stop()
		}
	})
}
