import 'reflect-metadata'
import { createPrivateKey, createPublicKey, hash } from 'node:crypto'
import { Fault, type Id, type Random, toHex } from '@latchwork/core/base'
import {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	cryptoProvider,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	PemConverter,
	Pkcs10CertificateRequest,
	SubjectAlternativeNameExtension,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
	X509CrlGenerator,
} from '@peculiar/x509'
import type { DeviceName } from './device-check.ts'

cryptoProvider.set(crypto)

/**
 * Certificates of controllers and of the device port. ECDSA on P-256: Node, OpenSSL and every broker and TPM in reach take it. A certificate names its
 * controller (CN) and its tenant (O); the tenant's own authority signs it, so no tenant can make one for another.
 */
const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
export const DAY_MS = 86_400_000

/** What can sign: a certificate (PEM) and its private key. */
export interface Authority {
	readonly certificate: string
	readonly key: CryptoKey
}

export interface IssuedCertificate {
	/** PEM. */
	readonly certificate: string
	/** Hex SHA-256 of its DER bytes: how it is named everywhere. */
	readonly fingerprint: string
	/** Hex, as revocation lists name it. */
	readonly serial: string
	readonly issuedAt: number
	readonly expiresAt: number
}

/**
 * Authorities and port certificates are valid from here on: a controller whose clock battery is empty must be able to reach the server that tells
 * it the time.
 */
const LONG_AGO = Date.UTC(1970, 0, 1)
const AUTHORITY_LIFE_MS = 30 * 365 * DAY_MS
const PORT_LIFE_MS = 90 * DAY_MS
/** The broker's clock may be behind ours. */
const SKEW_MS = 3_600_000

/** A private key for an authority, as PKCS #8. */
export async function newAuthorityKey(): Promise<Uint8Array> {
	return new Uint8Array(await crypto.subtle.exportKey('pkcs8', (await newKeys()).privateKey))
}

/** `tenant`: whose devices the key signs; without, it signs the certificates of the device port. PEM. */
export async function certifyAuthority(tenant: Id<'tenant'> | undefined, pkcs8: Uint8Array, now: number, random: Random): Promise<string> {
	const { key } = await openAuthority('', pkcs8)
	const spki = createPublicKey(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }))
	const publicKey = await crypto.subtle.importKey('spki', new Uint8Array(spki.export({ format: 'der', type: 'spki' })), KEY, true, ['verify'])
	const certificate = await X509CertificateGenerator.createSelfSigned({
		serialNumber: serial(random),
		name: tenant === undefined ? 'CN=Latchwork device port' : `CN=Latchwork devices,O=${tenant}`,
		keys: { privateKey: key, publicKey },
		signingAlgorithm: KEY,
		notBefore: new Date(LONG_AGO),
		notAfter: new Date(now + AUTHORITY_LIFE_MS),
		extensions: [
			new BasicConstraintsExtension(true, 0, true),
			new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
			await SubjectKeyIdentifierExtension.create(publicKey),
		],
	})
	return pemOf(certificate)
}

export async function openAuthority(certificate: string, pkcs8: Uint8Array): Promise<Authority> {
	const key = await crypto.subtle.importKey('pkcs8', pkcs8 as Uint8Array<ArrayBuffer>, KEY, false, ['sign'])
	return { certificate, key }
}

/** The public key that a request proves to hold. Throws `request-invalid`. */
export async function readRequest(csr: string): Promise<CryptoKey> {
	try {
		const request = new Pkcs10CertificateRequest(csr)
		const key = await request.publicKey.export(KEY, ['verify'])
		if (await request.verify(crypto)) return key as CryptoKey
	} catch (cause) {
		throw new Fault('request-invalid', 'csr: must be a PKCS #10 certificate request in PEM with an ECDSA key on P-256.', { cause })
	}
	throw new Fault('request-invalid', 'csr: its signature is not by the key that it names.')
}

/** SHA-256 of its SubjectPublicKeyInfo. */
export const digestOf = async (key: CryptoKey): Promise<Uint8Array> =>
	hash('sha256', new Uint8Array(await crypto.subtle.exportKey('spki', key)), 'buffer')

