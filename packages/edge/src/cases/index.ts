export { type CaseEntry, type Cases, type Loan, openCases } from './cases.ts'
