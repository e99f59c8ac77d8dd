import type { Id, Random } from '@latchwork/core/base'
import { EMPTY_TREE, type GrowingTree, growTree, hashLeaf, mintServerEvent, type ServerDraft } from '@latchwork/core/ledger'
import { nodeCrypto } from '@latchwork/edge/keys'
import { sql, type Tx } from '@latchwork/server/store'

const { sha256 } = nodeCrypto

/**
 * The form of the ledger that was not chosen, for the comparison alone (docs/decisions): every business transaction locks the head of the log,
 * takes the next position, lets the tree grow, and notifies. Positions are there at the commit, and nobody else commits meanwhile.
 */
export function lockedHead(tenant: Id<'tenant'>): (tx: Tx, draft: ServerDraft, now: number, random: Random) => Promise<void> {
	let tree: GrowingTree = growTree(EMPTY_TREE, sha256)
	return async (tx, draft, now, random) => {
		const { bytes, event } = mintServerEvent(draft, tenant, now, random)
		const head = await tx.first<{ size: number; edge: { tiles: string[] } }>(
			sql`SELECT size, edge FROM head_locked WHERE tenant_id = ${tenant} FOR UPDATE`,
		)
		if (!head) throw new Error('The head is missing.')
		// Within one process the tree in memory is the tree in the database, unless a transaction failed.
		if (tree.size !== head.size) tree = growTree({ size: head.size, tiles: head.edge.tiles.map((tile) => Buffer.from(tile, 'base64')) }, sha256)
		tree.append(hashLeaf(bytes, sha256))
		const full = tree.takeTiles().filter(({ width }) => width === 256)
		const edge = JSON.stringify({ tiles: tree.edge().tiles.map((tile) => Buffer.from(tile).toString('base64')) })
		await tx.run(sql`INSERT INTO event_locked (tenant_id, month, position, bytes, type, subject, at, received)
			VALUES (${tenant}, 202601, ${head.size}, ${bytes}, ${event.type}, ${event.subject}, ${event.at}, ${event.at})`)
		if (full.length > 0)
			await tx.run(sql`INSERT INTO tile_locked SELECT ${tenant}, * FROM unnest(${full.map(({ level }) => level)}::smallint[],
				${full.map(({ index }) => index)}::bigint[], ${full.map(({ hashes }) => hashes)}::bytea[])`)
		await tx.run(sql`UPDATE head_locked SET size = ${head.size + 1}, root = ${tree.root()}, edge = ${edge}::jsonb WHERE tenant_id = ${tenant}`)
		await tx.run(sql`SELECT pg_notify('ledger_locked', ${String(head.size)})`)
	}
}
