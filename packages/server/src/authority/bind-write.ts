import { type Id, isId, type Random } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { applyCustody } from '../assets/index.ts'
import { believed, openTask } from '../cases/index.ts'
import { markPeople } from '../estate/index.ts'
import type { Applied, Applier } from '../ledger/index.ts'
import type { Tx } from '../store/index.ts'
import { namesSubject } from './read.ts'

/**
 * An applier of the ledger: custody as the bank recorded it. Who holds something of a bank stays known there, whatever rights they lose
 * (decision 0005): somebody whose row is gone already gets it back at once, so that the return is offered.
 */
export const custodyApplier =
	({ random }: { readonly random: Random }): Applier =>
	async (tx, events, about) => {
		for (const event of events) await follow(tx, event, about, random)
	}

async function follow(tx: Tx, event: StreamEvent, about: Applied, random: Random): Promise<void> {
	const custody = await applyCustody(tx, event)
	if (!custody) return
	const { bank, subject, data, stream, seq } = event
	const { home, moved, inOrder, custodian } = custody
	const asset = subject as Id<'asset'>
	const terms = { now: about.now, random }
	if (home !== null && !(await believed(tx, event, { bank: home, asset }, about, terms))) return
	if (!moved || !inOrder) {
		const { site } = about
		const said = { custodian, ...asHolder('from', data.from), ...asHolder('to', data.to) }
		await openTask(tx, { kind: 'custody-gap', site, bank, detail: { asset, ...said, stream, seq, followed: moved } }, terms)
	}
	if (moved && isId('subject', data.to) && !(await namesSubject(tx, bank, data.to))) await markPeople(tx, about.now, [data.to], about.site)
}

/** Who can have a thing; whatever else a record says stays there. */
const asHolder = (name: 'from' | 'to', id: unknown) => (isId('subject', id) || isId('bank', id) ? { [name]: id } : {})
