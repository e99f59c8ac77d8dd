import { scopesOf } from '@latchwork/core/access'
import type { Random } from '@latchwork/core/base'
import { z } from 'zod'
import { line, listFields, noteFields, page, pageOf, type Route, route } from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { changeController, createController, revokeController } from './controller-write.ts'
import { controllersLive } from './live-read.ts'
import { type Controller, findController, listControllers, placeOf, present } from './read.ts'
import { controllerShape, ids, showController } from './shown-routes.ts'
import { lastOf, paging } from './site-routes.ts'

const params = z.strictObject({ controller: ids.controller })
const atController = async (asked: { params: { controller: string } }, db: Db) => {
	const controller = await findController(db, asked.params.controller)
	return controller && placeOf(db, controller.bank)
}
const shown = async (db: Db, controller: Controller) => showController(controller, (await controllersLive(db, [controller])).get(controller.id))

export const controllerRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/controllers',
		tag: 'Estate',
		summary: 'Controllers: the computers at the banks.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, bank: ids.bank.optional() }),
		answers: { 200: pageOf('Controllers', controllerShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => {
				const found = await listControllers(db, paging(query, scopesOf(caller, 'estate.read')), query.bank)
				const live = await controllersLive(db, found)
				return page(found, query.limit, (c) => showController(c, live.get(c.id)), lastOf)
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/controllers',
		tag: 'Estate',
		summary: 'Gives a bank its controller; a claim token then lets the machine in.',
		permission: 'controller.manage',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({ bank: ids.bank, name: line(200), ...noteFields }),
		answers: { 201: controllerShape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => shown(tx, await createController(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/controllers/{controller}',
		tag: 'Estate',
		summary: 'One controller.',
		permission: 'estate.read',
		scope: atController,
		params,
		answers: { 200: controllerShape },
		handle: ({ read, params }) => read(async (db) => shown(db, present(await findController(db, params.controller), 'controller'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/controllers/{controller}',
		tag: 'Estate',
		summary: 'Renames a controller.',
		permission: 'controller.manage',
		scope: atController,
		params,
		body: z.strictObject({ name: line(200).optional(), ...noteFields }),
		answers: { 200: controllerShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => shown(tx, await changeController(tx, { actor: caller.subject, now, random }, params.controller, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/controllers/{controller}',
		tag: 'Estate',
		summary: 'Revokes a controller: its certificate counts no more, and its bank is free for another one. What it did stays on record.',
		permission: 'controller.manage',
		scope: atController,
		params,
		answers: { 200: controllerShape },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => shown(tx, await revokeController(tx, { actor: caller.subject, now, random }, params.controller, ifMatch))),
	}),
]
