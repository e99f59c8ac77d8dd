import { Fault, type Id } from '@latchwork/core/base'
import { type GrowingTree, growTree, TILE_WIDTH, type Tile } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { type Held, type Sql, sql, type Tx } from '../store/index.ts'
import { readEdge } from './tree-read.ts'

const { sha256 } = nodeCrypto

/** Which tenants one sequencer works for: number `index` of `count`. The last two digits of a tenant's id are random. */
export interface Shard {
	readonly index: number
	readonly count: number
}

export const shardOf = ({ index, count }: Shard, tenant: Sql<unknown> = sql.ref('tenant_id')): Sql<unknown> =>
	sql`(('x' || right(${tenant}, 2))::bit(8)::integer % ${count}) = ${index}`

export interface SequenceTerms {
	readonly now: number
	readonly shard: Shard
	/** Events of one tenant in one batch. */
	readonly most: number
	/** Logs that fail their check: nothing is added to them until somebody has looked. */
	readonly except: readonly Id<'tenant'>[]
	/** Trees in memory, good as long as they are as tall as the log; whoever gets an error forgets them. */
	readonly trees: Map<Id<'tenant'>, GrowingTree>
	/** Months whose partition is there. */
	readonly months: ReadonlySet<number>
}

export const CHANNEL = 'latchwork_ledger'

/** The log of a tenant does not fit what is stored of its tree. */
export class DamagedLog extends Fault {
	readonly tenant: Id<'tenant'>
	constructor(tenant: Id<'tenant'>, cause?: unknown) {
		super('log-invalid', `The log of ${tenant} does not fit its own tree: no event gets a position there until it was looked at.`, { cause })
		this.tenant = tenant
	}
}

/**
 * One batch: gives positions to what waits, in the order of its arrival, and lets the trees grow by it. All of it is one transaction, so a
 * kill at any point leaves nothing half done, and two sequencers that both believe to be the one wait for each other at the head.
 */
export async function sequence(tx: Tx, terms: SequenceTerms): Promise<Sequenced> {
	const waiting = await readWaiting(tx, terms)
	const sizes = new Map<Id<'tenant'>, number>()
	if (waiting.size === 0) return { sizes, months: [] }
	const heads = await lockHeads(tx, [...waiting.keys()])
	const grown: Grown[] = []
	for (const [tenant, arrived] of waiting) {
		const head = heads.get(tenant) ?? EMPTY_HEAD
		const tree = await treeOf(tx, tenant, head, terms.trees)
		for (const { leaf } of arrived) tree.append(leaf)
		grown.push({ tenant, head, arrived, tree, month: Math.max(head.month, monthOf(terms.now)) })
		sizes.set(tenant, tree.size)
	}
	const months = await ensureMonths(
		tx,
		grown.map(({ month }) => month),
		terms.months,
	)
	await moveEvents(tx, grown)
	await saveTiles(tx, grown)
	await saveHeads(tx, grown, terms.now, namesOf(sizes))
	return { sizes, months }
}

export interface Sequenced {
	/** How long the logs are now that have grown. */
	readonly sizes: ReadonlyMap<Id<'tenant'>, number>
	/** Partitions that are there once this is committed. */
	readonly months: readonly number[]
}

interface Arrived {
	readonly arrival: number
	readonly leaf: Uint8Array
}
interface Head {
	readonly size: number
	readonly month: number
	readonly root: Uint8Array
}
interface Grown {
	readonly tenant: Id<'tenant'>
	readonly head: Head
	readonly arrived: readonly Arrived[]
	readonly tree: GrowingTree
	readonly month: number
}
const EMPTY_HEAD: Head = { size: 0, month: 0, root: sha256(new Uint8Array()) }

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** 202611, in UTC. */
export function monthOf(ms: number): number {
	const at = new Date(ms)
	return at.getUTCFullYear() * 100 + at.getUTCMonth() + 1
}
const monthAfter = (month: number): number => (month % 100 === 12 ? month + 89 : month + 1)

