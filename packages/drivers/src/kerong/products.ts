/** What the vendor sells, as data. `pulseMs`: 500 for solenoid locks, up to 1000 for motor locks (manual, hardware.md §1.1 [S4]). */
export interface Kr16Product {
	readonly name: string
	readonly channels: number
	readonly pulseMs: { readonly min: number; readonly max: number }
}

export const KR16_PRODUCTS: readonly Kr16Product[] = [
	{ name: 'CU12', channels: 12, pulseMs: { min: 500, max: 1000 } },
	{ name: 'CU16', channels: 16, pulseMs: { min: 500, max: 1000 } },
]

/** 19200 by the manual; boards at the others were met in the field (hardware.md §1.1). */
export const KR16_BAUDS: readonly number[] = [19_200, 9_600, 38_400, 115_200]
