import type { Id } from '@latchwork/core/base'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { setCertificate } from '../../estate/index.ts'
import type { Tx } from '../../store/index.ts'
import { type BookTerms, deviceAuthority, keepCertificate } from '../books.ts'
import { issueDevice, readRequest } from '../pki.ts'
import { deviceKeys } from './device.ts'

/** What a controller connects with. */
export interface DevicePass {
	readonly controller: Id<'controller'>
	readonly cert: string
	readonly key: string
}

const DAYS = 90

/** As enrolment leaves it, without the claim: whoever makes hundreds at once would be taken for somebody who guesses. */
export async function certified(tx: Tx, terms: BookTerms, controller: Id<'controller'>): Promise<DevicePass> {
	const { csr, key } = await deviceKeys()
	const { now, random } = terms
	const about = { controller, tenant: tx.tenant as Id<'tenant'>, key: await readRequest(csr), now, days: DAYS, random }
	const issued = await issueDevice(await deviceAuthority(tx, terms), about)
	await keepCertificate(tx, controller, issued)
	await setCertificate(tx, { actor: 'server', now, random }, controller, { fingerprint: issued.fingerprint, until: issued.expiresAt })
	return { controller, cert: issued.certificate, key }
}

/** A bare client where the device port answers. */
export const deviceClient = (url: string, ca: string, { controller, cert, key }: DevicePass, options: IClientOptions = {}): MqttClient =>
	mqtt.connect(url, { ca, cert, key, clientId: controller, protocolVersion: 4, ...options })
