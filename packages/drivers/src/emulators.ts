import { kr16Emulator } from './kerong/emulator.ts'
import { KR16_FAMILY } from './kerong/family.ts'
import { OSDP_FAMILY } from './osdp/conformance.ts'
import { SCANNER_FAMILY } from './scanner/conformance.ts'
import type { BoardEmulatorMaker, BoardFamily, ReaderFamily } from './testing/index.ts'

/** Emulated lock boards by family, for the virtual bank. */
export const BOARD_EMULATORS: Readonly<Record<string, BoardEmulatorMaker>> = {
	kr16: kr16Emulator,
}

/** What `runConformance` needs of each family of lock boards. */
export const BOARD_FAMILIES: readonly BoardFamily[] = [KR16_FAMILY]
/** The same for readers and scanners and `runReaderConformance`. */
export const READER_FAMILIES: readonly ReaderFamily[] = [OSDP_FAMILY, SCANNER_FAMILY]

export { osdpReaderEmulator } from './osdp/emulator.ts'
export { scannerEmulator } from './scanner/emulator.ts'
