import {
	BUILT_IN_ROLES,
	type BuiltInRole,
	type Caller,
	covers,
	type Holding,
	isPermission,
	type Permission,
	type Place,
	type Scope,
} from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { bankIds, findArea, findSite, placeOf } from '../estate/index.ts'
import { type Shown, shownSession, shownToken } from '../people/index.ts'
import { type Db, sql } from '../store/index.ts'

const isBuiltIn = (role: string): role is BuiltInRole => Object.hasOwn(BUILT_IN_ROLES, role)

interface HeldRow {
	readonly role: string
	readonly permissions: unknown
	readonly kind: Scope['kind']
	readonly id: string
}

/**
 * Everything that was given to the person or to a group of theirs. Read with each request, so a change counts from the next one on. `now`: without what
 * has run out by then.
 */
export async function holdingsOf(db: Db, subject: Id<'subject'>, now?: number): Promise<Holding[]> {
	const rows = await db.rows(sql<HeldRow>`SELECT a.role, r.permissions, a.scope_kind AS kind, a.scope_id AS id FROM role_assignment a
		LEFT JOIN role r ON r.tenant_id = a.tenant_id AND r.role_id = a.role
		WHERE a.tenant_id = ${db.tenant} AND (a.subject_id = ${subject}
			OR a.group_id IN (SELECT m.group_id FROM membership m WHERE m.tenant_id = a.tenant_id AND m.subject_id = ${subject}))
			${now === undefined ? sql`` : sql`AND (a.until IS NULL OR a.until > ${now})`}`)
	return rows.map(({ role, permissions, kind, id }) => ({ scope: scopeFrom(kind, id), permissions: permissionSet(role, permissions) }))
}

/** What members of a group get from it. */
export async function holdingsOfGroup(db: Db, group: Id<'group'>): Promise<Holding[]> {
	const rows = await db.rows(sql<HeldRow>`SELECT a.role, r.permissions, a.scope_kind AS kind, a.scope_id AS id FROM role_assignment a
		LEFT JOIN role r ON r.tenant_id = a.tenant_id AND r.role_id = a.role WHERE a.tenant_id = ${db.tenant} AND a.group_id = ${group}`)
	return rows.map(({ role, permissions, kind, id }) => ({ scope: scopeFrom(kind, id), permissions: permissionSet(role, permissions) }))
}

/** The roles by which somebody may do this there, as they are called: what another person may know of them. */
export async function rolesFor(db: Db, subject: Id<'subject'>, permission: Permission, place: Place, now: number): Promise<string[]> {
	const rows = await db.rows(sql<HeldRow & { name: string | null }>`SELECT a.role, r.name, r.permissions, a.scope_kind AS kind, a.scope_id AS id
		FROM role_assignment a LEFT JOIN role r ON r.tenant_id = a.tenant_id AND r.role_id = a.role
		WHERE a.tenant_id = ${db.tenant} AND (a.until IS NULL OR a.until > ${now}) AND (a.subject_id = ${subject}
			OR a.group_id IN (SELECT m.group_id FROM membership m WHERE m.tenant_id = a.tenant_id AND m.subject_id = ${subject})) ORDER BY a.role`)
	const fitting = rows.filter(
		({ role, permissions, kind, id }) => permissionSet(role, permissions).has(permission) && covers(scopeFrom(kind, id), place),
	)
	return [...new Set(fitting.map(({ role, name }) => name ?? role))]
}

/** Who may open from afar, and where. */
export async function openersOf(
	db: Db,
	now: number,
	only?: readonly Id<'subject'>[],
): Promise<{ readonly subject: Id<'subject'>; readonly scope: Scope }[]> {
	const rows = await db.rows(sql<
		HeldRow & { subject: Id<'subject'> }
	>`SELECT p.subject_id AS subject, a.role, r.permissions, a.scope_kind AS kind, a.scope_id AS id
		FROM role_assignment a LEFT JOIN role r ON r.tenant_id = a.tenant_id AND r.role_id = a.role
		LEFT JOIN membership m ON m.tenant_id = a.tenant_id AND m.group_id = a.group_id
		JOIN person p ON p.tenant_id = a.tenant_id AND p.subject_id = coalesce(a.subject_id, m.subject_id) AND p.erased_at IS NULL AND NOT p.suspended
		WHERE a.tenant_id = ${db.tenant} AND (a.until IS NULL OR a.until > ${now})
			${only ? sql`AND p.subject_id = ANY(${[...only]}::text[])` : sql``} ORDER BY p.subject_id, a.assignment_id`)
	return rows.flatMap(({ subject, role, permissions, kind, id }) =>
		permissionSet(role, permissions).has('door.open.remote') ? [{ subject, scope: scopeFrom(kind, id) }] : [],
	)
}

const BUILT_IN_SETS = new Map(Object.entries(BUILT_IN_ROLES).map(([name, all]) => [name, new Set<Permission>(all)]))
const NONE: ReadonlySet<Permission> = new Set()

