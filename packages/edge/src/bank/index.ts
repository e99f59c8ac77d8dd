export { type Bank, openBank, type Wiring } from './bank.ts'
export { stock } from './stock.ts'
