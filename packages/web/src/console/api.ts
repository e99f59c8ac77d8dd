/** The server's API as the console speaks it: same origin, the session in a cookie that no script can read. */

/** A problem document, or that there was no answer at all. */
export class Refusal extends Error {
	readonly status: number
	readonly code: string
	constructor(status: number, code: string, text: string) {
		super(text)
		this.name = 'Refusal'
		this.status = status
		this.code = code
	}
}

/** No answer: the network, or the server, is away. */
export const AWAY = 'away'

export const isRefusal = (error: unknown, code: string): boolean => error instanceof Refusal && error.code === code

let skew = 0
/** The server's time: deadlines and outages are counted by it, not by the clock of whoever looks. */
export const serverNow = (): number => Date.now() + skew

/** A server that takes the question and says nothing is away, too. */
const ANSWER_MS = 20_000

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> => {
	const late = AbortSignal.timeout(ANSWER_MS)
	return ask<T>(path, { signal: signal ? AbortSignal.any([signal, late]) : late })
}

/** A change. Sent twice, for instance by a nervous network, it happens once. `version`: of what was seen. */
export const send = <T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown, version?: number): Promise<T> =>
	ask<T>(path, {
		method,
		headers: {
			'idempotency-key': crypto.randomUUID(),
			...(body !== undefined && { 'content-type': 'application/json' }),
			...(version !== undefined && { 'if-match': `"${version}"` }),
		},
		...(body !== undefined && { body: JSON.stringify(body) }),
	})

export const getText = async (path: string): Promise<string> => (await answered(path, {})).text()

async function ask<T>(path: string, request: RequestInit): Promise<T> {
	const answer = await answered(path, request)
	return (answer.status === 204 ? undefined : await answer.json()) as T
}

async function answered(path: string, request: RequestInit): Promise<Response> {
	const answer = await fetch(path, request).catch((cause: unknown) => {
		if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
		throw new Refusal(0, AWAY, 'The server does not answer.')
	})
	const date = Date.parse(answer.headers.get('date') ?? '')
	// The header has whole seconds: what is within one is no skew.
	if (date > 0 && Math.abs(date - serverNow()) > 1_500) skew = date - Date.now()
	if (answer.ok) return answer
	const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string; title?: string }
	throw new Refusal(answer.status, problem.code ?? AWAY, problem.detail ?? problem.title ?? 'The server does not answer as it should.')
}

/** `?a=1&b=2` of what is given. */
export function query(fields: Readonly<Record<string, string | number | boolean | undefined>>): string {
	const given = Object.entries(fields).flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[name, String(value)]]))
	return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}
