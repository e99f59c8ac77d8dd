import { localTime } from '../base/index.ts'
import type { Assurance, Bundle } from './bundle-schema.ts'
import type { CompiledBundle } from './compile.ts'
import type { AccessRequest, AccessResource, Moment } from './decision.ts'
import { entriesOf } from './directory.ts'
import type { Entity, EntityRef, PolicyQuestion, PolicyValue } from './policy-engine.ts'
import { entityRef } from './policy-schema.ts'
import { isOpen } from './schedule.ts'

const LEVEL: Readonly<Record<Assurance, number>> = { low: 1, medium: 2, high: 3 }

/** The question in the words of `POLICY_SCHEMA`, with only the entities that can matter for it (stack.md: sliced entities). */
export function policyQuestion({ bundle }: CompiledBundle, request: AccessRequest, at: Moment, stale: boolean): PolicyQuestion {
	const principal = entityRef('Person', request.subject)
	const groups = entriesOf(bundle).subjects.get(request.subject)?.groups ?? []
	const bank = entityRef('Bank', bundle.bank.id)
	const resource = resourceEntity(bundle, request.resource, bank)
	return {
		principal,
		action: entityRef('Action', request.action),
		resource: resource.uid,
		context: circumstances(bundle, request, at, stale),
		entities: [
			{ uid: principal, attrs: {}, parents: groups.map((group) => entityRef('Group', group)) },
			{ uid: bank, attrs: {}, parents: [entityRef('Site', bundle.site.id)] },
			...(resource.uid.type === bank.type ? [] : [resource]),
		],
	}
}

/** An item or compartment that the bundle does not know stands alone: no rule about types, banks or sites can reach it. */
function resourceEntity(bundle: Bundle, resource: AccessResource, bank: EntityRef): Entity {
	if (resource.kind === 'bank') return { uid: bank, attrs: {}, parents: [] }
	if (resource.kind === 'asset') {
		const asset = entriesOf(bundle).assets.get(resource.id)
		const attrs = { kind: asset?.kind ?? 'other', valueClass: asset?.valueClass ?? 'high' }
		return { uid: entityRef('Asset', resource.id), attrs, parents: asset ? [entityRef('AssetType', asset.type), bank] : [] }
	}
	const compartment = entriesOf(bundle).compartments.get(resource.id)
	const attrs = { number: compartment?.number ?? 0, size: compartment?.size ?? 'S', accessible: compartment?.accessible ?? false }
	return { uid: entityRef('Compartment', resource.id), attrs, parents: compartment ? [bank] : [] }
}

function circumstances(bundle: Bundle, request: AccessRequest, { now, uncertain }: Moment, stale: boolean): Record<string, PolicyValue> {
	const { minuteOfDay, weekday } = localTime(now, bundle.site.timeZone)
	const hours = bundle.settings.openingHours
	const { subjects, assets } = entriesOf(bundle)
	const person = subjects.get(request.subject)
	const asset = request.resource.kind === 'asset' ? assets.get(request.resource.id) : undefined
	/** What ends at some time has ended as far as anybody knows while the clock is uncertain. */
	const lasts = (until: number | undefined) => until === undefined || (!uncertain && now < until)
	const open = uncertain ? [] : bundle.policies.schedules.filter((schedule) => isOpen(schedule, now)).map(({ id }) => id)
	return {
		method: request.method,
		assurance: request.assurance,
		assuranceLevel: LEVEL[request.assurance],
		offline: request.offline,
		storageLevel: request.storageLevel,
		stale,
		withinHours: hours === undefined || open.includes(hours),
		openSchedules: open,
		clockUncertain: uncertain,
		minuteOfDay,
		weekday,
		openLoans: request.openLoans,
		overdue: request.overdue,
		qualifications: (person?.qualifications ?? []).filter(({ until }) => lasts(until)).map(({ code }) => code),
		approvals: (person?.approvals ?? []).filter(({ type, until }) => type === asset?.type && lasts(until)).length,
		workflow: request.workflow,
	}
}
