import { HIGHEST_CHANCE, yearChance } from '@latchwork/core/access'
import { Fault, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { findSite } from '../estate/index.ts'
import { idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import { settingsOf } from '../tenants/index.ts'
import { endPinRest, pinRests } from './pin-budget-write.ts'
import { type Kiosk, kiosksOf } from './pin-guessing-read.ts'

const chance = z.number().min(0).max(1)
const guessing = named(
	'PinGuessing',
	z.object({
		highest: chance.describe('that no kiosk may have more of in a year'),
		highestAtSite: chance.describe('of somebody who walks through the kiosks of a site, as the organisation says'),
		highestInAll: chance.describe('of somebody who walks through all kiosks, as the organisation says'),
		organisation: z.object({ wrongADay: z.int(), chance }).describe('of somebody who walks from kiosk to kiosk of the whole organisation'),
		sites: z.array(
			z.object({
				site: idOf('site'),
				pins: z.int().describe('that live'),
				digits: z.int().describe('of new PINs; older ones are as long as they were'),
				wrongADay: z.int().describe('at all kiosks of the site together'),
				chance: chance.describe('to find one within a year, by all wrong tries of every day'),
				restsUntil: time.optional().describe('its kiosks take no PIN until then, as the tries of today are gone'),
				kiosks: z.array(
					z.object({ bank: idOf('bank'), codes: z.int().describe('pick-up codes that can be typed there'), wrongADay: z.int(), chance }),
				),
			}),
		),
	}),
)

/** How well PINs and typed codes are kept from somebody who guesses. */
export const pinRoutes = (random: Random): Route[] => [
	route({
		method: 'GET',
		path: '/v1/pin-guessing',
		tag: 'People',
		summary: 'The chance of a guesser at each kiosk, at each site and in the whole organisation, by the budgets of wrong PINs.',
		permission: 'settings.manage',
		answers: { 200: guessing },
		handle: ({ read, now }) =>
			read(async (db) => {
				const rests = await pinRests(db, now)
				const all = await kiosksOf(db, now)
				const sites = [...Map.groupBy(all, ({ site }) => site)].map(([site, kiosks]) => {
					const restsUntil = rests.get(site)
					const [first] = kiosks
					return {
						site,
						pins: first?.pins ?? 0,
						digits: first?.digits ?? 0,
						...walked('site', kiosks),
						...(restsUntil !== undefined && { restsUntil: toTime(restsUntil) }),
						kiosks: kiosks.map((one) => {
							const { wrongADay } = one.bounds.kiosk
							return { bank: one.bank, codes: one.codes, wrongADay, chance: yearChance(one.hit, wrongADay) }
						}),
					}
				})
				const { pinChanceAtSite, pinChanceInAll } = await settingsOf(db, {})
				return {
					highest: HIGHEST_CHANCE,
					highestAtSite: pinChanceAtSite / 100,
					highestInAll: pinChanceInAll / 100,
					organisation: walked('organisation', all),
					sites,
				}
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/sites/{site}/pin-rest',
		tag: 'People',
		summary: 'Let the kiosks of a site take PINs again before midnight, after somebody has looked into who guesses there.',
		permission: 'credential.manage',
		params: z.strictObject({ site: idOf('site') }),
		scope: async ({ params }, db) => (await findSite(db, params.site)) && { site: params.site },
		versioned: false,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) =>
			write(async (tx) => {
				if (!(await endPinRest(tx, params.site, { actor: caller.subject, now, random })))
					throw new Fault('request-refused', 'The kiosks of this site take PINs: nothing rests there.')
			}),
	}),
]

/** The most that there is to win anywhere on the walk, with every try that it grants: no order of walking does better. */
function walked(where: 'site' | 'organisation', kiosks: readonly Kiosk[]): { readonly wrongADay: number; readonly chance: number } {
	const wrongADay = kiosks[0]?.bounds[where].wrongADay ?? 0
	return { wrongADay, chance: yearChance(Math.max(0, ...kiosks.map(({ hit }) => hit)), wrongADay) }
}
