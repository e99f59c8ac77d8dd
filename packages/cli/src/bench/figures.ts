import { cpus, totalmem } from 'node:os'

/** One line of the table: a size, what it cost, and the floor beside it where there is one. */
export interface Figure {
	readonly size: string
	readonly unit: 'ms' | 'KiB' | 'MiB' | 'MB' | 's' | '%' | '/s'
	readonly p50: number
	readonly p99?: number
	readonly floor?: { readonly p50: number; readonly p99?: number }
	/** Ours over the floor (`times`), or ours less the floor (`over`, in the unit). */
	readonly against?: { readonly kind: 'times' | 'over'; readonly p50: number; readonly p99?: number }
	readonly goal?: string
	readonly met?: boolean
	readonly samples: number
}

/** What one benchmark found, as it is printed, drawn and kept. */
export interface Findings {
	/** P1 … of performance.md. */
	readonly id: string
	readonly name: string
	readonly what: string
	readonly floor: string
	readonly conditions: readonly string[]
	readonly figures: readonly Figure[]
}

export interface BenchOptions {
	/** An empty folder for this run; removed afterwards. */
	readonly folder: string
	/** Multiplies the number of samples; 1 is a whole measurement. Each result says what it was taken with. */
	readonly effort: number
	readonly log: (line: string) => void
}

export type Bench = (options: BenchOptions) => Promise<Findings>

/** Nearest-rank percentile of a list that is not empty. */
export function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b)
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

const spread = (values: readonly number[]): { p50: number; p99: number } => ({ p50: percentile(values, 0.5), p99: percentile(values, 0.99) })

/** A figure whose goal is a multiple of its floor. */
export function timesFloor(
	size: string,
	ours: readonly number[],
	floor: readonly number[],
	goal: { readonly p50: number; readonly p99: number },
): Figure {
	const [a, b] = [spread(ours), spread(floor)]
	const against = { kind: 'times' as const, p50: a.p50 / b.p50, p99: a.p99 / b.p99 }
	return {
		size,
		unit: 'ms',
		...a,
		floor: b,
		against,
		goal: `≤ ${goal.p50}× p50, ≤ ${goal.p99}× p99`,
		met: against.p50 <= goal.p50 && against.p99 <= goal.p99,
		samples: ours.length,
	}
}

/** A figure whose goal is an amount over its floor. */
export function overFloor(size: string, unit: Figure['unit'], ours: readonly number[], floor: readonly number[], most: number): Figure {
	const [a, b] = [spread(ours), spread(floor)]
	const against = { kind: 'over' as const, p50: a.p50 - b.p50 }
	return { size, unit, ...a, floor: b, against, goal: `≤ +${most} ${unit}`, met: against.p50 <= most, samples: ours.length }
}

/** A rate whose goal is a share of its floor's. */
export function shareOfFloor(size: string, ours: readonly number[], floor: readonly number[], least: number): Figure {
	const [a, b] = [percentile(ours, 0.5), percentile(floor, 0.5)]
	return {
		size,
		unit: '/s',
		p50: a,
		floor: { p50: b },
		against: { kind: 'times', p50: a / b },
		goal: `≥ ${least}× the floor`,
		met: a / b >= least,
		samples: ours.length,
	}
}

/** A figure that must stay below an amount, whatever the machine. */
export function below(size: string, unit: Figure['unit'], ours: readonly number[], most: { readonly p99: number }): Figure {
	const a = spread(ours)
	return { size, unit, ...a, goal: `≤ ${most.p99} ${unit} p99`, met: a.p99 <= most.p99, samples: ours.length }
}

/** A figure to which the others of its row are held, or that stands for itself. */
export const alone = (size: string, unit: Figure['unit'], ours: readonly number[]): Figure => ({ size, unit, ...spread(ours), samples: ours.length })

/** How a cost grows: this figure over the smallest. */
export function growth(size: string, ours: readonly number[], smallest: readonly number[], most: number): Figure {
	const ratio = percentile(ours, 0.5) / percentile(smallest, 0.5)
	return {
		size,
		unit: 'ms',
		...spread(ours),
		floor: spread(smallest),
		against: { kind: 'times', p50: ratio },
		goal: `≤ ${most}× the smallest`,
		met: ratio <= most,
		samples: ours.length,
	}
}

/** What a reader must know of the machine to judge a ratio; nothing that names it. */
export const machine = () => ({
	cores: cpus().length,
	memoryGiB: Math.round(totalmem() / 2 ** 30),
	node: process.version,
	platform: `${process.platform}-${process.arch}`,
	sqlite: process.versions.sqlite,
})
