/** What is on the wall, as data; the packets are the same for all. A keypad that is not claimed is not listened to. */
export interface OsdpProduct {
	readonly name: string
	readonly keypad: boolean
	readonly led: boolean
	readonly buzzer: boolean
}

export const OSDP_PRODUCTS: readonly [OsdpProduct, ...OsdpProduct[]] = [
	{ name: 'reader-keypad', keypad: true, led: true, buzzer: true },
	{ name: 'reader', keypad: false, led: true, buzzer: true },
	{ name: 'reader-bare', keypad: false, led: false, buzzer: false },
]