/** The cheap look, many times a second: is there anything at all? */
export const isWaiting = async (held: Held): Promise<boolean> => (await held.first(sql`SELECT 1 AS any FROM event_pending LIMIT 1`)) !== undefined

/** Jumps from tenant to tenant in the key, so that one with much to do does not hide the others. */
async function readWaiting(tx: Tx, { shard, most, except }: SequenceTerms): Promise<Map<Id<'tenant'>, Arrived[]>> {
	const rows = await tx.rows<{ tenant: Id<'tenant'> } & Arrived>(sql`
		WITH RECURSIVE waiting (tenant_id) AS (
			(SELECT tenant_id FROM event_pending ORDER BY tenant_id LIMIT 1)
			UNION ALL
			SELECT (SELECT p.tenant_id FROM event_pending p WHERE p.tenant_id > w.tenant_id ORDER BY p.tenant_id LIMIT 1)
			FROM waiting w WHERE w.tenant_id IS NOT NULL)
		SELECT w.tenant_id AS tenant, p.arrival, p.leaf
		FROM waiting w CROSS JOIN LATERAL (
			SELECT arrival, leaf FROM event_pending p WHERE p.tenant_id = w.tenant_id ORDER BY p.arrival LIMIT ${most}) p
		WHERE ${shardOf(shard, sql.ref('w.tenant_id'))} AND w.tenant_id <> ALL (${except}::text[])
		ORDER BY w.tenant_id, p.arrival`)
	const waiting = new Map<Id<'tenant'>, Arrived[]>()
	for (const { tenant, arrival, leaf } of rows) {
		const arrived = waiting.get(tenant)
		if (arrived) arrived.push({ arrival, leaf })
		else waiting.set(tenant, [{ arrival, leaf }])
	}
	return waiting
}

async function lockHeads(tx: Tx, tenants: readonly Id<'tenant'>[]): Promise<Map<Id<'tenant'>, Head>> {
	const lock = () =>
		tx.rows<{ tenant: Id<'tenant'> } & Head>(
			sql`SELECT tenant_id AS tenant, size, month, root FROM ledger_head WHERE tenant_id = ANY (${tenants}::text[]) ORDER BY tenant_id FOR UPDATE`,
		)
	let rows = await lock()
	if (rows.length < tenants.length) {
		await tx.run(sql`
			INSERT INTO ledger_head (tenant_id, size, month, root) SELECT t, 0, 0, ${EMPTY_HEAD.root} FROM unnest(${tenants}::text[]) AS t
			ON CONFLICT DO NOTHING`)
		rows = await lock()
	}
	return new Map(rows.map(({ tenant, ...head }) => [tenant, head]))
}

async function treeOf(tx: Tx, tenant: Id<'tenant'>, { size, root }: Head, trees: Map<Id<'tenant'>, GrowingTree>): Promise<GrowingTree> {
	const kept = trees.get(tenant)
	if (kept?.size === size && isSame(kept.root(), root)) return kept
	const tree = await loadTree(tx, tenant, size)
	if (!isSame(tree.root(), root)) throw new DamagedLog(tenant)
	trees.set(tenant, tree)
	return tree
}

async function loadTree(tx: Tx, tenant: Id<'tenant'>, size: number): Promise<GrowingTree> {
	try {
		return growTree(await readEdge(tx, tenant, size), sha256)
	} catch (cause) {
		throw cause instanceof Fault && cause.code === 'log-invalid' ? new DamagedLog(tenant, cause) : cause
	}
}

/** The month that is needed, and the next one long before it begins. */
async function ensureMonths(tx: Tx, needed: readonly number[], known: ReadonlySet<number>): Promise<number[]> {
	const missing = [...new Set(needed.flatMap((month) => [month, monthAfter(month)]))].filter((month) => !known.has(month))
	for (const month of missing) await tx.rows(sql`SELECT latchwork.event_month(${month})`)
	return missing
}

