export { type BankLayout, bankLayout, type DenyReason, denyReason, doorNumber, type KioskAct, type KioskScreen, type KioskView, kioskAct, kioskScreen, kioskView } from './kiosk.ts'
