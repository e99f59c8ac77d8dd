import { isId } from '@latchwork/core/base'
import type { Compartment } from '@latchwork/core/door'
import type { KioskView } from '@latchwork/core/wire'
import type { Bank } from '../bank/index.ts'
import type { Journal } from '../journal/index.ts'
import type { AuthoritySource } from '../sync/authority.ts'
import type { TrustedTime } from '../time.ts'
import type { KioskSession } from './session.ts'

export interface ViewParts {
	readonly authority: AuthoritySource
	readonly bank: Bank
	readonly session: KioskSession
	readonly time: TrustedTime
	readonly journal: Journal
	/** Gone from its server for a while. */
	readonly offline: boolean
	/** Its server lets it in no more. */
	readonly claim: boolean
	readonly readers: readonly { readonly family: string; readonly online: boolean; readonly secure: boolean }[]
	/** Door number on the metal. */
	readonly number: (compartment: string) => number
}
type Standing = KioskView['standing'][number]

/** Everything that the page shows, made anew from what is known: the page itself keeps nothing. */
export function kioskView({ authority, bank, session, time, journal, offline, claim, readers, number }: ViewParts): KioskView {
	const known = authority.current()?.bundle
	const idle = session.idle()
	const standing = standingDoors(bank, session.screen(), number)
	return {
		turn: session.turn(),
		now: time.now(),
		bank: known
			? { name: known.bank.name, site: known.site.name, timeZone: known.site.timeZone, helpPhone: known.bank.helpPhone }
			: { name: 'Bank', site: 'Not set up', timeZone: 'UTC', helpPhone: '–' },
		layout: known?.bank.layout ?? { columns: [] },
		screen: session.screen(),
		...(idle && { idle }),
		standing,
		notices: [...noticesOf({ authority, bank, time, journal, offline, claim, readers }, standing)],
	}
}

/** Doors that stand open with nobody at them by right, or for too long. */
function standingDoors(bank: Bank, screen: KioskView['screen'], number: (compartment: string) => number): Standing[] {
	const shown = screen.name === 'open' ? screen.door.number : undefined
	return Object.values(bank.state().compartments)
		.filter((c) => c.door === 'open')
		.flatMap((c): Standing[] => {
			const why = whyOpen(c, number(c.id) === shown)
			return why ? [{ number: number(c.id), why }] : []
		})
		.sort((a, b) => a.number - b.number)
}

function whyOpen({ session, hold }: Compartment, shown: boolean): Standing['why'] | undefined {
	if (session?.level === 'alarm') return 'left-open'
	if (session && isId('command', session.command)) return 'by-staff'
	if (session) return shown ? undefined : 'left-open'
	return hold?.why === 'forced' ? 'forced' : 'unexplained'
}

/** Most important first. */
function* noticesOf(
	{ authority, bank, time, journal, offline, claim, readers }: Omit<ViewParts, 'session' | 'number'>,
	standing: readonly Standing[],
): Generator<KioskView['notices'][number]> {
	for (const why of ['forced', 'unexplained', 'left-open', 'by-staff'] as const) if (standing.some((d) => d.why === why)) yield `door-${why}`
	if (bank.boards().some((b) => !b.up)) yield 'doors-lost'
	if (journal.lost()) yield 'history-lost'
	if (journal.storage() === 'low') yield 'storage-low'
	const state = authority.state()
	if (state === 'bundle-expired' || state === 'lease-expired') yield 'bundle-expired'
	if (claim) yield 'claim-needed'
	if (offline) yield 'offline'
	else if (state === 'stale') yield 'bundle-stale'
	if (time.uncertain()) yield 'clock-uncertain'
	if (readers.some((r) => !r.online)) yield 'reader-lost'
	// What a scanner reads is signed; a badge number is not.
	if (readers.some((r) => r.online && !r.secure && r.family !== 'scanner')) yield 'reader-insecure'
}
