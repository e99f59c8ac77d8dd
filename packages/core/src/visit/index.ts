export type { Step, StepOutcome, Visit } from './visit.ts'
