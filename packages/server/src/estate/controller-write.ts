import { type Id, newId } from '@latchwork/core/base'
import { sql, type Tx } from '../store/index.ts'
import { type Change, changedFields, NOTE_COLUMNS, type Notes, noteValues, record, touched, unchangedSince, unlessTaken } from './change-write.ts'
import { markBundles } from './dirty-write.ts'
import { type Controller, findBank, findController, present } from './read.ts'

/** The one authority of a bank; it has no certificate until it is enrolled with a claim token. */
export async function createController(
	tx: Tx,
	change: Change,
	{ bank, name, ...notes }: { bank: Id<'bank'>; name: string } & Notes,
): Promise<Controller> {
	const of = present(await findBank(tx, bank), 'bank')
	const id = newId('controller', change.now, change.random)
	await unlessTaken(
		tx.run(sql`INSERT INTO controller (tenant_id, controller_id, bank_id, name, ${NOTE_COLUMNS})
			VALUES (${tx.tenant}, ${id}, ${bank}, ${name}, ${noteValues(notes, change.now)})`),
		'This bank has a controller already; revoke it before another one takes its place.',
	)
	await record(tx, change, 'controller.created', id, { site: of.site, bank })
	await markBundles(tx, change.now, { bank })
	return present(await findController(tx, id), 'controller')
}

export async function changeController(
	tx: Tx,
	change: Change,
	id: Id<'controller'>,
	ifMatch: number,
	patch: { name?: string | undefined } & Notes,
): Promise<Controller> {
	const before = present(await findController(tx, id, true), 'controller')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	await tx.run(sql`UPDATE controller SET name = ${patch.name ?? before.name}, ${touched(patch, change.now)}
		WHERE tenant_id = ${tx.tenant} AND controller_id = ${id}`)
	await record(tx, change, 'controller.changed', id, { bank: before.bank }, { fields, version: before.version + 1 })
	return present(await findController(tx, id), 'controller')
}

/** Its certificate counts no more from now on, and its bank is free for another one. What it did stays on record under its id. */
export async function revokeController(tx: Tx, change: Change, id: Id<'controller'>, ifMatch: number): Promise<Controller> {
	const before = present(await findController(tx, id, true), 'controller')
	unchangedSince(ifMatch, before)
	if (before.revokedAt !== null) return before
	await tx.run(
		sql`UPDATE controller SET revoked_at = ${change.now}, ${touched({}, change.now)} WHERE tenant_id = ${tx.tenant} AND controller_id = ${id}`,
	)
	await record(tx, change, 'controller.revoked', id, { bank: before.bank })
	return present(await findController(tx, id), 'controller')
}

/** The certificate that it got, by enrolment or renewal; for `link`. */
export async function setCertificate(
	tx: Tx,
	change: Change,
	id: Id<'controller'>,
	certificate: { fingerprint: string; until: number },
): Promise<void> {
	const before = present(await findController(tx, id, true), 'controller')
	await tx.run(sql`UPDATE controller SET certificate = ${certificate.fingerprint}, certificate_until = ${certificate.until}, ${touched({}, change.now)}
		WHERE tenant_id = ${tx.tenant} AND controller_id = ${id}`)
	const type = before.certificate === null ? 'controller.enrolled' : 'controller.renewed'
	await record(tx, change, type, id, { bank: before.bank }, { until: certificate.until, fingerprint: certificate.fingerprint })
}
