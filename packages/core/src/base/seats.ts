export interface Seats {
	/** How to leave it again, which may be called twice; undefined: whoever it is has so many already. */
	take(whose: string, most: number): (() => void) | undefined
}

/** Who has how many places at a time, and nobody more than the most: connections of one address, streams of one caller. */
export function seats(): Seats {
	const taken = new Map<string, number>()
	return {
		take(whose, most) {
			const before = taken.get(whose) ?? 0
			if (before >= most) return undefined
			taken.set(whose, before + 1)
			let seated = true
			return () => {
				if (!seated) return
				seated = false
				const left = (taken.get(whose) ?? 1) - 1
				if (left === 0) taken.delete(whose)
				else taken.set(whose, left)
			}
		},
	}
}
