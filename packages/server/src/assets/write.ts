import { createHash } from 'node:crypto'
import { Fault, type Id, isId, newId, toHex } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import {
	bankLive,
	bankOf,
	type Change,
	changedFields,
	doorLive,
	findCompartment,
	type Given,
	markBundles,
	merged,
	NOTE_COLUMNS,
	type Notes,
	noteValues,
	present,
	record,
	touched,
	unchangedSince,
	unlessReferred,
	unlessTaken,
} from '../estate/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { type Asset, type AssetType, findAsset, findAssetType } from './read.ts'

type TypeFields = Pick<AssetType, 'code' | 'name' | 'kind' | 'valueClass'>

export async function createAssetType(tx: Tx, change: Change, { code, name, kind, valueClass, ...notes }: TypeFields & Notes): Promise<AssetType> {
	const id = newId('assetType', change.now, change.random)
	await unlessTaken(
		tx.run(sql`INSERT INTO asset_type (tenant_id, asset_type_id, code, name, kind, value_class, ${NOTE_COLUMNS})
			VALUES (${tx.tenant}, ${id}, ${code}, ${name}, ${kind}, ${valueClass}, ${noteValues(notes, change.now)})`),
		`There is an asset type ${code} already.`,
	)
	await record(tx, change, 'asset-type.created', id, {}, { code, kind, valueClass })
	return present(await findAssetType(tx, id), 'asset type')
}

/** The code stays: policies name it. */
export async function changeAssetType(
	tx: Tx,
	change: Change,
	id: Id<'assetType'>,
	ifMatch: number,
	patch: Given<Omit<TypeFields, 'code'>> & Notes,
): Promise<AssetType> {
	const before = present(await findAssetType(tx, id, true), 'asset type')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	const { name, kind, valueClass } = merged<Omit<TypeFields, 'code'>>(before, patch)
	await tx.run(sql`UPDATE asset_type SET name = ${name}, kind = ${kind}, value_class = ${valueClass}, ${touched(patch, change.now)}
		WHERE tenant_id = ${tx.tenant} AND asset_type_id = ${id}`)
	await record(tx, change, 'asset-type.changed', id, {}, { fields, version: before.version + 1 })
	await markBundles(tx, change.now)
	return present(await findAssetType(tx, id), 'asset type')
}

export async function removeAssetType(tx: Tx, change: Change, id: Id<'assetType'>, ifMatch: number): Promise<void> {
	unchangedSince(ifMatch, present(await findAssetType(tx, id, true), 'asset type'))
	await unlessReferred(tx, 'asset type', [['asset', sql`SELECT count(*) AS n FROM asset WHERE tenant_id = ${tx.tenant} AND asset_type_id = ${id}`]])
	await tx.run(sql`DELETE FROM asset_type WHERE tenant_id = ${tx.tenant} AND asset_type_id = ${id}`)
	await record(tx, change, 'asset-type.removed', id, {})
}

export interface AssetFields {
	readonly type: Id<'assetType'>
	readonly tag: string
	readonly name?: string | undefined
	readonly bank?: Id<'bank'> | undefined
	/** Where it lies already; its bank hears of it with the first bundle that names the compartment. */
	readonly compartment?: Id<'compartment'> | undefined
}

export async function createAsset(tx: Tx, change: Change, { type, tag, name, bank, compartment, ...notes }: AssetFields & Notes): Promise<Asset> {
	const { now, random } = change
	present(await findAssetType(tx, type), 'asset type')
	const home = await homeOf(tx, bank, compartment)
	const id = newId('asset', now, random)
	const salt = toHex(random(32))
	const custodian = compartment === undefined ? 'staff' : (home?.id ?? 'staff')
	await unlessTaken(
		tx.run(sql`INSERT INTO asset (tenant_id, asset_id, asset_type_id, tag, name, salt, commitment, condition, bank_id, placed_in, custodian, custody_since,
			${NOTE_COLUMNS}) VALUES (${tx.tenant}, ${id}, ${type}, ${tag}, ${name ?? null}, ${salt}, ${commitTo(salt, tag)}, 'good', ${home?.id ?? null},
			${compartment ?? null}, ${custodian}, ${now}, ${noteValues(notes, now)})`),
		`The tag ${tag} is in use already, or something else was placed in that compartment.`,
	)
	await record(tx, change, 'asset.created', id, placeOfHome(home), { type, commitment: commitTo(salt, tag), custodian })
	if (home) await markBundles(tx, now, { bank: home.id })
	return present(await findAsset(tx, id), 'asset')
}

export interface AssetPatch extends Notes {
	readonly name?: string | null | undefined
	readonly tag?: string | undefined
	readonly condition?: Asset['condition'] | undefined
	/** Where it belongs from now on; null: to no bank. */
	readonly bank?: Id<'bank'> | null | undefined
}

