import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Fault } from '@latchwork/core/base'
import type { RenewalAnswer } from '@latchwork/core/wire'
import { certificationRequest } from './csr.ts'
import { writeText } from './durable.ts'
import type { DeviceTls } from './sync/device-http.ts'

/** How this controller proves to its server who it is; the key never leaves the machine. */
export interface Identity {
	tls(): DeviceTls
	/** Trusted milliseconds: from when on it should be renewed, and when it ends. */
	renewAt(): number
	until(): number
	/** For the same key once more. */
	request(): string
	/** Throws `Fault` certificate-invalid when it is not for our key. */
	check(answer: RenewalAnswer): void
	/** Durable before it is used. Throws like `check`. */
	take(answer: RenewalAnswer): void
}

/** Renewed when so much of its life is over: the rest is for a server or a network that is down. */
const RENEW_AFTER = 2 / 3

/** Throws `Fault` config-invalid. */
export function openIdentity(files: { readonly key: string; readonly certificate: string; readonly ca: string }): Identity {
	const key = text('server.key', files.key)
	let cert = text('server.certificate', files.certificate)
	let ca = certificatesIn(text('server.ca', files.ca))
	let life = lifeOf(cert)
	return {
		tls: () => ({ key, cert, ca }),
		renewAt: () => life.from + RENEW_AFTER * (life.until - life.from),
		until: () => life.until,
		request: () => certificationRequest(createPrivateKey(key)),
		check: ({ certificate }) => refuseStrange(certificate, key),
		take(answer) {
			refuseStrange(answer.certificate, key)
			writeText(files.ca, answer.ca.join('\n'))
			writeText(files.certificate, answer.certificate)
			cert = answer.certificate
			ca = [...answer.ca]
			life = lifeOf(cert)
		},
	}
}

export function refuseStrange(certificate: string, key: string): void {
	if (certified(certificate)?.checkPrivateKey(createPrivateKey(key))) return
	throw new Fault('certificate-invalid', 'The certificate that the server made is not for the key of this controller.')
}

function certified(pem: string): X509Certificate | undefined {
	try {
		return new X509Certificate(pem)
	} catch {
		return undefined
	}
}

function lifeOf(pem: string): { from: number; until: number } {
	const { validFromDate, validToDate } = certified(pem) ?? {}
	if (!validFromDate || !validToDate)
		throw new Fault('config-invalid', 'server.certificate: the file holds no certificate. Enrol the controller again.')
	return { from: validFromDate.getTime(), until: validToDate.getTime() }
}

const certificatesIn = (pem: string): string[] => pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []

function text(field: string, path: string): string {
	try {
		return readFileSync(path, 'utf8')
	} catch (cause) {
		throw new Fault('config-invalid', `${field}: ${path} cannot be read.`, { cause })
	}
}
