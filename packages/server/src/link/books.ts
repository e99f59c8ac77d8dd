import { hash, X509Certificate } from 'node:crypto'
import { Fault, type Id, type Random } from '@latchwork/core/base'
import { type Db, type MasterKey, sql, type Tx } from '../store/index.ts'
import { deviceCaOf } from '../tenants/index.ts'
import { type Authority, certifyAuthority, type IssuedCertificate, newAuthorityKey, openAuthority, revocationList } from './pki.ts'

/** What the link keeps in the database: authorities, every certificate that was issued, and under which keys controllers sign. */
export interface BookTerms {
	readonly master: MasterKey
	readonly now: number
	readonly random: Random
}

/** What signs the certificates of the tenant's controllers; certified at its first use. */
export async function deviceAuthority(tx: Tx, { master, now, random }: BookTerms): Promise<Authority> {
	const tenant = tx.tenant as Id<'tenant'>
	const { keyId, privateKey } = await deviceCaOf(tx, { master })
	const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
	const find = () =>
		tx.first<{ certificate: string }>(sql`SELECT certificate FROM device_authority WHERE tenant_id = ${tenant} AND key_id = ${keyId}`)
	if (!(await find())) {
		const certificate = await certifyAuthority(tenant, pkcs8, now, random)
		// Two first uses at once: the certificate that is there first is everybody's.
		await tx.run(sql`INSERT INTO device_authority (tenant_id, key_id, certificate, created_at) VALUES (${tenant}, ${keyId}, ${certificate}, ${Math.floor(now)})
			ON CONFLICT DO NOTHING`)
	}
	return openAuthority((await find())?.certificate ?? '', pkcs8)
}

const PORT_CONTEXT = 'port-authority'

/** What signs the certificates of the device port; of the installation, so in system work. */
export async function portAuthority(tx: Tx, { master, now, random }: BookTerms): Promise<Authority> {
	const find = () => tx.first<{ certificate: string; sealed: Uint8Array }>(sql`SELECT certificate, sealed FROM port_authority`)
	if (!(await find())) {
		const pkcs8 = await newAuthorityKey()
		const certificate = await certifyAuthority(undefined, pkcs8, now, random)
		await tx.run(sql`INSERT INTO port_authority (certificate, sealed, created_at)
			VALUES (${certificate}, ${Buffer.from(master.seal(pkcs8, PORT_CONTEXT))}, ${Math.floor(now)}) ON CONFLICT DO NOTHING`)
	}
	const row = await find()
	if (!row) throw new Fault('database-busy', 'The device port has no authority yet; try again.')
	return openAuthority(row.certificate, master.open(row.sealed, PORT_CONTEXT))
}

/** How a machine that holds a claim and nothing else knows the port: base64url SHA-256 of its authority's certificate, which the port shows. */
export async function portPin(db: Db): Promise<string> {
	const row = await db.first<{ certificate: string }>(sql`SELECT certificate FROM port_authority`)
	if (!row)
		throw new Fault('request-refused', 'The device port of this installation was never opened; there is nothing that a machine could claim at.')
	return hash('sha256', new X509Certificate(row.certificate).raw, 'base64url')
}

/** Of all tenants: system work. */
export async function allAuthorities(db: Db): Promise<string[]> {
	const rows = await db.rows<{ certificate: string }>(sql`SELECT certificate FROM device_authority ORDER BY created_at, tenant_id, key_id`)
	return rows.map(({ certificate }) => certificate)
}

/** Of all tenants, for the broker: what has run out by itself needs no list. */
export async function revokedFingerprints(db: Db, now: number): Promise<string[]> {
	const rows = await db.rows<{ fingerprint: string }>(
		sql`SELECT fingerprint FROM device_certificate WHERE revoked_at IS NOT NULL AND expires_at > ${Math.floor(now)} ORDER BY fingerprint`,
	)
	return rows.map(({ fingerprint }) => fingerprint)
}

