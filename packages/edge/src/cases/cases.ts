import { dueTime } from '@latchwork/core/access'
import { type Id, newId, type Random } from '@latchwork/core/base'
import type { Ended } from '@latchwork/core/door'
import type { EventDraft, EventType } from '@latchwork/core/ledger'
import {
	type Act,
	type Case,
	type Effected,
	type Env,
	type Evidence,
	type Facts,
	type Input,
	type Line,
	type LoadedTable,
	newCase,
	nextDeadline,
	offers,
	type Refused,
	type Stepped,
	step,
} from '@latchwork/core/workflow'
import type { Entry, Journal } from '../journal/index.ts'
import type { Authority } from '../sync/authority.ts'

/** What is to be written with the door session that caused it. */
export type CaseEntry = Required<Pick<Entry, 'events' | 'put' | 'drop'>>

/** One thing that a person has out of this bank. */
export interface Loan {
	readonly caseId: string
	readonly lineId: string
	readonly asset: string
	readonly due: number | undefined
	readonly overdue: boolean
	/** Nobody can prove that the person has it; bringing it back settles that. It counts against nobody. */
	readonly doubtful: boolean
}

export interface Cases {
	loansOf(subject: string): Loan[]
	/** Assets that an open case has promised to somebody. */
	promised(): ReadonlySet<string>
	/** A walk-up loan of one item, allotted and about to be taken. Nothing is written yet. */
	begin(
		subject: Id<'subject'>,
		asset: string,
		compartment: string,
		facts: Facts,
	): { caseId: string; lineId: string; entry: CaseEntry; evidence: Evidence } | Refused
	/**
	 * Something allotted is about to be taken, once more: to be written with the release of its door, so that what was promised
	 * for minutes cannot run out while the person stands at it. Undefined: it has run out before.
	 */
	dispense(caseId: string, lineId: string, subject: Id<'subject'>): { entry: CaseEntry; evidence: Evidence } | undefined
	/** A line that is promised and not yet taken. */
	waiting(caseId: string, lineId: string): Line | undefined
	/** What this act must prove for custody to pass; E4 when the table does not allow it at all. */
	evidence(caseId: string, lineId: string, act: Act): Evidence
	/** The line advances by what the door session found; undefined when the case has nothing to say to it. */
	settle(caseId: string, lineId: string, ended: Ended): CaseEntry | undefined
	/** The person gives up something allotted and not taken. */
	cancel(caseId: string, lineId: string, subject: Id<'subject'>): CaseEntry | undefined
	/** A person looked into a held compartment: what was in doubt about the lines that concern it is settled by what was found. */
	found(compartment: string, item: string | undefined): CaseEntry
	/** Somebody has it, by a case that nobody doubts. */
	isOut(asset: string): boolean
	due(caseId: string): number | undefined
	/** When what is borrowed now would be due, by the rules in force. */
	dueIfBorrowed(): number | undefined
	/**
	 * Moves every case whose deadline has come, each in a transaction of its own; answers when the next one is due. While the time is
	 * uncertain none has come: what is written off as lost stays lost when the clock is set right.
	 */
	runDeadlines(): number | undefined
}

export interface CaseParts {
	readonly journal: Journal
	readonly authority: () => Authority | undefined
	readonly now: () => number
	/** The clock may be wrong by a year. */
	readonly uncertain: () => boolean
	readonly random: Random
	readonly bank: Id<'bank'>
}

/** Facts that no guard of a finished act asks for. */
const DONE: Facts = { entitled: true, stock: 1, freeCompartments: 1, recalled: false, spareReturned: false }

/** The loan's milestones as events of their own (api.md §4.3), by the case state that they lead to. */
const MILESTONES: Readonly<Record<string, EventType>> = {
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
}

/** Past the grace period: from here on nothing more is lent (workflows.md §3.1). */
const LATE: readonly string[] = ['overdue', 'escalated', 'lost']

