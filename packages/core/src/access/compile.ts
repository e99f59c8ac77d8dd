import type { Crypto } from '../base/index.ts'
import { type DenyReason, denyReason } from '../wire/index.ts'
import type { Bundle, PolicySet } from './bundle-schema.ts'
import type { EntityRef, LoadedPolicies, PolicyEngine, PolicyRefusal } from './policy-engine.ts'
import { entityRef, POLICY_SCHEMA } from './policy-schema.ts'

/** A bundle that is ready to decide. Release it when the next one is in force: the engine has a bounded number of places. */
export interface CompiledBundle {
	readonly bundle: Bundle
	readonly loaded: LoadedPolicies
	/** `@reason` by policy id, as far as it is one of the closed list; a forbid with any other means `policy-denied`. */
	readonly reasons: ReadonlyMap<string, DenyReason>
	readonly sha256: Crypto['sha256']
	release(): void
}

/**
 * Validates the policies against the schema and makes them ready. A refusal names set, line and column; nothing is then occupied.
 * `proven`: these very policies passed before, against this schema; a restart need not prove them again, which costs more than all else in it.
 */
export function compile(
	bundle: Bundle,
	given: { readonly engine: PolicyEngine; readonly sha256: Crypto['sha256']; readonly proven?: boolean },
): { readonly ok: true; readonly compiled: CompiledBundle } | PolicyRefusal {
	const answer = given.engine.load({ schema: POLICY_SCHEMA, sets: setsInScope(bundle), exists: entitiesHere(bundle), proven: given.proven ?? false })
	if (!answer.ok) return answer
	const { loaded } = answer
	const reasons = new Map<string, DenyReason>()
	for (const { id, reason } of loaded.policies) {
		const known = denyReason.safeParse(reason)
		if (known.success) reasons.set(id, known.data)
	}
	return { ok: true, compiled: { bundle, loaded, reasons, sha256: given.sha256, release: () => loaded.release() } }
}

/** The sets that may speak about this bank. */
const setsInScope = ({ policies, site, bank }: Bundle): PolicySet[] =>
	policies.sets.filter(({ scope }) => (scope?.site ?? site.id) === site.id && (scope?.bank ?? bank.id) === bank.id)

/** Everything that a question about this bank can name. */
function entitiesHere(bundle: Bundle): (entity: EntityRef) => boolean {
	const here = new Set(
		[
			...bundle.subjects.flatMap(({ id, groups }) => [entityRef('Person', id), ...groups.map((group) => entityRef('Group', group))]),
			...bundle.assets.flatMap(({ id, type }) => [entityRef('Asset', id), entityRef('AssetType', type)]),
			...bundle.bank.compartments.map(({ id }) => entityRef('Compartment', id)),
			entityRef('Bank', bundle.bank.id),
			entityRef('Site', bundle.site.id),
		].map(spell),
	)
	return (entity) => here.has(spell(entity))
}

const spell = ({ type, id }: EntityRef): string => `${type}::${id}`
