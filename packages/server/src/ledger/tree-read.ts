import type { Id } from '@latchwork/core/base'
import { edgeTiles, HASH_BYTES, hashLeaf, type ReadTile, type RightEdge, TILE_WIDTH, type TileAt, type TreeHead } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { type Db, type Sql, sql } from '../store/index.ts'

const { sha256 } = nodeCrypto

/** The month in which a position lies: an event's partition and the second part of its key. */
export const monthAt = (tenant: string, position: number): Sql<unknown> =>
	sql`(SELECT coalesce(max(m.month), 0) FROM ledger_month m WHERE m.tenant_id = ${tenant} AND m.first_position <= ${position})`

/** Condition on `event`: from this position on. The pair finds the place in the key, the month alone rules out partitions. */
export const fromPosition = (tenant: string, position: number): Sql<unknown> =>
	sql`tenant_id = ${tenant} AND month >= ${monthAt(tenant, position)} AND (month, position) >= (${monthAt(tenant, position)}, ${position})`

/** Bytes of consecutive events, as minted. Fewer than asked for: the log ends there. */
export async function readEntries(db: Db, tenant: Id<'tenant'>, first: number, count: number): Promise<Uint8Array[]> {
	const rows = await db.rows<{ bytes: Uint8Array }>(
		sql`SELECT bytes FROM event WHERE ${fromPosition(tenant, first)} ORDER BY month, position LIMIT ${count}`,
	)
	return rows.map(({ bytes }) => bytes)
}

/** Tiles of a tenant's log at any size that it has or had: a narrower tile is the beginning of a wider one. */
export function tileReader(db: Db, tenant: Id<'tenant'>): ReadTile {
	const read = async (tile: TileAt) =>
		((await storedTile(db, tenant, tile)) ?? (await leavesOf(db, tenant, tile))).subarray(0, tile.width * HASH_BYTES)
	// A proof asks for all its tiles at once, a connection answers one question at a time.
	let last: Promise<unknown> = Promise.resolve()
	return (tile) => {
		const next = last.then(() => read(tile))
		last = next.catch(() => {})
		return next
	}
}

async function storedTile(db: Db, tenant: string, { level, index }: TileAt): Promise<Uint8Array | undefined> {
	const row = await db.first<{ hashes: Uint8Array }>(
		sql`SELECT hashes FROM ledger_tile WHERE tenant_id = ${tenant} AND level = ${level} AND index = ${index}`,
	)
	return row?.hashes
}

/** The partial tile of level 0 is not stored: it would be written anew with every batch, and its hashes are those of at most 255 events. */
async function leavesOf(db: Db, tenant: Id<'tenant'>, { level, index, width }: TileAt): Promise<Uint8Array> {
	if (level > 0) return new Uint8Array()
	const entries = await readEntries(db, tenant, index * TILE_WIDTH, width)
	return Buffer.concat(entries.map((bytes) => hashLeaf(bytes, sha256)))
}

/** What the tree grows on from, out of what is stored. */
export async function readEdge(db: Db, tenant: Id<'tenant'>, size: number): Promise<RightEdge> {
	const read = tileReader(db, tenant)
	const tiles: Uint8Array[] = []
	for (const tile of edgeTiles(size)) tiles[tile.level] = await read(tile)
	return { size, tiles: Array.from(tiles, (hashes) => hashes ?? new Uint8Array()) }
}

export interface StoredCheckpoint extends TreeHead {
	/** 0 for the first that was signed. */
	readonly number: number
	readonly note: string
	readonly signedAt: number
}

const checkpointColumns = sql`size, number, root, note, signed_at AS "signedAt"`

export const newestCheckpoint = (db: Db, tenant: Id<'tenant'>): Promise<StoredCheckpoint | undefined> =>
	db.first<StoredCheckpoint>(sql`SELECT ${checkpointColumns} FROM checkpoint WHERE tenant_id = ${tenant} ORDER BY size DESC LIMIT 1`)

export const checkpointAt = (
	db: Db,
	tenant: Id<'tenant'>,
	at: { readonly number: number } | { readonly size: number },
): Promise<StoredCheckpoint | undefined> =>
	db.first<StoredCheckpoint>(sql`SELECT ${checkpointColumns} FROM checkpoint WHERE tenant_id = ${tenant}
		AND ${'number' in at ? sql`number = ${at.number}` : sql`size = ${at.size}`}`)

/** The newest first; `before`: only those with a lower number. */
export const readCheckpoints = (db: Db, tenant: Id<'tenant'>, limit: number, before?: number): Promise<StoredCheckpoint[]> =>
	db.rows<StoredCheckpoint>(sql`SELECT ${checkpointColumns} FROM checkpoint WHERE tenant_id = ${tenant}
		${before === undefined ? sql`` : sql`AND number < ${before}`} ORDER BY number DESC LIMIT ${limit}`)
