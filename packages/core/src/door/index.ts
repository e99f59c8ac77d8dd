export {
	type Act,
	type BankState,
	type Compartment,
	type Content,
	type DoorSession,
	type EndState,
	type Evidence,
	type Hold,
	type LiveState,
	newBank,
	newCompartment,
	type Senses,
	type Tri,
} from './state.ts'
export { step } from './step.ts'
export { DOOR_TIMERS, type DoorTimer } from './timers.ts'
export type { DoorEffect, DoorEvent, DoorInput, DoorRefusal, Ended, ReleaseRequest, Step } from './turn.ts'
