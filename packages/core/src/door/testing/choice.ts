/** Every decision of a simulated world: `choose(n)` is 0 … n-1, and 0 is always the quiet, honest, ordinary case. */
export type Choose = (n: number) => number

/** Choices from a seed (splitmix32): the same seed is the same world, for ever. */
export function seededChoices(seed: number): Choose {
	let state = seed | 0
	return (n) => {
		state = (state + 0x9e3779b9) | 0
		let t = state ^ (state >>> 16)
		t = Math.imul(t, 0x21f0aaad)
		t = t ^ (t >>> 15)
		t = Math.imul(t, 0x735a2d97)
		return ((t ^ (t >>> 15)) >>> 0) % n
	}
}

/** Choices from a list that a property test generates and shrinks; when it is used up everything is quiet. */
export function listedChoices(list: readonly number[]): Choose {
	let i = 0
	return (n) => (list[i++] ?? 0) % n
}