/** Cases whose item is at this bank: the controller is the one writer of every act on them (architecture.md §3). */
export function openCases(parts: CaseParts): Cases {
	const { journal, now } = parts
	const all = () => journal.facts<Case>('case')

	/** A case keeps the table it began with, whatever the bundle brings later. */
	const tableOf = (of: Case): LoadedTable | undefined => {
		const current = parts.authority()?.tables.get(of.workflow)
		return current?.hash === of.tableHash ? current : journal.fact<LoadedTable>('table', of.tableHash)
	}

	const env = (facts: Facts): Env => {
		const bundle = parts.authority()?.bundle
		const at = now()
		const hours = bundle?.policies.schedules.find((s) => s.id === bundle.settings.openingHours)
		return { now: at, bank: parts.bank, facts, ...(bundle && { due: { due: dueTime(bundle.settings.loanDue, at, bundle.site.timeZone, hours) } }) }
	}

	const advance = (of: Case, input: Input, facts: Facts = DONE): Stepped | Refused => {
		const table = tableOf(of)
		return table ? step(table, of, input, env(facts)) : { refused: 'wrong-table', text: 'this edge does not know the table of the case' }
	}

	const entryOf = (before: Case | undefined, stepped: Stepped, actor?: Id<'subject'>): CaseEntry => {
		const table = tableOf(stepped.case)
		// A returned item that still waits for a look keeps its case, though the borrower is done with it.
		const over = table?.case.end.includes(stepped.case.state) === true && stepped.case.lines.every((l) => table.line.end.includes(l.state))
		const key = { kind: 'case', key: stepped.case.id }
		return {
			events: eventsOf(before, stepped, actor),
			put: [...(over ? [] : [{ ...key, body: stepped.case }]), ...(before || !table ? [] : [{ kind: 'table', key: table.hash, body: table }])],
			drop: over ? [key] : [],
		}
	}

	return {
		loansOf(subject) {
			return [...all().values()].flatMap((of) =>
				of.lines.flatMap((line): Loan[] => {
					const { asset, custodian, state } = line
					const theirs = custodian === subject
					// Taken unproven, or in doubt: by the record the bank has it, by all appearances its person does, and must be able to bring it back.
					if (asset === undefined || !(theirs || (of.owner === subject && mayComeBack(of, line.id)))) return []
					const overdue = LATE.includes(of.state) || (of.state === 'disputed' && of.deadlines.grace === undefined)
					return [{ caseId: of.id, lineId: line.id, asset, due: of.deadlines.due, overdue, doubtful: !theirs && state === 'in-doubt' }]
				}),
			)
		},
		promised: () => new Set([...all().values()].flatMap((of) => of.lines.flatMap((line) => line.asset ?? []))),
		begin(subject, asset, compartment, facts) {
			const table = parts.authority()?.tables.get('loan')
			if (!table) return { refused: 'wrong-table', text: 'loans are not available here yet' }
			const lineId = newId('line', now(), parts.random)
			const line = { id: lineId, asset, compartment, custodian: parts.bank }
			const opened = newCase(table, { id: newId('case', now(), parts.random), owner: subject, lines: [line] })
			const stepped = step(table, opened, { kind: 'request', name: 'allot', by: 'user', subject }, env(facts))
			if ('refused' in stepped) return stepped
			const ready = dispensed(table, stepped.case, lineId, subject)
			if (!ready) return { refused: 'not-possible', text: 'what was allotted cannot be taken' }
			const entry = joined(entryOf(undefined, stepped, subject), ready.entry)
			return {
				caseId: opened.id,
				lineId,
				evidence: ready.evidence,
				entry: {
					...entry,
					events: [
						{ type: 'case.opened', subject: opened.id, actor: subject, data: { workflow: 'loan', tableHash: table.hash, asset } },
						...entry.events,
					],
				},
			}
		},
		dispense(caseId, lineId, subject) {
			const of = all().get(caseId)
			const table = of && tableOf(of)
			return of && table && dispensed(table, of, lineId, subject)
		},
		waiting(caseId, lineId) {
			const line = all()
				.get(caseId)
				?.lines.find((l) => l.id === lineId)
			return line && line.custodian === parts.bank ? line : undefined
		},
		evidence(caseId, lineId, act) {
			const of = all().get(caseId)
			const table = of && tableOf(of)
			return of && table ? needed(table, of, lineId, act, of.owner ?? '') : 4
		},
		settle(caseId, lineId, ended) {
			const of = all().get(caseId)
			const input = of && inputOf(lineId, ended)
			if (!of || !input) return undefined
			const stepped = advance(of, input)
			if (!('refused' in stepped)) return entryOf(of, stepped, ended.session.subject)
			// The door fact stands whatever the table says; the disagreement becomes somebody's task.
			return {
				events: [{ type: 'case.conflict', subject: of.id, actor: 'edge', data: { line: lineId, state: of.state, code: stepped.refused } }],
				put: [],
				drop: [],
			}
		},
		cancel(caseId, lineId, subject) {
			const of = all().get(caseId)
			if (!of) return undefined
			const stepped = advance(of, { kind: 'request', name: 'cancel', by: 'user', subject, line: lineId })
			return 'refused' in stepped ? undefined : entryOf(of, stepped, subject)
		},
		found(compartment, item) {
			const entries = [...all().values()].flatMap((of) =>
				of.lines.flatMap((line) => {
					const requests =
						line.asset === item && item !== undefined
							? ['confirm-inside', 'confirm-returned']
							: line.compartment === compartment
								? ['confirm-taken']
								: []
					return settledBy(of, line, requests, compartment)
				}),
			)
			return entries.reduce((sum, e) => ({ events: [...sum.events, ...e.events], put: [...sum.put, ...e.put], drop: [...sum.drop, ...e.drop] }), {
				events: [],
				put: [],
				drop: [],
			})
		},
		isOut: (asset) =>
			[...all().values()].some((of) => of.lines.some((line) => line.asset === asset && line.custodian !== parts.bank && !line.unverified)),
		due: (caseId) => all().get(caseId)?.deadlines.due,
		dueIfBorrowed: () => env(DONE).due?.due,
		runDeadlines() {
			let next: number | undefined
			if (parts.uncertain()) return undefined
			for (const { id } of [...all().values()]) {
				for (let of = all().get(id); of; of = all().get(id)) {
					const table = tableOf(of)
					const due = table && nextDeadline(table, of)
					if (!due) break
					if (due.dueMs > now()) {
						next = Math.min(next ?? due.dueMs, due.dueMs)
						break
					}
					const stepped = advance(of, { kind: 'deadline', name: due.name })
					if ('refused' in stepped) break
					journal.commit({ ...entryOf(of, stepped), essential: true })
				}
			}
			return next
		},
	}

	/** The first of these findings that the table knows for the line's state; what was looked at needs no second look (`pass`). */
	function settledBy(of: Case, line: Line, requests: readonly string[], compartment: string): CaseEntry[] {
		// Somebody else's hands: nothing found here says that it is not there.
		if (requests.includes('confirm-taken') && line.custodian !== parts.bank && !line.unverified) return []
		for (const name of requests) {
			const settled = advance(of, { kind: 'request', name, by: 'staff', line: line.id })
			if ('refused' in settled) continue
			const looked = advance(settled.case, { kind: 'request', name: 'pass', by: 'staff', line: line.id })
			return 'refused' in looked ? [entryOf(of, settled)] : [joined(entryOf(of, settled), entryOf(settled.case, looked))]
		}
		if (!requests.includes('confirm-taken') || !line.unverified) return []
		const gone = advance(of, { kind: 'outcome', outcome: 'missing', line: line.id, compartment })
		return 'refused' in gone ? [] : [entryOf(of, gone)]
	}

	/** The table knows this line as something that its owner may put back now. */
	function mayComeBack(of: Case, lineId: string): boolean {
		const table = tableOf(of)
		const found = table && offers(table, of, { by: 'user', subject: of.owner ?? '' }, env(DONE))
		return found?.some((o) => o.line === lineId && o.act === 'deposit' && o.refused === undefined) === true
	}

	function dispensed(table: LoadedTable, of: Case, lineId: string, subject: Id<'subject'>): { entry: CaseEntry; evidence: Evidence } | undefined {
		const stepped = step(table, of, { kind: 'request', name: 'dispense', by: 'user', subject, line: lineId }, env(DONE))
		if ('refused' in stepped) return undefined
		return { entry: entryOf(of, stepped, subject), evidence: needed(table, stepped.case, lineId, 'collect', subject) }
	}

	function needed(table: LoadedTable, of: Case, lineId: string, act: Act, subject: string): Evidence {
		const offer = offers(table, of, { by: 'user', subject }, env(DONE)).find((o) => o.line === lineId && o.act === act)
		return offer && offer.refused === undefined ? offer.evidence : 4
	}
}

