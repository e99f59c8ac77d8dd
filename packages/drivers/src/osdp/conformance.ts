import type { ReaderCheck } from '../testing/reader-bench.ts'
import type { ReaderFamily } from '../testing/reader-suite.ts'
import { ABILITY_CHECKS } from './checks/abilities.ts'
import { BYTE_CHECKS, LINK_CHECKS } from './checks/line.ts'
import { SECURITY_CHECKS } from './checks/security.ts'
import { goldenVectors } from './checks/vectors.ts'
import { osdpReader } from './driver.ts'
import { OSDP_PRODUCTS } from './products.ts'

const NO_OUTPUT = 'a reader opens nothing: its lamp and buzzer are all it can switch (item 18)'

/** What the OSDP reader driver must hold (hardware design §6), on real packets. */
export const OSDP_FAMILY: ReaderFamily = {
	family: 'osdp',
	products: OSDP_PRODUCTS.map(({ name }) => name) as [string, ...string[]],
	create: osdpReader,
	checks: [goldenVectors(), ...BYTE_CHECKS, ...LINK_CHECKS, ...ABILITY_CHECKS, ...SECURITY_CHECKS].sort((a: ReaderCheck, b) => a.item - b.item),
	reasons: {
		notApplicable: {
			9: 'a reader has no channels to map',
			10: NO_OUTPUT,
			11: NO_OUTPUT,
			12: NO_OUTPUT,
			13: NO_OUTPUT,
			14: 'a reader has no door; what its reports lead to is proven by the kiosk session',
			24: 'for families with a peer in Debian',
		},
		memoryOnly: {
			1: 'bytes alone, no line',
			8: 'nothing reaches a line',
			20: 'an hour of traffic needs time that can be skipped',
		},
	},
}
