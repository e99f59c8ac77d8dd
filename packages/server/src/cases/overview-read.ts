import type { Scope } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type BankSpace, bankSpaces, type DoorAlarm, within } from '../estate/index.ts'
import { countPerHour, newestOf } from '../ledger/index.ts'
import { type Db, sql } from '../store/index.ts'
import { listTasks, type Task } from './task-write.ts'

export interface Overview {
	readonly banks: readonly BankSpace[]
	/** The oldest first; `tasksOpen` says how many there are in all. */
	readonly tasks: readonly (Task & { readonly door: number | null; readonly number: string | null })[]
	readonly tasksOpen: number
	/** Doors that a person must see to, and of which no open task says so: the oldest first; `doorsStanding` says how many there are in all. */
	readonly doors: readonly StandingDoor[]
	readonly doorsStanding: number
	readonly casesOpen: number
	readonly overdue: number
	readonly conflicts: number
	/** Tasks of the last day that were done because a bank said so, and nobody had to. */
	readonly settledAtBanks: number
	/** Doors that opened, for each hour of the sites' own day so far. */
	readonly doorsPerHour: readonly number[]
	/** Of the last day, the oldest first. */
	readonly outages: readonly Outage[]
}

/** A time in which a bank was not heard; it decides by itself meanwhile. */
export interface Outage {
	readonly bank: Id<'bank'>
	readonly from: number
	/** Undefined: it is not heard yet. */
	readonly to: number | undefined
	/** It was long enough to act on. */
	readonly confirmed: boolean
}

export interface StandingDoor {
	readonly compartment: Id<'compartment'>
	readonly door: number
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	readonly alarm: DoorAlarm
	readonly open: boolean
	readonly since: number
}

/** More than a person reads at a glance; the list of tasks has the rest. */
const SHOWN = 20

/** What a desk looks at first: what needs a person, then how full it is. */
export async function overviewOf(db: Db, scopes: readonly Scope[], now: number): Promise<Overview> {
	const banks = await bankSpaces(db, scopes)
	const shown = (await listTasks(db, { open: true }, { limit: SHOWN, scopes })).slice(0, SHOWN)
	const named = await labelsOf(db, shown)
	const lies = { site: sql`t.site_id`, bank: sql`t.bank_id`, area: sql`b.area_id` }
	const [tasks, cases] = [
		await db.first<{ open: number }>(sql`SELECT count(*)::int AS open FROM task t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
			WHERE t.tenant_id = ${db.tenant} AND t.done_at IS NULL AND ${within(scopes, lies)}`),
		await db.first<{ open: number; overdue: number; conflicts: number }>(sql`SELECT count(*)::int AS open,
			count(*) FILTER (WHERE t.workflow = 'loan' AND t.due_at < ${now})::int AS overdue, count(*) FILTER (WHERE t.conflict IS NOT NULL)::int AS conflicts
			FROM workflow_case t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
			WHERE t.tenant_id = ${db.tenant} AND t.ended_at IS NULL AND ${within(scopes, lies)}`),
	]
	const settled = await db.first<{
		done: number
	}>(sql`SELECT count(*)::int AS done FROM task t JOIN bank b ON b.tenant_id = t.tenant_id AND b.bank_id = t.bank_id
		WHERE t.tenant_id = ${db.tenant} AND t.done_at > ${now - DAY_MS} AND t.done_by = 'server' AND ${within(scopes, lies)}`)
	const standing = await standingDoors(db, scopes)
	const days = banks.map(({ bank, timeZone }) => ({ bank, start: dayStart(now, timeZone) }))
	return {
		banks,
		tasks: shown.map((task) => ({
			...task,
			door: named.doors.get(task.compartment ?? '') ?? null,
			number: named.cases.get(task.case ?? '') ?? null,
		})),
		tasksOpen: tasks?.open ?? 0,
		doors: standing,
		doorsStanding: standing[0]?.all ?? 0,
		casesOpen: cases?.open ?? 0,
		overdue: cases?.overdue ?? 0,
		conflicts: cases?.conflicts ?? 0,
		settledAtBanks: settled?.done ?? 0,
		doorsPerHour: await countPerHour(db, 'door-session.opened', days),
		outages: await outagesOf(db, banks, now),
	}
}

