import { instantAt, minutes } from '../../base/index.ts'
import type { CompiledBundle } from '../compile.ts'
import { decide } from '../decide.ts'
import type { AccessDecision, AccessRequest, AccessResource, Moment } from '../decision.ts'
import type { DecisionRow } from '../decisions.table.ts'
import { SAMPLE_ASSETS, sampleId } from './sample-bundle.ts'

/** Asks the question of a table row. Answers undefined when the answer is the row's, else what it was instead, in words. */
export function rowMismatch(compiled: CompiledBundle, row: DecisionRow): string | undefined {
	const answer = askRow(compiled, row)
	const outcome = answer.effect === 'allow' ? 'allow' : answer.reason
	if (outcome !== row.outcome) return `${outcome} (${answer.decision.rules.join()}) instead of ${row.outcome}`
	return answer.decision.rules.join() === row.rules.join() ? undefined : `decided by ${answer.decision.rules.join()} instead of ${row.rules.join()}`
}

export function askRow(compiled: CompiledBundle, row: DecisionRow): AccessDecision {
	const { bundle } = compiled
	// A lease that ran out says something only where one is required.
	const asked =
		row.authority === 'lease-expired' ? { ...compiled, bundle: { ...bundle, settings: { ...bundle.settings, leaseRequired: true } } } : compiled
	return decide(asked, rowRequest(row), rowMoment(compiled, row))
}

export function rowRequest(row: DecisionRow): AccessRequest {
	return {
		decision: sampleId('decision', 'row'),
		subject: sampleId('subject', row.who),
		credential: sampleId('credential', `${row.who}-${row.by ?? 'badge'}`),
		method: row.by ?? 'badge',
		assurance: row.assurance ?? 'low',
		action: row.does,
		resource: rowResource(row.what),
		workflow: row.workflow ?? 'loan',
		offline: row.offline ?? false,
		storageLevel: row.storageLevel ?? 0,
		openLoans: row.openLoans ?? 0,
		overdue: row.overdue ?? false,
		intoEmptyCompartment: row.empty ?? false,
		...(row.own && { own: true as const }),
	}
}

function rowResource(what: DecisionRow['what']): AccessResource {
	if (what === 'bank') return { kind: 'bank' }
	if (what === 'compartment') return { kind: 'compartment', id: sampleId('compartment', '3') }
	return { kind: 'asset', id: sampleId('asset', what in SAMPLE_ASSETS ? what : 'nobody-knows-it') }
}

function rowMoment({ bundle }: CompiledBundle, { at = '2026-01-05T10:00', authority, clock, leaseAge = 1 }: DecisionRow): Moment {
	const [date = '', time = ''] = at.split('T')
	const asked = instantAt(Date.parse(`${date}T12:00Z`), bundle.site.timeZone, 0, minutes(time))
	const now = authority === 'bundle-expired' ? bundle.expiresAt : asked
	const lease = {
		format: 'latchwork-lease/1',
		bank: bundle.bank.id,
		bundleVersion: bundle.version,
		issuedAt: now - leaseAge * 60_000,
		until: now + 60_000,
	} as const
	const uncertain = clock === 'uncertain'
	switch (authority) {
		case 'stale':
			return { now, uncertain }
		case 'superseded':
			return { now, uncertain, lease: { ...lease, bundleVersion: bundle.version + 1 } }
		case 'lease-expired':
			return { now, uncertain, lease: { ...lease, until: now } }
		default:
			return { now, uncertain, lease }
	}
}
