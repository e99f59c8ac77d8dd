import type { Id } from '../base/index.ts'

/**
 * What somebody may do through the API, and where (not at a door: that is `decide`). A role is a set of these names; an assignment gives a role
 * to a user or a group at a scope. Closed: a route that names another one does not compile.
 */
export const PERMISSIONS = {
	'estate.read': 'See sites, areas, banks, compartments and controllers.',
	'estate.manage': 'Add and change sites, areas, banks and compartments; take a compartment out of service.',
	'controller.manage': 'Enrol, renew and revoke controllers; restart them and fetch their logs.',
	'settings.manage': 'Change settings of the organisation, a site, an area or a bank.',
	'people.read': 'See people, groups and what kinds of credentials they hold.',
	'people.manage': 'Add, change and remove people and groups.',
	'credential.manage': 'Give and revoke badges and PINs.',
	'approval.give': 'Let somebody else take things of a type for a while, where a policy asks for it.',
	'role.read': 'See roles and who holds them.',
	'role.assign': 'Define roles, give them and take them away.',
	'policy.read': 'See site policies and their versions.',
	'policy.draft': 'Write drafts of site policies; they decide nothing.',
	'policy.review': 'Approve or reject drafts that others wrote.',
	'policy.publish': 'Put site policies in force, take them out of force and bring earlier ones back.',
	'decision.read': 'See what banks allowed and refused, and to whom.',
	'door.open.remote': 'Open a compartment from afar, with a reason.',
	'door.break-glass':
		'In an emergency: open occupied compartments of a bank from afar without a second person, for minutes, with a reason and a review by somebody else.',
	'case.read': 'See loans, deliveries and other cases.',
	'case.manage': 'Start, correct and close cases; settle conflicts and tasks.',
	'case.extend': 'Give more time to collect.',
	'asset.read': 'See assets and who holds them.',
	'asset.manage': 'Add, change and retire assets.',
	'delivery.create': 'Announce deliveries and reserve space for them.',
	'audit.read': 'Read the ledger, its checkpoints and proofs.',
	'audit.read.person': 'Read all that is recorded of one person: what they did, and what was done to them, their badges, PINs and cases.',
	'audit.export': 'Export the ledger.',
	'event.read': 'Follow live events.',
	'token.manage': 'Make and revoke API tokens of others.',
} as const
export type Permission = keyof typeof PERMISSIONS
export const isPermission = (text: unknown): text is Permission => typeof text === 'string' && Object.hasOwn(PERMISSIONS, text)

/** Where an assignment holds: there and at everything inside. */
export type Scope =
	| { readonly kind: 'tenant' }
	| { readonly kind: 'site'; readonly id: Id<'site'> }
	| { readonly kind: 'area'; readonly id: Id<'area'> }
	| { readonly kind: 'bank'; readonly id: Id<'bank'> }

/** A point in the estate with all that it lies in: a bank names its site (and area); `{}` is the organisation itself. */
export interface Place {
	readonly site?: Id<'site'>
	readonly area?: Id<'area'>
	readonly bank?: Id<'bank'>
}

/** One role, held at one scope. */
export interface Holding {
	readonly scope: Scope
	readonly permissions: ReadonlySet<Permission>
}

/** Who asks, with everything that was granted. `limits`: an API token that carries less than its owner may do. */
export interface Caller {
	readonly kind: 'session' | 'token'
	readonly tenant: Id<'tenant'>
	readonly subject: Id<'subject'>
	/** The session or token itself, so that it can be ended and its use recorded. */
	readonly via: Id<'session'> | Id<'token'>
	readonly holdings: readonly Holding[]
	readonly limits?: ReadonlySet<Permission>
}

/** Whether the caller may do this at the place. Pure and quick: everything was loaded when the request began. */
export function mayDo(caller: Caller, permission: Permission, place: Place): boolean {
	return scopesOf(caller, permission).some((scope) => covers(scope, place))
}

/** Where the caller may do this: what a list is narrowed to. Empty: nowhere. */
export function scopesOf({ holdings, limits }: Caller, permission: Permission): readonly Scope[] {
	if (limits && !limits.has(permission)) return []
	return holdings.filter((one) => one.permissions.has(permission)).map((one) => one.scope)
}

export function covers(scope: Scope, place: Place): boolean {
	return scope.kind === 'tenant' || place[scope.kind] === scope.id
}

/** What came with the product. A tenant adds roles of its own; these stay as they are. */
export const BUILT_IN_ROLES = {
	owner: Object.keys(PERMISSIONS) as Permission[],
	'tenant-administrator': (Object.keys(PERMISSIONS) as Permission[]).filter((one) => one !== 'audit.export'),
	'site-manager': [
		'estate.read',
		'estate.manage',
		'controller.manage',
		'settings.manage',
		'people.read',
		'people.manage',
		'credential.manage',
		'approval.give',
		'role.read',
		'policy.read',
		'policy.draft',
		'policy.review',
		'decision.read',
		'door.open.remote',
		'door.break-glass',
		'case.read',
		'case.manage',
		'case.extend',
		'asset.read',
		'asset.manage',
		'delivery.create',
		'audit.read',
		'event.read',
	],
	'desk-staff': [
		'estate.read',
		'people.read',
		'credential.manage',
		'door.open.remote',
		'decision.read',
		'case.read',
		'case.manage',
		'case.extend',
		'asset.read',
		'asset.manage',
		'delivery.create',
		'event.read',
	],
	security: [
		'estate.read',
		'people.read',
		'credential.manage',
		'case.read',
		'asset.read',
		'decision.read',
		'audit.read',
		'audit.read.person',
		'event.read',
	],
	'privacy-officer': ['estate.read', 'people.read', 'people.manage', 'role.read', 'decision.read', 'audit.read', 'audit.read.person'],
	technician: ['estate.read', 'controller.manage', 'door.open.remote', 'event.read'],
	auditor: [
		'estate.read',
		'people.read',
		'role.read',
		'policy.read',
		'decision.read',
		'case.read',
		'asset.read',
		'audit.read',
		'audit.read.person',
		'audit.export',
		'event.read',
	],
	courier: ['delivery.create'],
	integrator: ['estate.read', 'case.read', 'asset.read', 'asset.manage', 'delivery.create', 'event.read'],
	kiosk: ['estate.read'],
} as const satisfies Readonly<Record<string, readonly Permission[]>>
export type BuiltInRole = keyof typeof BUILT_IN_ROLES
