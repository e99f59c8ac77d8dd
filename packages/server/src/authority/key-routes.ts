import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { nodeCrypto } from '../crypto.ts'
import { findController, findSite, placeOf } from '../estate/index.ts'
import { idOf, named, type Route, route } from '../http/index.ts'
import type { PeopleTerms } from '../people/index.ts'
import { loseController, rotateSite } from './key-write.ts'

const count = z.int().nonnegative()

/** What is done when a key may be in other hands. */
export const keyRoutes = (terms: PeopleTerms): Route[] => [
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
