import { covers, type Permission, type Place } from '@latchwork/core/access'
import { type Clock, type Id, isId } from '@latchwork/core/base'
import { accessRoutes, holdingsOf, rights } from './access/index.ts'
import { assetRoutes } from './assets/index.ts'
import { asIf, isKnownAt, keepKeysInMemory, keyRoutes } from './authority/index.ts'
import { bankOfCase, caseIdsOf, caseInside, caseRoutes, reviewBreakGlass, rightFacts, tellOwner } from './cases/index.ts'
import { nodeCrypto } from './crypto.ts'
import { bankIds, estateRoutes, findArea, findSite, markBundles, placeOf } from './estate/index.ts'
import { healthRoutes } from './health-routes.ts'
import type { Route } from './http/index.ts'
import { append, type LedgerRoutes, ledgerRoutes, type Watch } from './ledger/index.ts'
import { linkRoutes } from './link/index.ts'
import { logSigner } from './log-signer.ts'
import type { Parts } from './parts.ts'
import { ensureSiteKey, peopleRoutes, tracesOf } from './people/index.ts'
import { breakGlassRoutes, type Command, checkPins, pinRoutes, spaceRoutes } from './space/index.ts'
import type { Db } from './store/index.ts'
import { type SettingsParts, tenantRoutes } from './tenants/index.ts'
import { VERSION } from './version.ts'

/** What goes on besides requests: whom they may wake, and what wakes those that wait. */
export interface RouteNews {
	/** A command is committed, and waits to be sent. */
	readonly requested: (command: Command) => void
	/** Tells when the ledger has grown, and the time that those who follow it wait in. */
	readonly watch: Watch
	readonly pace: Pick<Clock, 'after'>
	/** `https://…` of the device port; undefined where another process has it and nobody said under which name. */
	readonly device: () => string | undefined
}

/** The API: every domain's routes, with what a domain needs of those to its right handed over as functions. Each has its line in testing/api-samples.ts. */
export function routesOf(parts: Parts, { requested, watch, pace, device }: RouteNews): Route[] {
	const { store, random, clock, master, terms, passwords, config, engine } = parts
	const secure = config.publicUrl?.startsWith('https:') ?? false
	return [
		...healthRoutes(store, VERSION),
		...tenantRoutes(settingsParts(parts)),
		...estateRoutes(random),
		...peopleRoutes({ terms, store, passwords, secure, rights, checkPins, knownAt: isKnownAt }),
		...accessRoutes({ random, engine, asIf: asIf(nodeCrypto.sha256) }),
		...ledgerRoutes({ store, watch, pace, random, signerOf: logSigner(parts), bankIds, thingsOf }),
		...keyRoutes(terms),
		...linkRoutes({ random, device, external: config.device.external !== undefined }),
		...spaceRoutes({
			random,
			master,
			requested,
			bankOfCase,
			caseInside,
			rightFacts: (db, of, facts, people, now) => rightFacts(db, of, facts, { people, may: mayOneOf(db, people, now) }, terms, now),
			tellOwner,
		}),
		...breakGlassRoutes({ random, openReview: reviewBreakGlass }),
		...pinRoutes(random),
		...assetRoutes(random),
		...caseRoutes({ random, crypto: nodeCrypto, master, siteKey: (tx, site) => ensureSiteKey(tx, site, terms, clock.now()) }),
	]
}

const thingsOf: LedgerRoutes['thingsOf'] = async (db, person) => {
	const own = await tracesOf(db, person)
	return own && [...own, ...(await caseIdsOf(db, person))]
}

/** A guesser's chances follow from them. */
const ABOUT_PINS: ReadonlySet<string> = new Set([
	'pinLength',
	'wrongPinsPerDay',
	'wrongPinsPerDayAtSite',
	'wrongPinsPerDayInAll',
	'pinChanceAtSite',
	'pinChanceInAll',
])

/** Whether one of these people may do something at a bank, however they ask. */
const mayOneOf = (db: Db, people: readonly string[], now: number) => async (permission: Permission, bank: Id<'bank'>) => {
	const place = (await placeOf(db, bank)) ?? {}
	const held = await Promise.all(people.flatMap((one) => (isId('subject', one) ? [holdingsOf(db, one, now)] : [])))
	return held.flat().some(({ scope, permissions }) => permissions.has(permission) && covers(scope, place))
}

const settingsParts = ({ random, terms }: Parts): SettingsParts => ({
	async placeAt(db, { site, area, bank }): Promise<Place | undefined> {
		if (bank) return placeOf(db, bank)
		if (site) return (await findSite(db, site)) && { site }
		if (area === undefined) return {}
		const found = await findArea(db, area)
		return found && { site: found.site, area }
	},
	async changed(tx, place, names, { actor, now }) {
		const { site, bank } = place
		if (names.some((name) => ABOUT_PINS.has(name))) await checkPins(tx, place, now)
		if (names.includes('siteKeyInMemory')) await keepKeysInMemory(tx, place, { ...terms, actor, now }, nodeCrypto)
		const subject = bank ?? place.area ?? site ?? (tx.tenant as string)
		await append(tx, [{ type: 'setting.changed', subject, actor, ...(site && { site }), ...(bank && { bank }), data: { settings: [...names] } }], {
			now,
			random,
		})
		await markBundles(tx, now, place)
	},
})
