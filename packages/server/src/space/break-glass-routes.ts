import type { Id, Random } from '@latchwork/core/base'
import { z } from 'zod'
import { placeOf } from '../estate/index.ts'
import { idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import type { Tx } from '../store/index.ts'
import { type BreakGlass, breakGlass, EMERGENCIES, endBreakGlass, findBreakGlass } from './break-glass-write.ts'

const LONGEST_MINUTES = 60

const shape = named(
	'BreakGlass',
	z.object({ id: z.string(), by: idOf('subject'), bank: idOf('bank'), reason: z.enum(EMERGENCIES), startedAt: time, until: time }),
)
const shown = ({ startedAt, until, reason, ...rest }: BreakGlass): z.input<typeof shape> => ({
	...rest,
	reason: reason as (typeof EMERGENCIES)[number],
	startedAt: toTime(startedAt),
	until: toTime(until),
})

export interface BreakGlassParts {
	readonly random: Random
	/** Somebody else has to look into it afterwards. */
	readonly openReview: (tx: Tx, of: BreakGlass, change: { readonly now: number; readonly random: Random }) => Promise<void>
}

/** In an emergency. */
export const breakGlassRoutes = ({ random, openReview }: BreakGlassParts): Route[] => [
	route({
		method: 'POST',
		path: '/v1/break-glass',
		tag: 'Doors',
		summary:
			'In an emergency: for so many minutes you open occupied compartments of a bank from afar without a second person. It is on record before the first door, everybody who works there sees it, owners are told of each door, and somebody else reviews it.',
		permission: 'door.break-glass',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({
			bank: idOf('bank'),
			reason: z.enum(EMERGENCIES),
			minutes: z.int().min(1).max(LONGEST_MINUTES).default(15),
		}),
		answers: { 201: shape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const made = await breakGlass(tx, body, { by: caller.subject, now, random })
				await openReview(tx, made, { now, random })
				return shown(made)
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/break-glass/{breakGlass}',
		tag: 'Doors',
		summary: 'The emergency is over before its time.',
		permission: 'door.break-glass',
		params: z.strictObject({ breakGlass: z.string().regex(/^bgl_/) as unknown as z.ZodType<Id<'breakGlass'>> }),
		scope: async ({ params }, db) => {
			const found = await findBreakGlass(db, params.breakGlass)
			return found && placeOf(db, found.bank)
		},
		versioned: false,
		answers: { 204: undefined },
		handle: ({ write, params, caller, now }) => write((tx) => endBreakGlass(tx, params.breakGlass, { by: caller.subject, now, random })),
	}),
]
