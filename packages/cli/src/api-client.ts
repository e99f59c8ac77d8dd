import { Fault, type FaultCode } from '@latchwork/core/base'

export interface ApiServer {
	/** Where its API is, without `/v1`. */
	readonly url: string
	readonly token: string
}

const REFUSALS: Readonly<Record<number, FaultCode>> = { 401: 'not-signed-in', 403: 'not-permitted', 404: 'not-found' }

/** What the command line says of a server, judged before anything is sent. Throws `Fault` config-invalid. */
export function apiServer(url: string, token: string | undefined): ApiServer {
	if (!token) throw new Fault('config-invalid', 'The server asks for a token: --token T, or LATCHWORK_TOKEN.')
	if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
		throw new Fault('config-invalid', `--server needs an address such as https://lockers.example, not "${url}".`)
	return { url, token }
}

/** Asks the API under `/v1/`; whatever is no success is a fault that says what the server said. */
export const apiOf =
	({ url, token }: ApiServer) =>
	async (path: string, init: RequestInit = {}): Promise<Response> => {
		const address = `${url.replace(/\/+$/, '')}/v1/${path}`
		const response = await fetch(address, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }).catch((cause: unknown) => {
			throw new Fault('transport-closed', `${url} does not answer. Is it the server's address, and does the server run?`, { cause })
		})
		if (response.ok) return response
		const code = REFUSALS[response.status] ?? 'request-refused'
		throw new Fault(code, `${address}: the server answered ${response.status}. ${await detailOf(response)}`.trim())
	}

/** What a problem document says, if it is one. */
async function detailOf(response: Response): Promise<string> {
	const text = await response.text()
	try {
		const { detail, title } = JSON.parse(text) as { detail?: unknown; title?: unknown }
		return String(detail ?? title ?? '')
	} catch {
		return ''
	}
}
