import { kr16Emulator } from './kerong/emulator.ts'
import { KR16_FAMILY } from './kerong/family.ts'
import type { BoardEmulatorMaker, BoardFamily } from './testing/index.ts'

/** Emulated lock boards by family, for the virtual bank. */
export const BOARD_EMULATORS: Readonly<Record<string, BoardEmulatorMaker>> = {
	kr16: kr16Emulator,
}

/** What `runConformance` needs of each family of lock boards. */
export const BOARD_FAMILIES: readonly BoardFamily[] = [KR16_FAMILY]

export { osdpReaderEmulator } from './osdp/emulator.ts'
export { scannerEmulator } from './scanner/emulator.ts'
