import type { Clock, Id } from '@latchwork/core/base'
import { controllerAnywhere } from '../estate/index.ts'
import type { Sender } from '../ledger/index.ts'
import type { Store } from '../store/index.ts'
import { headKeysOf } from './books.ts'

/** A controller as the link knows it: whose it is, and its one bank. */
export interface LinkSender extends Sender {
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
}

/** Who a controller is, by its id alone: what its certificate and the broker have proven. */
export interface Directory {
	/** Undefined: there is no such controller, it is revoked, or was never enrolled. */
	find(controller: Id<'controller'>): Promise<LinkSender | undefined>
	/** Something changed: nothing that was known is believed. */
	forget(): void
}

/** Another process may have changed it. */
const BELIEVED_MS = 10_000
const REMEMBERED = 50_000

export function openDirectory(store: Store, clock: Pick<Clock, 'mono'>): Directory {
	const known = new Map<string, { readonly at: number; readonly sender: Promise<LinkSender | undefined> }>()
	const look = (id: Id<'controller'>) =>
		store.system(async (db) => {
			const found = await controllerAnywhere(db, id)
			if (!found || found.revokedAt !== null || found.certificate === null) return undefined
			const { tenant, bank, site } = found
			return { tenant, controller: id, bank, site, banks: new Map([[bank, site]]), headKeys: await headKeysOf(db, tenant, id) }
		})
	return {
		find(id) {
			const now = clock.mono()
			const before = known.get(id)
			if (before && now - before.at < BELIEVED_MS) return before.sender
			const sender = look(id)
			if (known.size >= REMEMBERED) known.clear()
			known.set(id, { at: now, sender })
			// A database that was away is no answer.
			sender.catch(() => known.delete(id))
			return sender
		},
		forget: () => known.clear(),
	}
}
