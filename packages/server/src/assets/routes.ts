import { mayDo, type Place, scopesOf } from '@latchwork/core/access'
import { Fault, type Id, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { doorsHolding, paging, placeOf, present } from '../estate/index.ts'
import {
	answer,
	idOf,
	line,
	listFields,
	listQuery,
	named,
	noteFields,
	page,
	pageOf,
	type Route,
	recordFields,
	route,
	showRecord,
	time,
	toTime,
} from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { type Asset, type AssetType, findAsset, findAssetType, listAssets, listAssetTypes } from './read.ts'
import { changeAsset, changeAssetType, createAsset, createAssetType, removeAssetType, retireAsset } from './write.ts'

const ids = { type: idOf('assetType'), asset: idOf('asset'), bank: idOf('bank'), compartment: idOf('compartment') }
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'a short code of letters, digits, _ . -')
const kind = z.enum(['laptop', 'other'])
const valueClass = z.enum(['normal', 'high'])
const condition = z.enum(['good', 'damaged', 'missing'])

const typeShape = named('AssetType', z.object({ id: ids.type, code, name: z.string(), kind, valueClass, ...recordFields }))
const assetShape = named(
	'Asset',
	z.object({
		id: ids.asset,
		type: ids.type,
		typeCode: z.string(),
		kind,
		valueClass,
		tag: z.string(),
		name: z.string(),
		condition,
		bank: ids.bank.optional().describe('where it belongs'),
		compartment: ids.compartment.optional().describe('where it lies, by its bank’s own word'),
		custodian: z.string().describe('who answers for it: a bank, a person’s pseudonym, or `staff`'),
		custodySince: time,
		retiredAt: time.optional(),
		...recordFields,
	}),
)

const showType = (type: AssetType) => ({
	id: type.id,
	code: type.code,
	name: type.name,
	kind: type.kind,
	valueClass: type.valueClass,
	...showRecord(type),
})
const showAsset = (asset: Asset, compartment: Id<'compartment'> | undefined) => ({
	id: asset.id,
	type: asset.type,
	typeCode: asset.typeCode,
	kind: asset.kind,
	valueClass: asset.valueClass,
	tag: asset.tag,
	name: asset.name,
	condition: asset.condition,
	...(asset.bank !== null && { bank: asset.bank }),
	...(compartment && { compartment }),
	custodian: asset.custodian,
	custodySince: toTime(asset.custodySince),
	...(asset.retiredAt !== null && { retiredAt: toTime(asset.retiredAt) }),
	...showRecord(asset),
})
const shown = async (db: Db, asset: Asset) => showAsset(asset, (await doorsHolding(db, [asset.id])).get(asset.id))
const lastOf = (row: { readonly updatedAt: number; readonly id: string }) => [row.updatedAt, row.id] as const

const typeParams = z.strictObject({ type: ids.type })
const assetParams = z.strictObject({ asset: ids.asset })
/** A thing that belongs to no bank is the whole organisation's. */
const atAsset = async ({ params }: { params: { asset: string } }, db: Db): Promise<Place | undefined> => {
	const asset = await findAsset(db, params.asset)
	return asset && (asset.bank === null ? {} : placeOf(db, asset.bank))
}
const atBank = async ({ body }: { body: { bank?: string | undefined } }, db: Db): Promise<Place | undefined> =>
	body.bank === undefined ? {} : placeOf(db, body.bank)

