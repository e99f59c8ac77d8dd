import 'reflect-metadata'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { newId, seededRandom } from '@latchwork/core/base'
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	X509Certificate as PeculiarCertificate,
	X509CertificateGenerator,
} from '@peculiar/x509'
import { checkDevice, trustOf } from './device-check.ts'
import { DAY_MS, issueDevice, issuePort, readRequest } from './pki.ts'
import { deviceKeys } from './testing/device.ts'
import { newAuthority } from './testing/site.ts'

const random = seededRandom(50)
const now = Date.UTC(2026, 0, 7, 11, 41)
const tenant = newId('tenant', now, random)
const other = newId('tenant', now, random)
const controller = newId('controller', now, random)
const make = (of: typeof tenant | undefined) => newAuthority(of, now)
const mine = await make(tenant)
const theirs = await make(other)
const device = await deviceKeys()
const given = { controller, tenant, key: await readRequest(device.csr), now, days: 90, random }
const der = (pem: string) => new X509Certificate(pem).raw
const trust = trustOf([mine.certificate, theirs.certificate])

test('a certificate names its controller and tenant, and is good for its days', async () => {
	const { certificate, fingerprint, expiresAt } = await issueDevice(mine, given)
	const identity = { controller, tenant, fingerprint, expiresAt }
	assert.equal(expiresAt, Math.floor((now + 90 * DAY_MS) / 1000) * 1000)
	assert.deepEqual(checkDevice(der(certificate), trust, now), { ok: true, ...identity })
	assert.deepEqual(checkDevice(der(certificate), trust, expiresAt), { ok: false, why: 'expired', ...identity })
	assert.deepEqual(checkDevice(der(certificate), trust, now - 2 * DAY_MS), { ok: false, why: 'not-yet', ...identity })
})

test('nothing else is a controller: no certificate, rubbish, a stranger, another tenant’s authority, an authority, a server', async () => {
	const why = (raw: Uint8Array | undefined) => {
		const check = checkDevice(raw, trust, now)
		return check.ok ? 'ok' : check.why
	}
	const stranger = await make(tenant)
	const port = await issuePort(mine, { names: ['localhost'], now, random })
	assert.equal(why(undefined), 'none')
	assert.equal(why(new Uint8Array()), 'none')
	assert.equal(why(random(400)), 'malformed')
	assert.equal(why(der((await issueDevice(stranger, given)).certificate)), 'foreign')
	assert.equal(why(der((await issueDevice(theirs, given)).certificate)), 'foreign')
	assert.equal(why(der(mine.certificate)), 'malformed')
	assert.equal(why(der(port.certificate)), 'foreign')
	assert.equal(why(der((await issueDevice(mine, { ...given, controller: 'x' as typeof controller })).certificate)), 'malformed')
	assert.equal(why(der((await issueDevice(theirs, { ...given, tenant: other })).certificate)), 'ok')
})

test('what an authority of ours signed for another purpose is no controller, though it bears a controller’s name', async () => {
	const signed = async (...extensions: Extension[]) => {
		const certificate = await X509CertificateGenerator.create({
			serialNumber: '01',
			subject: `CN=${controller},O=${tenant}`,
			issuer: new PeculiarCertificate(mine.certificate).subject,
			publicKey: given.key,
			signingKey: mine.key,
			signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
			notBefore: new Date(now - DAY_MS),
			notAfter: new Date(now + DAY_MS),
			extensions,
		})
		const check = checkDevice(new Uint8Array(certificate.rawData), trust, now)
		return check.ok ? 'ok' : check.why
	}
	const forClients = new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])
	assert.equal(await signed(new BasicConstraintsExtension(false), forClients), 'ok')
	assert.equal(await signed(new BasicConstraintsExtension(true), forClients), 'malformed')
	assert.equal(await signed(new BasicConstraintsExtension(false), new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth])), 'malformed')
	assert.equal(await signed(new BasicConstraintsExtension(false)), 'malformed')
})

test('a request must be one, on P-256, and signed by its own key', async () => {
	const refused = (csr: string) => assert.rejects(readRequest(csr), { code: 'request-invalid' })
	await refused('')
	await refused('-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----')
	await refused(mine.certificate)
	const body = Buffer.from(device.csr.replace(/-----[^-]+-----|\s/g, ''), 'base64')
	body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1
	await refused(`-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----`)
})

test('OpenSSL agrees with every certificate, at a time when all clocks are right and when one says the year 2001', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-pki-'))
	try {
		const root = await make(undefined)
		const write = (name: string, text: string) => {
			writeFileSync(join(folder, name), text)
			return join(folder, name)
		}
		const verify = (ca: string, purpose: string, at: number, file: string, ...more: string[]) =>
			spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', ca, '-purpose', purpose, '-attime', String(Math.floor(at / 1000)), ...more, file], {
				encoding: 'utf8',
			})
		const devices = write('devices.pem', mine.certificate)
		const ports = write('ports.pem', root.certificate)
		const client = write('client.pem', (await issueDevice(mine, given)).certificate)
		const port = write('port.pem', (await issuePort(root, { names: ['localhost', '127.0.0.1', '::1'], now, random })).certificate)
		const good = (run: ReturnType<typeof verify>) => assert.equal(run.status, 0, `${run.stdout}${run.stderr}`)
		good(verify(devices, 'sslclient', now, client))
		good(verify(ports, 'sslserver', now, port, '-verify_hostname', 'localhost'))
		good(verify(ports, 'sslserver', now, port, '-verify_ip', '127.0.0.1'))
		good(verify(ports, 'sslserver', now, port, '-verify_ip', '::1'))
		good(verify(ports, 'sslserver', Date.UTC(2001, 0, 1), port))
		for (const bad of [
			verify(devices, 'sslserver', now, client),
			verify(devices, 'sslclient', now + 91 * DAY_MS, client),
			verify(ports, 'sslclient', now, client),
			verify(ports, 'sslserver', now, port, '-verify_hostname', 'elsewhere.example'),
		])
			assert.notEqual(bad.status, 0)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
})
