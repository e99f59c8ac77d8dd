/** Randomness as an argument: `n` bytes. In Node `randomBytes`, in tests `seededRandom`. */
export type Random = (n: number) => Uint8Array

/** Deterministic bytes for tests and simulations (mulberry32); never for secrets. */
export function seededRandom(seed: number): Random {
	let state = seed >>> 0
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0
		let t = state
		t = Math.imul(t ^ (t >>> 15), t | 1)
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
		return ((t ^ (t >>> 14)) >>> 0) & 0xff
	}
	return (n) => Uint8Array.from({ length: n }, next)
}