export const assetRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/asset-types',
		tag: 'Assets',
		summary: 'Asset types: makes and models, by the code that policies name.',
		permission: 'asset.read',
		scope: 'anywhere',
		query: listQuery,
		answers: { 200: pageOf('AssetTypes', typeShape) },
		handle: ({ read, query }) => read(async (db) => page(await listAssetTypes(db, paging(query, [])), query.limit, showType, lastOf)),
	}),
	route({
		method: 'POST',
		path: '/v1/asset-types',
		tag: 'Assets',
		summary: 'Adds an asset type.',
		permission: 'asset.manage',
		body: z.strictObject({ code, name: line(200), kind: kind.default('other'), valueClass: valueClass.default('normal'), ...noteFields }),
		answers: { 201: typeShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => showType(await createAssetType(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/asset-types/{type}',
		tag: 'Assets',
		summary: 'One asset type.',
		permission: 'asset.read',
		scope: 'anywhere',
		params: typeParams,
		answers: { 200: typeShape },
		handle: ({ read, params }) => read(async (db) => showType(present(await findAssetType(db, params.type), 'asset type'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/asset-types/{type}',
		tag: 'Assets',
		summary: 'Changes an asset type; its code stays, because policies name it.',
		permission: 'asset.manage',
		params: typeParams,
		body: z.strictObject({ name: line(200).optional(), kind: kind.optional(), valueClass: valueClass.optional(), ...noteFields }),
		answers: { 200: typeShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => showType(await changeAssetType(tx, { actor: caller.subject, now, random }, params.type, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/asset-types/{type}',
		tag: 'Assets',
		summary: 'Removes an asset type that no asset has.',
		permission: 'asset.manage',
		params: typeParams,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => {
				await removeAssetType(tx, { actor: caller.subject, now, random }, params.type, ifMatch)
				return answer(204)
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/assets',
		tag: 'Assets',
		summary: 'Assets, where they belong and who has them.',
		permission: 'asset.read',
		scope: 'anywhere',
		query: z.strictObject({
			...listFields,
			bank: ids.bank.optional(),
			type: ids.type.optional(),
			custodian: z.string().max(80).optional(),
			tag: z.string().max(200).optional(),
			retired: z.stringbool().optional(),
		}),
		answers: { 200: pageOf('Assets', assetShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => {
				const assets = await listAssets(db, paging(query, scopesOf(caller, 'asset.read')), query)
				const lie = await doorsHolding(
					db,
					assets.map((asset) => asset.id),
				)
				return page(assets, query.limit, (asset) => showAsset(asset, lie.get(asset.id)), lastOf)
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/assets',
		tag: 'Assets',
		summary: 'Adds an asset; `compartment` says where it lies already.',
		permission: 'asset.manage',
		scope: atBank,
		body: z
			.strictObject({
				type: ids.type,
				tag: line(200),
				name: line(200).optional(),
				bank: ids.bank.optional(),
				compartment: ids.compartment.optional(),
				...noteFields,
			})
			.refine((body) => body.compartment === undefined || body.bank !== undefined, {
				path: ['bank'],
				message: 'say the bank of the compartment, too',
			}),
		answers: { 201: assetShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => shown(tx, await createAsset(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/assets/{asset}',
		tag: 'Assets',
		summary: 'One asset.',
		permission: 'asset.read',
		scope: atAsset,
		params: assetParams,
		answers: { 200: assetShape },
		handle: ({ read, params }) => read(async (db) => shown(db, present(await findAsset(db, params.asset), 'asset'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/assets/{asset}',
		tag: 'Assets',
		summary: 'Changes an asset: its marks, its condition, or the bank where it belongs (null: none) while the desk has it.',
		permission: 'asset.manage',
		scope: atAsset,
		params: assetParams,
		body: z.strictObject({
			name: line(200).nullable().optional(),
			tag: line(200).optional(),
			condition: condition.optional(),
			bank: ids.bank.nullable().optional(),
			...noteFields,
		}),
		answers: { 200: assetShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => {
				const to = body.bank ? present(await placeOf(tx, body.bank), 'bank') : {}
				if (body.bank !== undefined && !mayDo(caller, 'asset.manage', to))
					throw new Fault('not-permitted', 'This needs the permission asset.manage at the bank where it goes, too.')
				return shown(tx, await changeAsset(tx, { actor: caller.subject, now, random }, params.asset, ifMatch, body))
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/assets/{asset}',
		tag: 'Assets',
		summary: 'Retires an asset: it is no longer lent, and stays on record.',
		permission: 'asset.manage',
		scope: atAsset,
		params: assetParams,
		answers: { 200: assetShape },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => shown(tx, await retireAsset(tx, { actor: caller.subject, now, random }, params.asset, ifMatch))),
	}),
]
