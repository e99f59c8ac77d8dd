import type { Schedule } from './bundle-schema.ts'
import { instantAt, localTime, minutes } from './local-time.ts'

const WEEK = 7

/** The opening that holds `at`, as instants; undefined when closed. `from` is inside, `to` is not. */
export function openingAt(schedule: Schedule, at: number): { readonly from: number; readonly to: number } | undefined {
	// Yesterday's opening may run past midnight.
	return openings(schedule, at, -1, 0).find(({ from, to }) => from <= at && at < to)
}

export const isOpen = (schedule: Schedule, at: number): boolean => openingAt(schedule, at) !== undefined

/** The first instant from `at` on at which the schedule is open; undefined when it never opens. */
export function nextOpening(schedule: Schedule, at: number): number | undefined {
	if (isOpen(schedule, at)) return at
	const starts = openings(schedule, at, 0, WEEK).map(({ from }) => from)
	return starts.filter((from) => from >= at).sort((a, b) => a - b)[0]
}

function openings(schedule: Schedule, at: number, firstDay: number, lastDay: number): { from: number; to: number }[] {
	const { timeZone } = schedule
	const today = localTime(at, timeZone).weekday
	const found: { from: number; to: number }[] = []
	for (let later = firstDay; later <= lastDay; later++) {
		const weekday = ((today - 1 + later + WEEK) % WEEK) + 1
		for (const rule of schedule.weekly) {
			if (!rule.days.includes(weekday)) continue
			const from = minutes(rule.from)
			const to = minutes(rule.to)
			found.push({ from: instantAt(at, timeZone, later, from), to: instantAt(at, timeZone, to <= from ? later + 1 : later, to) })
		}
	}
	return found
}
