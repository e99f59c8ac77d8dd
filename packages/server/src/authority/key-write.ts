import type { Place } from '@latchwork/core/access'
import { type Crypto, Fault, type Id } from '@latchwork/core/base'
import { caseSealing, renewCodes } from '../cases/index.ts'
import { bankIds, placeOf, present, revokeController, siteIds } from '../estate/index.ts'
import { append } from '../ledger/index.ts'
import { ensureSiteKey, type PeopleChange, rotateSiteKey } from '../people/index.ts'
import { rekeyCodes } from '../space/index.ts'
import type { Tx } from '../store/index.ts'
import { settingsAt } from '../tenants/index.ts'

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
 * From now on the site's key is on no controller's disk (storage level L1, trust.md §3.3). The one that lay there ends, and so do PINs, as with every
 * other key. Throws `request-refused` where a part of a site chooses: the key is the whole site's.
 */
export async function keepKeysInMemory(tx: Tx, place: Place, change: PeopleChange, crypto: Crypto): Promise<void> {
	if (place.area ?? place.bank)
		throw new Fault('request-refused', 'The key is of a whole site: choose this for the site or for the organisation.', {
			detail: { setting: 'siteKeyInMemory' },
		})
	const at = await settingsAt(tx)
	for (const site of place.site ? [place.site] : await siteIds(tx)) if (at({ site }).siteKeyInMemory) await rotateSite(tx, change, site, crypto)
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
