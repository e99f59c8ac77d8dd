import { type BoardEntry, CATALOG, type CatalogEntry } from '@latchwork/drivers/catalog'

/** Field and text, as in `compartments.3.channel: …`. */
type Complaint = string

/**
 * What no single field of `edge.json` can tell: whether all of it together describes hardware that exists, and each output drives one
 * compartment. Two compartments on one output would open the wrong door.
 */
export function wiringComplaint(wiring: Wiring): Complaint | undefined {
	for (const complaint of complaints(wiring)) return complaint
	return undefined
}

/** The part of `edge.json` that is judged here. */
interface Wiring {
	readonly buses: Buses
	readonly readers: readonly {
		readonly family: string
		readonly product?: string | undefined
		readonly key?: string | undefined
		readonly allowPlain?: boolean | undefined
	}[]
	readonly compartments: readonly { readonly id: string; readonly bus: string; readonly board: number; readonly channel: number }[]
}

/** In this order, one at a time: what compartments hang on is known to exist. */
function* complaints({ buses, readers, compartments }: Wiring): Generator<Complaint> {
	yield* busComplaints(buses)
	yield* readerComplaints(readers)
	yield* compartmentComplaints(buses, compartments)
}

type Buses = readonly {
	readonly id: string
	readonly family: string
	readonly product: string
	readonly transport: object
	readonly boards: readonly number[]
}[]

function* busComplaints(buses: Buses): Generator<Complaint> {
	const ids = first<string>()
	const lines = first<string>()
	for (const [i, bus] of buses.entries()) {
		const at = `buses.${i}`
		const same = ids(bus.id, i)
		if (same !== undefined) yield `${at}.id: "${bus.id}" is the id of buses.${same} too.`
		const line = lines(JSON.stringify(bus.transport), i)
		if (line !== undefined) yield `${at}.transport: this is the line of buses.${line} too; boards on one line belong to one bus.`
		const entry = boardEntry(bus.family)
		if (!entry) {
			yield `${at}.family: there is no lock board family "${bus.family}"; there are: ${families('board')}.`
			continue
		}
		if (!entry.products.includes(bus.product))
			yield `${at}.product: ${bus.family} has no product "${bus.product}"; there are: ${entry.products.join(', ')}.`
		const boards = first<number>()
		for (const [n, board] of bus.boards.entries()) {
			if (board >= entry.addresses)
				yield `${at}.boards.${n}: ${board} is no address of a ${bus.family} board; they go from 0 to ${entry.addresses - 1}.`
			if (boards(board, n) !== undefined) yield `${at}.boards.${n}: board ${board} is named twice.`
		}
	}
}

function* readerComplaints(readers: Wiring['readers']): Generator<Complaint> {
	for (const [i, { family, product, key, allowPlain }] of readers.entries()) {
		const at = `readers.${i}`
		const entry = CATALOG.find((e) => e.family === family)
		if (!entry || entry.kind === 'board') {
			yield `${at}.family: there is no reader family "${family}"; there are: ${families('reader', 'scanner')}.`
			continue
		}
		if (product !== undefined && !entry.products.includes(product))
			yield `${at}.product: ${family} has no product "${product}"; there are: ${entry.products.join(', ')}.`
		if (entry.kind === 'reader' && key === undefined && allowPlain !== true)
			yield `${at}.key: a ${family} reader needs the file with its 16-byte key, or "allowPlain": true if its line is to stay open to taps.`
	}
}

function* compartmentComplaints(buses: Buses, compartments: Wiring['compartments']): Generator<Complaint> {
	const ids = first<string>()
	const outputs = first<string>()
	for (const [i, { id, bus: name, board, channel }] of compartments.entries()) {
		const at = `compartments.${i}`
		const same = ids(id, i)
		if (same !== undefined) yield `${at}.id: ${id} is the id of compartments.${same} too.`
		const bus = buses.find((b) => b.id === name)
		if (!bus) {
			yield `${at}.bus: unknown bus "${name}"; there are: ${buses.map((b) => b.id).join(', ')}.`
			continue
		}
		if (!bus.boards.includes(board)) yield `${at}.board: there is no board ${board} on ${name}; there are: ${bus.boards.join(', ')}.`
		const channels = channelsOf(bus)
		if (channel >= channels) yield `${at}.channel: ${bus.product} has no output ${channel}; they go from 0 to ${channels - 1}.`
		const taken = outputs(`${name}/${board}/${channel}`, i)
		if (taken !== undefined) yield `${at}.channel: output ${channel} of board ${board} on ${name} drives compartments.${taken} already.`
	}
}

/** Where each value came first. */
function first<T>(): (value: T, at: number) => number | undefined {
	const seen = new Map<T, number>()
	return (value, at) => {
		const before = seen.get(value)
		if (before === undefined) seen.set(value, at)
		return before
	}
}

const boardEntry = (family: string): BoardEntry | undefined =>
	CATALOG.find((entry): entry is BoardEntry => entry.kind === 'board' && entry.family === family)

const channelsOf = ({ family, product }: Buses[number]): number => boardEntry(family)?.create(product).caps.channels ?? 0

const families = (...kinds: readonly CatalogEntry['kind'][]): string =>
	CATALOG.filter((entry) => kinds.includes(entry.kind))
		.map((entry) => entry.family)
		.join(', ')
