import type { Id } from '@latchwork/core/base'
import { z } from 'zod'
import { findBank, findCompartment, siteOf } from '../estate/index.ts'
import { fromCursor, named, page, pageOf, pageQuery, type Route, route } from '../http/index.ts'
import { decisionEvents } from '../ledger/index.ts'
import type { Db } from '../store/index.ts'
import type { AccessTerms } from './as-if.ts'
import { decision, outcome, toDecision, toOutcome } from './decision-routes.ts'
import { policySetsOf } from './policy-read.ts'
import { waitsFor } from './reach.ts'
import { type Decided, decidedFrom } from './replay.ts'
import { type Outcome, outcomeOf, type Question, standingAt, using } from './what-if.ts'

const ownDecision = named(
	'OwnDecision',
	decision.extend({
		place: z
			.object({ bank: z.string(), site: z.string(), timeZone: z.string() })
			.optional()
			.describe('as it is called, for somebody who may see no banks; absent: it is no more'),
		door: z.int().optional().describe('the number on it'),
		thing: z.string().optional().describe('what the asset is called'),
		now: outcome.optional().describe('of what was refused: what the bank would say to the same now. Of the newest few different ones alone'),
	}),
)

/** So many different refusals are asked again: each takes some hundred questions. */
const ASKED_AGAIN = 5

/** What a bank said to somebody, for themselves: they need no role, and see nobody else's. */
export const ownRoutes = ({ engine, asIf }: AccessTerms): Route[] => {
	/** By the place of the event in the log. */
	async function againOf(db: Db, user: Id<'subject'>, decided: readonly Decided[], now: number): Promise<ReadonlyMap<number, Outcome>> {
		const refused = decided.filter(({ effect, question }) => effect === 'deny' && question !== undefined && question.method !== 'remote')
		const alike = [
			...Map.groupBy(refused, ({ bank, action, asset, compartment, method }) => [bank, action, asset, compartment, method].join(' ')).values(),
		]
		const asked = alike.slice(0, ASKED_AGAIN)
		const { sets } = await policySetsOf(db)
		const answers = new Map<number, Outcome>()
		for (const [bank, groups] of Map.groupBy(asked, ([first]) => first?.bank)) {
			const [at] = bank && (await findBank(db, bank)) ? await asIf.banks(db, { banks: [bank], only: [user], now }) : []
			if (!at) continue
			const bundle = at.bundle(sets)
			await using(engine, bundle, (compiled) => {
				for (const group of groups) {
					const was = group[0]?.question as Question
					const { resource } = was
					if (resource.kind === 'asset' && !bundle.assets.some(({ id }) => id === resource.id)) continue
					const { uncertain: _, ...rest } = was
					const own = resource.kind === 'compartment' && waitsFor(at.behind.get(resource.id), user)
					const question = { ...rest, ...standingAt(at, user, now), own }
					const said = outcomeOf(compiled, question)
					for (const { position } of group) answers.set(position, said)
				}
			})
		}
		return answers
	}
	async function shown(db: Db, user: Id<'subject'>, decided: readonly Decided[], now: number): Promise<z.input<typeof ownDecision>[]> {
		const again = await againOf(db, user, decided, now)
		const names = await asIf.called(
			db,
			decided.flatMap(({ asset }) => asset ?? []),
		)
		const places = new Map<Id<'bank'>, { bank: string; site: string; timeZone: string }>()
		for (const bank of new Set(decided.map((one) => one.bank))) {
			const found = await findBank(db, bank)
			if (!found) continue
			const { name: site, timeZone } = await siteOf(db, found.site)
			places.set(bank, { bank: found.name, site, timeZone })
		}
		const all: z.input<typeof ownDecision>[] = []
		for (const one of decided) {
			const place = places.get(one.bank)
			const door = one.compartment === undefined ? undefined : (await findCompartment(db, one.compartment))?.number
			const thing = one.asset === undefined ? undefined : names.get(one.asset)
			const said = again.get(one.position)
			all.push({
				...toDecision(one),
				...(place && { place }),
				...(door !== undefined && { door }),
				...(thing !== undefined && { thing }),
				...(said && { now: toOutcome(said) }),
			})
		}
		return all
	}
	return [
		route({
			method: 'GET',
			path: '/v1/me/decisions',
			tag: 'Access',
			summary: 'What banks allowed and refused to whoever asks, the newest first, with the reasons, and what would have to be otherwise.',
			permission: 'signed-in',
			query: pageQuery,
			answers: { 200: pageOf('OwnDecisions', ownDecision) },
			handle: ({ query: { limit, cursor }, read, caller, now }) =>
				read(async (db) => {
					const before = fromCursor(cursor, z.tuple([z.int()]))?.[0]
					const events = await decisionEvents(db, { user: caller.subject, before, limit: limit + 1 })
					const decided = events.flatMap((event) => decidedFrom(event) ?? [])
					return page(
						await shown(db, caller.subject, decided, now),
						limit,
						(one) => one,
						({ position }) => [position],
					)
				}),
		}),
	]
}