export async function changeAsset(tx: Tx, change: Change, id: Id<'asset'>, ifMatch: number, patch: AssetPatch): Promise<Asset> {
	const { now } = change
	const before = present(await findAsset(tx, id, true), 'asset')
	unchangedSince(ifMatch, before)
	const { name, ...rest } = patch
	const fields = [...changedFields(before, rest), ...(name === undefined || name === before.ownName ? [] : ['name'])]
	if (fields.length === 0) return before
	const moves = patch.bank !== undefined && patch.bank !== before.bank
	if (moves && before.custodian !== 'staff')
		throw new Fault('request-refused', `It is not at the desk: ${before.custodian} has it. Take it out or wait for its return, then move it.`)
	const home = patch.bank ? await bankOf(tx, patch.bank) : undefined
	const tag = patch.tag ?? before.tag
	await unlessTaken(
		tx.run(sql`UPDATE asset SET name = ${name === undefined ? before.ownName : name}, tag = ${tag}, commitment = ${commitTo(before.salt, tag)},
			condition = ${patch.condition ?? before.condition}, bank_id = ${moves ? (home?.id ?? null) : before.bank}, ${touched(patch, now)}
			WHERE tenant_id = ${tx.tenant} AND asset_id = ${id}`),
		`The tag ${tag} is in use already.`,
	)
	await record(tx, change, 'asset.changed', id, placeOfHome(home), {
		fields,
		version: before.version + 1,
		...(tag !== before.tag && { commitment: commitTo(before.salt, tag) }),
	})
	for (const bank of new Set([before.bank, moves ? (home?.id ?? null) : null])) if (bank) await markBundles(tx, now, { bank })
	return present(await findAsset(tx, id), 'asset')
}

/** It is no longer lent. Refused while a person has it: its return must be known for what it is. */
export async function retireAsset(tx: Tx, change: Change, id: Id<'asset'>, ifMatch: number): Promise<Asset> {
	const before = present(await findAsset(tx, id, true), 'asset')
	unchangedSince(ifMatch, before)
	if (before.retiredAt !== null) return before
	if (before.custodian.startsWith('sub_'))
		throw new Fault('request-refused', 'Somebody has it on loan. End the loan first, or say that the asset is missing.')
	await tx.run(
		sql`UPDATE asset SET retired_at = ${change.now}, placed_in = NULL, ${touched({}, change.now)} WHERE tenant_id = ${tx.tenant} AND asset_id = ${id}`,
	)
	await record(tx, change, 'asset.retired', id, before.bank ? { bank: before.bank } : {})
	if (before.bank) await markBundles(tx, change.now, { bank: before.bank })
	return present(await findAsset(tx, id), 'asset')
}

/** What a bank's record of custody came to. */
export interface Custody {
	readonly moved: boolean
	/** The bank where the thing belongs; null: to none. */
	readonly home: Id<'bank'> | null
	/** Who had it, as known here. */
	readonly custodian: string
	/** Given by whoever had it, to somebody who can have it. */
	readonly inOrder: boolean
}

/**
 * Custody as the thing's own bank recorded it: a door proved who gave and who took. A thing is lent and brought back at its bank alone, so no other
 * one is believed (trust.md §3.6: across devices by custody rules, not time). Comes in the transaction that records the event, each once: undefined
 * for a repeated one, and for a thing that is not known here. Where the giver is not who had it, a link of the chain is missing (I6): the bank's
 * present stream is followed all the same, because nobody knows better what lies behind its doors; an earlier one is not.
 */
export async function applyCustody(tx: Tx, event: StreamEvent): Promise<Custody | undefined> {
	if (event.type !== 'custody.transferred') return undefined
	const { bank, stream, seq, at, subject } = event
	const { from, to } = event.data
	const asset = await tx.first<{ home: Id<'bank'> | null; custodian: string; repeated: boolean }>(sql`SELECT bank_id AS home, custodian,
		stream_id IS NOT DISTINCT FROM ${stream} AND seq >= ${seq} AS repeated FROM asset WHERE tenant_id = ${tx.tenant} AND asset_id = ${subject} FOR UPDATE`)
	if (!asset || asset.repeated) return undefined
	const { home, custodian } = asset
	const held = to === bank || isId('subject', to)
	// What staff have put into a compartment is its bank's from the first loan on.
	const inOrder = held && (from === custodian || (from === bank && custodian === 'staff'))
	const moved = home === bank && held && (inOrder || (await bankLive(tx, bank))?.stream === stream)
	if (moved)
		await tx.run(sql`UPDATE asset SET custodian = ${to}, custody_since = ${at}, stream_id = ${stream}, seq = ${seq}, version = version + 1,
			updated_at = greatest(updated_at, ${at}) WHERE tenant_id = ${tx.tenant} AND asset_id = ${subject}`)
	return { moved, home, custodian, inOrder }
}

async function homeOf(tx: Tx, bank: Id<'bank'> | undefined, compartment: Id<'compartment'> | undefined) {
	if (compartment === undefined) return bank && bankOf(tx, bank)
	const at = present(await findCompartment(tx, compartment), 'compartment')
	if (bank !== undefined && at.bank !== bank) throw new Fault('request-invalid', 'compartment: it belongs to another bank.')
	// What a bank knows of its compartments only a door or a person there can change (one writer a fact, architecture.md §3).
	const live = await doorLive(tx, compartment)
	if (live && live.content !== 'unknown')
		throw new Fault(
			'request-refused',
			`compartment: the bank says itself that door ${at.number} is ${live.content === 'empty' ? 'empty' : 'occupied'}. Put the thing in there instead.`,
		)
	return bankOf(tx, at.bank)
}

const placeOfHome = (home: { id: Id<'bank'>; site: Id<'site'> } | undefined) => (home ? { site: home.site, bank: home.id } : {})

/** Salted, as all that the ledger and bundles hold of a thing's own marks. */
const commitTo = (salt: string, tag: string): string =>
	createHash('sha256')
		.update(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(tag)]))
		.digest('hex')
