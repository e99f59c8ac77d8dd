import { X509Certificate } from 'node:crypto'
import { type Id, isId } from '@latchwork/core/base'

/** Names in a certificate of a controller. Apart from what makes certificates: the broker child only judges them, and starts sooner without that. */
export interface DeviceName {
	readonly controller: Id<'controller'>
	readonly tenant: Id<'tenant'>
}

/** What a presented certificate proves. `expired` and `not-yet` come with who it is: the renewal endpoint judges those by its own rules. */
export type DeviceCheck =
	| ({ readonly ok: true } & DeviceIdentity)
	| ({ readonly ok: false; readonly why: 'expired' | 'not-yet' } & DeviceIdentity)
	| { readonly ok: false; readonly why: 'none' | 'foreign' | 'malformed' }
export interface DeviceIdentity extends DeviceName {
	readonly fingerprint: string
	readonly expiresAt: number
}

/** Certificates of the tenants' authorities, parsed once. */
export type DeviceTrust = readonly { readonly tenant: string; readonly certificate: X509Certificate }[]

export const trustOf = (authorities: readonly string[]): DeviceTrust =>
	authorities.map((pem) => {
		const certificate = new X509Certificate(pem)
		return { tenant: fieldOf(certificate.subject, 'O') ?? '', certificate }
	})

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/**
 * Who presents `der`, by our own judgement: TLS refuses an expired certificate before anybody can renew it, reads the machine's clock, and does not
 * know that a tenant's authority speaks for that tenant alone. That the other side holds the key is what the handshake has proven.
 */
export function checkDevice(der: Uint8Array | undefined, trust: DeviceTrust, now: number): DeviceCheck {
	if (der === undefined || der.length === 0) return { ok: false, why: 'none' }
	let certificate: X509Certificate
	try {
		certificate = new X509Certificate(der)
	} catch {
		return { ok: false, why: 'malformed' }
	}
	const tenant = fieldOf(certificate.subject, 'O')
	const controller = fieldOf(certificate.subject, 'CN')
	const signed = trust.some((by) => by.tenant === tenant && certificate.checkIssued(by.certificate) && certificate.verify(by.certificate.publicKey))
	if (!signed) return { ok: false, why: 'foreign' }
	if (!isId('tenant', tenant) || !isId('controller', controller) || certificate.ca || !certificate.keyUsage?.includes(CLIENT_AUTH))
		return { ok: false, why: 'malformed' }
	const expiresAt = certificate.validToDate.getTime()
	const identity = { controller, tenant, fingerprint: fingerprintIn(certificate), expiresAt }
	if (now >= expiresAt) return { ok: false, why: 'expired', ...identity }
	if (now < certificate.validFromDate.getTime()) return { ok: false, why: 'not-yet', ...identity }
	return { ok: true, ...identity }
}

const fingerprintIn = (certificate: X509Certificate): string => certificate.fingerprint256.replaceAll(':', '').toLowerCase()

/** Node writes a name as one line a field. A field that is there twice is none: two readers could take either. */
function fieldOf(subject: string | undefined, field: string): string | undefined {
	const found = (subject ?? '').split('\n').filter((line) => line.startsWith(`${field}=`))
	return found.length === 1 ? found[0]?.slice(field.length + 1) : undefined
}
