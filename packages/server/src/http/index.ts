export { answer, type Feed, raw, sse } from './answer.ts'
export { fromCursor, page, pageOf, pageWithin, updatedCursor } from './cursor.ts'
export type { Gate } from './gate.ts'
export { forgetKeys } from './idempotency-write.ts'
export { type Rate, rateLimit } from './limits.ts'
export { toProblem } from './problem.ts'
export { type Need, type Route, route } from './route.ts'
export { type HttpConfig, type HttpServer, httpServer } from './server.ts'
export {
	clientData,
	externalRefs,
	fromTime,
	idOf,
	labels,
	line,
	listFields,
	listQuery,
	named,
	noteFields,
	pageQuery,
	recordFields,
	showRecord,
	time,
	toTime,
	whole,
} from './shape.ts'