/** A client certificate for `key`, named by us and by nothing that the controller says. */
export async function issueDevice(
	authority: Authority,
	{ controller, tenant, key, now, days, random }: DeviceName & { key: CryptoKey; now: number; days: number; random: Random },
): Promise<IssuedCertificate> {
	return issue(authority, {
		name: `CN=${controller},O=${tenant}`,
		key,
		from: now - SKEW_MS,
		until: now + days * DAY_MS,
		random,
		purpose: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
	})
}

/**
 * `names`: host names and addresses under which the device port is reached. The key is new each time and stays in memory. The authority goes along
 * in the chain: a controller that holds nothing but a claim finds it there by its digest.
 */
export async function issuePort(
	authority: Authority,
	{ names, now, random }: { names: readonly string[]; now: number; random: Random },
): Promise<IssuedCertificate & { readonly key: string }> {
	const keys = await newKeys()
	const issued = await issue(authority, {
		name: 'CN=Latchwork device port server',
		key: keys.publicKey,
		from: LONG_AGO,
		until: now + PORT_LIFE_MS,
		random,
		purpose: [
			new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
			new SubjectAlternativeNameExtension(names.map((value) => ({ type: isAddress(value) ? ('ip' as const) : ('dns' as const), value }))),
		],
	})
	const certificate = `${issued.certificate.trim()}\n${authority.certificate.trim()}\n`
	return { ...issued, certificate, key: PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY') }
}

/** For brokers that are not ours and know nothing of fingerprints. It never gets old: a newer one takes its place, and no broker stops for want of it. */
export async function revocationList(authority: Authority, revoked: readonly { serial: string; at: number }[], now: number): Promise<string> {
	const list = await X509CrlGenerator.create({
		issuer: new X509Certificate(authority.certificate).subject,
		thisUpdate: new Date(now - SKEW_MS),
		nextUpdate: new Date(now + AUTHORITY_LIFE_MS),
		entries: revoked.map(({ serial, at }) => ({ serialNumber: serial, revocationDate: new Date(at) })),
		signingKey: authority.key,
		signingAlgorithm: KEY,
	})
	// The label that OpenSSL reads.
	return `${PemConverter.encode(list.rawData, 'X509 CRL')}\n`
}

async function issue(
	authority: Authority,
	given: { name: string; key: CryptoKey; from: number; until: number; random: Random; purpose: readonly Extension[] },
): Promise<IssuedCertificate> {
	const issuer = new X509Certificate(authority.certificate)
	const certificate = await X509CertificateGenerator.create(
		{
			serialNumber: serial(given.random),
			subject: given.name,
			issuer: issuer.subject,
			publicKey: given.key,
			signingKey: authority.key,
			signingAlgorithm: KEY,
			// Whole seconds, as a certificate has them.
			notBefore: new Date(Math.floor(given.from / 1000) * 1000),
			notAfter: new Date(Math.floor(given.until / 1000) * 1000),
			extensions: [
				new BasicConstraintsExtension(false, undefined, true),
				new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
				...given.purpose,
				await SubjectKeyIdentifierExtension.create(given.key),
				await AuthorityKeyIdentifierExtension.create(issuer),
			],
		},
		crypto,
	)
	return {
		certificate: pemOf(certificate),
		fingerprint: await fingerprintOf(certificate),
		serial: certificate.serialNumber,
		issuedAt: certificate.notBefore.getTime(),
		expiresAt: certificate.notAfter.getTime(),
	}
}

const newKeys = () => crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
const pemOf = (certificate: X509Certificate): string => `${certificate.toString('pem')}\n`
const fingerprintOf = async (certificate: X509Certificate): Promise<string> => toHex(new Uint8Array(await certificate.getThumbprint('SHA-256')))
const isAddress = (name: string): boolean => /^[0-9.]+$/.test(name) || name.includes(':')

/** Positive and of 16 bytes (RFC 5280 §4.1.2.2). */
function serial(random: Random): string {
	const bytes = Uint8Array.from(random(16))
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40
	return toHex(bytes)
}
