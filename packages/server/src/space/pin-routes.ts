import { HIGHEST_CHANCE, yearChance } from '@latchwork/core/access'
import { Fault, type Random } from '@latchwork/core/base'
import { z } from 'zod'
import { findSite } from '../estate/index.ts'
import { idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import { settingsAt } from '../tenants/index.ts'
import { endPinRest, pinRests } from './pin-budget-write.ts'
import { kiosksOf } from './pin-guessing-read.ts'

const chance = z.number().min(0).max(1)
const guessing = named(
	'PinGuessing',
	z.object({
		highest: chance.describe('that no kiosk may have more of in a year'),
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
				const at = await settingsAt(db)
				const rests = await pinRests(db, now)
				const sites = [...Map.groupBy(await kiosksOf(db, now), ({ site }) => site)].map(([site, kiosks]) => {
					// The most that there is to win anywhere at the site, with every try that it grants: no order of walking does better.
					const hit = Math.max(...kiosks.map((one) => one.hit))
					const wrongADay = Math.min(at({ site }).wrongPinsPerDayAtSite, sum(kiosks))
					const restsUntil = rests.get(site)
					return {
						hit,
						shown: {
							site,
							pins: kiosks[0]?.pins ?? 0,
							digits: kiosks[0]?.digits ?? 0,
							wrongADay,
							chance: yearChance(hit, wrongADay),
							...(restsUntil !== undefined && { restsUntil: toTime(restsUntil) }),
							kiosks: kiosks.map((one) => ({
								bank: one.bank,
								codes: one.codes,
								wrongADay: one.wrongADay,
								chance: yearChance(one.hit, one.wrongADay),
							})),
						},
					}
				})
				const wrongADay = Math.min(at({}).wrongPinsPerDayInAll, sum(sites.map(({ shown }) => shown)))
				const all = yearChance(Math.max(0, ...sites.map(({ hit }) => hit)), wrongADay)
				return { highest: HIGHEST_CHANCE, organisation: { wrongADay, chance: all }, sites: sites.map(({ shown }) => shown) }
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

const sum = (those: readonly { readonly wrongADay: number }[]): number => those.reduce((all, { wrongADay }) => all + wrongADay, 0)
