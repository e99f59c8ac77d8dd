import { type Crypto, type Id, newId, type Random, type Sign } from '../../base/index.ts'
import { signCheckpoint } from '../checkpoint.ts'
import { checkpointPath, LOG_FILES, readmeOf, statementOf } from '../log-export.ts'
import { formatVerifierKey } from '../note.ts'
import { mintServerEvent, SERVER_EVENT_TYPES } from '../server-event.ts'
import { mint, openStream, type StreamHead } from '../stream.ts'
import { bundleEntries, entriesPath, TILE_WIDTH, tilePath } from '../tiles.ts'
import { EMPTY_TREE, growTree, hashLeaf } from '../tree.ts'
import { sampleStream } from './sample-stream.ts'

const START = Date.UTC(2026, 0, 5, 9)

export interface SampleTerms {
	readonly random: Random
	readonly sha256: Crypto['sha256']
	readonly sign: Sign
	readonly publicKey: Uint8Array
}

/** Entries as they reach a log: three controllers' streams and the server's own events, mixed. One in eight of them is full of odd characters. */
export function sampleEntries(
	count: number,
	{ random, sha256, sign }: SampleTerms,
	tenant: Id<'tenant'> = newId('tenant', START, random),
): Uint8Array[] {
	const odd = sampleStream(Math.ceil(count / 8), { random, sha256, sign, keyId: 'edge' }).lines
	const plain = [0, 1].map(() => ({ head: openStream(newId('stream', START, random)), bank: newId('bank', START, random) }))
	return Array.from({ length: count }, (_, i) => {
		const edge = i % 8 === 3 ? odd.shift() : undefined
		const stream = plain[i % 3]
		return edge ?? (stream ? edgeEntry(i, stream, { random, sha256 }) : serverEntry(i, tenant, random))
	})
}

function edgeEntry(
	i: number,
	stream: { head: StreamHead; readonly bank: Id<'bank'> },
	{ random, sha256 }: Pick<SampleTerms, 'random' | 'sha256'>,
): Uint8Array {
	const data = { compartment: newId('compartment', START, random), number: i, evidence: 'sensor', flags: [true, i % 2 > 0] }
	const draft = { type: 'door-session.opened', subject: newId('doorSession', START, random), actor: newId('subject', START, random), data } as const
	const context = { bank: stream.bank, at: START + i, mono: i, clock: 'good', bundle: 7, offline: i % 2 > 0, sha256 } as const
	const minted = mint(stream.head, draft, context)
	stream.head = minted.head
	return minted.bytes
}

function serverEntry(i: number, tenant: Id<'tenant'>, random: Random): Uint8Array {
	const type = SERVER_EVENT_TYPES[i % SERVER_EVENT_TYPES.length] ?? 'site.created'
	const draft = { type, subject: newId('site', START, random), actor: newId('subject', START, random), data: { number: i, state: 'new' } } as const
	return mintServerEvent(draft, tenant, START + i, random).bytes
}

/** An export as files, with a checkpoint at each of the sizes; the last must be the number of entries. */
export function sampleExport(
	entries: readonly Uint8Array[],
	sizes: readonly number[],
	{ sha256, sign, publicKey }: SampleTerms,
	origin = 'log.example/ten_1',
): Map<string, Uint8Array> {
	const utf8 = new TextEncoder()
	const files = new Map<string, Uint8Array>()
	const tree = growTree(EMPTY_TREE, sha256)
	for (const [number, size] of sizes.entries()) {
		for (const entry of entries.slice(tree.size, size)) tree.append(hashLeaf(entry, sha256))
		const note = signCheckpoint({ origin, size, root: tree.root() }, { publicKey, sign, sha256 })
		files.set(checkpointPath(number), note)
		files.set(LOG_FILES.checkpoint, note)
	}
	for (const tile of tree.takeTiles()) files.set(tilePath(tile), tile.hashes)
	for (let start = 0; start < entries.length; start += TILE_WIDTH) {
		const bundle = entries.slice(start, start + TILE_WIDTH)
		files.set(entriesPath({ index: start / TILE_WIDTH, width: bundle.length }), bundleEntries(bundle))
	}
	files.set(LOG_FILES.key, utf8.encode(`${formatVerifierKey({ name: origin, publicKey }, sha256)}\n`))
	files.set(LOG_FILES.statement, statementOf({ origin, size: entries.length }))
	files.set(LOG_FILES.readme, utf8.encode(readmeOf(origin)))
	return files
}
