export { type CaseEntry, type Cases, type Loan, NOTHING, openCases } from './cases.ts'
export type { Parcel, Task } from './parcels.ts'
