import { instantAt, minutes } from '../base/index.ts'
import type { LoanDue, Schedule } from './bundle-schema.ts'
import { nextOpening, openingAt } from './schedule.ts'

/**
 * When a loan that starts at `startedAt` is due. A due time at which the bank is closed moves to the next opening
 * (workflows.md §3.1); closing time itself still counts as open, because "back by 18:00" is what people are told.
 */
export function dueTime(rule: LoanDue, startedAt: number, timeZone: string, hours?: Schedule): number {
	const due = rule.kind === 'hours' ? startedAt + rule.hours * 3_600_000 : sameDayBy(minutes(rule.time), startedAt, timeZone)
	if (!hours || openingAt(hours, due - 1)) return due
	return nextOpening(hours, due) ?? due
}

/** Taken out after the hour has passed, it is due at that hour of the next day. */
function sameDayBy(minuteOfDay: number, startedAt: number, timeZone: string): number {
	const today = instantAt(startedAt, timeZone, 0, minuteOfDay)
	return today > startedAt ? today : instantAt(startedAt, timeZone, 1, minuteOfDay)
}
