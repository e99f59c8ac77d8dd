import { type Clock, Fault, fromBase64, type Id, type Random, toBase64 } from '@latchwork/core/base'
import type { EnrolmentAnswer, EnrolmentRequest, RenewalAnswer } from '@latchwork/core/wire'
import { type Controller, findController, placeOf, setCertificate } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import type { MasterKey, Store, Tx } from '../store/index.ts'
import { publicKeysOf, settingsOf } from '../tenants/index.ts'
import { deviceAuthority, isOnBooks, keepCertificate, keepHeadKey, revokeCertificates } from './books.ts'
import { claimedTenant, claimSecret, takeClaim } from './claims.ts'
import type { DeviceCheck, DeviceName } from './device-check.ts'
import { DAY_MS, digestOf, issueDevice, readRequest } from './pki.ts'

export interface EnrolmentParts {
	readonly store: Store
	readonly master: MasterKey
	readonly clock: Pick<Clock, 'now'>
	readonly random: Random
	/** The key under which badges are hashed at the site. */
	readonly siteKey: (tx: Tx, site: Id<'site'>) => Promise<Uint8Array>
	/** Certificate of the device port's authority, and where controllers reach the port. */
	readonly port: () => { readonly ca: string; readonly https: string; readonly mqtt: string }
	/** PEM: of an external broker. */
	readonly brokerCa?: string
	/** Whom to let in has changed. */
	readonly changed: () => Promise<void>
}

const CERTIFICATE_DAYS = 90

/** Unknown, used, withdrawn, too old, of another controller or tenant: whoever guesses learns nothing from the answer. */
const invalidClaim = () => new Fault('claim-invalid', 'This claim does not work. Make a new one in the console; it works once, within 15 minutes.')

/**
 * A machine becomes a controller: the claim says which one, the request proves the key that stays with it. What the controller had before counts no
 * more. `presented`: a machine that is enrolled already can only be claimed as what it is.
 */
export async function enrol(
	parts: EnrolmentParts,
	{ claim, csr, head, controller: before }: EnrolmentRequest,
	presented: DeviceCheck,
): Promise<EnrolmentAnswer> {
	const key = await readRequest(csr)
	const keyDigest = await digestOf(key)
	const headKey = head && readHeadKey(head)
	const proven = presented.ok || presented.why === 'expired' ? presented : undefined
	const secret = claimSecret(claim, proven?.controller)
	if (secret === undefined) throw invalidClaim()
	const tenant = await parts.store.system((db) => claimedTenant(db, secret))
	if (tenant === undefined) throw invalidClaim()
	const answer = await parts.store.write(tenant, async (tx) => {
		const now = parts.clock.now()
		const taken = await takeClaim(tx, secret, keyDigest, now)
		const controller = taken && (await findController(tx, taken.controller, true))
		if (!taken || !controller || controller.revokedAt !== null || isAnother(presented, { tenant, controller: controller.id })) throw invalidClaim()
		// By a code only the machine that the controller is now: another has taken its place, or staff have shut it out, where its certificate is not on the books.
		if (secret !== claim && !taken.again && !(await isOnBooks(tx, controller.id, proven?.fingerprint ?? ''))) throw invalidClaim()
		if (before !== undefined && before !== controller.id)
			throw new Fault(
				'request-refused',
				`The claim is for ${controller.id}, and the machine holds the records of ${before}. Name another directory with --data; the claim was not spent.`,
			)
		await revokeCertificates(tx, controller.id, now)
		const claimed = {
			type: 'controller.claimed',
			subject: controller.id,
			actor: 'server',
			bank: controller.bank,
			data: { claim: taken.claim },
		} as const
		if (!taken.again) await append(tx, [claimed], { ...parts, now })
		const issued = await certify(tx, parts, controller, key)
		if (headKey) await keepHeadKey(tx, controller.id, headKey.keyId, headKey.publicKey, now)
		const site = (await placeOf(tx, controller.bank))?.site as Id<'site'>
		const makers = await publicKeysOf(tx, 'maker')
		return {
			controller: controller.id,
			tenant,
			site,
			bank: controller.bank,
			...issued,
			makers: makers.map(({ keyId, publicKey }) => ({ keyId, publicKey: toBase64(publicKey) })),
			siteKey: toBase64(await parts.siteKey(tx, site)),
		}
	})
	await parts.changed()
	const { https, mqtt } = parts.port()
	return { ...answer, https: { url: https }, mqtt: { url: mqtt } }
}

/**
 * A new certificate for the old one, also when that has run out: a bank that slept through the summer comes back without a visit (trust.md §3.8). The
 * handshake has proven the old key; the request may bring another one.
 */
export async function renew(parts: EnrolmentParts, csr: string, presented: DeviceCheck): Promise<RenewalAnswer> {
	const key = await readRequest(csr)
	const known = presented.ok || presented.why === 'expired' ? presented : undefined
	if (!known) throw new Fault('certificate-invalid', 'Only a controller with a certificate of ours can renew it; enrol with a claim token.')
	const { controller: id, tenant, fingerprint, expiresAt } = known
	const answer = await parts.store.write(tenant, async (tx) => {
		const controller = await findController(tx, id, true)
		if (!controller || controller.revokedAt !== null || !(await isOnBooks(tx, id, fingerprint)))
			throw new Fault('certificate-invalid', 'This certificate was revoked. Enrol the controller again with a claim token.')
		const { renewalGraceDays } = await settingsOf(tx, (await placeOf(tx, controller.bank)) ?? {})
		if (parts.clock.now() >= expiresAt + renewalGraceDays * DAY_MS)
			throw new Fault(
				'certificate-invalid',
				`This certificate ran out more than ${renewalGraceDays} days ago. Type a claim code at the kiosk, or enrol the controller again with a claim token.`,
			)
		return certify(tx, parts, controller, key)
	})
	await parts.changed()
	return answer
}

async function certify(tx: Tx, parts: EnrolmentParts, { id: controller }: Controller, key: CryptoKey): Promise<RenewalAnswer> {
	const { random } = parts
	const now = parts.clock.now()
	const authority = await deviceAuthority(tx, { ...parts, now })
	const issued = await issueDevice(authority, { controller, tenant: tx.tenant as Id<'tenant'>, key, now, days: CERTIFICATE_DAYS, random })
	await keepCertificate(tx, controller, issued)
	await setCertificate(tx, { actor: 'server', now, random }, controller, { fingerprint: issued.fingerprint, until: issued.expiresAt })
	return { certificate: issued.certificate, ca: [parts.port().ca, ...(parts.brokerCa ? [parts.brokerCa] : [])] }
}

const isAnother = (presented: DeviceCheck, { tenant, controller }: DeviceName): boolean =>
	'controller' in presented && (presented.tenant !== tenant || presented.controller !== controller)

function readHeadKey({ keyId, publicKey }: NonNullable<EnrolmentRequest['head']>) {
	const bytes = fromBase64(publicKey)
	if (bytes?.length !== 32) throw new Fault('request-invalid', 'head.publicKey: must be an Ed25519 public key of 32 bytes in base64.')
	return { keyId, publicKey: bytes }
}
