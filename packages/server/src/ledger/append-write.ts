import { Fault, type Id, type Random } from '@latchwork/core/base'
import { mintServerEvent, type ServerDraft, type ServerEvent } from '@latchwork/core/ledger'
import type { Tx } from '../store/index.ts'
import { insertPending } from './pending-write.ts'

export interface AppendContext {
	/** Milliseconds since 1970, by the caller's clock. */
	readonly now: number
	readonly random: Random
	/** For system work, whose transaction sees no single tenant. */
	readonly tenant?: Id<'tenant'>
}

/**
 * Records facts in the caller's transaction: together with the state that they describe, or not at all. They get their positions within
 * 25 ms of the commit, in the order given here. Throws `event-invalid` for what can never be an event.
 */
export async function append(tx: Tx, drafts: readonly ServerDraft[], { now, random, tenant = tx.tenant }: AppendContext): Promise<ServerEvent[]> {
	if (tenant === undefined) throw new Fault('event-invalid', 'A fact belongs to a tenant: system work names it.')
	const minted = drafts.map((draft) => mintServerEvent(draft, tenant, now, random))
	const entries = minted.map(({ bytes, event: { type, subject, actor, site, bank, at } }) => ({ bytes, type, subject, actor, site, bank, at }))
	await insertPending(tx, tenant, entries, now)
	return minted.map(({ event }) => event)
}
