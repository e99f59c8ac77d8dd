import type { Crypto, Id } from '@latchwork/core/base'
import { caseSealing, renewCodes } from '../cases/index.ts'
import { bankIds, placeOf, present, revokeController } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { ensureSiteKey, type PeopleChange, rotateSiteKey } from '../people/index.ts'
import { rekeyCodes } from '../space/index.ts'
import type { Tx } from '../store/index.ts'

/** What ended with the old key. */
export interface Rotated {
	readonly pins: number
}

/** Badges and pick-up codes go on under the new key, PINs end (`rotateSiteKey`). A bank that is away goes on under the old one until it is back. */
export async function rotateSite(tx: Tx, change: PeopleChange, site: Id<'site'>, crypto: Crypto): Promise<Rotated> {
	const rotated = await rotateSiteKey(tx, change, site)
	const siteKey = await ensureSiteKey(tx, site, change, change.now)
	await rekeyCodes(tx, await bankIds(tx, { site }), { siteKey, sealing: await caseSealing(tx, change), crypto })
	return rotated
}

/**
 * A box is gone, with everything on its disk (trust.md T8): its certificate ends, the site gets another key, and the codes that it knew are drawn
 * anew. It can do nothing any more but open the doors that it took along.
 */
export async function loseController(
	tx: Tx,
	change: PeopleChange,
	id: Id<'controller'>,
	ifMatch: number,
	crypto: Crypto,
): Promise<Rotated & { readonly codes: number }> {
	const controller = await revokeController(tx, change, id, ifMatch)
	const { site } = present(await placeOf(tx, controller.bank), 'bank')
	const { pins } = await rotateSite(tx, change, site, crypto)
	const codes = await renewCodes(tx, controller.bank, { ...change, crypto, siteKey: (tx, of) => ensureSiteKey(tx, of, change, change.now) })
	await append(tx, [{ type: 'controller.lost', subject: id, actor: change.actor, site, bank: controller.bank, data: { pins, codes } }], change)
	return { pins, codes }
}
