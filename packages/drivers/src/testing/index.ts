export type { EmulatorWire } from '../transport/index.ts'
export { createCabinet } from './cabinet.ts'
export type { BoardEmulator, BoardEmulatorMaker, BusFaults, Cabinet, CompartmentFaults, EmulatedBoard, ReaderEmulator } from './emulator.ts'
