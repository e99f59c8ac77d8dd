import type { ReaderFamily } from '../testing/reader-suite.ts'
import { scannerChecks } from './checks.ts'
import { serialScanner } from './driver.ts'
import { SCANNER_PRODUCTS } from './products.ts'

const NEVER_ASKED = 'a scanner only speaks: there is no question, no answer and no address'
const NO_OUTPUT = 'a scanner switches nothing'

/** What the scanner driver must hold (hardware design §6), over real lines. */
export const SCANNER_FAMILY: ReaderFamily = {
	family: 'scanner',
	products: SCANNER_PRODUCTS.map(({ name }) => name) as [string, ...string[]],
	create: serialScanner,
	checks: scannerChecks(),
	reasons: {
		notApplicable: {
			5: NEVER_ASKED,
			6: NEVER_ASKED,
			8: NEVER_ASKED,
			9: 'a scanner has no channels to map',
			10: NO_OUTPUT,
			11: NO_OUTPUT,
			12: NO_OUTPUT,
			13: NO_OUTPUT,
			14: 'a scanner has no door; what a code leads to is proven by the kiosk session',
			23: 'for OSDP',
			24: 'for families with a peer in Debian',
		},
		memoryOnly: { 1: 'bytes alone, no line', 20: 'an hour of traffic needs time that can be skipped' },
	},
}
