import { Fault } from '@latchwork/core/base'
import { CATALOG } from '@latchwork/drivers/catalog'
import type { Reader, ReaderEvent, ReaderProfile } from '@latchwork/drivers/reader'
import type { Transport, TransportAddress } from '@latchwork/drivers/transport'
import { openMaintenance } from '@latchwork/edge/maintenance'
import { readArgs } from '../config.ts'
import { type KeyFile, keyFile } from './key-file.ts'
import { type Act, baudOf, nameOf, onLine, placeOf, wholeNumber } from './place.ts'

/** A reader that is there answers at once; one that was just switched on, or closed its last session in anger, within this. */
const MEET_MS = 12_000
/** The published key is believed for this long at most, and only once a reader has shown that it knows no other. */
const INSTALL_MS = 30_000

export interface Target {
	readonly address: TransportAddress
	readonly busAddress: number
	readonly product: string | undefined
	readonly keys: KeyFile
	/** Before the published key is used, and after the reader proved a new one. */
	readonly record: (what: 'install-mode-opened' | 'installed' | 'rotated') => void
}

/**
 * `latchwork driver install-key EDGE.JSON [READER] [--rotate]`, or `… DEVICE|HOST:PORT --key FILE [--address N] [--baud N] [--rotate]`.
 * Brings a key of its own into an OSDP reader that knows only the published one, or with `--rotate` another one into a reader in service.
 */
export async function installKey(args: readonly string[], act: Act): Promise<boolean> {
	const { values, positionals } = readArgs(
		args,
		{ key: { type: 'string' }, address: { type: 'string' }, baud: { type: 'string' }, product: { type: 'string' }, rotate: { type: 'boolean' } },
		true,
	)
	const place = placeOf(positionals[0])
	const run = values.rotate === true ? rotate : install
	if (place.kind === 'line') {
		if (values.key === undefined) throw new Fault('config-invalid', 'Name the file that is to hold the reader’s key: --key FILE.')
		const busAddress = wholeNumber(String(values.address ?? '0'), '--address', 126)
		act.say('No controller was named, so this is recorded nowhere. Nothing else may use the line meanwhile.')
		const product = values.product === undefined ? undefined : String(values.product)
		await run({ address: place.at(baudOf(values.baud)), busAddress, product, keys: keyFile(String(values.key)), record: () => {} }, act)
		return true
	}
	const work = openMaintenance(place.path, act.clock.random)
	try {
		const readers = work.config.readers.filter((r) => r.family === 'osdp')
		const [reader, another] = readers.filter((r) => positionals[1] === undefined || r.id === positionals[1])
		if (!reader || another)
			throw new Fault('not-found', `Name one reader of ${place.path}: ${readers.map((r) => r.id).join(', ') || 'it has no OSDP reader'}.`)
		if (reader.key === undefined)
			throw new Fault('config-invalid', `readers.${reader.id}.key: name the file that is to hold the reader’s key, for example "key": "reader.key".`)
		await run(
			{
				address: reader.transport,
				busAddress: reader.address ?? 0,
				product: reader.product,
				keys: keyFile(reader.key),
				record: (what) =>
					what === 'install-mode-opened'
						? work.record({ type: 'override.used', subject: reader.id, data: { act: 'reader-install-mode', forMs: INSTALL_MS } })
						: work.record({ type: 'reader.key-changed', subject: reader.id, data: { how: what } }),
			},
			act,
		)
		return true
	} finally {
		work.close()
	}
}

/** Throws `Fault` reader-insecure, board-timeout. */
async function install(target: Target, act: Act): Promise<void> {
	const { keys } = target
	await withReader(target, act, async (reader) => {
		if (await carriesOn(reader, target, act)) return
		const key = keys.present() ?? keys.coming() ?? act.clock.random(16)
		const met = await reader.meet({ key })
		await reader.leave()
		if (met === 'up') return act.say('The reader holds this key already. Nothing was changed.')
		if (met !== 'default-key-refused') throw cannot(met, keys)
		if (!keys.present() && !keys.coming()) keys.prepare(key)
		target.record('install-mode-opened')
		act.say('The reader knows only the published key. Whoever taps the cable in this moment can read the new one: do this at the cabinet.')
		const installed = await reader.meet({ key, installUntil: act.clock.mono() + INSTALL_MS })
		await reader.leave()
		if (installed !== 'up') throw interrupted(keys)
		if (keys.present()) keys.discard()
		else keys.settle()
		target.record('installed')
		act.say(`The reader took the key and came back with it in the secure channel. The key lies in ${keys.path}. Installation mode is closed again.`)
	})
}

