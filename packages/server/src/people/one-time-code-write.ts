import { isMintable, MINTED_AT_ONCE, type MintedCode, mintCode, mintDigits, mintedId, mintedUntil, mintWeek } from '@latchwork/core/access'
import { Fault, type Id } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { enrolledAt, markPeople, present } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { signerOf } from '../tenants/index.ts'
import { findOneTimeCode, mintKeysOf, type OneTimeCodeRecord } from './one-time-code-read.ts'
import type { PeopleChange } from './person-write.ts'
import { isPerson, nothing } from './read.ts'

export interface NewOneTimeCode {
	readonly subject: Id<'subject'>
	readonly bank: Id<'bank'>
	/** A whole hour. */
	readonly notBefore: number
	readonly hours: number
}

export interface IssuedOneTimeCode {
	readonly code: OneTimeCodeRecord
	/** Sixteen, as they are typed. */
	readonly digits: string
	/** What a QR picture holds. */
	readonly picture: string
}

/**
 * Makes a code by which somebody is known at one bank once, within a window of hours: typed or shown as a picture, of which the first use ends both. The
 * bank need not hear of it, so it may be cut off. Answered once and kept nowhere. Throws `not-found`, `request-invalid`, `request-refused`.
 */
export async function issueOneTimeCode(tx: Tx, change: PeopleChange, wanted: NewOneTimeCode): Promise<IssuedOneTimeCode> {
	const { now, random, actor } = change
	const { subject, bank } = wanted
	if (!(await isPerson(tx, subject))) throw nothing('person')
	const { site, controller } = present(await enrolledAt(tx, { bank }), 'bank')
	if (controller === null) throw new Fault('request-refused', 'This bank has no controller that is enrolled; no code can be made for it.')
	const window = { subject, notBefore: wanted.notBefore, hours: wanted.hours }
	if (!isMintable({ ...window, n: 0 }, now))
		throw new Fault('request-invalid', 'body.notBefore: a code begins at a whole hour, at most 48 hours from now, and may not have ended.', {
			detail: { field: 'body.notBefore' },
		})
	const keys = await mintKeysOf(tx, { bank, controller }, change, now)
	const key = keys.get(mintWeek(window.notBefore)) as Uint8Array
	const created = Math.floor(now)
	for (let n = 0; n < MINTED_AT_ONCE; n++) {
		const minted: MintedCode = { ...window, n }
		const id = mintedId(key, minted, nodeCrypto)
		const inserted =
			await tx.run(sql`INSERT INTO one_time_code (tenant_id, code_id, subject_id, site_id, bank_id, controller_id, not_before, not_after,
				issued_by, created_at, updated_at)
			VALUES (${tx.tenant}, ${id}, ${subject}, ${site}, ${bank}, ${controller}, ${minted.notBefore}, ${mintedUntil(minted)}, ${actor}, ${created}, ${created})
			ON CONFLICT DO NOTHING`)
		if (inserted === 0) continue
		const { sign } = await signerOf(tx, 'maker', change)
		const picture = mintCode({ jti: id, subject, bank, notBefore: minted.notBefore, expires: mintedUntil(minted) }, sign)
		const data = { kind: 'one-time-code', user: subject, notBefore: minted.notBefore, notAfter: mintedUntil(minted) }
		await append(tx, [{ type: 'credential.issued', subject: id, actor, site, bank, data }], { now, random })
		return { code: (await findOneTimeCode(tx, id)) as OneTimeCodeRecord, digits: mintDigits(key, minted, nodeCrypto), picture }
	}
	throw new Fault(
		'request-refused',
		`This person has ${MINTED_AT_ONCE} codes for these hours at this bank already. Choose another beginning or length.`,
	)
}

/** It opens nothing any more, as soon as the bank hears of it. One that was used or has run out stays as it is. */
export async function withdrawOneTimeCode(tx: Tx, { now, random, actor }: PeopleChange, id: string): Promise<OneTimeCodeRecord> {
	const code = await findOneTimeCode(tx, id, true)
	if (!code) throw nothing('one-time code')
	if (code.withdrawnAt !== null || code.usedAt !== null || code.notAfter <= now) return code
	const at = Math.floor(now)
	await tx.run(sql`UPDATE one_time_code SET withdrawn_at = ${at}, updated_at = ${at} WHERE tenant_id = ${tx.tenant} AND code_id = ${id}`)
	const { subject, site, bank } = code
	// By the delta of the site at once, and by the one about this person, which lasts until a bundle says it.
	await markPeople(tx, at, [subject], site)
	await append(tx, [{ type: 'credential.revoked', subject: id, actor, site, bank, data: { kind: 'one-time-code', user: subject } }], { now, random })
	return (await findOneTimeCode(tx, id)) as OneTimeCodeRecord
}

/** A bank let somebody in by it. `unknown`: nobody was given such a code for that bank, so somebody else has its keys. */
export async function usedOneTimeCode(
	tx: Tx,
	{ id, bank, at }: { readonly id: string; readonly bank: Id<'bank'>; readonly at: number },
	now: number,
): Promise<'used' | 'unknown'> {
	const code = await findOneTimeCode(tx, id, true)
	if (code?.bank !== bank) return 'unknown'
	await tx.run(sql`UPDATE one_time_code SET used_at = coalesce(used_at, ${at}), updated_at = ${Math.floor(now)}
		WHERE tenant_id = ${tx.tenant} AND code_id = ${id}`)
	return 'used'
}
