import { badgeForms, badgeToBits, FEWEST_SAMPLES, writeBadge } from '@latchwork/core/access'
import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { fromTime, named, type Route, route, time } from '../http/index.ts'
import { type MatchedList, matchList } from './badge-list-read.ts'
import { inFuture, issueBadges } from './credential-write.ts'
import type { PeopleTerms } from './read.ts'

const form = {
	notation: z
		.enum(['hex', 'decimal', 'pair', 'joined', 'number'])
		.describe('`pair`: FACILITY-NUMBER; `joined`: the two as one, five digits for the number; `number`: the number alone'),
	reversed: z.boolean().describe('low byte first'),
	parity: z.boolean().describe('with the parity bits of the reader’s format'),
}
const MOST_LINES = 10_000
const MOST_TOLD = 200
const BODY_LIMIT = 2 * 1024 * 1024

const list = {
	samples: z
		.array(z.strictObject({ listed: z.string().min(1).max(60), read: z.string().min(1).max(300) }))
		.min(FEWEST_SAMPLES)
		.max(20)
		.describe('cards of which both are known: `listed` as the list has it, `read` as a reader of ours reports it (`POST /v1/badge-readings`)'),
	lines: z
		.array(z.strictObject({ person: z.string().min(1).max(254), listed: z.string().min(1).max(60) }))
		.min(1)
		.max(MOST_LINES)
		.describe('`person`: an e-mail address, an id of ours, or an id of an external reference'),
}

const matched = named(
	'MatchedBadgeList',
	z.object({
		mapping: z.object({ ...form, bitCount: z.int(), facility: z.string().optional().describe('that all cards have') }),
		lines: z.int(),
		matched: z.int().describe('would get, or got, a badge'),
		left: z.object({ unknownPerson: z.int(), unreadable: z.int(), taken: z.int(), twice: z.int(), present: z.int() }),
		examples: z
			.array(
				z.object({
					line: z.int(),
					person: z.string(),
					listed: z.string(),
					why: z.enum(['unknown-person', 'unreadable', 'taken', 'twice', 'present']),
				}),
			)
			.describe(`the first ${MOST_TOLD} of those that are left`),
		undecided: z.array(z.string()).describe('the cards do not tell several ways of writing apart: read the card with one of these numbers as well'),
	}),
)

const shown = ({ mapping, badges, left, undecided }: MatchedList): z.input<typeof matched> => {
	const count = (why: (typeof left)[number]['why']) => left.filter((line) => line.why === why).length
	return {
		mapping,
		lines: badges.length + left.length,
		matched: badges.length,
		left: {
			unknownPerson: count('unknown-person'),
			unreadable: count('unreadable'),
			taken: count('taken'),
			twice: count('twice'),
			present: count('present'),
		},
		examples: left.slice(0, MOST_TOLD),
		undecided: [...undecided],
	}
}

/** Badge numbers as other systems write them. */
export const badgeListRoutes = (terms: PeopleTerms): Route[] => [
	route({
		method: 'POST',
		path: '/v1/badge-forms',
		tag: 'People',
		summary: 'How readers and lists of other makers write the number of a card: to compare with the plastic, or with an older list.',
		permission: 'credential.manage',
		scope: 'anywhere',
		body: z.strictObject({ number: z.string().trim().min(1).max(300).describe('digits, FACILITY-NUMBER, or hex:BITCOUNT:HEX') }),
		answers: { 200: named('BadgeForms', z.object({ bitCount: z.int(), forms: z.array(z.object({ ...form, text: z.string() })) })) },
		handle: async ({ body }) => {
			const image = badgeToBits(body.number)
			if (!image.ok) throw new Fault('request-invalid', `body.number: ${image.text}`, { detail: { field: 'body.number', refusal: image.code } })
			return {
				bitCount: image.bitCount,
				forms: badgeForms(image.bitCount).map((one) => ({ ...one, text: writeBadge(one, image.bitCount, image.bits) })),
			}
		},
	}),
	route({
		method: 'POST',
		path: '/v1/badge-matches',
		tag: 'People',
		summary: 'What five cards teach about a list of badge numbers, and how many of its lines would give somebody a badge. Changes nothing.',
		permission: 'credential.manage',
		body: z.strictObject(list),
		bodyLimit: BODY_LIMIT,
		answers: { 200: matched },
		handle: ({ body, read }) => read(async (db) => shown(await matchList(db, body.samples, body.lines, terms))),
	}),
	route({
		method: 'POST',
		path: '/v1/badge-imports',
		tag: 'People',
		summary: 'Give the badges of a list, as `POST /v1/badge-matches` foretells. All of them or, where something is in the way, none.',
		permission: 'credential.manage',
		body: z.strictObject({
			...list,
			assurance: z.enum(['low', 'medium', 'high']).optional().describe('left out: low, as most badges can be copied'),
			notAfter: time.optional().describe('when they end by themselves'),
		}),
		bodyLimit: BODY_LIMIT,
		answers: { 201: matched },
		handle: ({ body: { samples, lines, assurance = 'low', notAfter: until }, write, caller, now }) =>
			write(async (tx) => {
				const notAfter = until === undefined ? undefined : fromTime(until)
				inFuture(notAfter, now)
				const found = await matchList(tx, samples, lines, terms)
				if (found.undecided.length > 0)
					throw new Fault(
						'request-refused',
						`These cards do not tell two ways of writing apart. Read the card with the number ${found.undecided[0]} as well.`,
						{ detail: { field: 'body.samples' } },
					)
				const made = await issueBadges(tx, { ...terms, actor: caller.subject, now }, found.badges, { assurance, notAfter })
				if (made.length !== found.badges.length)
					throw new Fault('database-busy', 'Badges were given to somebody else meanwhile; nothing was changed. Look at the list once more.')
				return shown(found)
			}),
	}),
]