async function moveEvents(tx: Tx, grown: readonly Grown[]): Promise<void> {
	const placed = grown.flatMap(({ tenant, head, arrived, month }) =>
		arrived.map(({ arrival }, i) => ({ tenant, arrival, month, position: head.size + i })),
	)
	const moved = await tx.run(sql`
		WITH placed AS (
			SELECT * FROM unnest(${placed.map(({ tenant }) => tenant)}::text[], ${placed.map(({ arrival }) => arrival)}::bigint[],
				${placed.map(({ month }) => month)}::integer[], ${placed.map(({ position }) => position)}::bigint[])
				AS t (tenant_id, arrival, month, position)),
		moved AS (
			DELETE FROM event_pending e USING placed p WHERE e.tenant_id = p.tenant_id AND e.arrival = p.arrival
			RETURNING p.month, p.position, e.*)
		INSERT INTO event (tenant_id, month, position, bytes, type, subject, actor, site, bank, stream, seq, at, received)
		SELECT tenant_id, month, position, bytes, type, subject, actor, site, bank, stream, seq, at, received FROM moved ORDER BY tenant_id, position`)
	// Another sequencer was quicker between the look and the lock: it has placed them.
	if (moved !== placed.length) throw new Fault('database-busy', 'The events got their positions elsewhere.')
}

/** All but the partial tile of level 0 (tree-read.ts). */
async function saveTiles(tx: Tx, grown: readonly Grown[]): Promise<void> {
	const isKept = ({ level, width }: Tile) => level > 0 || width === TILE_WIDTH
	const tiles = grown.flatMap(({ tenant, tree }) =>
		tree
			.takeTiles()
			.filter(isKept)
			.map((tile) => ({ tenant, ...tile })),
	)
	if (tiles.length === 0) return
	await tx.run(sql`
		INSERT INTO ledger_tile (tenant_id, level, index, hashes)
		SELECT * FROM unnest(${tiles.map(({ tenant }) => tenant)}::text[], ${tiles.map(({ level }) => level)}::smallint[],
			${tiles.map(({ index }) => index)}::bigint[], ${tiles.map(({ hashes }) => hashes)}::bytea[])
		ON CONFLICT (tenant_id, level, index) DO UPDATE SET hashes = excluded.hashes`)
}

/** And tells of it, once it is committed. */
async function saveHeads(tx: Tx, grown: readonly Grown[], now: number, told: readonly string[]): Promise<void> {
	const tenants = grown.map(({ tenant }) => tenant)
	await tx.rows(sql`
		WITH saved AS (UPDATE ledger_head h SET size = n.size, month = n.month, root = n.root, unsigned_since = coalesce(h.unsigned_since, ${Math.floor(now)})
		FROM unnest(${tenants}::text[], ${grown.map(({ tree }) => tree.size)}::bigint[], ${grown.map(({ month }) => month)}::integer[],
			${grown.map(({ tree }) => tree.root())}::bytea[]) AS n (tenant_id, size, month, root)
		WHERE h.tenant_id = n.tenant_id)
		SELECT pg_notify(${CHANNEL}, told) FROM unnest(${told}::text[]) AS told`)
	const begun = grown.filter(({ head, month }) => head.month !== month)
	if (begun.length === 0) return
	await tx.run(sql`
		INSERT INTO ledger_month (tenant_id, month, first_position)
		SELECT * FROM unnest(${begun.map(({ tenant }) => tenant)}::text[], ${begun.map(({ month }) => month)}::integer[], ${begun.map(({ head }) => head.size)}::bigint[])`)
}

/** A notification takes at most 8,000 bytes. */
const MOST_NAMED = 100

/** What is told of the logs that have grown: the position of each one's last event. */
function namesOf(sizes: ReadonlyMap<Id<'tenant'>, number>): string[] {
	const all = [...sizes].map(([tenant, size]) => [tenant, size - 1] as const)
	return Array.from({ length: Math.ceil(all.length / MOST_NAMED) }, (_, i) =>
		JSON.stringify(Object.fromEntries(all.slice(i * MOST_NAMED, (i + 1) * MOST_NAMED))),
	)
}
