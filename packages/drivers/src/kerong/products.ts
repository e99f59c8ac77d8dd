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
