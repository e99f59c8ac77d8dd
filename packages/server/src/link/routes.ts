import { Fault, type Id, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { findController, placeOf } from '../estate/index.ts'
import { idOf, type Route, route, time, toTime } from '../http/index.ts'
import type { Db, Tx } from '../store/index.ts'
import { makeClaim, makeClaimCode } from './claims.ts'

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
		scope,
		params,
		answers: { 201: z.object({ token: z.string(), expiresAt: time, server: z.string().optional().describe('the device port, for `--server`') }) },
		handle: ({ write, params, caller, now }) =>
			write(async (tx) => {
				if (external) await refuseSecond(tx, params.controller, now)
				const { token, expiresAt } = await makeClaim(tx, { actor: caller.subject, now, random }, params.controller)
				const server = device()
				return { token, expiresAt: toTime(expiresAt), ...(server !== undefined && { server }) }
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/controllers/{controller}/claim-codes',
		tag: 'Estate',
		summary:
			'A claim code of ten digits to be typed at the kiosk of a machine that was let in before and cannot renew: it works once, within 15 minutes, at that machine alone. An older claim works no more.',
		permission: 'controller.manage',
		scope,
		params,
		answers: { 201: z.object({ code: z.string(), expiresAt: time }) },
		handle: ({ write, params, caller, now }) =>
			write(async (tx) => {
				if (external) await refuseSecond(tx, params.controller, now)
				const { code, expiresAt } = await makeClaimCode(tx, { actor: caller.subject, now, random }, params.controller)
				return { code, expiresAt: toTime(expiresAt) }
			}),
	}),
]

const params = z.strictObject({ controller: idOf('controller') })
const scope = async ({ params: { controller: id } }: { params: z.output<typeof params> }, db: Db) => {
	const controller = await findController(db, id)
	return controller && placeOf(db, controller.bank)
}

/** A broker of one's own says who speaks, not by which certificate: the old machine would go on as this controller. */
async function refuseSecond(tx: Tx, id: Id<'controller'>, now: number): Promise<void> {
	const known = await findController(tx, id)
	if (known?.certificateUntil != null && known.certificateUntil > now)
		throw new Fault(
			'request-refused',
			'A machine has a certificate as this controller, and your own broker would go on letting it in beside the new one. Revoke this controller and add another for the new machine.',
		)
}
