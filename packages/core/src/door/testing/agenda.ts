type Entry = { readonly due: number; readonly order: number; readonly run: () => void }

/** What is to happen, in virtual milliseconds; what is due at the same time happens in the order in which it was entered. */
export class Agenda {
	now = 0
	private readonly entries: Entry[] = []
	private order = 0

	after(ms: number, run: () => void): void {
		this.entries.push({ due: this.now + ms, order: this.order++, run })
	}

	/** Moves time to the next thing and lets it happen; false when nothing is left. */
	next(): boolean {
		const { entries } = this
		let first = entries[0]
		let at = 0
		for (let i = 1; i < entries.length; i++) {
			const entry = entries[i]
			if (entry && first && (entry.due < first.due || (entry.due === first.due && entry.order < first.order))) {
				first = entry
				at = i
			}
		}
		const last = entries.pop()
		if (!first || !last) return false
		if (at < entries.length) entries[at] = last
		this.now = first.due
		first.run()
		return true
	}
}
