export { type BankLayout, bankLayout, type DenyReason, denyReason, doorNumber, type KioskAct, type KioskScreen, type KioskView, kioskAct, kioskScreen, kioskView } from './kiosk.ts'
export {
	type SensorFault,
	sensorFault,
	type VirtualBanks,
	type VirtualBoardFaults,
	type VirtualCompartmentFaults,
	type VirtualFault,
	type VirtualState,
	virtualBadge,
	virtualBanks,
	virtualClockAdvance,
	virtualDoor,
	virtualFault,
	virtualItem,
	virtualKeypad,
	virtualScan,
	virtualState,
} from './virtual.ts'
