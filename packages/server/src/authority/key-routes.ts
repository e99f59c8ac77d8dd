import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { nodeCrypto } from '../crypto.ts'
import { findController, findSite, placeOf } from '../estate/index.ts'
import { idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import type { PeopleTerms } from '../people/index.ts'
import { siteKeyAt } from './key-read.ts'
import { loseController, rotateSite } from './key-write.ts'

const count = z.int().nonnegative()

const siteKey = named(
	'SiteKey',
	z.object({
		since: time.optional().describe('when it became the present one; absent: the site needed none yet'),
		pins: count.describe('that live at the site, and would end with the key'),
		banks: z.array(
			z.object({
				bank: idOf('bank'),
				name: z.string(),
				controller: idOf('controller').optional().describe('absent: no machine is enrolled there'),
				state: z
					.enum(['has', 'waits', 'none'])
					.describe(
						'has: it accepted a bundle that was made under the present key; waits: it has not said so yet; none: no machine is enrolled there',
					),
				online: z.boolean(),
				seenAt: time.optional(),
				storageLevel: z.enum(['L0', 'L1']).optional().describe('how its controller keeps the key, by its last word: in a file, or in memory alone'),
			}),
		),
	}),
)

/** What is done when a key may be in other hands. */
export const keyRoutes = (terms: PeopleTerms): Route[] => [
	route({
		method: 'GET',
		path: '/v1/sites/{site}/key',
		tag: 'Estate',
		summary: 'Which banks of the site have its present key, and how each keeps it. The key itself is told to nobody.',
		permission: 'estate.read',
		scope: async ({ params: { site } }, db) => ((await findSite(db, site)) ? { site } : undefined),
		params: z.strictObject({ site: idOf('site') }),
		answers: { 200: siteKey },
		handle: ({ read, params, now }) =>
			read(async (db) => {
				const { since, pins, banks } = await siteKeyAt(db, params.site, terms, now)
				return {
					...(since !== undefined && { since: toTime(since) }),
					pins,
					banks: banks.map(({ bank, name, controller, has, online, seenAt, storageLevel }) => ({
						bank,
						name,
						...(controller !== null && { controller }),
						state: controller === null ? ('none' as const) : has ? ('has' as const) : ('waits' as const),
						online,
						...(seenAt !== null && { seenAt: toTime(seenAt) }),
						...(storageLevel !== null && { storageLevel }),
					})),
				}
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/sites/{site}/key-rotations',
		tag: 'Estate',
		summary: 'Gives the site another key. Badges and pick-up codes go on and nobody enrols again; PINs of the site end and are given anew.',
		permission: 'controller.manage',
		scope: async ({ params: { site } }, db) => ((await findSite(db, site)) ? { site } : undefined),
		params: z.strictObject({ site: idOf('site') }),
		answers: { 201: named('KeyRotation', z.object({ pins: count.describe('that ended') })) },
		handle: ({ write, params, caller, now }) => write((tx) => rotateSite(tx, { ...terms, actor: caller.subject, now }, params.site, nodeCrypto)),
	}),
	route({
		method: 'POST',
		path: '/v1/controllers/{controller}/losses',
		tag: 'Estate',
		summary:
			'The box is gone. Its certificate ends, the site gets another key, the pick-up codes of its bank are drawn anew and PINs of the site end. Its bank needs another controller.',
		permission: 'controller.manage',
		scope: async ({ params }, db) => {
			const controller = await findController(db, params.controller)
			return controller && placeOf(db, controller.bank)
		},
		params: z.strictObject({ controller: idOf('controller') }),
		body: z.strictObject({ version: z.int().describe('of the controller, as it was read') }),
		answers: {
			201: named(
				'ControllerLoss',
				z.object({ pins: count.describe('that ended'), codes: count.describe('that were drawn anew; recipients get a notice') }),
			),
		},
		handle: ({ write, params, body, caller, now }) =>
			write(async (tx) => {
				const known = await findController(tx, params.controller)
				if (known?.revokedAt != null)
					throw new Fault('request-refused', 'This controller was revoked before. If its disk may be in other hands, rotate the key of the site.')
				return loseController(tx, { ...terms, actor: caller.subject, now }, params.controller, body.version, nodeCrypto)
			}),
	}),
]
