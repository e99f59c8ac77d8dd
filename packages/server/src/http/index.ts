export { type Answer, answer, type Feed, raw, type SseMessage, sse } from './answer.ts'
export type { Claim, Gate, Sealing } from './gate.ts'
export { forgetKeys } from './idempotency-write.ts'
export { type Rate, rateLimit } from './limits.ts'
export { toProblem } from './problem.ts'
export { type Answers, type Method, type Need, type Route, route } from './route.ts'
export { type HttpConfig, type HttpParts, type HttpServer, httpServer } from './server.ts'
export {
	clientData,
	expectVersion,
	externalRefs,
	fromCursor,
	fromTime,
	idOf,
	labels,
	line,
	listFields,
	listQuery,
	named,
	noteFields,
	page,
	pageOf,
	recordFields,
	time,
	toTime,
	updatedCursor,
} from './shape.ts'
