/**
 * Site time in words. The wall clock of the machine that shows a page is never asked: `at` and `now` come from the controller.
 * All are milliseconds since 1970; `timeZone` is the site's IANA name.
 */
export function clockText(at: number, timeZone: string, language: string): string {
	return new Intl.DateTimeFormat(language, { timeZone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at)
}

export function dateText(at: number, timeZone: string, language: string): string {
	return new Intl.DateTimeFormat(language, { timeZone, weekday: 'long', day: 'numeric', month: 'long' }).format(at)
}

/** Calendar days of the site between two moments: 0 today, 1 tomorrow, −1 yesterday. */
export function daysBetween(now: number, at: number, timeZone: string): number {
	return Math.round((dayStart(at, timeZone) - dayStart(now, timeZone)) / 86_400_000)
}

/** Midnight of the site's calendar day, written as if the site were in UTC: only differences count. */
function dayStart(at: number, timeZone: string): number {
	const parts = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
	return Date.parse(`${parts}T00:00:00Z`)
}
