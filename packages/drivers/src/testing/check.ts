import type { Bench, BenchOptions, BoardFamily, LineKind } from './bench.ts'

export interface Lab {
	readonly family: BoardFamily
	readonly product: string
	readonly kind: LineKind
	/** A fresh bus; closed when the check ends. */
	bench(options?: BenchOptions): Promise<Bench>
}

export interface Check {
	/** Number in the conformance list of hardware.md §6. */
	readonly item: number
	readonly name: string
	/** Where timing matters only memory, whose clock is fake. */
	readonly lines: readonly LineKind[]
	/** Throws when the driver fails; a text says why the item does not apply to this family. */
	run(lab: Lab): Promise<string | undefined>
}

export interface CheckResult {
	readonly product: string
	readonly item: number
	readonly name: string
	readonly line: LineKind
	readonly ok: boolean
	/** The item does not concern this family, so nothing was tried. */
	readonly notApplicable?: true
	/** What went wrong, or why the item does not apply. */
	readonly detail: string
}
