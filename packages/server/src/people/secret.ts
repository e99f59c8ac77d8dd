import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type Id, isId, type Random } from '@latchwork/core/base'

/**
 * Sessions and API tokens are 256 random bits. The organisation stands in front of them, so that whoever shows one is looked up inside that
 * organisation's own rows and never across all. Only the digest is kept.
 */
export interface Secret {
	readonly text: string
	readonly digest: string
}
export interface ShownSecret {
	readonly kind: 'session' | 'token'
	readonly tenant: Id<'tenant'>
	readonly digest: string
}

const PREFIX = { token: 'lw_', session: 'ls_' } as const
/**
 * `__Host-`: a browser takes it over TLS only, for this host only, and for all its paths. Where people come by https it is the only one that counts,
 * because the plain one can be set by any host of the same domain.
 */
export const cookieName = (secure: boolean): string => (secure ? '__Host-latchwork' : 'latchwork')
const FORM = /^(lw|ls)_([A-Za-z0-9_-]{64})$/

export function mintSecret(kind: 'session' | 'token', tenant: Id<'tenant'>, random: Random): Secret {
	const bytes = Buffer.concat([Buffer.from(tenant.slice(4).replaceAll('-', ''), 'hex'), random(32)])
	const text = `${PREFIX[kind]}${bytes.toString('base64url')}`
	return { text, digest: digestOf(text) }
}

/** What the headers show: a bearer token, else a session's cookie. A header that is there and wrong is not passed over. */
export function shownSecret(headers: IncomingHttpHeaders, secure: boolean): ShownSecret | undefined {
	if (headers.authorization !== undefined) {
		const [, text] = /^Bearer ([^\s]+)$/i.exec(headers.authorization) ?? []
		return text === undefined ? undefined : read(text, 'token')
	}
	const pairs = (headers.cookie ?? '').split(';').map((pair) => pair.trim().split('=', 2))
	const [, value] = pairs.find(([name]) => name === cookieName(secure)) ?? []
	return value === undefined ? undefined : read(value, 'session')
}

function read(text: string, kind: 'session' | 'token'): ShownSecret | undefined {
	const [, prefix, encoded = ''] = FORM.exec(text) ?? []
	if (`${prefix}_` !== PREFIX[kind]) return undefined
	const hex = Buffer.from(encoded, 'base64url').subarray(0, 16).toString('hex')
	const tenant = `ten_${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
	return isId('tenant', tenant) ? { kind, tenant, digest: digestOf(text) } : undefined
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
