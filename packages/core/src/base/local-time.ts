/** Wall-clock time at a site. Time zones come from the platform's own IANA data (Intl), so there is no table to keep. */
export interface LocalTime {
	readonly year: number
	readonly month: number
	readonly day: number
	/** 1 = Monday … 7 = Sunday. */
	readonly weekday: number
	readonly minuteOfDay: number
}

const SECOND = 1_000
const MINUTE = 60_000
const QUARTER = 15 * MINUTE
const DAY = 86_400_000
const formats = new Map<string, Intl.DateTimeFormat>()
/** Of quarters of an hour in a zone: a day's due times, midnights and opening hours are a handful. */
const offsets = new Map<string, number>()
const OFFSETS_KEPT = 64

function format(timeZone: string): Intl.DateTimeFormat {
	let made = formats.get(timeZone)
	if (!made) {
		const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' } as const
		made = new Intl.DateTimeFormat('en-u-ca-iso8601-nu-latn', { timeZone, hourCycle: 'h23', ...parts })
		formats.set(timeZone, made)
	}
	return made
}

/** Local wall time as if it were UTC, in milliseconds: differences in it are differences on the wall clock. */
const wall = (at: number, timeZone: string): number => Math.floor(at / SECOND) * SECOND + offset(at, timeZone)

/** Zones change at whole quarters of an hour, so what holds at its beginning holds for all of it; working it out is the dear part of a decision. */
function offset(at: number, timeZone: string): number {
	const quarter = Math.floor(at / QUARTER) * QUARTER
	const key = `${quarter} ${timeZone}`
	const known = offsets.get(key)
	if (known !== undefined) return known
	if (offsets.size >= OFFSETS_KEPT) offsets.clear()
	const found = wallOf(quarter, timeZone) - quarter
	offsets.set(key, found)
	return found
}

function wallOf(at: number, timeZone: string): number {
	const fields: Record<string, number> = {}
	for (const { type, value } of format(timeZone).formatToParts(at)) fields[type] = Number(value)
	const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
	return Date.UTC(year, month - 1, day, hour, minute, second)
}

export function localTime(at: number, timeZone: string): LocalTime {
	const date = new Date(wall(at, timeZone))
	return {
		year: date.getUTCFullYear(),
		month: date.getUTCMonth() + 1,
		day: date.getUTCDate(),
		weekday: date.getUTCDay() || 7,
		minuteOfDay: date.getUTCHours() * 60 + date.getUTCMinutes(),
	}
}

/**
 * The instant at which the site's clocks show `minuteOfDay` on the day `daysLater` after the local day of `at`. A time that the
 * spring change skips is moved on by the hour that is missing; of a time that happens twice in autumn, the first is meant.
 */
export function instantAt(at: number, timeZone: string, daysLater: number, minuteOfDay: number): number {
	const wanted = Math.floor(wall(at, timeZone) / DAY) * DAY + daysLater * DAY + minuteOfDay * MINUTE
	// The offsets in force a day before and a day after bracket any change; one of them, or the change between them, fits.
	const before = wall(wanted - DAY, timeZone) - (wanted - DAY)
	const after = wall(wanted + DAY, timeZone) - (wanted + DAY)
	const candidates = [wanted - before, wanted - after].filter((instant) => wall(instant, timeZone) === wanted)
	return candidates.length > 0 ? Math.min(...candidates) : wanted - before
}

export const nextMidnight = (at: number, timeZone: string): number => instantAt(at, timeZone, 1, 0)

/** `'08:30'` → 510; `'24:00'` → 1440. */
export function minutes(clock: string): number {
	const [hours = '0', rest = '0'] = clock.split(':')
	return Number(hours) * 60 + Number(rest)
}
