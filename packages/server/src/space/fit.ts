/** From the smallest to the largest. */
export const SIZES = ['S', 'M', 'L', 'XL'] as const
export type Size = (typeof SIZES)[number]

/** What a compartment offers, or what a thing asks of one. `accessible`: within reach from a wheelchair. */
export interface Room {
	readonly size: Size
	readonly accessible: boolean
}

/**
 * Can all that is wanted be put into what is free, one thing a compartment? Those who need an accessible door choose first, the
 * largest before the smaller ones, each the tightest that fits: with sizes that contain each other no other order finds room where this one does not.
 */
export function fits(free: readonly Room[], wanted: readonly Room[]): boolean {
	const left = [...free].sort((a, b) => rank(a.size) - rank(b.size) || Number(a.accessible) - Number(b.accessible))
	const needy = wanted.filter((one) => one.accessible)
	const others = wanted.filter((one) => !one.accessible)
	for (const group of [needy, others])
		for (const one of [...group].sort((a, b) => rank(b.size) - rank(a.size))) {
			const at = left.findIndex((room) => rank(room.size) >= rank(one.size) && (room.accessible || !one.accessible))
			if (at < 0) return false
			left.splice(at, 1)
		}
	return true
}

const rank = (size: Size): number => SIZES.indexOf(size)
