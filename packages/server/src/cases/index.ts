export { caseApplier } from './bank-write.ts'
export { type CasePart, casePart } from './bundle-part.ts'
export { boundAt } from './case-read.ts'
export { caseDeadlines } from './clock-write.ts'
export { type DeadlineHandlers, nextDue, runDeadlines } from './deadline-write.ts'
export {
	bookDelivery,
	type CaseTerms,
	extendDelivery,
	keepTable,
	type NewDelivery,
	type Recipient,
	recallDelivery,
	renewCode,
} from './delivery-write.ts'
export { type CaseRouteParts, caseRoutes } from './routes.ts'
export { bankTables } from './tables.ts'
export { findTask, finishTask, listTasks, openTask } from './task-write.ts'
