import { createPublicKey } from 'node:crypto'
import type { Id } from '@latchwork/core/base'
import mqtt, { type MqttClient } from 'mqtt'
import { issueDevice, issuePort } from '../pki.ts'
import { newAuthority, random } from './site.ts'
import type { Enrolled } from './world.ts'

/** The certificate of a broker that is not ours, by an authority that is not ours. */
export async function brokerCertificate(): Promise<{ ca: string; certificate: string; key: string }> {
	const now = Date.now()
	const root = await newAuthority(undefined, now)
	const { certificate, key } = await issuePort(root, { names: ['localhost', '127.0.0.1'], now, random })
	return { ca: root.certificate, certificate, key }
}

/** Somebody's own client of a broker that is not ours. */
export const clientOf = (url: string): MqttClient => mqtt.connect(url, { reconnectPeriod: 0 })

/** A certificate with the names and the key of this controller, by an authority that only calls itself that of the tenant. */
export async function strangerFor({ answer, key }: Enrolled): Promise<string> {
	const now = Date.now()
	const controller = answer.controller as Id<'controller'>
	const tenant = answer.tenant as Id<'tenant'>
	const spki = new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }))
	const own = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
	return (await issueDevice(await newAuthority(tenant, now), { controller, tenant, key: own, now, days: 90, random })).certificate
}