/** Throws `Fault` reader-insecure, board-timeout. */
async function rotate(target: Target, act: Act): Promise<void> {
	const { keys } = target
	await withReader(target, act, async (reader) => {
		if (await carriesOn(reader, target, act)) return
		const present = keys.present()
		if (!present) throw new Fault('config-invalid', `${keys.path} holds no key yet. Bring in the first one without --rotate.`)
		const met = await reader.meet({ key: present })
		if (met !== 'up') throw cannot(met, keys)
		keys.discard()
		const key = act.clock.random(16)
		keys.prepare(key)
		await reader.rotateKey(key).catch((cause: unknown) => {
			throw new Fault(
				'reader-insecure',
				`${(cause as Error).message} The new key stays in ${keys.path}.new until the reader has shown which it holds: run this again.`,
				{ cause },
			)
		})
		keys.settle()
		target.record('rotated')
		act.say(`The reader took a new key inside its secure channel and came back with it. It lies in ${keys.path}; the old one is worth nothing now.`)
	})
}

/** An earlier act was cut off after the new key was written: does the reader hold it? */
async function carriesOn(reader: Meeting, { keys, record }: Target, act: Act): Promise<boolean> {
	const coming = keys.coming()
	if (!coming) return false
	const met = await reader.meet({ key: coming })
	await reader.leave()
	if (met === 'silent') throw cannot(met, keys)
	if (met !== 'up') return false
	record(keys.present() ? 'rotated' : 'installed')
	keys.settle()
	act.say(`The reader holds the key of an earlier act that was cut off. It lies in ${keys.path} now.`)
	return true
}

type Met = 'up' | 'silent' | Extract<ReaderEvent, { kind: 'security' }>['code']

function cannot(met: Met, { path }: KeyFile): Fault {
	switch (met) {
		case 'silent':
			return new Fault('board-timeout', 'The reader does not answer. Check its power, the A and B wires, its address and its speed.')
		case 'wrong-key':
			return new Fault(
				'reader-insecure',
				`The reader holds a key of its own that is not in ${path}. Put it there (32 hex digits), or reset the reader as its maker says.`,
			)
		case 'no-secure-channel':
			return new Fault('reader-insecure', 'The reader has no secure channel, so no key can be brought in.')
		case 'default-key-refused':
			return new Fault('reader-insecure', 'The reader was reset and knows only the published key. Run this without --rotate first.')
		default:
			return new Fault('reader-insecure', `Something on the line is not the reader (${met}). No key was sent.`)
	}
}

const interrupted = ({ path }: KeyFile): Fault =>
	new Fault(
		'reader-insecure',
		`The reader did not come back with the key. The key is kept (${path}, or ${path}.new): look at the cable and run this again.`,
	)

interface Meeting {
	/** Starts the reader and waits until it is up in the secure channel, refuses, or stays silent. */
	meet(profile: Pick<ReaderProfile, 'key' | 'installUntil'>): Promise<Met>
	rotateKey(key: Uint8Array): Promise<void>
	leave(): Promise<void>
}

async function withReader(target: Target, act: Act, use: (reader: Meeting) => Promise<void>): Promise<void> {
	act.say(`OSDP reader, address ${target.busAddress}, on ${nameOf(target.address)}`)
	await onLine(target.address, act.clock, async (io) => {
		const reader = readerOf(target.product)
		try {
			await use(meeting(reader, io, target.busAddress, act))
		} finally {
			await reader.stop()
		}
	})
}

function readerOf(product: string | undefined): Reader {
	const entry = CATALOG.find((e) => e.family === 'osdp')
	if (entry?.kind !== 'reader') throw new Fault('not-found', 'There is no OSDP driver.')
	return entry.create(product ?? entry.products[0] ?? '')
}

function meeting(reader: Reader, io: Transport, address: number, { clock }: Act): Meeting {
	return {
		meet(profile) {
			return new Promise((resolve, reject) => {
				const cancel = clock.after(profile.installUntil === undefined ? MEET_MS : INSTALL_MS + MEET_MS, () => resolve('silent'))
				const end = (met: Met) => {
					cancel()
					resolve(met)
				}
				const hear = (event: ReaderEvent) => {
					if (event.kind === 'reader-up' && event.secure) end('up')
					// While a key is brought in, the connection is lost and built again; only the reader's coming up counts.
					else if (event.kind === 'security' && profile.installUntil === undefined) end(event.code)
				}
				reader.start(io, { address, ...profile }, clock, hear).catch((fault) => {
					cancel()
					reject(fault)
				})
			})
		},
		async rotateKey(key) {
			if (!reader.rotateKey) throw new Fault('not-supported', 'This reader cannot change its key.')
			await reader.rotateKey(key)
		},
		leave: () => reader.stop(),
	}
}