/** Two steps of one case in one transaction: all that happened, and where it ended. */
const joined = (first: CaseEntry, then: CaseEntry): CaseEntry => ({
	events: [...first.events, ...then.events],
	put: then.drop.length ? then.put : [...first.put, ...then.put],
	drop: then.drop,
})

/** From what the door found to what the workflow understands. What never opened gave nothing: it is allotted again, and the person may try again. */
function inputOf(line: string, { session, compartment, end, evidence, why }: Ended): Input | undefined {
	if (session.act === 'inspect') return undefined
	switch (end) {
		case 'committed':
			return {
				kind: 'act',
				act: session.act,
				line,
				by: 'user',
				subject: session.subject,
				evidence,
				compartment,
				...(session.identified !== undefined && { item: session.identified }),
			}
		case 'no-change':
			return { kind: 'outcome', outcome: session.act === 'collect' ? 'not-taken' : 'not-inserted', line, compartment }
		case 'not-opened':
		case 'failed':
		case 'aborted':
			return session.act === 'collect' ? { kind: 'outcome', outcome: 'not-taken', line, compartment } : undefined
		case 'ambiguous':
			return { kind: 'outcome', outcome: why === 'found-empty' ? 'missing' : why === 'wrong-item' ? 'wrong-item' : 'ambiguous', line, compartment }
		default:
			return undefined
	}
}

