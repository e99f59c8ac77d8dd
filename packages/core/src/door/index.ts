export {
	type Act,
	type BankState,
	type Compartment,
	type Content,
	type DoorRefusal,
	type DoorSession,
	type EndState,
	type Evidence,
	type Hold,
	type KnownCommand,
	type LiveState,
	lastItem,
	newBank,
	newCompartment,
	type Senses,
	type Tri,
} from './state.ts'
export { step } from './step.ts'
export { DOOR_TIMERS, type DoorTimer, KIOSK_TIMERS, REOPEN } from './timers.ts'
export type { DoorEffect, DoorEvent, DoorInput, Ended, ReleaseRequest, Step } from './turn.ts'
