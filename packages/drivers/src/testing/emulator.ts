import type { BoardProfile, Tri } from '../board.ts'
import type { DriverClock, EmulatorWire } from '../transport/index.ts'

/** What can go wrong with one compartment; combined freely, cleared with `{}`. */
export interface CompartmentFaults {
	/** The solenoid fires and the latch does not let go. */
	readonly stuckLock?: boolean
	/** The door swings open this long after the pulse. */
	readonly lateOpenMs?: number
	/** The latch contact and the content sensor: frozen at a value, inverted, or flapping. */
	readonly sensor?: 'stuckClosed' | 'stuckOpen' | 'inverted' | 'flapping'
}

/** Faults of a whole board or its bus. */
export interface BusFaults {
	/** The board takes no command and gives no answer (power or cable). */
	readonly silent?: boolean
	/** Share (0–1) of bytes that arrive changed, in the named direction. */
	readonly corrupt?: { readonly rate: number; readonly direction: 'answers' | 'commands' | 'both' }
	/** The bus echoes what the controller sends, as RS-485 adapters without echo suppression do. */
	readonly echo?: boolean
	/** Answers come this much later. */
	readonly answerDelayMs?: number
	/** Answers open commands with nothing (families differ). */
	readonly noOpenAnswer?: boolean
}

/**
 * The physical truth of a cabinet, shared by every lock-board emulator: doors with springs, latches, things inside, and a
 * count of pulses *as they came over the bus*. A pulse frees the latch and the door swings open by itself; a person pushes it shut.
 */
export interface Cabinet {
	readonly compartments: number
	pulse(index: number): void
	door(index: number): Exclude<Tri, 'unknown'>
	/** What the sensors report, faults applied; an emulator answers with this and never with `door()`. */
	latchSensor(index: number): Exclude<Tri, 'unknown'>
	presenceSensor(index: number): boolean
	item(index: number): { readonly present: boolean; readonly tag?: string }
	pulses(index: number): number
	/** A person pushes the door shut, or it is forced / opens by itself. */
	setDoor(index: number, state: 'open' | 'closed'): void
	/** Refused (returns false) while the door is closed, unless `throughMetal`: cut from behind. */
	setItem(index: number, item: { present: boolean; tag?: string }, throughMetal?: boolean): boolean
	setFaults(index: number, faults: CompartmentFaults): void
	faults(index: number): CompartmentFaults
	/** Called after every physical change. */
	onChange(listener: (index: number) => void): () => void
}

export interface BoardEmulator {
	attach(wire: EmulatorWire): () => void
	setFaults(board: number, faults: BusFaults): void
	/** True while an output is energised: a stopped or killed driver must leave none. */
	energised(): boolean
}

export interface ReaderEmulator {
	attach(wire: EmulatorWire): () => void
	card(card: { format: number; bitCount: number; bits: Uint8Array }): void
	/** Digits and `#`/`*` as the person presses them. */
	keys(keys: string): void
	tamper(active: boolean): void
	/** Unplugged or powered off. */
	setOffline(offline: boolean): void
	/** For a page that shows the reader: LED colour and last buzzer. */
	indicator(): { led: 'off' | 'red' | 'green' | 'amber' | 'blue'; online: boolean; secure: boolean }
}

export interface EmulatedBoard {
	/** Address switch of the board. */
	readonly board: number
	/** One compartment for each channel of the product. */
	readonly cabinet: Cabinet
}

/** Makes the boards of one bus; `wiring` for what the sources of a family disagree on. */
export type BoardEmulatorMaker = (options: {
	readonly boards: readonly EmulatedBoard[]
	readonly clock: DriverClock
	readonly wiring?: Pick<BoardProfile, 'polarity' | 'statusOrder'>
}) => BoardEmulator
