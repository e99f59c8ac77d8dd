import { Fault, type Id, newId } from '@latchwork/core/base'
import { assignRole } from './access/index.ts'
import { append } from './ledger/index.ts'
import { deviceAuthority } from './link/index.ts'
import type { Parts } from './parts.ts'
import { accountsNamed, createPerson, forgiveName, setPassword } from './people/index.ts'
import { allTenants, createTenant, type Tenant } from './tenants/index.ts'

/** Somebody's password as it was drawn: said once, kept nowhere. */
export interface NewPassword {
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
export async function firstStart(parts: Parts): Promise<NewPassword | undefined> {
	const { store, config } = parts
	const isEmpty = async () => (await store.system(allTenants)).length === 0
	if (!(await isEmpty())) return undefined
	const { organisation: name, email, password } = config.first
	return alone(parts, async () => ((await isEmpty()) ? create(parts, { name, email, password }) : undefined))
}

/** One more organisation, for whoever operates the server. A name that is there already is refused: the command was probably given twice. */
export async function addOrganisation(parts: Parts, { name, email }: { readonly name: string; readonly email: string }): Promise<NewPassword> {
	if (name.trim() !== name || !/^[^\p{Cc}\p{Zl}\p{Zp}]{1,200}$/u.test(name))
		throw new Fault('config-invalid', 'The name of an organisation is one line of 1 to 200 characters.')
	const made = await alone(parts, async () => {
		if ((await parts.store.system(allTenants)).some((one) => one.name === name))
			throw new Fault('already-exists', `There is an organisation called ${name} already. \`latchwork tenant list\` shows all.`)
		return create(parts, { name, email })
	})
	if (!made) throw new Fault('request-refused', 'Another organisation is being made at this moment. Give the command again.')
	return made
}

export const organisations = ({ store }: Parts): Promise<Tenant[]> => store.system(allTenants)

/** Another password for somebody who lost theirs. Their sessions end, and failed attempts no longer make them wait. */
export async function resetPassword(
	{ store, terms, passwords, random, clock }: Parts,
	{ email, tenant }: { readonly email: string; readonly tenant?: string | undefined },
): Promise<NewPassword> {
	const found = await store.system((tx) => accountsNamed(tx, email, terms.installation))
	const accounts = tenant === undefined ? found : found.filter((one) => one.tenant === tenant)
	const [account, another] = accounts
	if (!account)
		throw new Fault(
			'not-found',
			`Nobody signs in as ${email}${tenant === undefined ? '' : ` in ${tenant}`}; somebody who is suspended or erased does not.`,
		)
	if (another)
		throw new Fault(
			'request-refused',
			`Several organisations have ${email}: say which with --tenant. ${accounts.map((one) => one.tenant).join(', ')}.`,
		)
	const password = drawn(random)
	const hashed = await passwords.hash(password)
	await store.write(account.tenant, (tx) => setPassword(tx, { ...terms, actor: 'server', now: clock.now() }, account.subject, hashed))
	await store.system((tx) => forgiveName(tx, email, terms.installation))
	return { tenant: account.tenant, user: account.subject, email, password }
}

/** Undefined: somebody else is at it. */
async function alone<T>({ store }: Parts, work: () => Promise<T>): Promise<T | undefined> {
	const held = await store.hold(LOCK, () => {})
	if (!held) return undefined
	try {
		return await work()
	} finally {
		await held.close()
	}
}

async function create(
	{ store, clock, random, master, config, terms, passwords }: Parts,
	{ name, email, password = drawn(random) }: { readonly name: string; readonly email: string; readonly password?: string | undefined },
): Promise<NewPassword> {
	const now = clock.now()
	const tenant = newId('tenant', now, random)
	const hashed = await passwords.hash(password)
	const user = await store.write(tenant, async (tx) => {
		await createTenant(tx, { name, host: config.publicUrl ? new URL(config.publicUrl).host : HOST }, { now, random, master })
		// From now on, so that a broker of the operator's own is told of it before its first controller comes.
		await deviceAuthority(tx, { master, now, random })
		await append(tx, [{ type: 'tenant.created', subject: tenant, actor: 'server', data: {} }], { now, random })
		const change = { ...terms, actor: 'server' as const, now }
		const personal = { name: 'Administrator', email, labels: {}, externalRefs: [], clientData: {} }
		const { id } = await createPerson(tx, change, { personal })
		await setPassword(tx, change, id, hashed)
		await assignRole(tx, change, { role: 'owner', user: id, scope: { kind: 'tenant' } })
		return id
	})
	return { tenant, user, email, password }
}

const drawn = (random: Parts['random']): string => Buffer.from(random(15)).toString('base64url')
