import { type Caller, covers, type Holding, type Permission, type Place, type Scope, scopesOf } from '@latchwork/core/access'
import { defined, Fault, type Id, newId } from '@latchwork/core/base'
import { type Change, markBundles, unchangedSince } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import type { Rights } from '../people/index.ts'
import { type Db, sql, type Tx } from '../store/index.ts'
import { type Assignment, findRole, holdingsOf, holdingsOfGroup, listAssignments, placeOfScope, type Role } from './read.ts'

/** The one permission that banks have to know of: whoever opens from afar is judged at the door once more. */
const AT_THE_DOOR: Permission = 'door.open.remote'

export interface RoleFields {
	readonly name: string
	readonly permissions: readonly Permission[]
}

/** Nobody makes a role of what they may not do themselves, for then they could give it to themselves. */
export async function createRole(tx: Tx, change: Change, { name, permissions }: RoleFields): Promise<Role> {
	const { now, random } = change
	const id = newId('role', now, random)
	const made = await tx.run(sql`INSERT INTO role (tenant_id, role_id, name, permissions, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${name}, ${JSON.stringify(permissions)}::jsonb, 1, ${now}, ${now}) ON CONFLICT (tenant_id, name) DO NOTHING`)
	if (made === 0) throw nameTaken(name)
	await append(tx, [{ type: 'role.created', subject: id, actor: change.actor, data: { permissions: [...permissions] } }], { now, random })
	return (await findRole(tx, id)) as Role
}

export async function changeRole(tx: Tx, change: Change, id: string, ifMatch: number, patch: Partial<RoleFields>): Promise<Role> {
	const before = await lockRole(tx, id, ifMatch)
	const { name, permissions } = { ...before, ...defined(patch) }
	const taken = await tx.first(sql`SELECT 1 FROM role WHERE tenant_id = ${tx.tenant} AND name = ${name} AND role_id <> ${id}`)
	if (taken) throw nameTaken(name)
	await tx.run(sql`UPDATE role SET name = ${name}, permissions = ${JSON.stringify(permissions)}::jsonb, version = version + 1, updated_at = ${change.now}
		WHERE tenant_id = ${tx.tenant} AND role_id = ${id}`)
	const { now, random, actor } = change
	await append(tx, [{ type: 'role.changed', subject: id, actor, data: { permissions: [...permissions], version: before.version + 1 } }], {
		now,
		random,
	})
	if (before.permissions.includes(AT_THE_DOOR) !== permissions.includes(AT_THE_DOOR)) await markBundles(tx, now)
	return (await findRole(tx, id)) as Role
}

export async function removeRole(tx: Tx, { now, random, actor }: Change, id: string, ifMatch: number): Promise<void> {
	await lockRole(tx, id, ifMatch)
	const held = await listAssignments(tx, { role: id })
	if (held.length > 0) throw new Fault('request-refused', `The role is still held ${held.length} times. Take it away there first.`)
	await tx.run(sql`DELETE FROM role WHERE tenant_id = ${tx.tenant} AND role_id = ${id}`)
	await append(tx, [{ type: 'role.removed', subject: id, actor, data: {} }], { now, random })
}

export interface AssignmentFields {
	readonly role: string
	readonly user?: Id<'subject'> | undefined
	readonly group?: Id<'group'> | undefined
	readonly scope: Scope
	/** It ends by itself then. */
	readonly until?: number | undefined
}

/** `by`: whoever gives it must hold all of it there; undefined for what the server itself sets up. */
export async function assignRole(tx: Tx, change: Change, { role, user, group, scope, until }: AssignmentFields, by?: Caller): Promise<Assignment> {
	const { now, random, actor } = change
	const given = await findRole(tx, role)
	if (!given) throw new Fault('request-invalid', 'body.role: there is no such role.', { detail: { field: 'body.role' } })
	const place = await placeOfScope(tx, scope)
	if (!place) throw new Fault('request-invalid', `body.scope: there is no such ${scope.kind}.`, { detail: { field: 'body.scope' } })
	if (by) mustHold(by, [{ scope, permissions: new Set(given.permissions) }], place)
	const holder = user ?? group
	if ((user === undefined) === (group === undefined) || holder === undefined)
		throw new Fault('request-invalid', 'body: name a user or a group, and not both.', { detail: { field: 'body' } })
	await lockHolder(tx, user, group)
	if (until !== undefined && until <= now) throw new Fault('request-invalid', 'body.until: lies in the past.', { detail: { field: 'body.until' } })
	const id = newId('roleAssignment', now, random)
	const scopeId = scope.kind === 'tenant' ? '' : scope.id
	// One that has run out stands in nobody's way.
	await tx.run(sql`DELETE FROM role_assignment WHERE tenant_id = ${tx.tenant} AND role = ${role} AND coalesce(subject_id, group_id) = ${holder}
		AND scope_kind = ${scope.kind} AND scope_id = ${scopeId} AND until <= ${now}`)
	const made =
		await tx.run(sql`INSERT INTO role_assignment (tenant_id, assignment_id, role, subject_id, group_id, scope_kind, scope_id, until, created_at, created_by)
		VALUES (${tx.tenant}, ${id}, ${role}, ${user ?? null}, ${group ?? null}, ${scope.kind}, ${scopeId}, ${until ?? null}, ${now}, ${actor}) ON CONFLICT DO NOTHING`)
	if (made === 0) throw new Fault('already-exists', 'This role was given there already.')
	await append(
		tx,
		[
			{
				type: 'role.assigned',
				subject: holder,
				actor,
				...(place.site && { site: place.site }),
				...(place.bank && { bank: place.bank }),
				data: { assignment: id, role, scope: { ...scope }, ...(until !== undefined && { until }) },
			},
		],
		{ now, random },
	)
	if (given.permissions.includes(AT_THE_DOOR)) await markBundles(tx, now, place)
	return (await listAssignments(tx, { id }))[0] as Assignment
}

