/**
 * Arrow keys move the focus to the nearest button in that direction, as drawn: tiles, keypad and bar need no order of
 * their own, and a tactile four-way pad drives the whole page.
 */
const WAYS: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
	ArrowRight: [1, 0],
	ArrowLeft: [-1, 0],
	ArrowDown: [0, 1],
	ArrowUp: [0, -1],
}

export function moveByArrow(event: KeyboardEvent): void {
	const way = WAYS[event.key]
	if (!way || event.altKey || event.ctrlKey || event.metaKey) return
	const from = document.activeElement ?? document.body
	const next = nearest(centre(from), [...document.querySelectorAll<HTMLElement>('button:not(:disabled)')], from, way)
	if (!next) return
	event.preventDefault()
	next.focus()
}

interface Point {
	readonly x: number
	readonly y: number
}

function centre(element: Element): Point {
	const box = element.getBoundingClientRect()
	return { x: box.left + box.width / 2, y: box.top + box.height / 2 }
}

function nearest(from: Point, candidates: readonly HTMLElement[], self: Element, [dx, dy]: readonly [number, number]): HTMLElement | undefined {
	let best: HTMLElement | undefined
	let bestCost = Number.POSITIVE_INFINITY
	for (const candidate of candidates) {
		if (candidate === self) continue
		const to = centre(candidate)
		const along = (to.x - from.x) * dx + (to.y - from.y) * dy
		const aside = Math.abs((to.x - from.x) * dy) + Math.abs((to.y - from.y) * dx)
		if (along < 8) continue
		// Straight ahead beats near but sideways.
		const cost = along + 2.5 * aside
		if (cost < bestCost) [best, bestCost] = [candidate, cost]
	}
	return best
}
