import type { Clock } from '@latchwork/core/base'
import type { Store } from '../store/index.ts'
import { allAuthorities, revokedFingerprints } from './books.ts'
import { type DeviceTrust, trustOf } from './device-check.ts'

export interface TrustState {
	readonly authorities: readonly string[]
	readonly revoked: readonly string[]
}

/** Whom the device port lets in, as the database says; kept for those who must judge without asking it. */
export interface Trust {
	state(): TrustState
	device(): DeviceTrust
	/** Reads anew; tells when it is not what it was. */
	refresh(): Promise<void>
}

export async function openTrust(store: Store, clock: Pick<Clock, 'now'>, changed: (state: TrustState) => Promise<void>): Promise<Trust> {
	const read = (): Promise<TrustState> =>
		store.system(async (db) => ({ authorities: await allAuthorities(db), revoked: await revokedFingerprints(db, clock.now()) }))
	let state = await read()
	let device = trustOf(state.authorities)
	return {
		state: () => state,
		device: () => device,
		async refresh() {
			const next = await read()
			if (JSON.stringify(next) === JSON.stringify(state)) return
			state = next
			device = trustOf(state.authorities)
			await changed(state)
		},
	}
}
