import { scopesOf } from '@latchwork/core/access'
import type { Random } from '@latchwork/core/base'
import { z } from 'zod'
import { listFields, noteFields, page, pageOf, type Route, route } from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { changeCompartment } from './bank-write.ts'
import { doorLive, doorsById } from './live-read.ts'
import { type Compartment, findCompartment, listCompartments, placeOfCompartment, present } from './read.ts'
import { compartmentPatch, compartmentShape, ids, showCompartment } from './shown-routes.ts'
import { lastOf, paging } from './site-routes.ts'

const params = z.strictObject({ compartment: ids.compartment })
const atCompartment = (asked: { params: { compartment: string } }, db: Db) => placeOfCompartment(db, asked.params.compartment)
const shown = async (db: Db, compartment: Compartment) => showCompartment(compartment, present(await doorLive(db, compartment.id), 'compartment'))

export const compartmentRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/compartments',
		tag: 'Estate',
		summary: 'Compartments: one door with one space, and what their bank says of them now.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, bank: ids.bank.optional() }),
		answers: { 200: pageOf('Compartments', compartmentShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => {
				const found = await listCompartments(db, paging(query, scopesOf(caller, 'estate.read')), query.bank)
				const live = await doorsById(db, found)
				return page(found, query.limit, (c) => showCompartment(c, present(live.get(c.id), 'compartment')), lastOf)
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/compartments/{compartment}',
		tag: 'Estate',
		summary: 'One compartment.',
		permission: 'estate.read',
		scope: atCompartment,
		params,
		answers: { 200: compartmentShape },
		handle: ({ read, params }) => read(async (db) => shown(db, present(await findCompartment(db, params.compartment), 'compartment'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/compartments/{compartment}',
		tag: 'Estate',
		summary: 'Changes the label, the measures or the use of a compartment, or takes it out of service with a reason.',
		permission: 'estate.manage',
		scope: atCompartment,
		params,
		body: compartmentPatch.extend(noteFields),
		answers: { 200: compartmentShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => {
				const { inside = {}, service, ...rest } = body
				const outOfService = service && (service.state === 'out-of-service' ? service.reason : null)
				const change = { actor: caller.subject, now, random }
				return shown(tx, await changeCompartment(tx, change, params.compartment, ifMatch, { ...rest, ...inside, outOfService }))
			}),
	}),
]
