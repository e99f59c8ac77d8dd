/**
 * Arrow keys go to the nearest thing in that direction, as drawn: tiles, keys, bars and the doors of a bank need no order
 * of their own, and a tactile four-way pad drives a whole page.
 */
export interface Box {
	readonly x: number
	readonly y: number
	readonly width: number
	readonly height: number
}

/** A box along one axis: where it starts, where it ends. */
type Span = readonly [start: number, end: number]

const across = (box: Box): Span => [box.x, box.x + box.width]
const down = (box: Box): Span => [box.y, box.y + box.height]
const flipped = ([start, end]: Span): Span => [-end, -start]

/** Ahead and aside as seen by someone who walks that way. */
const WAYS: Readonly<Record<string, readonly [ahead: (box: Box) => Span, aside: (box: Box) => Span]>> = {
	ArrowRight: [across, down],
	ArrowLeft: [(box) => flipped(across(box)), down],
	ArrowDown: [down, across],
	ArrowUp: [(box) => flipped(down(box)), across],
}

export function isArrow(key: string): boolean {
	return key in WAYS
}

/** What lies straight ahead comes before what lies nearer but sideways; `undefined` when nothing lies that way. */
export function nearest<T>(key: string, from: Box, candidates: readonly T[], boxOf: (candidate: T) => Box): T | undefined {
	const [ahead, aside] = WAYS[key] ?? []
	if (!ahead || !aside) return undefined
	let best: T | undefined
	let bestCost = Number.POSITIVE_INFINITY
	for (const candidate of candidates) {
		const to = boxOf(candidate)
		// From edge to edge: what does not begin where this one ends does not lie that way.
		const distance = ahead(to)[0] - ahead(from)[1]
		if (distance < -1) continue
		// Sideways counts as far as the two do not face each other; the middles decide between equals.
		const cost = distance + 4 * gap(aside(from), aside(to)) + 0.1 * Math.abs(middle(aside(to)) - middle(aside(from)))
		if (cost < bestCost) [best, bestCost] = [candidate, cost]
	}
	return best
}

const gap = (a: Span, b: Span) => Math.max(0, b[0] - a[1], a[0] - b[1])
const middle = ([start, end]: Span) => (start + end) / 2

/** Moves the focus among the buttons of a page. */
export function moveByArrow(event: KeyboardEvent): void {
	if (!isArrow(event.key) || event.altKey || event.ctrlKey || event.metaKey) return
	const from = document.activeElement
	const buttons = [...document.querySelectorAll<HTMLElement>('button:not(:disabled)')]
	const next =
		from instanceof HTMLButtonElement
			? nearest(event.key, from.getBoundingClientRect(), buttons, (button) => button.getBoundingClientRect())
			: // From the heading the first step leads to what the screen is about.
				buttons[0]
	if (!next) return
	event.preventDefault()
	next.focus()
}
