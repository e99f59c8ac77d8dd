import { instantAt, minutes } from '@latchwork/core/base'
import { useSyncExternalStore } from 'react'
import { clockText, dateText, daysBetween } from '../ui/time.ts'
import { serverNow } from './api.ts'
import type { Site } from './shapes.ts'
import { general } from './words/shell.ts'

/** Site time in words; a moment of the API is RFC 3339. Which zone is meant is said each time (estate.ts knows it), so that no page has two clocks. */
export const HERE = new Intl.DateTimeFormat().resolvedOptions().timeZone
const LANGUAGE = 'en-GB'

export const clock = (at: string | number, zone: string): string => clockText(moment(at), zone, LANGUAGE)

const seconds = (at: string | number, zone: string): string =>
	new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' }).format(moment(at))

/** To the second, and on another day with the day. */
export const stamp = (at: string, zone: string): string => when(at, zone).replace(/\d\d:\d\d$/, seconds(at, zone))

const moment = (at: string | number): number => (typeof at === 'number' ? at : Date.parse(at))

/** "Today, Tuesday 16 June" */
export function day(at: string | number, zone: string): string {
	const apart = daysBetween(serverNow(), moment(at), zone)
	const date = dateOf(at, zone)
	return apart === 0 ? `Today, ${date}` : apart === -1 ? `Yesterday, ${date}` : apart === 1 ? `Tomorrow, ${date}` : date
}

/** "12:20", "yesterday 09:14", "Fri 18:00", "19 Jun 18:00", "19 Jun 2031 18:00": as short as it can be told apart. */
export function when(at: string | number, zone: string): string {
	const apart = daysBetween(serverNow(), moment(at), zone)
	const time = clock(at, zone)
	if (apart === 0) return time
	if (apart === -1) return `yesterday ${time}`
	const parts: Intl.DateTimeFormatOptions =
		Math.abs(apart) < 7 ? { weekday: 'short' } : { day: 'numeric', month: 'short', ...(otherYear(at, zone) ? { year: 'numeric' } : {}) }
	return `${new Intl.DateTimeFormat(LANGUAGE, { timeZone: zone, ...parts }).format(moment(at))} ${time}`
}

const yearOf = (at: number, zone: string): string => new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric' }).format(at)

/** Its year, where it is another than this one. */
const otherYear = (at: string | number, zone: string): string => {
	const year = yearOf(moment(at), zone)
	return year === yearOf(serverNow(), zone) ? '' : year
}

const dateOf = (at: string | number, zone: string): string => `${dateText(moment(at), zone, LANGUAGE).replace(',', '')} ${otherYear(at, zone)}`.trim()

/** "Berlin", of `Europe/Berlin`. */
export const zoneName = (zone: string): string => (zone.split('/').at(-1) ?? zone).replaceAll('_', ' ')

export interface Clock {
	/** The time of all sites where they have one, else of whoever reads: so is told what happened at no site, such as a change to a person. */
	readonly home: string
	/** Sites have different times, so each time names its place. */
	readonly several: boolean
	/** Whose times a page shows, in words. */
	readonly told: string
}

/** Which time is told of what happened at no site, and whose times a page shows; `here`: the zone of whoever reads. */
export function clockOf(sites: readonly Pick<Site, 'name' | 'timeZone'>[], here: string): Clock {
	const [zone = here, ...others] = new Set(sites.map(({ timeZone }) => timeZone))
	if (others.length > 0) return { home: here, several: true, told: general.timesWhere }
	const [only] = sites
	return { home: zone, several: false, told: only && sites.length === 1 ? general.timesAt(only.name) : general.timesOf(zoneName(zone)) }
}

/** "Tuesday 16 June, 12:42", "Monday 16 June 2031, 12:42" */
export const longTime = (at: string | number, zone: string): string => `${dateOf(at, zone)}, ${clock(at, zone)}`

/** What a field of date and time says, as site time; undefined: it is empty. */
export function fromLocal(text: string, zone: string): string | undefined {
	const [date, time] = text.split('T')
	return date && time ? new Date(instantAt(Date.parse(`${date}T12:00Z`), zone, 0, minutes(time))).toISOString() : undefined
}

let ticking: ReturnType<typeof setInterval> | undefined
const listeners = new Set<() => void>()
let tick = 0
/** The server's time to the second; whoever uses it is drawn anew each second. */
export function useNow(): number {
	useSyncExternalStore(
		(changed) => {
			listeners.add(changed)
			ticking ??= setInterval(() => {
				tick++
				for (const listener of listeners) listener()
			}, 1_000)
			return () => {
				listeners.delete(changed)
				if (listeners.size > 0) return
				clearInterval(ticking)
				ticking = undefined
			}
		},
		() => tick,
	)
	return serverNow()
}
