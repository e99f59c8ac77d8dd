/** Serial scanners differ in prefix and terminator, which are settings and not products. */
export const SCANNER_PRODUCTS: readonly [{ readonly name: string }, ...{ readonly name: string }[]] = [{ name: 'serial' }]
