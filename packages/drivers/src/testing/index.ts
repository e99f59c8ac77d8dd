export type { BoardEmulator, BusFaults, Cabinet, CompartmentFaults, EmulatorWire, ReaderEmulator } from './emulator.ts'
