import { type Id, isId } from '@latchwork/core/base'
import type { Ended } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import * as visits from '@latchwork/core/visit'
import type { CaseEntry, Cases } from '../cases/index.ts'
import type { Journal } from '../journal/index.ts'
import type { AuthoritySource } from '../sync/authority.ts'
import type { TrustedTime } from '../time.ts'
import type { Choice, Intent } from './intents.ts'

type Visit = visits.Visit

/** Visits as they lie in the journal: what a door's end writes into them, and what a restart or the time makes of them. */
export interface VisitRecords {
	put(visit: Visit): { kind: string; key: string; body: Visit }
	/** The line, the visit and, when a person must look, the incident of one ended door session. */
	follow(end: Ended): CaseEntry[]
	/** The interrupted visit that this person may take up again. */
	resumable(subject: string): Visit | undefined
	/** Something promised whose door has not given it yet: a try that failed, or a visit that lost power. */
	unfinished(visit: Visit | undefined): { choice: Choice; intent: Intent }[]
	/** After a restart: resumable for 15 minutes (X11), or over when nothing is left to do. `live`: door sessions under way. */
	interrupt(left: Visit, live: ReadonlySet<string>): void
	/** Visits that are open although nobody is at them: no door of theirs is under way (`live`), and they are not the `current` one. */
	leftOver(current: Visit | undefined, live: ReadonlySet<string>): Visit[]
	/** Ends the interrupted visits whose 15 minutes are over. */
	expire(): void
}

export function visitRecords(parts: {
	readonly journal: Journal
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly time: TrustedTime
}): VisitRecords {
	const { journal, cases, time } = parts
	const all = () => [...journal.facts<Visit>('visit').values()]
	const put = (visit: Visit) => ({ kind: 'visit', key: visit.id, body: visit })

	const over = (left: Visit, events: readonly EventDraft[]): void => {
		const doors = left.plan.filter((s) => s.state === 'done').length
		journal.commit({
			events: [...events, { type: 'visit.ended', subject: left.id, actor: 'edge', data: { doors } }],
			drop: [{ kind: 'visit', key: left.id }],
			essential: true,
		})
	}

	return {
		put,
		follow(end) {
			const of = all().find((v) => v.plan.some((s) => s.doorSessions.includes(end.session.id)))
			const step = of?.plan.find((s) => s.doorSessions.includes(end.session.id))
			if (!of || !step) return []
			const settled = visits.settle(of, step.id, end.end)
			const entry = cases.settle(step.caseId, step.lineId, end)
			const data = { compartment: end.compartment, why: end.why, case: step.caseId }
			const events: EventDraft[] =
				end.end === 'ambiguous' ? [{ type: 'incident.opened', subject: end.session.id, actor: end.session.subject, data }] : []
			const item = end.end === 'committed' && isId('asset', end.session.item) ? end.session.item : undefined
			const used = item === undefined ? [] : [{ kind: 'asset-used', key: item, body: time.now() }]
			return [...(entry ? [entry] : []), { events, put: ['refused' in settled ? put(of) : put(settled), ...used], drop: [] }]
		},
		resumable: (subject) => all().find((v) => v.subject === subject && visits.resumable(v, time.now())),
		unfinished(visit) {
			const assets = new Map(parts.authority.current()?.bundle.assets.map((a) => [a.id as string, a]))
			return (visit?.plan ?? []).flatMap((s): { choice: Choice; intent: Intent }[] => {
				const line = s.act === 'collect' && s.state === 'planned' ? cases.waiting(s.caseId, s.lineId) : undefined
				const asset = assets.get(line?.asset ?? '')
				if (!line?.compartment || !asset) return []
				const compartment = line.compartment as Id<'compartment'>
				const item = { tag: asset.tag, kind: asset.kind, name: asset.name }
				return [
					{
						choice: { id: `resume:${s.id}`, kind: 'resume', item },
						intent: { kind: 'resume', caseId: s.caseId, lineId: s.lineId, asset, compartment },
					},
				]
			})
		},
		interrupt(left, live) {
			const cut = left.state === 'open' ? visits.interruptAtRestart(left, live, time.now()) : { visit: left, interrupted: [] }
			const actor = left.subject as Id<'subject'>
			const events = cut.interrupted.map(
				(s): EventDraft => ({ type: 'door-session.interrupted', subject: s.doorSession, actor, data: { visit: left.id } }),
			)
			if (visits.resumable(cut.visit, time.now())) journal.commit({ events, put: [put(cut.visit)], essential: true })
			else over(left, events)
		},
		leftOver: (current, live) =>
			all().filter((v) => v.state === 'open' && v.id !== current?.id && !v.plan.some((s) => live.has(s.doorSessions.at(-1) ?? ''))),
		expire() {
			for (const left of all()) if (left.state === 'interrupted' && !visits.resumable(left, time.now())) over(left, [])
		},
	}
}
