import { Fault, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { findController, placeOf } from '../estate/index.ts'
import { idOf, type Route, route, time, toTime } from '../http/index.ts'
import { makeClaim } from './claims.ts'

/** How a machine gets in; everything else of a controller is the estate's. `device`: where controllers reach the device port, as far as this process knows. */
export interface LinkRouteParts {
	readonly random: Random
	readonly device: () => string | undefined
	/** Messages go by a broker that is not ours. */
	readonly external: boolean
}

export const linkRoutes = ({ random, device, external }: LinkRouteParts): Route[] => [
	route({
		method: 'POST',
		path: '/v1/controllers/{controller}/claims',
		tag: 'Estate',
		summary: 'A claim token for a machine: it works once, within 15 minutes, as this controller. Shown once; an older one works no more.',
		permission: 'controller.manage',
		scope: async ({ params }, db) => {
			const controller = await findController(db, params.controller)
			return controller && placeOf(db, controller.bank)
		},
		params: z.strictObject({ controller: idOf('controller') }),
		answers: { 201: z.object({ token: z.string(), expiresAt: time, server: z.string().optional().describe('the device port, for `--server`') }) },
		handle: ({ write, params, caller, now }) =>
			write(async (tx) => {
				const known = external ? await findController(tx, params.controller) : undefined
				// Such a broker says who speaks, not by which certificate: the old machine would go on as this controller.
				if (known?.certificateUntil != null && known.certificateUntil > now)
					throw new Fault(
						'request-refused',
						'A machine has a certificate as this controller, and your own broker would go on letting it in beside the new one. Revoke this controller and add another for the new machine.',
					)
				const { token, expiresAt } = await makeClaim(tx, { actor: caller.subject, now, random }, params.controller)
				const server = device()
				return { token, expiresAt: toTime(expiresAt), ...(server !== undefined && { server }) }
			}),
	}),
]
