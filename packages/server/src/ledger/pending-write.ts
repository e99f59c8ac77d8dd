import { hashLeaf } from '@latchwork/core/ledger'
import { nodeCrypto } from '../crypto.ts'
import { sql, type Tx } from '../store/index.ts'

const { sha256 } = nodeCrypto

/** An event on its way into the log: its bytes as minted, and the columns that filters use. */
export interface Entry {
	readonly bytes: Uint8Array
	readonly type: string
	readonly subject: string
	readonly actor?: string | undefined
	readonly site?: string | undefined
	readonly bank?: string | undefined
	readonly stream?: string | undefined
	readonly seq?: number | undefined
	readonly at: number
}

/** PostgreSQL has no text with U+0000, and no event may be stopped by its filters: the bytes say what it was. */
const filterText = (text: string): string => text.replaceAll('\0', '\ufffd')

/** Unpositioned, in the order given; the sequencer gives them their positions once this transaction is committed. */
export async function insertPending(tx: Tx, tenant: string, entries: readonly Entry[], received: number): Promise<void> {
	if (entries.length === 0) return
	const column = <K extends keyof Entry>(name: K) => entries.map((entry) => entry[name] ?? null)
	await tx.run(sql`
		INSERT INTO event_pending (tenant_id, leaf, bytes, type, subject, actor, site, bank, stream, seq, at, received)
		SELECT ${tenant}, e.leaf, e.bytes, e.type, e.subject, e.actor, e.site, e.bank, e.stream, e.seq, e.at, ${Math.floor(received)}::bigint
		FROM unnest(${entries.map((entry) => hashLeaf(entry.bytes, sha256))}::bytea[], ${column('bytes')}::bytea[], ${column('type')}::text[],
			${entries.map(({ subject }) => filterText(subject))}::text[], ${column('actor')}::text[], ${column('site')}::text[], ${column('bank')}::text[],
			${column('stream')}::text[], ${column('seq')}::bigint[], ${column('at')}::bigint[])
			WITH ORDINALITY AS e (leaf, bytes, type, subject, actor, site, bank, stream, seq, at, ordinality)
		ORDER BY e.ordinality`)
}