/** A name that this release does not know any more gives nothing. */
const permissionSet = (role: string, permissions: unknown): ReadonlySet<Permission> =>
	isBuiltIn(role) ? (BUILT_IN_SETS.get(role) ?? NONE) : Array.isArray(permissions) ? new Set(permissions.filter(isPermission)) : NONE

const scopeFrom = (kind: Scope['kind'], id: string): Scope => (kind === 'tenant' ? { kind } : ({ kind, id } as Scope))

/** The scope with all that it lies in; undefined: there is no such place. */
export async function placeOfScope(db: Db, scope: Scope): Promise<Place | undefined> {
	if (scope.kind === 'tenant') return {}
	if (scope.kind === 'site') return (await findSite(db, scope.id)) && { site: scope.id }
	if (scope.kind === 'bank') return placeOf(db, scope.id)
	const area = await findArea(db, scope.id)
	return area && { site: area.site, area: area.id }
}

/** Banks that lie in the scopes; undefined: everywhere. */
export async function banksWithin(db: Db, scopes: readonly Scope[]): Promise<readonly Id<'bank'>[] | undefined> {
	if (scopes.some(({ kind }) => kind === 'tenant')) return undefined
	const found = new Set<Id<'bank'>>()
	for (const scope of scopes)
		for (const bank of scope.kind === 'tenant' ? [] : scope.kind === 'bank' ? [scope.id] : await bankIds(db, { [scope.kind]: scope.id }))
			found.add(bank)
	return [...found]
}

export interface Known {
	readonly caller: Caller
	readonly seenAt: number
}

/** Who shows this digest, with everything granted. Undefined: unknown, ended, expired, revoked, or of somebody who is suspended. */
export async function callerOf(db: Db, kind: 'session' | 'token', digest: string, now: number): Promise<Known | undefined> {
	const shown: Shown | undefined = await (kind === 'session' ? shownSession : shownToken)(db, digest, now)
	if (!shown) return undefined
	const { subject, via, limits, seenAt } = shown
	const caller: Caller = {
		kind,
		tenant: db.tenant as Id<'tenant'>,
		subject,
		via,
		holdings: await holdingsOf(db, subject, now),
		...(limits && { limits: new Set(limits) }),
	}
	return { caller, seenAt }
}

export interface Role {
	readonly id: string
	readonly name: string
	readonly permissions: readonly Permission[]
	readonly builtIn: boolean
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
}

const builtIn = (name: BuiltInRole): Role => ({
	id: name,
	name,
	permissions: BUILT_IN_ROLES[name],
	builtIn: true,
	version: 1,
	createdAt: 0,
	updatedAt: 0,
})

/** Those that came with the product first. */
export async function listRoles(db: Db): Promise<Role[]> {
	const own = await db.rows(sql<
		Omit<Role, 'builtIn'>
	>`SELECT role_id AS id, name, permissions, version, created_at AS "createdAt", updated_at AS "updatedAt"
		FROM role WHERE tenant_id = ${db.tenant} ORDER BY name`)
	return [
		...(Object.keys(BUILT_IN_ROLES) as BuiltInRole[]).map(builtIn),
		...own.map((role) => ({ ...role, permissions: role.permissions.filter(isPermission), builtIn: false })),
	]
}

export const findRole = async (db: Db, id: string): Promise<Role | undefined> => (await listRoles(db)).find((role) => role.id === id)

export interface Assignment {
	readonly id: Id<'roleAssignment'>
	readonly role: string
	readonly user: Id<'subject'> | null
	readonly group: Id<'group'> | null
	readonly scope: Scope
	/** Null: until it is taken away. */
	readonly until: number | null
	readonly createdAt: number
}

interface AssignmentRow extends Omit<Assignment, 'scope'> {
	readonly kind: Scope['kind']
	readonly place: string
}

export async function listAssignments(
	db: Db,
	of: { id?: Id<'roleAssignment'>; user?: Id<'subject'> | undefined; group?: Id<'group'> | undefined; role?: string | undefined } = {},
	{ after = '', limit }: { after?: string | undefined; limit?: number } = {},
): Promise<Assignment[]> {
	const rows =
		await db.rows(sql<AssignmentRow>`SELECT assignment_id AS id, role, subject_id AS "user", group_id AS "group", scope_kind AS kind, scope_id AS place, until, created_at AS "createdAt"
		FROM role_assignment WHERE tenant_id = ${db.tenant} ${of.id ? sql`AND assignment_id = ${of.id}` : sql``} ${of.user ? sql`AND subject_id = ${of.user}` : sql``}
		${of.group ? sql`AND group_id = ${of.group}` : sql``} ${of.role ? sql`AND role = ${of.role}` : sql``} AND assignment_id > ${after} ORDER BY assignment_id
		${limit === undefined ? sql`` : sql`LIMIT ${limit}`}`)
	return rows.map(({ kind, place, ...rest }) => ({ ...rest, scope: scopeFrom(kind, place) }))
}

/** When the next role runs out by itself. */
export const nextRoleEnd = async (db: Db, now: number): Promise<number | undefined> =>
	(await db.first<{ at: number | null }>(sql`SELECT min(until) AS at FROM role_assignment WHERE tenant_id = ${db.tenant} AND until > ${now}`))?.at ??
	undefined
