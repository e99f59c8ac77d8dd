import { Agent, request } from 'node:https'
import { createGunzip } from 'node:zlib'
import { readMintKeys } from '@latchwork/core/access'
import { Fault, fromBase64 } from '@latchwork/core/base'
import { MINT_KEYS_HEADER, SITE_KEY_HEADER } from '@latchwork/core/wire'
import type { KeysBeside } from './authority.ts'

/** What proves who this controller is, and which servers it believes. All PEM. */
export interface DeviceTls {
	readonly key?: string
	readonly cert?: string
	readonly ca: readonly string[]
}

export interface DeviceAnswer {
	readonly status: number
	readonly etag: string | undefined
	/** What came beside a bundle. */
	readonly keys: KeysBeside
	readonly text: string
}

/** HTTPS to the device port of a server: what is longer than a message, and what must work where WebSockets are cut. */
export interface DeviceHttp {
	/** Rejects with `Fault` server-unreachable; whatever the server answers is an answer. */
	ask(method: 'GET' | 'POST', path: string, about?: { readonly body?: string; readonly etag?: string }): Promise<DeviceAnswer>
	close(): void
}

const PATIENCE_MS = 15_000
/** A bundle of 50,000 people and room above it. */
const MOST_BYTES = 128 * 1024 * 1024

/** `tls` is asked at each connection, as the certificate is renewed while we run. */
export function deviceHttp(base: string, tls: () => DeviceTls): DeviceHttp {
	const agent = new Agent({ keepAlive: true, maxSockets: 2, noDelay: true })
	return {
		ask: (method, path, { body, etag } = {}) =>
			new Promise((resolve, reject) => {
				const unreachable = (cause: Error) => reject(new Fault('server-unreachable', `${base} does not answer: ${cause.message}.`, { cause }))
				const headers = {
					// A bundle of 50,000 people is a third of its length on the way.
					'accept-encoding': 'gzip',
					...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
					...(etag !== undefined && { 'if-none-match': etag }),
				}
				const { key, cert, ca } = tls()
				const out = request(new URL(path, base), {
					method,
					headers,
					agent,
					timeout: PATIENCE_MS,
					ca: [...ca],
					...(key && { key }),
					...(cert && { cert }),
				})
				out.on('error', unreachable)
				out.on('timeout', () => out.destroy(new Error(`nothing for ${PATIENCE_MS / 1000} s`)))
				out.on('response', (answer) => {
					const parts: Buffer[] = []
					let length = 0
					// Counted as it is unpacked: a short answer may be a long one.
					const plain = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer
					const fail = (cause: Error) => {
						out.destroy()
						unreachable(cause)
					}
					plain.on('data', (part: Buffer) => {
						length += part.length
						if (length > MOST_BYTES) fail(new Error('the answer is too long'))
						else parts.push(part)
					})
					answer.on('error', unreachable)
					plain.on('error', fail)
					plain.on('end', () => {
						const { etag: tag, [SITE_KEY_HEADER]: key, [MINT_KEYS_HEADER]: mint } = answer.headers
						const siteKey = typeof key === 'string' ? fromBase64(key) : undefined
						const mintKeys = typeof mint === 'string' ? readMintKeys(mint) : undefined
						const text = Buffer.concat(parts).toString('utf8')
						resolve({ status: answer.statusCode ?? 0, etag: tag, text, keys: { ...(siteKey && { siteKey }), ...(mintKeys && { mintKeys }) } })
					})
				})
				out.end(body)
			}),
		close: () => agent.destroy(),
	}
}
