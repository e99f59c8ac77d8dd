import type { Board } from './board.ts'
import { kr16 } from './kerong/driver.ts'
import { KR16_PRODUCTS } from './kerong/products.ts'
import { osdpReader } from './osdp/driver.ts'
import type { Reader } from './reader.ts'
import { serialScanner } from './scanner/driver.ts'

export type CatalogEntry =
	| { readonly family: string; readonly kind: 'board'; readonly products: readonly string[]; create(product: string): Board }
	| { readonly family: string; readonly kind: 'reader' | 'scanner'; readonly products: readonly string[]; create(product: string): Reader }

/** Every driver there is. A new vendor is a folder and a line here; a new product is an entry in its vendor's `products`. */
export const CATALOG: readonly CatalogEntry[] = [
	{ family: 'kr16', kind: 'board', products: KR16_PRODUCTS.map((product) => product.name), create: kr16 },
	{ family: 'osdp', kind: 'reader', products: ['osdp-v2'], create: () => osdpReader() },
	{ family: 'scanner', kind: 'scanner', products: ['serial'], create: () => serialScanner() },
]
