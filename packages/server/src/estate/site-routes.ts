import { scopesOf } from '@latchwork/core/access'
import type { Random } from '@latchwork/core/base'
import { z } from 'zod'
import {
	answer,
	fromCursor,
	fromTime,
	line,
	listFields,
	listQuery,
	noteFields,
	page,
	pageOf,
	type Route,
	route,
	updatedCursor,
} from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { ALWAYS_OPEN, calendar, timeZone } from './calendar.ts'
import { findArea, findSite, listAreas, listSites, type Paging, present } from './read.ts'
import { areaShape, ids, showArea, showSite, siteShape } from './shown-routes.ts'
import { changeArea, changeSite, createArea, createSite, removeArea, removeSite } from './site-write.ts'

/** The page that a list query asks for, of what the caller may see. */
export const paging = (
	query: { limit: number; cursor?: string | undefined; updatedSince?: string | undefined },
	scopes: Paging['scopes'],
): Paging => ({
	limit: query.limit,
	after: fromCursor(query.cursor, updatedCursor),
	updatedSince: query.updatedSince === undefined ? undefined : fromTime(query.updatedSince),
	scopes,
})
export const lastOf = (row: { readonly updatedAt: number; readonly id: string }) => [row.updatedAt, row.id] as const

const siteParams = z.strictObject({ site: ids.site })
const areaParams = z.strictObject({ area: ids.area })
const atArea = async ({ params }: { params: { area: string } }, db: Db) => {
	const area = await findArea(db, params.area)
	return area && { site: area.site, area: area.id }
}
const siteFields = { name: line(200), timeZone, address: z.string().trim().max(500), calendar }

export const siteRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/sites',
		tag: 'Estate',
		summary: 'Sites: places with an address, a time zone and a calendar.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: listQuery,
		answers: { 200: pageOf('Sites', siteShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => page(await listSites(db, paging(query, scopesOf(caller, 'estate.read'))), query.limit, showSite, lastOf)),
	}),
	route({
		method: 'POST',
		path: '/v1/sites',
		tag: 'Estate',
		summary: 'Adds a site.',
		permission: 'estate.manage',
		body: z.strictObject({
			...siteFields,
			address: siteFields.address.default(''),
			calendar: calendar.default(ALWAYS_OPEN),
			...noteFields,
		}),
		answers: { 201: siteShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => showSite(await createSite(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/sites/{site}',
		tag: 'Estate',
		summary: 'One site.',
		permission: 'estate.read',
		scope: async ({ params }) => ({ site: params.site }),
		params: siteParams,
		answers: { 200: siteShape },
		handle: ({ read, params }) => read(async (db) => showSite(present(await findSite(db, params.site), 'site'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/sites/{site}',
		tag: 'Estate',
		summary: 'Changes a site; its banks get new bundles.',
		permission: 'estate.manage',
		scope: async ({ params }) => ({ site: params.site }),
		params: siteParams,
		body: z.strictObject({ ...siteFields, ...noteFields }).partial(),
		answers: { 200: siteShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => showSite(await changeSite(tx, { actor: caller.subject, now, random }, params.site, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/sites/{site}',
		tag: 'Estate',
		summary: 'Removes a site that has no bank and no area any more.',
		permission: 'estate.manage',
		params: siteParams,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => {
				await removeSite(tx, { actor: caller.subject, now, random }, params.site, ifMatch)
				return answer(204)
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/areas',
		tag: 'Estate',
		summary: 'Areas: parts of sites, such as floors.',
		permission: 'estate.read',
		scope: 'anywhere',
		query: z.strictObject({ ...listFields, site: ids.site.optional() }),
		answers: { 200: pageOf('Areas', areaShape) },
		handle: ({ read, query, caller }) =>
			read(async (db) => page(await listAreas(db, paging(query, scopesOf(caller, 'estate.read')), query.site), query.limit, showArea, lastOf)),
	}),
	route({
		method: 'POST',
		path: '/v1/areas',
		tag: 'Estate',
		summary: 'Adds an area to a site.',
		permission: 'estate.manage',
		scope: async ({ body }) => ({ site: body.site }),
		body: z.strictObject({ site: ids.site, name: line(200), ...noteFields }),
		answers: { 201: areaShape },
		handle: ({ write, body, caller, now }) => write(async (tx) => showArea(await createArea(tx, { actor: caller.subject, now, random }, body))),
	}),
	route({
		method: 'GET',
		path: '/v1/areas/{area}',
		tag: 'Estate',
		summary: 'One area.',
		permission: 'estate.read',
		scope: atArea,
		params: areaParams,
		answers: { 200: areaShape },
		handle: ({ read, params }) => read(async (db) => showArea(present(await findArea(db, params.area), 'area'))),
	}),
	route({
		method: 'PATCH',
		path: '/v1/areas/{area}',
		tag: 'Estate',
		summary: 'Changes an area.',
		permission: 'estate.manage',
		scope: atArea,
		params: areaParams,
		body: z.strictObject({ name: line(200).optional(), ...noteFields }),
		answers: { 200: areaShape },
		handle: ({ write, params, body, caller, now, ifMatch }) =>
			write(async (tx) => showArea(await changeArea(tx, { actor: caller.subject, now, random }, params.area, ifMatch, body))),
	}),
	route({
		method: 'DELETE',
		path: '/v1/areas/{area}',
		tag: 'Estate',
		summary: 'Removes an area that has no bank any more.',
		permission: 'estate.manage',
		// Who manages the area alone does not remove it.
		scope: async (call, db) => {
			const place = await atArea(call, db)
			return place && { site: place.site }
		},
		params: areaParams,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now, ifMatch }) =>
			write(async (tx) => {
				await removeArea(tx, { actor: caller.subject, now, random }, params.area, ifMatch)
				return answer(204)
			}),
	}),
]
