import { z } from 'zod'
import { fromCursor, idOf, named, page, pageOf, pageQuery, type Route, route, time, toTime, updatedCursor } from '../http/index.ts'
import { type OwnOpening, ownOpenings } from './own-read.ts'

const opening = named(
	'OwnOpening',
	z.object({
		command: idOf('command'),
		at: time.describe('when it was agreed that the door is opened'),
		bank: idOf('bank'),
		place: z.object({ bank: z.string(), site: z.string(), timeZone: z.string() }).describe('as it is called, for somebody who may see no banks'),
		door: z.int().optional().describe('the number on it; absent: it is no more'),
		case: z.object({ id: idOf('case'), number: z.string(), label: z.string() }).describe('of theirs, with something behind the door'),
		reason: z.string().optional().describe('one of those of POST /v1/door-sessions'),
		roles: z.array(z.string()).optional().describe('by which somebody opened it, as they were then; absent: from before that was kept'),
		agreed: z.enum(['second-person', 'owner-on-phone', 'emergency', 'nobody']).describe('who else had a say'),
		secondRoles: z.array(z.string()).optional(),
		state: z.enum(['requested', 'sent', 'accepted', 'refused', 'done', 'failed', 'expired']),
		end: z.string().optional().describe('how the door session ended'),
	}),
)

function toOpening({ at, command, case: of, by, door, bankName, siteName, timeZone }: OwnOpening): z.input<typeof opening> {
	const { id, bank, reason, approvedBy, ownerFacts, state, end } = command
	return {
		command: id,
		at: toTime(at),
		bank,
		place: { bank: bankName, site: siteName, timeZone },
		...(door !== undefined && { door }),
		case: of,
		...(reason !== null && { reason }),
		...(by && { roles: [...by.roles] }),
		agreed: approvedBy !== null ? 'second-person' : ownerFacts !== null ? 'owner-on-phone' : by?.emergency ? 'emergency' : 'nobody',
		...(by?.second && { secondRoles: [...by.second] }),
		// Nobody is told before somebody has agreed.
		state: state === 'awaiting-approval' ? 'requested' : state,
		...(end !== null && { end }),
	}
}

/** What somebody sees of their own without any role. */
export const ownRoutes = (): Route[] => [
	route({
		method: 'GET',
		path: '/v1/me/openings',
		tag: 'Doors',
		summary:
			'Doors that were opened from afar while something of whoever asks lay behind them: when, where, why, and by which role; the newest first.',
		permission: 'signed-in',
		query: pageQuery,
		answers: { 200: pageOf('OwnOpenings', opening) },
		handle: ({ query: { limit, cursor }, read, caller }) =>
			read(async (db) => {
				const before = fromCursor(cursor, updatedCursor)
				return page(await ownOpenings(db, caller.subject, { limit: limit + 1, before }), limit, toOpening, ({ at, notice }) => [at, notice])
			}),
	}),
]
