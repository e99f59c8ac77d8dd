import { isId } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { applyCustody } from '../assets/index.ts'
import { markBundles } from '../estate/index.ts'
import type { Tx } from '../store/index.ts'
import { namesSubject } from './read.ts'

/**
 * An applier of the ledger: custody as the bank recorded it. Who holds something of a bank stays known there, whatever rights they lose
 * (decision 0005): somebody whose row is gone already gets it back with the next bundle, so that the return is offered.
 */
export async function custodyApplier(tx: Tx, event: StreamEvent, { now }: { readonly now: number }): Promise<void> {
	const { to } = event.data
	if (!(await applyCustody(tx, event)) || !isId('subject', to)) return
	if (!(await namesSubject(tx, event.bank, to))) await markBundles(tx, now, { bank: event.bank })
}
