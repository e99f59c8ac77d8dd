import { Fault, type Id, toBase64 } from '@latchwork/core/base'
import {
	bundleEntries,
	checkpointPath,
	formatVerifierKey,
	LOG_FILES,
	parseTilePath,
	proveConsistency,
	proveInclusion,
	readmeOf,
	statementOf,
	TILE_WIDTH,
	widthAt,
} from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import type { Db } from '../store/index.ts'
import type { LogSigner } from './checkpoint-write.ts'
import { readSize } from './read.ts'
import { checkpointAt, newestCheckpoint, readEntries, type StoredCheckpoint, tileReader } from './tree-read.ts'

const { sha256 } = nodeCrypto
const NOTHING_SIGNED = 'No checkpoint was signed yet: it is within a minute of the first event.'

export const verifierKeyOf = ({ origin, publicKey }: LogSigner): string => formatVerifierKey({ name: origin, publicKey }, sha256)

async function signed(db: Db, tenant: Id<'tenant'>): Promise<StoredCheckpoint> {
	const checkpoint = await newestCheckpoint(db, tenant)
	if (!checkpoint) throw new Fault('request-refused', NOTHING_SIGNED)
	return checkpoint
}

/** That the event at this position is in the log which the newest checkpoint signs. A browser verifies it with nothing but the key. */
export async function proveEvent(db: Db, tenant: Id<'tenant'>, position: number) {
	const size = await readSize(db, tenant)
	const [entry] = await readEntries(db, tenant, position, 1)
	if (position >= size || !entry) throw new Fault('not-found', `There is no event ${position}; the log has ${size}.`)
	const checkpoint = await signed(db, tenant)
	if (position >= checkpoint.size) throw new Fault('request-refused', 'The event is not under a checkpoint yet: it will be within a minute.')
	const proof = await proveInclusion(position, checkpoint.size, tileReader(db, tenant), sha256)
	return { position, size: checkpoint.size, entry: toBase64(entry), proof: proof.map(toBase64), checkpoint: checkpoint.note }
}

/** That one signed log grew out of another by appending alone. */
export async function proveGrowth(db: Db, tenant: Id<'tenant'>, from: number, to: number | undefined) {
	const old = from === 0 ? undefined : await checkpointAt(db, tenant, { size: from })
	const now = to === undefined ? await signed(db, tenant) : await checkpointAt(db, tenant, { size: to })
	if ((from > 0 && !old) || !now || now.size < from)
		throw new Fault('not-found', 'There are no two checkpoints of these sizes, the smaller one first.')
	const proof = await proveConsistency(from, now.size, tileReader(db, tenant), sha256)
	return { from, to: now.size, proof: proof.map(toBase64), ...(old && { old: old.note }), checkpoint: now.note }
}

export interface LogFile {
	readonly content: Uint8Array
	readonly type: 'text/plain; charset=utf-8' | 'application/octet-stream' | 'application/json'
	/** It will never be different. */
	readonly final: boolean
}

/** One file of the log as tlog-tiles lays it out, of what is signed; undefined: there is no such file. */
export async function readLogFile(db: Db, tenant: Id<'tenant'>, path: string, signer: () => Promise<LogSigner>): Promise<LogFile | undefined> {
	const text = (content: string, final = false): LogFile => ({ content: Buffer.from(content), type: 'text/plain; charset=utf-8', final })
	if (path === LOG_FILES.key) return text(`${verifierKeyOf(await signer())}\n`)
	if (path === LOG_FILES.readme) return text(readmeOf((await signer()).origin))
	const checkpoint = await newestCheckpoint(db, tenant)
	if (!checkpoint) return undefined
	if (path === LOG_FILES.checkpoint) return text(checkpoint.note)
	if (path === LOG_FILES.statement) {
		const { origin } = await signer()
		return { content: statementOf({ origin, size: checkpoint.size }), type: 'application/json', final: false }
	}
	const number = numberOf(path)
	if (number !== undefined) {
		const one = await checkpointAt(db, tenant, { number })
		return one && text(one.note, true)
	}
	const content = await readTileFile(db, tenant, path, checkpoint.size)
	return content && { content, type: 'application/octet-stream', final: true }
}

/** Of `checkpoints/x001/234`. */
function numberOf(path: string): number | undefined {
	const number = Number(/^checkpoints\/((?:x\d{3}\/)*\d{3})$/.exec(path)?.[1]?.replaceAll(/[x/]/g, ''))
	return Number.isSafeInteger(number) && checkpointPath(number) === path ? number : undefined
}

async function readTileFile(db: Db, tenant: Id<'tenant'>, path: string, size: number): Promise<Uint8Array | undefined> {
	const tile = parseTilePath(path)
	if (!tile || tile.width > widthAt(tile.level, tile.index, size)) return undefined
	if (tile.kind === 'tile') return tileReader(db, tenant)(tile)
	return bundleEntries(await readEntries(db, tenant, tile.index * TILE_WIDTH, tile.width))
}
