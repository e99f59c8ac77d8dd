import { sealTime } from '@latchwork/core/access'
import type { Clock, Id } from '@latchwork/core/base'
import type { MasterKey, Store } from '../store/index.ts'
import { type Signer, signerOf } from '../tenants/index.ts'

/** The server's word for the time, signed by a key that the tenant's controllers have pinned. */
export function signedTime({
	store,
	master,
	clock,
}: {
	readonly store: Store
	readonly master: MasterKey
	readonly clock: Pick<Clock, 'now' | 'mono'>
}) {
	const signers = new Map<string, { readonly at: number; readonly signer: Promise<Signer> }>()
	/** A key that is rolled is noticed within a minute; opening one costs a transaction. */
	const signer = (tenant: Id<'tenant'>): Promise<Signer> => {
		const known = signers.get(tenant)
		if (known && clock.mono() - known.at < 60_000) return known.signer
		const opened = store.read(tenant, (db) => signerOf(db, 'maker', { master }))
		signers.set(tenant, { at: clock.mono(), signer: opened })
		opened.catch(() => signers.delete(tenant))
		return opened
	}
	return async (tenant: Id<'tenant'>, ask: string): Promise<string> => {
		const { keyId, sign } = await signer(tenant)
		return JSON.stringify(sealTime({ ask, at: Math.floor(clock.now()) }, keyId, sign))
	}
}
export type SignedTime = ReturnType<typeof signedTime>
