import { instantAt, type LocalTime, localTime, minutes } from '../base/index.ts'
import type { Schedule } from './bundle-schema.ts'

const WEEK = 7
const YEAR = 366

/** The opening that holds `at`, as instants; undefined when closed. `from` is inside, `to` is not. */
export function openingAt(schedule: Schedule, at: number): { readonly from: number; readonly to: number } | undefined {
	// Yesterday's opening may run past midnight.
	return openings(schedule, at, -1, 0).find(({ from, to }) => from <= at && at < to)
}

export const isOpen = (schedule: Schedule, at: number): boolean => openingAt(schedule, at) !== undefined

/** The first instant from `at` on at which the schedule is open; undefined when it never opens, or not within a year because of closed days. */
export function nextOpening(schedule: Schedule, at: number): number | undefined {
	if (isOpen(schedule, at)) return at
	const days = schedule.closed?.length ? YEAR : WEEK
	for (let later = 0; later <= days; later++) {
		const starts = openings(schedule, at, later, later).flatMap(({ from }) => (from >= at ? [from] : []))
		if (starts.length) return Math.min(...starts)
	}
	return undefined
}

function openings(schedule: Schedule, at: number, firstDay: number, lastDay: number): { from: number; to: number }[] {
	const { timeZone } = schedule
	const today = localTime(at, timeZone)
	const found: { from: number; to: number }[] = []
	for (let later = firstDay; later <= lastDay; later++) {
		if (isClosed(schedule, today, later)) continue
		const weekday = ((((today.weekday - 1 + later) % WEEK) + WEEK) % WEEK) + 1
		for (const rule of schedule.weekly) {
			if (!rule.days.includes(weekday)) continue
			const from = minutes(rule.from)
			const to = minutes(rule.to)
			found.push({ from: instantAt(at, timeZone, later, from), to: instantAt(at, timeZone, to <= from ? later + 1 : later, to) })
		}
	}
	return found
}

function isClosed({ closed }: Schedule, { year, month, day }: LocalTime, later: number): boolean {
	if (!closed?.length) return false
	const date = new Date(Date.UTC(year, month - 1, day + later)).toISOString().slice(0, 10)
	return closed.some(({ from, to }) => from <= date && date <= to)
}
