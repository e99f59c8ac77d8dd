import { type Clock, Fault } from '@latchwork/core/base'

export interface Rate {
	/** Requests that may come at once. */
	readonly burst: number
	readonly perSecond: number
}

export interface Allowance {
	readonly limit: number
	readonly remaining: number
	/** Seconds until it is full again. */
	readonly reset: number
}

/** More callers at a time than that, and the longest unseen are forgotten: an attacker's addresses must not fill the memory. */
const REMEMBERED = 20_000

/** A bucket for each caller of this process (T32): it fills steadily and one request takes one. */
export function rateLimit(clock: Pick<Clock, 'mono'>, { burst, perSecond }: Rate) {
	const buckets = new Map<string, { left: number; at: number }>()
	const filled = (key: string) => {
		const now = clock.mono()
		const bucket = buckets.get(key)
		const left = bucket === undefined ? burst : Math.min(burst, bucket.left + ((now - bucket.at) / 1000) * perSecond)
		return { left, at: now }
	}
	const keep = (key: string, bucket: { left: number; at: number }) => {
		buckets.delete(key)
		buckets.set(key, bucket)
		if (buckets.size > REMEMBERED) buckets.delete(buckets.keys().next().value as string)
	}
	return {
		/** Throws `rate-limited` when there is nothing left. */
		take(key: string): Allowance {
			const { left, at } = filled(key)
			if (left < 1) {
				keep(key, { left, at })
				const seconds = Math.max(1, Math.ceil((1 - left) / perSecond))
				throw new Fault('rate-limited', `Too many requests. Try again in ${seconds} s.`, { detail: { retryAfterSeconds: seconds } })
			}
			keep(key, { left: left - 1, at })
			return { limit: burst, remaining: Math.floor(left - 1), reset: Math.ceil((burst - left + 1) / perSecond) }
		},
	}
}
