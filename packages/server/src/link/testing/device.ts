import 'reflect-metadata'
import { PemConverter, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** What a controller makes for itself before it enrols: a key that stays there, and the request that proves it. */
export async function deviceKeys(name = 'CN=whoever'): Promise<{ readonly csr: string; readonly key: string }> {
	const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
	const request = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: KEY })
	return {
		csr: request.toString('pem'),
		key: PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'),
	}
}