export async function revokeRole(tx: Tx, { now, random, actor }: Change, id: Id<'roleAssignment'>, by?: Caller): Promise<void> {
	const [found] = await listAssignments(tx, { id })
	if (!found) throw new Fault('not-found', 'There is no such role assignment.')
	const place = (await placeOfScope(tx, found.scope)) ?? {}
	if (by) mustHold(by, [{ scope: found.scope, permissions: new Set((await findRole(tx, found.role))?.permissions ?? []) }], place)
	await tx.run(sql`DELETE FROM role_assignment WHERE tenant_id = ${tx.tenant} AND assignment_id = ${id}`)
	await stillOwned(tx)
	await append(tx, [{ type: 'role.revoked', subject: (found.user ?? found.group) as string, actor, data: { assignment: id, role: found.role } }], {
		now,
		random,
	})
	await markBundles(tx, now, place)
}

/** "owner" on the keys of a telephone. */
const OWNERS = 69_637

/**
 * The last owner stays: somebody has to be able to give roles. Asked after the change, one transaction of the organisation at a time, so that two
 * owners cannot take it from each other at once.
 */
async function stillOwned(tx: Tx): Promise<void> {
	await tx.run(sql`SELECT pg_advisory_xact_lock(${OWNERS}, hashtext(${tx.tenant}))`)
	const owner = await tx.first(sql`SELECT 1 FROM person p WHERE p.tenant_id = ${tx.tenant} AND NOT p.suspended AND p.erased_at IS NULL AND EXISTS (
		SELECT FROM role_assignment a WHERE a.tenant_id = p.tenant_id AND a.role = 'owner' AND a.scope_kind = 'tenant' AND a.until IS NULL AND (a.subject_id = p.subject_id
			OR a.group_id IN (SELECT m.group_id FROM membership m WHERE m.tenant_id = p.tenant_id AND m.subject_id = p.subject_id)))`)
	if (!owner) throw new Fault('request-refused', 'This would leave the organisation without an owner. Make somebody else owner first.')
}

/** Joining a group is getting what it holds: whoever lets somebody in must hold that too. */
async function mayLetIn(db: Db, by: Caller, group: Id<'group'>): Promise<void> {
	for (const holding of await holdingsOfGroup(db, group)) mustHold(by, [holding], (await placeOfScope(db, holding.scope)) ?? {})
}

/** Whoever can be somebody can do what that one may: setting a password asks for all of it. */
async function mayActAs(db: Db, by: Caller, subject: Id<'subject'>): Promise<void> {
	for (const holding of await holdingsOf(db, subject)) mustHold(by, [holding], (await placeOfScope(db, holding.scope)) ?? {}, MORE_THAN_YOU)
}

const MORE_THAN_YOU = 'This person may do what you may not, and somebody has to act who may do it too'

/** Throws `not-permitted` when the caller lacks at the place one of the permissions that are given. */
export function mustHold(by: Caller, holdings: readonly Holding[], place: Place, text = 'You cannot give what you do not hold there yourself'): void {
	for (const { permissions } of holdings)
		for (const permission of permissions)
			if (!scopesOf(by, permission).some((scope) => covers(scope, place)))
				throw new Fault('not-permitted', `${text}: ${permission}.`, { detail: { permission } })
}

async function lockHolder(tx: Tx, user: Id<'subject'> | undefined, group: Id<'group'> | undefined): Promise<void> {
	const found = user
		? await tx.first(sql`SELECT 1 FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${user} AND erased_at IS NULL FOR SHARE`)
		: await tx.first(sql`SELECT 1 FROM person_group WHERE tenant_id = ${tx.tenant} AND group_id = ${group} FOR SHARE`)
	const field = user ? 'user' : 'group'
	if (!found) throw new Fault('request-invalid', `body.${field}: there is no such ${field}.`, { detail: { field: `body.${field}` } })
}

async function lockRole(tx: Tx, id: string, ifMatch: number): Promise<Role> {
	await tx.run(sql`SELECT 1 FROM role WHERE tenant_id = ${tx.tenant} AND role_id = ${id} FOR UPDATE`)
	const before = await findRole(tx, id)
	if (!before) throw new Fault('not-found', 'There is no such role.')
	if (before.builtIn) throw new Fault('request-refused', 'This role came with the product and stays as it is. Make one of your own.')
	unchangedSince(ifMatch, before)
	return before
}

const nameTaken = (name: string) => new Fault('already-exists', `There is a role called ${name} already.`, { detail: { field: 'body.name' } })

/** For people, who stand to the left. */
export const rights: Rights = { mayLetIn, mayActAs, stillOwned }
