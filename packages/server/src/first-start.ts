import { type Id, newId } from '@latchwork/core/base'
import { assignRole } from './access/index.ts'
import { append } from './ledger/index.ts'
import type { Parts } from './parts.ts'
import { createPerson, setPassword } from './people/index.ts'
import { allTenants, createTenant } from './tenants/index.ts'

export interface FirstAdministrator {
	readonly tenant: Id<'tenant'>
	readonly user: Id<'subject'>
	readonly email: string
	readonly password: string
}

/** "first" on the keys of a telephone. */
const LOCK = 34_778
const HOST = 'latchwork'

/**
 * An empty database gets an organisation and its first owner, with a password drawn at random. Of two servers that start at once on one
 * database, the one that holds the lock does it.
 */
export async function firstStart({ store, clock, random, master, config, terms, passwords }: Parts): Promise<FirstAdministrator | undefined> {
	if ((await store.system(allTenants)).length > 0) return undefined
	const held = await store.hold(LOCK, () => {})
	if (!held) return undefined
	try {
		if ((await store.system(allTenants)).length > 0) return undefined
		const now = clock.now()
		const tenant = newId('tenant', now, random)
		const { email, organisation, password = Buffer.from(random(15)).toString('base64url') } = config.first
		const hashed = await passwords.hash(password)
		const user = await store.write(tenant, async (tx) => {
			await createTenant(tx, { name: organisation, host: config.publicUrl ? new URL(config.publicUrl).host : HOST }, { now, random, master })
			await append(tx, [{ type: 'tenant.created', subject: tenant, actor: 'server', data: {} }], { now, random })
			const change = { ...terms, actor: 'server' as const, now }
			const personal = { name: 'Administrator', email, labels: {}, externalRefs: [], clientData: {} }
			const { id } = await createPerson(tx, change, { personal })
			await setPassword(tx, change, id, hashed)
			await assignRole(tx, change, { role: 'owner', user: id, scope: { kind: 'tenant' } })
			return id
		})
		return { tenant, user, email, password }
	} finally {
		await held.close()
	}
}
