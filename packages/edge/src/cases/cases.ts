import { dueTime, type PickUp } from '@latchwork/core/access'
import { type Id, isFault, newId, type Random } from '@latchwork/core/base'
import type { Ended } from '@latchwork/core/door'
import type { DenyReason } from '@latchwork/core/wire'
import {
	type Act,
	type Case,
	type Env,
	type Evidence,
	type Facts,
	FINISHED,
	type Input,
	type Line,
	type LoadedTable,
	newCase,
	nextDeadline,
	offers,
	possession,
	type Refused,
	type Role,
	type Stepped,
	step,
	type Told,
} from '@latchwork/core/workflow'
import type { Entry, Journal } from '../journal/index.ts'
import type { Authority } from '../sync/authority.ts'
import { eventsOf } from './events.ts'
import { isTheirs, nothingHere, type Offer, takeRow } from './offered.ts'
import { measureOutage, type Outage } from './outage.ts'
import { type Parcel, parcelOf, whyNot } from './parcels.ts'

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
	/** Parcels of the orders that are expected here, wait here or wait to be taken away; in the order of the bundle. */
	parcels(): Parcel[]
	/** Why a code that is right opens nothing now; undefined when it does. */
	pickUpRefusal(of: PickUp): DenyReason | undefined
	/** Takes what the bundle in force says of cases, and carries out what the server has ordered; cheap when nothing has changed. */
	take(): void
	/** What this act of this person must prove for custody to pass; E4 when the table does not allow it at all. */
	evidence(caseId: string, lineId: string, act: Act, subject: string): Evidence
	/** The line advances by what the door session found; undefined when the case has nothing to say to it. */
	settle(caseId: string, lineId: string, ended: Ended): CaseEntry | undefined
	/** The person gives up something allotted and not taken. */
	cancel(caseId: string, lineId: string, subject: Id<'subject'>): CaseEntry | undefined
	/** A person looked into a held compartment: what was in doubt about the lines that concern it is settled by what was found. `was`: the record before. */
	found(compartment: string, item: string | undefined, was: string | undefined): CaseEntry
	/** Somebody has it, by a case that nobody doubts. */
	isOut(asset: string): boolean
	due(caseId: string): number | undefined
	/** When what is borrowed now would be due, by the rules in force. */
	dueIfBorrowed(): number | undefined
	/**
	 * Moves what an outage of this bank covered (X19), then every case whose deadline has come, each in a transaction of its own; answers when the next
	 * one is due. To be called at least once a minute. While the time is uncertain none has come: what is written off as lost stays lost when the clock is set right.
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
	readonly controller: Id<'controller'>
	readonly mono: () => number
}

/** Past the grace period: from here on nothing more is lent (workflows.md §3.1). */
const LATE: readonly string[] = ['overdue', 'escalated', 'lost']

