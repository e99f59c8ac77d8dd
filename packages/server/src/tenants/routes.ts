import type { Caller, Place } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { z } from 'zod'
import { idOf, line, named, type Route, route, time, toTime } from '../http/index.ts'
import type { Db, Tx } from '../store/index.ts'
import { settingsHere, tenantOf } from './read.ts'
import { chosenShape, LEVELS, SETTINGS, type SettingName, settingsPatch } from './settings.ts'
import { changeSettings } from './write.ts'

/** What settings need of those who stand to the right of them: where a place lies, and who has to hear of a change. */
export interface SettingsParts {
	placeAt(db: Db, at: { site?: Id<'site'> | undefined; area?: Id<'area'> | undefined; bank?: Id<'bank'> | undefined }): Promise<Place | undefined>
	changed(tx: Tx, place: Place, names: readonly SettingName[], by: { actor: Caller['subject']; now: number }): Promise<void>
}

const at = z
	.strictObject({ site: idOf('site').optional(), area: idOf('area').optional(), bank: idOf('bank').optional() })
	.refine((query) => Object.keys(query).length <= 1, 'name one place: a site, an area or a bank')

const names = Object.keys(SETTINGS) as SettingName[]
const settings = named(
	'Settings',
	z.object({
		version: z.int().describe('of what this place chose itself; 0: nothing yet'),
		updatedAt: time.optional(),
		chosen: chosenShape.describe('what this place chose itself'),
		settings: z
			.object(Object.fromEntries(names.map((name) => [name, SETTINGS[name].schema.describe(SETTINGS[name].words)])))
			.describe('what holds here'),
		setBy: z.object(Object.fromEntries(names.map((name) => [name, z.enum([...LEVELS, 'default'])]))).describe('which level set each of them'),
	}),
)

const answered = async (db: Db, place: Place) => {
	const { updatedAt, ...here } = await settingsHere(db, place)
	return { ...here, ...(updatedAt !== undefined && { updatedAt: toTime(updatedAt) }) }
}

const tenant = named('Tenant', z.object({ id: idOf('tenant'), name: line(200), logOrigin: z.string(), createdAt: time }))

export const tenantRoutes = ({ placeAt, changed }: SettingsParts): Route[] => [
	route({
		method: 'GET',
		path: '/v1/tenant',
		tag: 'Settings',
		summary: 'The organisation of the caller.',
		permission: 'signed-in',
		answers: { 200: tenant },
		handle: async ({ read }) => {
			const { id, name, origin, createdAt } = await read(tenantOf)
			return { id, name, logOrigin: origin, createdAt: toTime(createdAt) }
		},
	}),
	route({
		method: 'GET',
		path: '/v1/settings',
		tag: 'Settings',
		summary: 'What holds at a place, and which level set it.',
		permission: 'estate.read',
		query: at,
		scope: ({ query }, db) => placeAt(db, query),
		answers: { 200: settings },
		handle: ({ query, read }) => read(async (db) => answered(db, (await placeAt(db, query)) ?? {})),
	}),
	route({
		method: 'PATCH',
		path: '/v1/settings',
		tag: 'Settings',
		summary: 'Choose settings at a place; null gives one back to the level above.',
		permission: 'settings.manage',
		query: at,
		body: settingsPatch,
		scope: ({ query }, db) => placeAt(db, query),
		answers: { 200: settings },
		handle: ({ query, body, write, ifMatch, caller, now }) =>
			write(async (tx) => {
				const place = (await placeAt(tx, query)) ?? {}
				const names = await changeSettings(tx, place, body, ifMatch, now)
				if (names.length > 0) await changed(tx, place, names, { actor: caller.subject, now })
				return answered(tx, place)
			}),
	}),
]
