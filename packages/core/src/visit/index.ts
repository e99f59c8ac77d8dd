export type { PlannedStep, Step, StepOutcome, StepState, Visit, VisitRefusal, VisitRefused } from './visit.ts'
export { activate, addStep, endVisit, interruptAtRestart, nextStep, RESUME_MS, resumable, resume, settle, skip, startVisit } from './visit.ts'
