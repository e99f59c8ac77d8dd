const TOLD_A_SECOND = 20

/** Counts everything; tells so many incidents of a kind in a second: whoever floods us must neither fill the log nor hide what else happens. */
export interface Tally<Kind extends string, Incident> {
	count(kind: Kind): void
	tell(incident: Incident): void
	counted(): { readonly [K in Kind]?: number }
}

export function tally<Kind extends string, Incident>(
	mono: () => number,
	kindOf: (incident: Incident) => Kind,
	tell: (incident: Incident) => void,
): Tally<Kind, Incident> {
	const counts = new Map<Kind, number>()
	const told = new Map<Kind, number>()
	let since = mono()
	const count = (kind: Kind) => void counts.set(kind, (counts.get(kind) ?? 0) + 1)
	return {
		count,
		tell(incident) {
			const kind = kindOf(incident)
			count(kind)
			const now = mono()
			if (now - since >= 1_000) {
				since = now
				told.clear()
			}
			const before = told.get(kind) ?? 0
			told.set(kind, before + 1)
			if (before < TOLD_A_SECOND) tell(incident)
		},
		counted: () => Object.fromEntries(counts) as { readonly [K in Kind]?: number },
	}
}
