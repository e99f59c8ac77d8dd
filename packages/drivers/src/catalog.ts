import type { Board } from './board.ts'
import { BOARDS_PER_BUS } from './kerong/codec.ts'
import { kr16 } from './kerong/driver.ts'
import { KR16_BAUDS, KR16_PRODUCTS } from './kerong/products.ts'
import { osdpReader } from './osdp/driver.ts'
import { OSDP_PRODUCTS } from './osdp/products.ts'
import type { Reader } from './reader.ts'
import { serialScanner } from './scanner/driver.ts'
import { SCANNER_PRODUCTS } from './scanner/products.ts'

export interface BoardEntry {
	readonly family: string
	readonly kind: 'board'
	readonly products: readonly string[]
	/** Speeds at which boards of the family are found in the field, the usual one first. */
	readonly bauds: readonly number[]
	/** So many addresses a bus has, counted from 0. */
	readonly addresses: number
	create(product: string): Board
}

export type CatalogEntry =
	| BoardEntry
	| { readonly family: string; readonly kind: 'reader' | 'scanner'; readonly products: readonly string[]; create(product: string): Reader }

/** Every driver there is. A new vendor is a folder and a line here; a new product is an entry in its vendor's `products`. */
export const CATALOG: readonly CatalogEntry[] = [
	{
		family: 'kr16',
		kind: 'board',
		products: KR16_PRODUCTS.map((product) => product.name),
		bauds: KR16_BAUDS,
		addresses: BOARDS_PER_BUS,
		create: kr16,
	},
	{ family: 'osdp', kind: 'reader', products: OSDP_PRODUCTS.map((product) => product.name), create: (product) => osdpReader(product) },
	{ family: 'scanner', kind: 'scanner', products: SCANNER_PRODUCTS.map((product) => product.name), create: (product) => serialScanner(product) },
]