function eventsOf(before: Case | undefined, stepped: Stepped, actor?: Id<'subject'>): EventDraft[] {
	const by = actor ?? ('edge' as const)
	const moved = stepped.moves.map(
		({ case: subject, line, from, to, tableHash, version }): EventDraft => ({
			type: 'case.moved',
			subject,
			actor: by,
			data: { ...(line !== undefined && { line }), from, to, tableHash, version },
		}),
	)
	const reached = stepped.moves.filter((m) => m.line === undefined).map((m) => m.to)
	const last = reached.at(-1)
	const milestone = last === undefined || last === before?.state ? undefined : MILESTONES[last]
	const { due } = stepped.case.deadlines
	return [
		...moved,
		...(milestone
			? [
					{
						type: milestone,
						subject: stepped.case.id,
						actor: by,
						data: { state: last ?? '', ...(due !== undefined && { due }) },
					} satisfies EventDraft,
				]
			: []),
		...stepped.effects.flatMap((effect) => eventOf(effect, stepped.case, by)),
	]
}

/** Effects that are facts for others; the door reducer has already freed or quarantined the compartment, deadlines live in the case. */
function eventOf(effect: Effected, of: Case, actor: EventDraft['actor']): EventDraft[] {
	const by = actor === undefined ? {} : { actor }
	if (effect.effect === 'custody') {
		const asset = of.lines.find((line) => line.id === effect.line)?.asset
		return [
			{
				type: 'custody.transferred',
				subject: asset ?? effect.line,
				...by,
				data: { case: of.id, line: effect.line, from: effect.from, to: effect.to },
			},
		]
	}
	if (effect.effect === 'task') return [{ type: 'task.created', subject: of.id, actor: 'edge', data: { kind: effect.about ?? 'check' } }]
	return []
}