/** Of all tenants, in system work: what each authority has taken back, signed by it. */
export async function revocationLists(tx: Tx, { master, now }: BookTerms): Promise<string[]> {
	const lists: string[] = []
	const authorities = await tx.rows<{ tenant: Id<'tenant'>; keyId: string; certificate: string }>(
		sql`SELECT tenant_id AS tenant, key_id AS "keyId", certificate FROM device_authority ORDER BY created_at, tenant_id, key_id`,
	)
	for (const { tenant, keyId, certificate } of authorities) {
		const key = await deviceCaOf(tx, { master, tenant })
		// A key that was rolled signs nothing more; what it signed runs out within its days.
		if (key.keyId !== keyId) continue
		const authority = await openAuthority(certificate, new Uint8Array(key.privateKey.export({ format: 'der', type: 'pkcs8' })))
		const revoked = await tx.rows<{ serial: string; at: number }>(sql`SELECT serial, revoked_at AS at FROM device_certificate
			WHERE tenant_id = ${tenant} AND revoked_at IS NOT NULL AND expires_at > ${Math.floor(now)} ORDER BY revoked_at, serial`)
		lists.push(await revocationList(authority, revoked, now))
	}
	return lists
}

export async function keepCertificate(
	tx: Tx,
	controller: Id<'controller'>,
	{ fingerprint, serial, issuedAt, expiresAt }: IssuedCertificate,
): Promise<void> {
	await tx.run(sql`INSERT INTO device_certificate (tenant_id, fingerprint, controller_id, serial, issued_at, expires_at)
		VALUES (${tx.tenant}, ${fingerprint}, ${controller}, ${serial}, ${issuedAt}, ${expiresAt})`)
}

/** It was issued by us to this controller, and nobody took it back. Whether it has run out is another question. */
export async function isOnBooks(db: Db, controller: Id<'controller'>, fingerprint: string): Promise<boolean> {
	const row = await db.first(sql`SELECT 1 FROM device_certificate
		WHERE tenant_id = ${db.tenant} AND fingerprint = ${fingerprint} AND controller_id = ${controller} AND revoked_at IS NULL`)
	return row !== undefined
}

/** All that it has: it was revoked, or another machine took its place. */
export const revokeCertificates = (tx: Tx, controller: Id<'controller'>, now: number): Promise<number> =>
	tx.run(
		sql`UPDATE device_certificate SET revoked_at = ${Math.floor(now)} WHERE tenant_id = ${tx.tenant} AND controller_id = ${controller} AND revoked_at IS NULL`,
	)

/** Throws `request-refused` for the name of another key: what that has signed must stay provable. */
export async function keepHeadKey(tx: Tx, controller: Id<'controller'>, keyId: string, publicKey: Uint8Array, now: number): Promise<void> {
	await tx.run(sql`INSERT INTO head_key (tenant_id, controller_id, key_id, public_key, created_at)
		VALUES (${tx.tenant}, ${controller}, ${keyId}, ${Buffer.from(publicKey)}, ${Math.floor(now)}) ON CONFLICT DO NOTHING`)
	const kept = await tx.first<{ publicKey: Uint8Array }>(
		sql`SELECT public_key AS "publicKey" FROM head_key WHERE tenant_id = ${tx.tenant} AND controller_id = ${controller} AND key_id = ${keyId}`,
	)
	if (!kept || Buffer.compare(kept.publicKey, publicKey) !== 0)
		throw new Fault(
			'request-refused',
			`head.keyId: ${keyId} names another key of this controller, which has signed already. Name the new one differently.`,
		)
}

/** Public keys of its heads, by key id. */
export async function headKeysOf(db: Db, tenant: Id<'tenant'>, controller: Id<'controller'>): Promise<ReadonlyMap<string, Uint8Array>> {
	const rows = await db.rows<{ keyId: string; publicKey: Uint8Array }>(
		sql`SELECT key_id AS "keyId", public_key AS "publicKey" FROM head_key WHERE tenant_id = ${tenant} AND controller_id = ${controller}`,
	)
	return new Map(rows.map(({ keyId, publicKey }) => [keyId, new Uint8Array(publicKey)]))
}
