export { type Bank, openBank, type Wiring } from './bank.ts'
