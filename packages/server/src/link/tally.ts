import type { BrokerCount, BrokerIncident } from './broker-lines.ts'

const TOLD_A_SECOND = 20

/** Counts everything; tells so many incidents of a kind in a second: whoever floods us must neither fill the log nor hide what else happens. */
export interface Tally {
	count(what: BrokerCount): void
	tell(incident: BrokerIncident): void
	counted(): { readonly [C in BrokerCount]?: number }
}

export function tally(mono: () => number, tell: (incident: BrokerIncident) => void): Tally {
	const counts = new Map<BrokerCount, number>()
	const told = new Map<BrokerCount, number>()
	let since = mono()
	const count = (what: BrokerCount) => void counts.set(what, (counts.get(what) ?? 0) + 1)
	return {
		count,
		tell(incident) {
			count(incident.what)
			const now = mono()
			if (now - since >= 1_000) {
				since = now
				told.clear()
			}
			const before = told.get(incident.what) ?? 0
			told.set(incident.what, before + 1)
			if (before < TOLD_A_SECOND) tell(incident)
		},
		counted: () => Object.fromEntries(counts),
	}
}
