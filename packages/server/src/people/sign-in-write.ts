import { Fault, type Id, newId, type Random } from '@latchwork/core/base'
import type { Change } from '../estate/index.ts'
import { type Db, type MasterKey, type Store, sql, type Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import type { Passwords } from './password.ts'
import { type PeopleChange, recordOf } from './person-write.ts'
import { blindIndex, normalEmail } from './personal.ts'
import { findPerson, nothing } from './read.ts'
import { mintSecret } from './secret.ts'
import { clearName, giveBackTry, spendTry } from './try-write.ts'

const INSTALLATION = 'installation'

/** The installation's own key, made at its first start: finds names across organisations and peppers passwords. For system work. */
export async function installationKey(tx: Tx, master: MasterKey, random: Random, now: number): Promise<Uint8Array> {
	await tx.run(
		sql`INSERT INTO installation (one, sealed, created_at) VALUES (true, ${Buffer.from(master.seal(random(32), INSTALLATION))}, ${now}) ON CONFLICT DO NOTHING`,
	)
	const row = await tx.first(sql<{ sealed: Uint8Array }>`SELECT sealed FROM installation`)
	return master.open(row?.sealed ?? new Uint8Array(), INSTALLATION)
}

/** Gives somebody a password: the first one, or another. Every session of theirs ends. `hashed` was made outside the transaction: it takes its time. */
export async function setPassword(tx: Tx, change: PeopleChange, subject: Id<'subject'>, hashed: string): Promise<void> {
	const person = await findPerson(tx, subject, change)
	if (!person || person.erasedAt !== undefined) throw nothing('person')
	const email = person.personal?.email
	if (email === undefined) throw new Fault('request-refused', 'People sign in by e-mail address, and this person has none.')
	await tx.run(sql`INSERT INTO sign_in (tenant_id, subject_id, name_index, password, changed_at)
		VALUES (${tx.tenant}, ${subject}, ${blindIndex(change.installation, 'sign-in', normalEmail(email))}, ${hashed}, ${change.now})
		ON CONFLICT (tenant_id, subject_id) DO UPDATE SET name_index = excluded.name_index, password = excluded.password, changed_at = excluded.changed_at`)
	await tx.run(sql`UPDATE session SET ended_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND ended_at IS NULL`)
	await recordOf(tx, change, 'user.sign-in-changed', subject)
}

export interface SignInParts {
	readonly store: Store
	readonly random: Random
	readonly installation: Uint8Array
	readonly passwords: Passwords
}

export interface Attempt {
	readonly email: string
	readonly password: string
	/** Id or name; needed only by those who have this address in several organisations. */
	readonly tenant?: string | undefined
	readonly address: string
}

export interface SignedIn {
	readonly id: Id<'session'>
	readonly tenant: Id<'tenant'>
	readonly subject: Id<'subject'>
	/** Shown once, as a cookie. */
	readonly secret: string
	readonly expiresAt: number
}

interface Account {
	readonly tenant: Id<'tenant'>
	readonly subject: Id<'subject'>
	readonly password: string
}

/** Name and password → a session. One answer and one amount of work for every way of being wrong. */
export async function signIn(parts: SignInParts, attempt: Attempt, now: number): Promise<SignedIn> {
	const { store, installation } = parts
	const trying = {
		name: blindIndex(installation, 'sign-in', normalEmail(attempt.email)),
		address: blindIndex(installation, 'address', attempt.address),
	}
	const { wait, accounts } = await store.system(async (tx) => {
		const wait = await spendTry(tx, trying, now)
		return { wait, accounts: wait > 0 ? [] : await accountsOf(tx, trying.name, attempt.tenant) }
	})
	if (wait > 0) throw tooMany(wait)
	// Two organisations know this address and none was named: nothing says which password is meant.
	const account = accounts.length === 1 ? accounts[0] : undefined
	const right = await parts.passwords.verify(attempt.password, account?.password)
	// Recorded without being waited for: the answer comes as quickly as where nobody has that name.
	if (account && !right)
		void store.write(account.tenant, (tx) => refusedSession(tx, account.subject, { now, random: parts.random, actor: 'server' })).catch(() => {})
	if (!account || !right) throw wrong()
	await store.system((tx) => giveBackTry(tx, trying))
	return store.write(account.tenant, async (tx) => {
		// The password took its time: it may have been changed, or the person suspended, since it was read.
		if (!(await stillSo(tx, account))) throw wrong()
		return startSession(tx, account.subject, { now, random: parts.random, actor: account.subject })
	})
}

export interface PasswordProof {
	readonly tenant: Id<'tenant'>
	readonly subject: Id<'subject'>
	readonly password: string
	readonly address: string
}

/**
 * Whoever is signed in shows once more that they know the password, which costs tries as a sign-in does: a session that lies open is no way to guess it.
 * Answers what the password was compared with.
 */
export async function provePassword({ store, random, passwords, installation }: SignInParts, proof: PasswordProof, now: number): Promise<string> {
	const { tenant, subject } = proof
	const own = await store.read(tenant, (db) =>
		db.first(
			sql<{
				name: Uint8Array
				password: string
			}>`SELECT name_index AS name, password FROM sign_in WHERE tenant_id = ${tenant} AND subject_id = ${subject}`,
		),
	)
	if (!own) throw notCurrent()
	const trying = { name: Buffer.from(own.name), address: blindIndex(installation, 'address', proof.address) }
	const wait = await store.system((tx) => spendTry(tx, trying, now))
	if (wait > 0) throw tooMany(wait)
	if (!(await passwords.verify(proof.password, own.password))) {
		await store.write(tenant, (tx) => refusedSession(tx, subject, { now, random, actor: subject }))
		throw notCurrent()
	}
	await store.system((tx) => giveBackTry(tx, trying))
	return own.password
}

/** `proven`: what the current password was compared with, before this transaction; it must stand still. */
export async function replacePassword(tx: Tx, change: PeopleChange, subject: Id<'subject'>, proven: string, hashed: string): Promise<void> {
	const same = await tx.first(
		sql`SELECT 1 FROM sign_in WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND password = ${proven} FOR UPDATE`,
	)
	if (!same) throw notCurrent()
	await setPassword(tx, change, subject, hashed)
}

const notCurrent = () => new Fault('request-invalid', 'body.current: this is not the current password.', { detail: { field: 'body.current' } })

function tooMany(wait: number): Fault {
	const seconds = Math.ceil(wait / 1000)
	return new Fault('rate-limited', `Too many failed attempts. Try again in ${seconds} s.`, { detail: { retryAfterSeconds: seconds } })
}

const wrong = () => new Fault('not-signed-in', 'Address or password is wrong. If you belong to several organisations, name the one that you mean.')

const stillSo = (tx: Tx, { subject, password }: Account): Promise<object | undefined> =>
	tx.first(sql`SELECT 1 FROM sign_in s JOIN person p ON p.tenant_id = s.tenant_id AND p.subject_id = s.subject_id
		WHERE s.tenant_id = ${tx.tenant} AND s.subject_id = ${subject} AND s.password = ${password} AND NOT p.suspended AND p.erased_at IS NULL FOR SHARE OF s, p`)

/** For system work: in all organisations, or the one that was named. */
const accountsOf = (tx: Tx, name: Buffer, tenant: string | undefined): Promise<Account[]> =>
	tx.rows(sql<Account>`SELECT s.tenant_id AS tenant, s.subject_id AS subject, s.password FROM sign_in s
		JOIN person p ON p.tenant_id = s.tenant_id AND p.subject_id = s.subject_id
		WHERE s.name_index = ${name} AND NOT p.suspended AND p.erased_at IS NULL ${tenant ? sql`AND s.tenant_id IN (SELECT t.tenant_id FROM tenant t WHERE t.tenant_id = ${tenant} OR lower(t.name) = lower(${tenant}))` : sql``} LIMIT 2`)

/** For system work: everybody who signs in by this address. */
export const accountsNamed = (tx: Tx, email: string, installation: Uint8Array): Promise<Pick<Account, 'tenant' | 'subject'>[]> =>
	tx.rows(sql<Account>`SELECT s.tenant_id AS tenant, s.subject_id AS subject FROM sign_in s
		JOIN person p ON p.tenant_id = s.tenant_id AND p.subject_id = s.subject_id
		WHERE s.name_index = ${blindIndex(installation, 'sign-in', normalEmail(email))} AND NOT p.suspended AND p.erased_at IS NULL ORDER BY s.tenant_id`)

/** For system work: whoever has this address need not wait for what failed before. */
export const forgiveName = (tx: Tx, email: string, installation: Uint8Array): Promise<void> =>
	clearName(tx, blindIndex(installation, 'sign-in', normalEmail(email)))

const refusedSession = (tx: Tx, subject: Id<'subject'>, change: Change): Promise<void> => recordOf(tx, change, 'session.refused', subject)

/** A new secret at every sign-in: nobody can hand somebody a session that was known before (fixation). */
export async function startSession(tx: Tx, subject: Id<'subject'>, change: Change): Promise<SignedIn> {
	const { now, random } = change
	const tenant = tx.tenant as Id<'tenant'>
	const { sessionHours, sessionIdleMinutes } = await settingsOf(tx, {})
	const id = newId('session', now, random)
	const { text, digest } = mintSecret('session', tenant, random)
	const expiresAt = now + sessionHours * 3_600_000
	await tx.run(sql`INSERT INTO session (tenant_id, session_id, subject_id, digest, created_at, seen_at, idle_ms, expires_at)
		VALUES (${tenant}, ${id}, ${subject}, ${digest}, ${now}, ${now}, ${sessionIdleMinutes * 60_000}, ${expiresAt})`)
	await recordOf(tx, change, 'session.started', id, { subject })
	return { id, tenant, subject, secret: text, expiresAt }
}

export const sawSession = (tx: Tx, id: Id<'session'>, now: number): Promise<number> =>
	tx.run(sql`UPDATE session SET seen_at = ${now} WHERE tenant_id = ${tx.tenant} AND session_id = ${id} AND seen_at < ${now}`)

export const sawToken = (tx: Tx, id: Id<'token'>, now: number): Promise<number> =>
	tx.run(sql`UPDATE api_token SET last_used_at = ${now} WHERE tenant_id = ${tx.tenant} AND token_id = ${id} AND coalesce(last_used_at, 0) < ${now}`)

/** `of`: only if it is this person's. */
export async function endSession(tx: Tx, change: Change, id: Id<'session'>, of?: Id<'subject'>): Promise<void> {
	const row = await tx.first(
		sql<{ subject: Id<'subject'> }>`SELECT subject_id AS subject FROM session WHERE tenant_id = ${tx.tenant} AND session_id = ${id} FOR UPDATE`,
	)
	if (!row || (of !== undefined && row.subject !== of)) throw nothing('session')
	const ended = await tx.run(
		sql`UPDATE session SET ended_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND session_id = ${id} AND ended_at IS NULL`,
	)
	if (ended === 1) await recordOf(tx, change, 'session.ended', id, { subject: row.subject })
}

export interface SessionRecord {
	readonly id: Id<'session'>
	readonly createdAt: number
	readonly seenAt: number
	readonly expiresAt: number
}

/** Those that still count. */
export const sessionsOf = (db: Db, subject: Id<'subject'>, now: number): Promise<SessionRecord[]> =>
	db.rows(sql<SessionRecord>`SELECT session_id AS id, created_at AS "createdAt", seen_at AS "seenAt", expires_at AS "expiresAt" FROM session
		WHERE tenant_id = ${db.tenant} AND subject_id = ${subject} AND ended_at IS NULL AND expires_at > ${now} AND seen_at + idle_ms > ${now} ORDER BY created_at`)
