import { kr16Emulator } from './kerong/emulator.ts'
import type { BoardEmulatorMaker } from './testing/index.ts'

/** Emulated lock boards by family, for the virtual bank and the conformance suite. */
export const BOARD_EMULATORS: Readonly<Record<string, BoardEmulatorMaker>> = {
	kr16: kr16Emulator,
}

export { osdpReaderEmulator } from './osdp/emulator.ts'
export { scannerEmulator } from './scanner/emulator.ts'
