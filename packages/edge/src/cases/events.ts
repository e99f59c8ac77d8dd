import type { Id } from '@latchwork/core/base'
import type { EventDraft, EventType } from '@latchwork/core/ledger'
import { type Case, type Effected, movedData, type Stepped, type Told } from '@latchwork/core/workflow'

type States = Readonly<Record<string, EventType>>

/** Milestones as events of their own (api.md §4.3), by workflow and by the state of the case, or of a line, that they lead to. */
const MILESTONES: Readonly<Record<string, { readonly case: States; readonly line?: States }>> = {
	loan: {
		case: {
			allotted: 'loan.allotted',
			'on-loan': 'loan.started',
			extended: 'loan.extended',
			'due-soon': 'loan.due-soon',
			overdue: 'loan.overdue',
			escalated: 'loan.escalated',
			lost: 'loan.lost',
			disputed: 'loan.disputed',
			returned: 'loan.returned',
			'returned-unverified': 'loan.returned',
		},
	},
	delivery: {
		case: {
			ready: 'delivery.ready',
			expiring: 'delivery.expiring',
			expired: 'delivery.expired',
			recalled: 'delivery.recalled',
			collected: 'delivery.collected',
			removed: 'delivery.collected-expired',
		},
		line: { deposited: 'delivery.deposited', 'not-deposited': 'delivery.not-deposited', misplaced: 'delivery.misplaced' },
	},
}

/** What one step of a case is on record as: its moves with what they were made of, the milestone it reached, and what follows for others. */
export function eventsOf(before: Case | undefined, stepped: Stepped & { readonly told: Told }, actor?: Id<'subject'>): EventDraft[] {
	const by = actor ?? ('edge' as const)
	const { id, workflow } = stepped.case
	const moved = movedData(stepped, stepped.told).map((data): EventDraft => ({ type: 'case.moved', subject: id, actor: by, data }))
	return [
		...moved,
		...lineMilestones(stepped, MILESTONES[workflow]?.line ?? {}, by),
		...caseMilestone(before, stepped, MILESTONES[workflow]?.case ?? {}, by),
		...stepped.effects.flatMap((effect) => eventOf(effect, stepped.case, by)),
	]
}

function caseMilestone(before: Case | undefined, { case: of, moves }: Stepped, known: States, actor: Id<'subject'> | 'edge'): EventDraft[] {
	const last = moves.filter((m) => m.line === undefined).at(-1)?.to
	const type = last === undefined || last === before?.state ? undefined : known[last]
	const due = of.deadlines.due ?? of.deadlines['collect-by']
	return type ? [{ type, subject: of.id, actor, data: { state: last ?? '', ...(due !== undefined && { due }) } }] : []
}

function lineMilestones({ case: of, moves }: Stepped, known: States, actor: Id<'subject'> | 'edge'): EventDraft[] {
	return moves.flatMap(({ line, from, to }): EventDraft[] => {
		const type = line === undefined || from === to ? undefined : known[to]
		// Taken out and put back in place by the same door: that it is here is no news.
		if (!type || line === undefined || (to === 'deposited' && ['collecting', 'expired'].includes(from))) return []
		const compartment = of.lines.find((l) => l.id === line)?.compartment
		return [{ type, subject: of.id, actor, data: { line, ...(compartment !== undefined && { compartment }) } }]
	})
}

/** Effects that are facts for others; the door reducer has already freed or quarantined the compartment, deadlines live in the case. */
function eventOf(effect: Effected, of: Case, actor: Id<'subject'> | 'edge'): EventDraft[] {
	if (effect.effect === 'custody') {
		const asset = of.lines.find((line) => line.id === effect.line)?.asset
		const data = { case: of.id, line: effect.line, from: effect.from, to: effect.to }
		return [{ type: 'custody.transferred', subject: asset ?? effect.line, actor, data }]
	}
	if (effect.effect === 'task') return [{ type: 'task.created', subject: of.id, actor: 'edge', data: { kind: effect.about ?? 'check' } }]
	return []
}