/** Cases whose item is at this bank: the controller is the one writer of every act on them (architecture.md §3). */
export function openCases(parts: CaseParts): Cases {
	const { journal, now } = parts
	const all = () => journal.facts<Case>('case')
	const rows = () => journal.facts<Offer>('offer')
	/** The version of the bundle whose rows are taken. */
	let taken = 0
	const settleOutage = measureOutage(parts)
	/** What was promised before this start. */
	const promisedBefore = new Map([...all()].map(([id, { deadlines }]) => [id, deadlines]))

	/** A case keeps the table it began with, whatever the bundle brings later. */
	const tableOf = (of: Pick<Case, 'tableHash'>): LoadedTable | undefined =>
		parts.authority()?.tables.get(of.tableHash) ?? journal.fact<LoadedTable>('table', of.tableHash)

	const env = (facts: Facts, table?: LoadedTable): Env => {
		const bundle = parts.authority()?.bundle
		const at = now()
		if (table && !table.deadlines?.due) return { now: at, bank: parts.bank, facts }
		const hours = bundle?.policies.schedules.find((s) => s.id === bundle.settings.openingHours)
		return { now: at, bank: parts.bank, facts, ...(bundle && { due: { due: dueTime(bundle.settings.loanDue, at, bundle.site.timeZone, hours) } }) }
	}

	/** The step, and what it was made of, for the record. */
	const advance = (of: Case, input: Input, due?: Env['due']): (Stepped & { readonly told: Told }) | Refused => {
		const table = tableOf(of)
		if (!table) return { refused: 'wrong-table', text: 'this edge does not know the table of the case' }
		const around = { ...env(FINISHED, table), ...(due && { due }) }
		const stepped = step(table, of, input, around)
		return 'refused' in stepped ? stepped : { ...stepped, told: { input, env: around } }
	}

	const entryOf = (before: Case | undefined, stepped: Stepped & { readonly told: Told }, actor?: Id<'subject'>): CaseEntry => {
		const table = tableOf(stepped.case)
		// A returned item that still waits for a look keeps its case, though the borrower is done with it.
		const over = table?.case.end.includes(stepped.case.state) === true && stepped.case.lines.every((l) => table.line.end.includes(l.state))
		const key = { kind: 'case', key: stepped.case.id }
		const offer = over ? rows().get(stepped.case.id) : undefined
		return {
			events: eventsOf(before, stepped, actor),
			put: [
				...(over ? [] : [{ ...key, body: stepped.case }]),
				...(before || !table ? [] : [{ kind: 'table', key: table.hash, body: table }]),
				...(offer ? [{ kind: 'offer', key: stepped.case.id, body: { ...offer, end: stepped.case.state } }] : []),
			],
			drop: over ? [key] : [],
		}
	}

	return {
		loansOf(subject) {
			return [...all().values()].flatMap((of) =>
				of.lines.flatMap((line): Loan[] => {
					const { asset } = line
					const found = possession(tableOf(of), of, line, subject)
					if (asset === undefined || found === undefined) return []
					const overdue = LATE.includes(of.state) || (of.state === 'disputed' && of.deadlines.grace === undefined)
					return [{ caseId: of.id, lineId: line.id, asset, due: of.deadlines.due, overdue, doubtful: found === 'may-have' }]
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
			const told: Told = { input: { kind: 'request', name: 'allot', by: 'user', subject }, env: env(facts) }
			const stepped = step(table, opened, told.input, told.env)
			if ('refused' in stepped) return stepped
			const ready = dispensed(table, stepped.case, lineId, subject)
			if (!ready) return { refused: 'not-possible', text: 'what was allotted cannot be taken' }
			const entry = joined(entryOf(undefined, { ...stepped, told }, subject), ready.entry)
			// Enough to make the same case elsewhere.
			const start = { owner: subject, lines: [line] }
			return {
				caseId: opened.id,
				lineId,
				evidence: ready.evidence,
				entry: {
					...entry,
					events: [
						{ type: 'case.opened', subject: opened.id, actor: subject, data: { workflow: 'loan', tableHash: table.hash, asset, start } },
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
		evidence(caseId, lineId, act, subject) {
			const of = all().get(caseId)
			const table = of && tableOf(of)
			return of && table ? needed(table, of, lineId, act, subject) : 4
		},
		settle(caseId, lineId, ended) {
			const of = all().get(caseId)
			const input = of && inputOf(lineId, ended, roleIn(of, lineId, ended))
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
		parcels: () =>
			[...all().values()].flatMap((of) => {
				const offer = rows().get(of.id)
				const table = offer && tableOf(of)
				return table ? of.lines.map((line) => parcelOf(of, line, table, offer.row)) : []
			}),
		pickUpRefusal: (pickUp) => whyNot(pickUp, all().get(pickUp.case), rows().get(pickUp.case)),
		take,
		found(compartment, item, was) {
			const entries = [...all().values()].flatMap((of) =>
				of.lines.flatMap((line) => {
					// A parcel that may have been put in there is not, or it is.
					const wasHere = line.asset === undefined && was === line.id
					const requests =
						itemOf(line) === item && item !== undefined
							? ['confirm-inside', 'confirm-returned']
							: line.compartment === compartment || wasHere
								? ['confirm-taken']
								: []
					return settledBy(of, line, requests, compartment, wasHere)
				}),
			)
			return entries.reduce(joinedBeside, NOTHING)
		},
		isOut: (asset) =>
			[...all().values()].some((of) => of.lines.some((line) => line.asset === asset && line.custodian !== parts.bank && !line.unverified)),
		due: (caseId) => all().get(caseId)?.deadlines.due,
		dueIfBorrowed: () => env(FINISHED).due?.due,
		runDeadlines() {
			let next: number | undefined
			take()
			if (parts.uncertain()) return undefined
			settleOutage(movedBy)
			for (const { id } of [...all().values()]) {
				for (let of = all().get(id); of; of = all().get(id)) {
					const table = tableOf(of)
					const due = table && nextDeadline(table, of)
					if (!due || isTheirs(of, rows().get(id), table)) break
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

	/** A time that was set since the start was promised after the outage, and the server's cases are moved by the server. */
	function movedBy(outage: Outage): CaseEntry {
		const entries = [...all().values()].flatMap((of): CaseEntry[] => {
			const table = tableOf(of)
			if (!table || isTheirs(of, rows().get(of.id), table) || promisedBefore.get(of.id) !== of.deadlines) return []
			const stepped = advance(of, { kind: 'outage', ...outage })
			return 'refused' in stepped ? [] : [entryOf(of, stepped)]
		})
		return entries.reduce(joinedBeside, NOTHING)
	}

	/** The first of these findings that the table knows for the line's state; what was looked at needs no second look (`pass`). */
	function settledBy(of: Case, line: Line, requests: readonly string[], compartment: string, wasHere: boolean): CaseEntry[] {
		// Somebody else's hands: nothing found here says that it is not there.
		if (requests.includes('confirm-taken') && line.custodian !== parts.bank && !line.unverified && !wasHere) return []
		for (const name of requests) {
			const at = line.asset === undefined && name === 'confirm-inside' ? { compartment } : {}
			const settled = advance(of, { kind: 'request', name, by: 'staff', line: line.id, ...at })
			if ('refused' in settled) continue
			const looked = advance(settled.case, { kind: 'request', name: 'pass', by: 'staff', line: line.id })
			return 'refused' in looked ? [entryOf(of, settled)] : [joined(entryOf(of, settled), entryOf(settled.case, looked))]
		}
		// A parcel that should lie there and does not is missing.
		if (!requests.includes('confirm-taken') || !(line.unverified || line.asset === undefined)) return []
		const gone = advance(of, { kind: 'outcome', outcome: 'missing', line: line.id, compartment })
		return 'refused' in gone ? [] : [entryOf(of, gone)]
	}

	function dispensed(table: LoadedTable, of: Case, lineId: string, subject: Id<'subject'>): { entry: CaseEntry; evidence: Evidence } | undefined {
		const told: Told = { input: { kind: 'request', name: 'dispense', by: 'user', subject, line: lineId }, env: env(FINISHED, table) }
		const stepped = step(table, of, told.input, told.env)
		if ('refused' in stepped) return undefined
		return { entry: entryOf(of, { ...stepped, told }, subject), evidence: needed(table, stepped.case, lineId, 'collect', subject) }
	}

	function needed(table: LoadedTable, of: Case, lineId: string, act: Act, subject: string): Evidence {
		return offered(table, of, lineId, act, subject)?.evidence ?? 4
	}

	/** As whom the table lets this person do it: for themselves, or as staff of the bank's owner. */
	function offered(table: LoadedTable, of: Case, lineId: string, act: Act, subject: string): { by: Role; evidence: Evidence } | undefined {
		for (const by of ['user', 'staff'] as const) {
			const offer = offers(table, of, { by, subject }, env(FINISHED, table)).find((o) => o.line === lineId && o.act === act)
			if (offer && offer.refused === undefined) return { by, evidence: offer.evidence }
		}
		return undefined
	}

	function roleIn(of: Case, lineId: string, { session }: Ended): Role {
		const table = tableOf(of)
		const act = session.act === 'inspect' ? undefined : session.act
		return (table && act && offered(table, of, lineId, act, session.subject)?.by) ?? 'user'
	}

	/** On a full disk the next turn of the deadlines tries again; what a bundle stops, it stops without this (`codeRefusal`). */
	function take(): void {
		const bundle = parts.authority()?.bundle
		try {
			if (bundle && bundle.version !== taken) {
				const entry = takeAll(bundle)
				if (entry.put.length || entry.drop.length) journal.commit({ ...entry, essential: true })
				taken = bundle.version
			}
			carryOut()
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
		}
	}

	/** Rows that are new or changed, and those that are gone: what began here stays, whatever became of its row. */
	function takeAll(bundle: Authority['bundle']): CaseEntry {
		const listed = new Map((bundle.cases ?? []).map((row) => [row.id as string, row]))
		const put: CaseEntry['put'][number][] = []
		const drop: CaseEntry['drop'][number][] = []
		for (const row of listed.values()) {
			const table = tableOf(row)
			if (!table) continue
			const known = { offer: rows().get(row.id), case: all().get(row.id) }
			const next = takeRow(row, table, { ...(known.offer && { offer: known.offer }), ...(known.case && { case: known.case }) })
			if (next.offer) put.push({ kind: 'offer', key: row.id, body: next.offer })
			if (next.case) put.push({ kind: 'case', key: row.id, body: next.case })
			if (next.case && !journal.fact('table', table.hash)) put.push({ kind: 'table', key: table.hash, body: table })
			if (next.offer?.end && known.case) drop.push({ kind: 'case', key: row.id })
		}
		for (const id of rows().keys()) {
			const of = all().get(id)
			const table = of && tableOf(of)
			if (listed.has(id) || (of && !(table && nothingHere(of, table)))) continue
			drop.push({ kind: 'offer', key: id }, ...(of ? [{ kind: 'case', key: id }] : []))
		}
		return { events: [], put, drop }
	}

	/** What the server has ordered about cases that are ours. Refused while somebody is at the door; asked again then. */
	function carryOut(): void {
		for (const [id, { row }] of rows()) {
			const of = all().get(id)
			const table = of && tableOf(of)
			if (!of || !table || of.lines.every((line) => line.state === table.line.start)) continue
			if (row.recalled) ordered(id, 'recall')
			// A time that has gone by was kept to; it is not given anew.
			const later = Object.entries(row.due ?? {}).filter(([name, at]) => at > now() && of.deadlines[name] !== at)
			if (later.length > 0) ordered(id, 'extend', Object.fromEntries(later))
		}
	}

	function ordered(id: string, name: string, due?: Env['due']): void {
		const of = all().get(id)
		const stepped = of && advance(of, { kind: 'request', name, by: 'system' }, due)
		if (of && stepped && !('refused' in stepped)) journal.commit({ ...entryOf(of, stepped), essential: true })
	}
}

const itemOf = (line: Line): string => line.asset ?? line.id
/** A step that the cases have nothing to say about. */
export const NOTHING: CaseEntry = { events: [], put: [], drop: [] }
const joinedBeside = (sum: CaseEntry, e: CaseEntry): CaseEntry => ({
	events: [...sum.events, ...e.events],
	put: [...sum.put, ...e.put],
	drop: [...sum.drop, ...e.drop],
})

/** Two steps of one case in one transaction: all that happened, and where it ended. */
const joined = (first: CaseEntry, then: CaseEntry): CaseEntry => ({
	events: [...first.events, ...then.events],
	put: then.drop.length ? then.put : [...first.put, ...then.put],
	drop: then.drop,
})

/** From what the door found to what the workflow understands. What never opened gave nothing: it is allotted again, and the person may try again. */
function inputOf(line: string, { session, compartment, end, evidence, why }: Ended, by: Role): Input | undefined {
	if (session.act === 'inspect') return undefined
	switch (end) {
		case 'committed':
			return {
				kind: 'act',
				act: session.act,
				line,
				by,
				subject: session.subject,
				evidence,
				compartment,
				// A parcel is known by its line; no asset is to be found in it.
				...(session.identified !== undefined && session.identified !== line && { item: session.identified }),
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
