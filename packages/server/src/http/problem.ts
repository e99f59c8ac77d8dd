import { FAULTS, Fault, type FaultCode } from '@latchwork/core/base'
import { z } from 'zod'
import { named } from './shape.ts'

/** What each fault is over HTTP. A new code does not compile without its line. */
const STATUS: Readonly<Record<FaultCode, number>> = {
	'config-invalid': 500,
	'data-newer': 500,
	'data-in-use': 500,
	'port-in-use': 500,
	'journal-full': 503,
	'journal-damaged': 500,
	'bundle-invalid': 422,
	'bundle-rollback': 409,
	'table-invalid': 422,
	'event-invalid': 500,
	'transport-closed': 503,
	'transport-denied': 500,
	'board-timeout': 504,
	'board-refused': 502,
	'out-of-range': 422,
	'not-supported': 422,
	'command-expired': 409,
	'reader-insecure': 409,
	'not-found': 404,
	'request-invalid': 400,
	'request-refused': 409,
	'bank-full': 409,
	'no-suitable-compartment': 422,
	'rate-limited': 429,
	'database-unavailable': 503,
	'database-denied': 503,
	'database-full': 503,
	'database-busy': 503,
	'sealed-unreadable': 500,
	'migration-failed': 503,
	'not-signed-in': 401,
	'not-permitted': 403,
	'version-conflict': 412,
	'version-missing': 428,
	'already-exists': 409,
	'idempotency-mismatch': 422,
	'claim-invalid': 403,
	'certificate-invalid': 403,
	'message-invalid': 400,
	'log-invalid': 422,
	'server-unreachable': 503,
	'broker-unavailable': 503,
	'policy-warned': 409,
	'approval-needed': 409,
	'prerequisite-missing': 500,
}

/** Codes that are answered with this status: what the description of the API says of it. */
export const codesOf = (status: number): FaultCode[] => (Object.keys(STATUS) as FaultCode[]).filter((code) => STATUS[code] === status)

/** RFC 9457. `code` is stable; `detail` is for a person; `field` says what in the request is meant. */
export const problemShape = named(
	'Problem',
	z.object({
		type: z.string(),
		title: z.string(),
		status: z.int(),
		code: z.string().describe('one of the codes in docs/guides/errors.md'),
		detail: z.string(),
		field: z.string().optional(),
		instance: z.string().optional().describe('id of the request, as in the server’s log'),
	}),
)
export type Problem = z.infer<typeof problemShape>

/** Refused by a rule of HTTP itself, under a status that is no fault's. */
export class Refused extends Error {
	readonly statusCode: number
	readonly headers: Readonly<Record<string, string>>
	constructor(statusCode: number, message: string, headers: Readonly<Record<string, string>> = {}) {
		super(message)
		this.name = 'Refused'
		this.statusCode = statusCode
		this.headers = headers
	}
}

interface Refusal {
	readonly problem: Problem
	readonly headers: Readonly<Record<string, string>>
	/** Somebody has to look at it. */
	readonly defect: boolean
}

/** What a client may know about an error: everything of a fault that is about its request, nothing of a defect. */
export function toProblem(error: unknown, instance: string): Refusal {
	if (error instanceof Fault) {
		const status = STATUS[error.code]
		const { field, retryAfterSeconds } = (error.detail ?? {}) as { field?: unknown; retryAfterSeconds?: unknown }
		return {
			problem: problem(status, error.code, status === 500 ? DEFECT : error.message, { instance, ...(typeof field === 'string' && { field }) }),
			headers: {
				...(status === 401 && { 'www-authenticate': 'Bearer' }),
				...(typeof retryAfterSeconds === 'number' ? { 'retry-after': String(retryAfterSeconds) } : status === 503 && { 'retry-after': '1' }),
			},
			defect: status === 500,
		}
	}
	// Of the HTTP server itself: too large, wrong content type, malformed JSON or address. server.ts puts most of them in its own words; none names inner matters.
	const { statusCode = 500, message = '' } = (error ?? {}) as { statusCode?: number; message?: string }
	if (statusCode >= 400 && statusCode < 500)
		return {
			problem: problem(statusCode, 'request-invalid', message, { instance }),
			headers: error instanceof Refused ? error.headers : {},
			defect: false,
		}
	return { problem: problem(500, 'internal', DEFECT, { instance }), headers: {}, defect: true }
}

const DEFECT = 'The server could not do this. Its log says more under the id of this request.'

const problem = (status: number, code: string, detail: string, rest: Partial<Problem>): Problem => ({
	type: `urn:latchwork:problem:${code}`,
	title: Object.hasOwn(FAULTS, code) ? FAULTS[code as FaultCode] : 'A failure that the program did not foresee.',
	status,
	code,
	detail,
	...rest,
})
