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
	readonly readers: readonly { readonly family: string; readonly online: boolean; readonly secure: boolean }[]
}

/** Everything that the page shows, made anew from what is known: the page itself keeps nothing. */
export function kioskView({ authority, bank, session, time, journal, readers }: ViewParts): KioskView {
	const known = authority.current()?.bundle
	const idle = session.idle()
	return {
		turn: session.turn(),
		now: time.now(),
		bank: known
			? { name: known.bank.name, site: known.site.name, timeZone: known.site.timeZone, helpPhone: known.bank.helpPhone }
			: { name: 'Bank', site: 'Not set up', timeZone: 'UTC', helpPhone: '–' },
		layout: known?.bank.layout ?? { columns: [] },
		screen: session.screen(),
		...(idle && { idle }),
		standing: [],
		notices: [...noticesOf({ authority, bank, time, journal, readers })],
	}
}

/** Most important first. */
function* noticesOf({ authority, bank, time, journal, readers }: Omit<ViewParts, 'session'>): Generator<KioskView['notices'][number]> {
	const doors = Object.values(bank.state().compartments)
	if (doors.some((c) => c.hold?.why === 'forced' && c.door === 'open')) yield 'door-forced'
	if (doors.some((c) => c.session?.level === 'alarm')) yield 'door-left-open'
	if (bank.boards().some((b) => !b.up)) yield 'doors-lost'
	if (journal.lost()) yield 'history-lost'
	if (journal.storage() === 'low') yield 'storage-low'
	const state = authority.state()
	if (state === 'bundle-expired' || state === 'lease-expired') yield 'bundle-expired'
	if (state === 'stale') yield 'bundle-stale'
	if (time.uncertain()) yield 'clock-uncertain'
	if (readers.some((r) => !r.online)) yield 'reader-lost'
}