const DAY_MS = 86_400_000
const MOST_OUTAGES = 500

/** Those that ended are in the ledger: a bank that is heard again is told with how long it was not. */
async function outagesOf(db: Db, banks: readonly BankSpace[], now: number): Promise<Outage[]> {
	const shown = new Set<string>(banks.map(({ bank }) => bank))
	const ended = await newestOf(db, 'bank.online', now - DAY_MS, MOST_OUTAGES)
	const past = ended.flatMap(({ body: { bank, at, data } }): Outage[] =>
		bank !== undefined && shown.has(bank) ? [{ bank, from: at - Number(data.silentMs), to: at, confirmed: data.confirmed === true }] : [],
	)
	const present = banks.flatMap(({ bank, silentSince, outageConfirmedAt }): Outage[] =>
		silentSince === null ? [] : [{ bank, from: silentSince, to: undefined, confirmed: outageConfirmedAt !== null }],
	)
	return [...past, ...present].sort((a, b) => a.from - b.from)
}

/**
 * A task is done when somebody says so; the door is done when the bank says so. One that was forced or is stuck stays so until somebody has looked, one
 * that was left open until it is shut.
 */
const standingDoors = (db: Db, scopes: readonly Scope[]): Promise<(StandingDoor & { all: number })[]> =>
	db.rows(sql`SELECT s.compartment_id AS compartment, c.number AS door, s.bank_id AS bank, b.site_id AS site, s.alarm, s.door = 'open' AS open, s.since,
			count(*) OVER ()::int AS "all"
		FROM compartment_state s JOIN compartment c ON c.tenant_id = s.tenant_id AND c.compartment_id = s.compartment_id
			JOIN bank b ON b.tenant_id = s.tenant_id AND b.bank_id = s.bank_id
		WHERE s.tenant_id = ${db.tenant} AND (s.alarm IN ('forced', 'opened-while-down', 'stuck') OR (s.alarm IN ('left-open', 'opened-late') AND s.door = 'open'))
			AND NOT EXISTS (SELECT 1 FROM task t WHERE t.tenant_id = s.tenant_id AND t.compartment_id = s.compartment_id AND t.done_at IS NULL
				AND t.kind IN ('check-compartment', 'close-door'))
			AND ${within(scopes, { site: sql`b.site_id`, area: sql`b.area_id`, bank: sql`b.bank_id` })}
		ORDER BY s.since, s.compartment_id LIMIT ${SHOWN}`)

async function labelsOf(db: Db, tasks: readonly Task[]) {
	const doors = await db.rows<{ id: string; number: number }>(sql`SELECT compartment_id AS id, number FROM compartment
		WHERE tenant_id = ${db.tenant} AND compartment_id = ANY(${tasks.flatMap(({ compartment }) => compartment ?? [])}::text[])`)
	const cases = await db.rows<{ id: string; number: string }>(sql`SELECT case_id AS id, number FROM workflow_case
		WHERE tenant_id = ${db.tenant} AND case_id = ANY(${tasks.flatMap((task) => task.case ?? [])}::text[])`)
	return { doors: new Map(doors.map(({ id, number }) => [id, number])), cases: new Map(cases.map(({ id, number }) => [id, number])) }
}

/** When the site's present day began. On the two days of the year on which its clocks are moved it may be an hour beside. */
export function dayStart(now: number, timeZone: string): number {
	const parts = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
		.format(now)
		.split(':')
		.map(Number)
	const [hours = 0, minutes = 0, seconds = 0] = parts
	return now - (now % 1000) - ((hours * 60 + minutes) * 60 + seconds) * 1000
}
