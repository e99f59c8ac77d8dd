import type { SignerOf } from './ledger/index.ts'
import type { Parts } from './parts.ts'
import { signerOf, tenantOf } from './tenants/index.ts'

/** Signs a tenant's log under the log's own name, with the key that is sealed under the installation's. */
export const logSigner =
	({ master }: Pick<Parts, 'master'>): SignerOf =>
	async (db, tenant) => {
		const { publicKey, sign } = await signerOf(db, 'log', { master, tenant })
		return { origin: (await tenantOf(db, tenant)).origin, publicKey, sign }
	}
