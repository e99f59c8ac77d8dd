import { scopesOf } from '@latchwork/core/access'
import type { Id, Random } from '@latchwork/core/base'
import { bankLayout } from '@latchwork/core/wire'
import { z } from 'zod'
import { answer, line, listFields, noteFields, page, pageOf, type Route, route } from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { changeBank, changeModule, createBank, createModule, removeBank, removeModule } from './bank-write.ts'
import { bankLive, banksLive, mapOf } from './live-read.ts'
import { type Bank, findBank, findModule, findSite, listBanks, listModules, placeOf, present } from './read.ts'
import { bankShape, ids, mapShape, moduleShape, showBank, showBankLive, showDoor, showModule, showService } from './shown-routes.ts'
import { lastOf, paging } from './site-routes.ts'

const bankParams = z.strictObject({ bank: ids.bank })
const moduleParams = z.strictObject({ module: ids.module })
const atBank = ({ params }: { params: { bank: string } }, db: Db) => placeOf(db, params.bank)
const atModule = async ({ params }: { params: { module: string } }, db: Db) => {
	const module = await findModule(db, params.module)
	return module && placeOf(db, module.bank)
}
const shown = async (db: Db, bank: Bank) => showBank(bank, present(await bankLive(db, bank.id), 'bank'))
const bankFields = { name: line(200), helpPhone: line(40), layout: bankLayout }
const LAYOUT_LIMIT = 524_288

export const bankRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/banks',
		tag: 'Estate',
		summary: 'Banks with their drawing and what they say of themselves now.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, site: ids.site.optional(), area: ids.area.optional() }),
		answers: { 200: pageOf('Banks', bankShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => {
				const banks = await listBanks(db, paging(query, scopesOf(caller, 'estate.read')), query)
				const live = await banksLive(db, banks)
				return page(banks, query.limit, (bank) => showBank(bank, present(live.get(bank.id), 'bank')), lastOf)
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/banks',
		tag: 'Estate',
		summary: 'Adds a bank: a module for each column of its drawing, a compartment for each door.',
		permission: 'estate.manage',
		scope: async ({ body }) => ({ site: body.site }),
		body: z.strictObject({ site: ids.site, area: ids.area.optional(), ...bankFields, ...noteFields }),
		bodyLimit: LAYOUT_LIMIT,
		answers: { 201: bankShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => shown(tx, await createBank(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/banks/{bank}',
		tag: 'Estate',
		summary: 'One bank.',
		permission: 'estate.read',
		scope: atBank,
		params: bankParams,
		answers: { 200: bankShape },
		handle: ({ read, params }) => read(async (db) => shown(db, present(await findBank(db, params.bank), 'bank'))),
	}),
	route({
		method: 'GET',
		path: '/v1/banks/{bank}/map',
		tag: 'Estate',
		summary: 'The drawing of a bank and the live state of all its doors.',
		permission: 'estate.read',
		scope: atBank,
		params: bankParams,
		answers: { 200: mapShape },
		handle: ({ read, params }) => read((db) => mapShown(db, params.bank)),
	}),
	route({
		method: 'PATCH',
		path: '/v1/banks/{bank}',
		tag: 'Estate',
		summary: 'Changes a bank: its name, its area (null: none), help telephone, or how the same doors are drawn.',
		permission: 'estate.manage',
		scope: atBank,
		params: bankParams,
		body: z.strictObject({ ...bankFields, area: ids.area.nullable(), ...noteFields }).partial(),
		bodyLimit: LAYOUT_LIMIT,
		answers: { 200: bankShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => shown(tx, await changeBank(tx, { actor: caller.subject, now, random }, params.bank, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/banks/{bank}',
		tag: 'Estate',
		summary: 'Removes a bank that has no controller any more and nothing in it.',
		permission: 'estate.manage',
		scope: atBank,
		params: bankParams,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => {
				await removeBank(tx, { actor: caller.subject, now, random }, params.bank, ifMatch)
				return answer(204)
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/modules',
		tag: 'Estate',
		summary: 'Modules: the cabinet columns of banks, from the left.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, bank: ids.bank.optional() }),
		answers: { 200: pageOf('Modules', moduleShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => page(await listModules(db, paging(query, scopesOf(caller, 'estate.read')), query.bank), query.limit, showModule, lastOf)),
	}),
	route({
		method: 'POST',
		path: '/v1/modules',
		tag: 'Estate',
		summary: 'Adds a cabinet column to a live bank, at its right end, with its doors.',
		permission: 'estate.manage',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({ bank: ids.bank, name: line(200).optional(), column: bankLayout.shape.columns.element }),
		answers: { 201: moduleShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => showModule(await createModule(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/modules/{module}',
		tag: 'Estate',
		summary: 'One module.',
		permission: 'estate.read',
		scope: atModule,
		params: moduleParams,
		answers: { 200: moduleShape },
		handle: ({ read, params }) => read(async (db) => showModule(present(await findModule(db, params.module), 'module'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/modules/{module}',
		tag: 'Estate',
		summary: 'Renames a module.',
		permission: 'estate.manage',
		scope: atModule,
		params: moduleParams,
		body: z.strictObject({ name: line(200).optional(), ...noteFields }),
		answers: { 200: moduleShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => showModule(await changeModule(tx, { actor: caller.subject, now, random }, params.module, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/modules/{module}',
		tag: 'Estate',
		summary: 'Removes a module with its compartments, while nothing is in them.',
		permission: 'estate.manage',
		scope: atModule,
		params: moduleParams,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => {
				await removeModule(tx, { actor: caller.subject, now, random }, params.module, ifMatch)
				return answer(204)
			}),
	}),
]

async function mapShown(db: Db, id: Id<'bank'>) {
	const bank = present(await findBank(db, id), 'bank')
	const site = present(await findSite(db, bank.site), 'site')
	const doors = await mapOf(db, id)
	return {
		bank: { id, site: site.id, name: bank.name, timeZone: site.timeZone },
		layout: bank.layout,
		live: showBankLive(present(await bankLive(db, id), 'bank')),
		doors: doors.map((door) => ({
			compartment: door.id,
			number: door.number,
			size: door.size,
			accessible: door.accessible,
			powered: door.powered,
			wired: door.wired,
			service: showService(door.outOfService),
			live: showDoor(door),
		})),
	}
}
